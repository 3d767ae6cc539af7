// Runs a widget's ES module in any page: a model that holds the traits, without Jupyter or a server.

// A trait's value as JSON has it: bytes are {"$bytes": base64}, and come back as Jupyter gives them.
const revive = (value) => value && value.$bytes !== undefined
  ? new DataView(Uint8Array.from(atob(value.$bytes), (c) => c.charCodeAt(0)).buffer) : value;

// What anywidget gives a module: get, set, save_changes, on, off. Where there is a kernel, a function
// of a map of changed traits, changes go to it and its answer, a map too, comes back into the model.
class PageModel {
  constructor(state, kernel) {
    this.state = Object.fromEntries(Object.entries(state).map(([k, v]) => [k, revive(v)]));
    this.kernel = kernel;
    this.changed = {};
    this.listeners = new Map();
  }
  get(name) { return this.state[name]; }
  set(name, value) {
    if (this.state[name] === value) return;
    this.state[name] = value;
    this.changed[name] = value;
    this.tell(name);
  }
  tell(name) {
    for (const event of [`change:${name}`, "change"])
      for (const listener of [...(this.listeners.get(event) ?? [])]) listener(this);
  }
  on(events, listener) {
    for (const event of events.split(" "))
      this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener]);
  }
  off(event, listener) {
    for (const name of event ? event.split(" ") : [...this.listeners.keys()])
      this.listeners.set(name, (this.listeners.get(name) ?? []).filter(
        (one) => listener && one !== listener));
  }
  save_changes() {
    const changed = this.changed;
    this.changed = {};
    this.kernel?.(changed).then((answer) => this.receive(answer));
  }
  receive(answer) {
    const names = Object.keys(answer ?? {});
    for (const name of names) this.state[name] = revive(answer[name]);
    for (const name of names) this.tell(name);
  }
  send() {}
}

// Draws a widget in `element` from its module's text and its traits; the promise of its model.
// Without a kernel, the widget does not offer what needs one, and says so.
async function showWidget(element, module, state, kernel = null) {
  const address = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
  const loaded = await import(address);
  URL.revokeObjectURL(address);
  const definition = typeof loaded.default === "function" ? await loaded.default() : loaded.default;
  const model = new PageModel({ ...state, _alone: !kernel }, kernel);
  if (definition.initialize) await definition.initialize({ model });
  await definition.render({ model, el: element });
  return model;
}
