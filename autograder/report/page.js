"use strict";
(() => {
  const D = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const T = (number) => D.texts[number] ?? "";
  const number = (value) => String(Math.round(value * 100) / 100);
  const students = D.students;

  // Text comes into the page as text nodes only.
  const el = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes))
      if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
    made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
    return made;
  };

  const hidden = () => byId("hide").checked;
  const called = (k) => (hidden() ? `student ${k + 1}` : students[k].name || students[k].key);
  const whoButton = (k) =>
    el("button", { type: "button", class: "who", "data-student": k }, el("bdi", {}, called(k)));
  const renameAll = () => {
    for (const button of document.querySelectorAll(".who"))
      button.firstElementChild.textContent = called(Number(button.dataset.student));
  };

  // --- what a student's claims say --------------------------------------------------------------
  const parts = (claim) =>
    typeof claim === "number"
      ? { id: claim, holds: true }
      : claim.length === 1
        ? { id: claim[0], holds: null }
        : { id: claim[0], holds: false, saw: T(claim[1]), asks: T(claim[2]), advice: T(claim[3]) };
  for (const student of students) {
    const exercises = student.exercises ?? [];
    student.fails = new Set(exercises.flatMap((one) => one.claims.map(parts))
      .filter((claim) => claim.holds === false).map((claim) => claim.id));
    student.mistakes = new Set(exercises.flatMap((one) => one.mistakes));
    student.unread = exercises.filter((one) => one.read).length;
  }

  // --- the table ----------------------------------------------------------------------------------
  const scored = (student) => student.state === "graded" || student.state === "to read";
  const mark = (student, e) => (student.exercises ?? [])[e];
  const columns = [
    { head: "student", of: (s, k) => called(k).toLocaleLowerCase(), text: true },
    { head: "mark", of: (s) => (scored(s) ? s.score : -1) },
    ...D.exercises.map((exercise, e) => ({
      head: exercise.name, title: exercise.title, exercise: e,
      of: (s) => (scored(s) && mark(s, e)?.score !== undefined && mark(s, e).score !== null
        ? mark(s, e).score : -1),
    })),
    { head: "notes", of: (s) => [s.late ?? 0, s.unread, s.state].join(" "), text: true },
  ];
  const order = { column: 0, down: false };
  const open = new Set();

  const cellOf = (student, e) => {
    const one = mark(student, e);
    if (!scored(student) || !one) return el("td", { class: "n idle" }, "–");
    if (one.read) return el("td", { class: "n unread", title: "an answer to read" }, "?");
    if (one.score === null) return el("td", { class: "n idle" }, "–");
    const most = D.exercises[e].points;
    const idle = one.status === "not attempted" && one.score === 0;
    const kind = idle ? "idle" : one.score >= most ? "full" : one.score <= 0 ? "zero" : "";
    const words = idle ? "not begun" : `${number(one.score)} of ${number(most)}`;
    return el("td", { class: `n ${kind}`, title: words }, idle ? "○" : number(one.score),
      one.hand ? el("span", { title: "given by hand" }, " ✎") : "");
  };
  const notesOf = (student) => {
    const notes = [];
    if (!scored(student)) notes.push(student.state + (student.why ? `: ${student.why}` : ""));
    if (student.unread) notes.push(`${student.unread} to read`);
    if (student.lateness)
      notes.push(`late ${student.lateness}${student.penalty ? ` (−${number(student.penalty)})` : ""}`);
    if (student.again) notes.push("changed since");
    if ((student.attempts ?? []).length > 1) notes.push(`${student.attempts.length} submissions`);
    return notes.join(" · ");
  };
  const rows = students.map((student, k) => {
    const name = whoButton(k);
    name.setAttribute("aria-expanded", "false");
    return el("tr", { class: "student" }, el("th", { scope: "row" }, name),
      scored(student)
        ? el("td", { class: "n" }, el("strong", {}, number(student.score)))
        : el("td", { class: "n idle" }, "–"),
      ...D.exercises.map((_, e) => cellOf(student, e)),
      el("td", { class: "words" }, notesOf(student)));
  });

  const head = byId("table").tHead.appendChild(el("tr"));
  columns.forEach((column, c) => {
    const button = el("button", { type: "button", title: column.title }, column.head, el("span"));
    if (c === 1) button.insertBefore(el("small", { class: "quiet" }, ` / ${number(D.most)}`), button.lastChild);
    button.addEventListener("click", () => {
      order.down = order.column === c ? !order.down : !column.text;
      order.column = c;
      draw();
    });
    head.append(el("th", { scope: "col", class: column.text ? undefined : "n" }, button));
  });

  const compare = new Intl.Collator(undefined, { numeric: true }).compare;
  const draw = () => {
    const column = columns[order.column];
    const keys = students.map((student, k) => column.of(student, k));
    const shown = students.map((_, k) => k).filter((k) => wanted(students[k], k));
    shown.sort((a, b) => {
      const by = column.text ? compare(keys[a], keys[b]) : keys[a] - keys[b];
      return (order.down ? -by : by) || a - b;
    });
    [...head.children].forEach((th, c) => {
      const now = c === order.column;
      if (now) th.setAttribute("aria-sort", order.down ? "descending" : "ascending");
      else th.removeAttribute("aria-sort");
      th.firstChild.lastChild.textContent = now ? (order.down ? " ▾" : " ▴") : "";
    });
    byId("table").tBodies[0].replaceChildren(
      ...shown.flatMap((k) => (open.has(k) ? [rows[k], detailOf(k)] : [rows[k]])));
    byId("shown").textContent =
      `${shown.length} of ${students.length} student${students.length === 1 ? "" : "s"}`;
  };

  // --- filters ------------------------------------------------------------------------------------
  const choice = (value, text) => el("option", { value }, text);
  const states = {
    "": ["all", () => true],
    read: ["with answers to read", (s) => s.unread > 0],
    full: ["with full marks", (s) => scored(s) && s.score >= D.most],
    half: ["below half of the marks", (s) => scored(s) && s.score < D.most / 2],
    late: ["late", (s) => s.late > 0],
    again: ["with several submissions", (s) => (s.attempts ?? []).length > 1],
    technical: ["without a mark", (s) => !scored(s)],
  };
  const lost = (student, e) => {
    const one = mark(student, e);
    return scored(student) && one && !one.read && one.score !== null &&
      one.score < D.exercises[e].points;
  };
  const wanted = (student, k) => {
    const text = byId("find").value.trim().toLocaleLowerCase();
    const e = byId("exercise").value;
    const [kind, id] = byId("with").value.split(":");
    return states[byId("state").value][1](student) &&
      (!text || called(k).toLocaleLowerCase().includes(text) ||
        (!hidden() && student.key.toLocaleLowerCase().includes(text))) &&
      (e === "" || lost(student, Number(e))) &&
      (!kind || (scored(student) &&
        student[kind === "claim" ? "fails" : "mistakes"].has(Number(id))));
  };
  for (const [value, [text]] of Object.entries(states)) byId("state").append(choice(value, text));
  byId("exercise").append(choice("", "any exercise, or none"),
    ...D.exercises.map((exercise, e) => choice(e, exercise.name)));
  const failing = new Map();
  for (const student of students)
    if (scored(student)) for (const id of student.fails) failing.set(id, (failing.get(id) ?? 0) + 1);
  byId("with").append(choice("", "any claim or mistake, or none"));
  const group = (label, entries) => {
    if (entries.length) byId("with").append(el("optgroup", { label }, ...entries));
  };
  const short = (text) => (text.length > 90 ? `${text.slice(0, 89)}…` : text);
  group("the mistake", D.mistakes.map(([e, name], m) =>
    choice(`mistake:${m}`, `${D.exercises[e].name}: ${name}`)));
  group("the failed claim", D.claims.map(([e, text], c) => [c, `${D.exercises[e].name}: ${short(text)}`])
    .filter(([c]) => failing.has(c)).map(([c, text]) => choice(`claim:${c}`, text)));

  const reset = () => {
    for (const id of ["find", "state", "exercise", "with"]) byId(id).value = "";
  };
  for (const id of ["find", "state", "exercise", "with"]) byId(id).addEventListener("input", draw);
  byId("clear").addEventListener("click", () => { reset(); open.clear(); draw(); });
  byId("hide").addEventListener("change", () => { renameAll(); draw(); });

  // --- one student --------------------------------------------------------------------------------
  const code = (text) => el("pre", { tabindex: "0", dir: "ltr" }, el("code", {}, text));
  const claimItem = (claim) => {
    const { id, holds, saw, asks, advice } = parts(claim);
    const [sign, word, ink] = holds ? ["✓", "holds", "good-ink"]
      : holds === null ? ["○", "not judged yet", "quiet"] : ["✗", "fails", "bad-ink"];
    const told = [["seen", saw], ["asked", asks], ["advice", advice]].filter(([, text]) => text);
    return el("li", {}, el("span", { class: ink, "aria-hidden": "true" }, sign),
      el("span", { class: "out" }, `${word}: `), ` ${D.claims[id]?.[1] ?? T(id)}`,
      told.length ? el("dl", {}, ...told.flatMap(([name, text]) =>
        [el("dt", {}, name), el("dd", {}, name === "advice" ? el("strong", {}, text) : text)])) : "");
  };
  const verdictOf = (one, e) => {
    const exercise = D.exercises[e];
    const idle = one.status === "not attempted" && !one.score && !one.read;
    const sign = one.read ? "?" : idle ? "○" : one.score >= exercise.points ? "✓" : one.score > 0 ? "◐" : "✗";
    const points = one.read ? "to read" : one.score === null ? "no mark"
      : `${number(one.score)} of ${number(exercise.points)}`;
    return el("article", {},
      el("h4", {}, el("span", {}, `${sign} `, el("code", {}, exercise.name)),
        el("span", { class: "quiet small" }, exercise.title),
        el("span", { class: "n" }, points + (one.hand ? " ✎ by hand" : ""))),
      idle ? el("p", { class: "quiet small" }, "not begun") : "",
      one.reason && !idle ? el("p", { class: "small" }, el("span", { class: "bad-ink" }, "! "), T(one.reason),
        T(one.line) ? el("span", {}, " · line: ", el("code", {}, T(one.line))) : "") : "",
      one.inside ? el("p", { class: "quiet small" }, "judged inside the student's own process") : "",
      T(one.advice) ? el("p", { class: "advice small" }, T(one.advice)) : "",
      one.example.length ? el("dl", {}, ...one.example.flatMap(([label, text]) =>
        [el("dt", {}, T(label)), el("dd", {}, T(text))])) : "",
      ...foldOf(one, exercise));
  };
  // What earned everything is folded to a line; what did not is read claim by claim.
  const foldOf = (one, exercise) => {
    const claims = one.claims.length ? el("ul", {}, ...one.claims.map(claimItem)) : "";
    const cell = T(one.answer) ? code(T(one.answer)) : "";
    const whole = one.claims.length && one.claims.every((claim) => typeof claim === "number");
    if (whole) {
      const words = `${one.claims.length} claim${one.claims.length === 1 ? "" : "s"} hold`;
      return [el("details", {}, el("summary", {}, words + (cell ? ", and the student's cell" : "")), claims, cell)];
    }
    return [claims, cell && el("details", { open: exercise.written },
      el("summary", {}, exercise.written ? "the answer" : "the student's cell"), cell)];
  };
  const details = new Map();
  const detailOf = (k) => {
    if (details.has(k)) return details.get(k);
    const student = students[k];
    const facts = [];
    if (scored(student)) facts.push(`${number(student.score)} of ${number(D.most)} points`);
    else facts.push(student.state + (student.why ? `: ${student.why}` : ""));
    if (student.penalty) facts.push(`a late penalty of ${number(student.penalty)} is taken off`);
    if (student.lateness) facts.push(`${student.lateness} late`);
    if (student.again) facts.push("what lies among the submissions now is not what was graded");
    if (student.seconds) facts.push(`graded in ${number(student.seconds)} s`);
    if (student.memory) facts.push(`${Math.round(student.memory / 1e6)} MB at the most`);
    const attempts = student.attempts ?? [];
    const made = el("tr", { class: "detail" }, el("td", { colspan: columns.length },
      el("div", { class: "detail-in" },
        el("p", {}, facts.join(" · "), student.feedback
          ? el("span", {}, " · ", el("a", { href: student.feedback, target: "_blank", rel: "noopener noreferrer" },
            "feedback page")) : ""),
        attempts.length > 1 ? el("p", {}, "Submissions: ",
          attempts.map(([when, score]) => `${number(score)} (${when})`).join(" → ")) : "",
        ...(student.problems ?? []).map((text) => el("p", { class: "small" }, "⚠ ", T(text))),
        ...(student.exercises ?? []).map(verdictOf),
        (student.added ?? []).length ? el("details", {},
          el("summary", {}, `${student.added.length} cells that the student added`),
          ...student.added.map((text) => code(T(text)))) : "")));
    details.set(k, made);
    return made;
  };
  const toggle = (k, on = !open.has(k)) => {
    if (on) open.add(k); else open.delete(k);
    const button = rows[k].querySelector(".who");
    button.setAttribute("aria-expanded", String(on));
    const row = rows[k];
    if (!row.isConnected) return;
    if (on) row.after(detailOf(k)); else details.get(k)?.remove();
  };
  const goTo = (k) => {
    if (!wanted(students[k], k)) reset();
    toggle(k, true);
    draw();
    rows[k].querySelector(".who").focus({ preventScroll: true });
    rows[k].scrollIntoView({ block: "center" });
  };
  const show = (value) => {
    reset();
    byId("with").value = value;
    draw();
    byId("students").scrollIntoView();
    byId("with").focus({ preventScroll: true });
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.student !== undefined) {
      const k = Number(button.dataset.student);
      if (button.closest("#table")) toggle(k); else goTo(k);
    } else if (button.dataset.claim !== undefined) show(`claim:${button.dataset.claim}`);
    else if (button.dataset.mistake !== undefined) show(`mistake:${button.dataset.mistake}`);
  });
  byId("table").addEventListener("keydown", (event) => {
    const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!way || !event.target.matches("tbody .who")) return;
    const buttons = [...byId("table").querySelectorAll("tbody .who")];
    const next = buttons[buttons.indexOf(event.target) + way];
    if (next) { next.focus(); event.preventDefault(); }
  });

  // --- answers to read, when they are asked for ------------------------------------------------------
  for (const place of document.querySelectorAll(".answers"))
    place.addEventListener("toggle", () => {
      const inside = place.querySelector(".answers-in");
      if (!place.open || inside.childElementCount) return;
      const e = D.exercises.findIndex((exercise) => exercise.name === place.dataset.exercise);
      students.forEach((student, k) => {
        const one = mark(student, e);
        if (one?.read) inside.append(el("div", {}, el("p", {}, whoButton(k)),
          el("pre", { tabindex: "0" }, T(one.answer) || "(no text on record)")));
      });
    });

  // Paper has no folds.
  const folds = () => document.querySelectorAll("details[data-print]");
  window.addEventListener("beforeprint", () => folds().forEach((fold) => { fold.open = true; }));
  window.addEventListener("afterprint", () => folds().forEach((fold) => { fold.open = false; }));

  renameAll();
  draw();
  document.body.dataset.ready = "true";
})();
