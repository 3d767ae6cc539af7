"""Wrong answers to lesson 11, recurrent."""

from tests.banks.bank import Wrong, written

SQUARE = "each row becomes tanh(W x + U h + b), where x is as long as h"
STATES = "T symbols have T + 1 states: the first is h, and that at place t has read t symbols"
GRU = "the next state is (1 − z) n + z h, of the gates and the proposal of the formula"
FULL = "a text that fills its row costs −log p of each symbol, and of its end"
SHORTER = "a shorter text costs its symbols and its end, and nothing that stands behind"
WINDOWS = (
    "each window has its loss, its gradient and its update; the state goes on, "
    "and comes back at the end with the sum of all losses"
)
LOOSE = "no gradient goes back through the state that is returned"
OFTEN = "each text comes as often as the model says, and holds the end from its end on"
ITSELF = "each text is written for itself"
CONSTANT = "each symbol costs one step, however many stand before it"
STATE_OF_ITS_WINDOW = "the state that goes on is the last of its window's own states"
GENERATOR = "all randomness comes from the given generator"
BY_DEFAULT = "without a generator each call draws anew"
SCANNED = "place t holds h_t = a_t h_{t−1} + b_t, for any number of steps"
FORGETS = "also where the state forgets fast, or all at once"
GRADIENT = "a gradient goes back through it"
AT_ONCE = "no step waits for the one before: 448 steps more take only a few calls more"

STEP = "torch.tanh(x @ W.T + h @ U.T + b)"
BLOCKS = "r, z, n = (x @ W.T + b).chunk(3, dim=1)  # (B, H) each"
BLOCKS_H = "r_h, z_h, n_h = (h @ U.T + c).chunk(3, dim=1)"
GATES = "r, z = torch.sigmoid(r + r_h), torch.sigmoid(z + z_h)"
PROPOSAL = "n = torch.tanh(n + r * n_h)"
MIX = "return (1 - z) * n + z * h"
STACK = "return torch.stack(states, dim=1)"
APPEND = "states.append(step(x[:, t], states[-1]))"
TARGETS = "torch.where(place < ends, F.pad(x, (0, 1)), END)"
COUNTED = "return torch.where(place <= ends, losses, 0.0).sum(dim=1)"
CUT = "h = states[:, -1].detach()"
BACK = "        nats.backward()\n        update()\n"
PROBS = "probs = torch.softmax(logits(h), dim=-1)  # (B, V)"
DRAWN = "x = torch.multinomial(probs, 1, generator=generator)[:, 0]"
JOINED = "here * b[:, before] + b[:, distance:]"


def _rows(exercise: str, fails: str, *rows: tuple) -> list[Wrong]:
    """A wrong answer for each (misconception, edit)."""
    return [Wrong(exercise, fails, name, edit=edit) for name, edit in rows]


def _blocks(order: str) -> tuple:
    """The GRU with its blocks read in another order."""
    names = ", ".join(order)
    names_h = ", ".join(f"{k}_h" for k in order)
    return (
        (BLOCKS, BLOCKS.replace("r, z, n", names)),
        (BLOCKS_H, BLOCKS_H.replace("r_h, z_h, n_h", names_h)),
    )


ORDERS = ("zrn", "nrz", "nzr", "rnz", "znr")
ANSWERS = (
    *_rows(
        "rnn_step",
        SQUARE,
        ("not-squashed", (STEP, "x @ W.T + h @ U.T + b")),
        ("another-squashing", ("torch.tanh", "torch.sigmoid")),
        ("another-squashing", ("torch.tanh", "torch.relu")),
        ("transposed", ("x @ W.T", "x @ W")),
        ("transposed", ("h @ U.T", "h @ U")),
        ("transposed", ("x @ W.T + h @ U.T", "x @ W + h @ U")),
        ("maps-exchanged", ("x @ W.T + h @ U.T", "x @ U.T + h @ W.T")),
        ("maps-exchanged", ("h @ U.T", "h @ W.T")),
        ("maps-exchanged", ("x @ W.T", "x @ U.T")),
        ("bias-forgotten", (" + b)", ")")),
        ("bias-subtracted", (" + b)", " - b)")),
        ("bias-twice", (" + b)", " + b + b)")),
        ("state-ignored", (" + h @ U.T", "")),
        ("input-ignored", ("x @ W.T + ", "")),
        ("state-added", (STEP, f"h + {STEP}")),
    ),
    *_rows(
        "unroll",
        STATES,
        ("x-t-for-x-before", (STACK, "return torch.stack(states[1:], dim=1)")),
        ("last-state-missing", (STACK, "return torch.stack(states[:-1], dim=1)")),
        ("only-one-state", (STACK, "return states[-1][:, None]")),
        ("only-one-state", (STACK, "return h[:, None]")),
        ("batch-and-time-swapped", (STACK, "return torch.stack(states)")),
        ("batch-and-time-swapped", (STACK, "return torch.stack(states, dim=2)")),
        ("batch-and-time-swapped", (("x.shape[1]", "len(x)"), ("step(x[:, t]", "step(x[t]"))),
        (
            "batch-and-time-swapped",
            (
                ("x.shape[1]", "len(x)"),
                ("step(x[:, t]", "step(x[t]"),
                (STACK, "return torch.stack(states)"),
            ),
        ),
        ("state-not-carried", ("states[-1])", "h)")),
        ("first-state-ignored", ("states = [h]", "states = [torch.zeros_like(h)]")),
        ("backwards", ("range(x.shape[1])", "reversed(range(x.shape[1]))")),
        ("shifted", ("step(x[:, t]", "step(x[:, max(t - 1, 0)]")),
        ("shifted", ("step(x[:, t]", "step(x[:, min(t + 1, x.shape[1] - 1)]")),
    ),
    *written(
        "unroll",
        "unroll(step, x, h)",
        (
            STATES,
            "first-place-empty",
            """
states = torch.zeros(len(h), x.shape[1] + 1, h.shape[1])
for t in range(x.shape[1]):
    h = step(x[:, t], h)
    states[:, t + 1] = h
return states
""",
        ),
        (
            STATES,
            "state-not-reset",
            """
rows, state = [], h[:1]
for i in range(len(x)):
    row = [state]
    for t in range(x.shape[1]):
        row.append(step(x[i : i + 1, t], row[-1]))
    state = row[-1]
    rows.append(torch.stack(row, dim=1))
return torch.cat(rows)
""",
        ),
        (
            STATES,
            "the-same-always",
            """
return torch.zeros(len(h), x.shape[1] + 1, h.shape[1])
""",
        ),
        (
            GRADIENT,
            "written-over-on-the-way",
            """
states = torch.zeros(len(x), x.shape[1] + 1, h.shape[1], dtype=h.dtype)
states[:, 0] = h
for t in range(x.shape[1]):
    states[:, t + 1] = step(x[:, t], states[:, t])
return states
""",
        ),
    ),
    *_rows(
        "gru_step",
        GRU,
        ("gates-exchanged", (MIX, "return z * n + (1 - z) * h")),
        *(
            ("blocks-in-another-order", _blocks(order))
            for order in ("zrn", "nrz", "nzr", "rnz", "znr")
        ),
        (
            "reset-before-the-map",
            (PROPOSAL, "n = torch.tanh(n + (r * h) @ U.chunk(3)[2].T + c.chunk(3)[2])"),
        ),
        (
            "reset-without-its-bias",
            (PROPOSAL, "n = torch.tanh(n + r * (h @ U.chunk(3)[2].T) + c.chunk(3)[2])"),
        ),
        ("reset-forgotten", (PROPOSAL, "n = torch.tanh(n + n_h)")),
        ("reset-of-the-input", (PROPOSAL, "n = torch.tanh(r * (n + n_h))")),
        ("reset-of-the-input", (PROPOSAL, "n = torch.tanh(r * n + n_h)")),
        ("one-gate-for-both", (PROPOSAL, "n = torch.tanh(n + z * n_h)")),
        ("one-gate-for-both", (MIX, "return (1 - r) * n + r * h")),
        ("bias-forgotten", ("x @ W.T + b", "x @ W.T")),
        ("bias-forgotten", ("h @ U.T + c", "h @ U.T")),
        ("bias-forgotten", (("x @ W.T + b", "x @ W.T"), ("h @ U.T + c", "h @ U.T"))),
        ("another-squashing", (PROPOSAL, "n = torch.sigmoid(n + r * n_h)")),
        ("another-squashing", (PROPOSAL, "n = n + r * n_h")),
        ("another-squashing", (GATES, "r, z = torch.tanh(r + r_h), torch.tanh(z + z_h)")),
        ("another-squashing", (GATES, "r, z = r + r_h, z + z_h")),
        ("no-mixture", (MIX, "return n + z * h")),
        ("no-mixture", (MIX, "return (1 - z) * n")),
    ),
    *_rows(
        "nll",
        FULL,
        ("end-not-scored", ("place <= ends", "place < ends")),
        ("first-not-scored", ("place <= ends", "(place <= ends) & (place > 0)")),
        ("last-not-scored", ("place <= ends", "place < ends - 1")),
        (
            "x-t-for-x-before",
            (
                (
                    "losses = ",
                    "logits = torch.cat([logits[:, 1:], logits[:, -1:]], dim=1)\n    losses = ",
                ),
                ("place <= ends", "place < ends"),
            ),
        ),
        (
            "x-t-for-x-before",
            (
                "losses = ",
                "later = torch.cat([logits[:, 1:], logits[:, -1:]], dim=1)\n"
                "    logits = torch.where((place < ends)[..., None], later, logits)\n    losses = ",
            ),
        ),
        (
            "softmax-over-time",
            (
                'F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")',
                "-logits.log_softmax(1).gather(2, targets[..., None])[..., 0]",
            ),
        ),
        (
            "softmax-over-time",
            (
                'F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")',
                "-logits.log_softmax(0).gather(2, targets[..., None])[..., 0]",
            ),
        ),
        (
            "not-normalized",
            (
                'F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")',
                "-logits.gather(2, targets[..., None])[..., 0]",
            ),
        ),
        ("mean-for-sum", (COUNTED, f"{COUNTED} / (lengths + 1)")),
        ("mean-for-sum", (COUNTED, f"{COUNTED} / lengths.clamp(min=1)")),
        ("mean-for-sum", (".sum(dim=1)", ".mean(dim=1)")),
        ("summed-over-the-batch", (".sum(dim=1)", ".sum()")),
        ("summed-over-the-batch", (".sum(dim=1)", ".sum(dim=1).mean()")),
        ("summed-over-the-batch", (".sum(dim=1)", ".sum() / (place <= ends).sum()")),
        ("not-summed", (".sum(dim=1)", "")),
        ("bits-for-nats", (COUNTED, f"{COUNTED} / math.log(2)")),
        (
            "end-is-the-last-symbol",
            (TARGETS, TARGETS.replace("END", "logits.shape[2] - 1")),
        ),
        ("sign", (COUNTED, COUNTED.replace("return ", "return -"))),
    ),
    *_rows(
        "nll",
        SHORTER,
        ("padding-scored", ((TARGETS, "F.pad(x, (0, 1))"), (COUNTED, "return losses.sum(dim=1)"))),
        ("padding-scored", (COUNTED, "return losses.sum(dim=1)")),
        (
            "padding-scored",
            ((TARGETS, "F.pad(x, (0, 1))"), (COUNTED, "return losses[:, :-1].sum(dim=1)")),
        ),
        ("padding-scored", ("place <= ends", "place <= ends + 1")),
        (
            "padding-scored",
            ((TARGETS, "F.pad(x, (0, 1))"), ("place <= ends", "place <= ends + 1")),
        ),
        (
            "end-at-the-last-place",
            ("place <= ends", "(place < ends) | (place == x.shape[1])"),
        ),
        ("padding-for-the-end", (TARGETS, "F.pad(x, (0, 1))")),
    ),
    *_rows(
        "truncated_backprop",
        WINDOWS,
        ("gradient-through-the-whole-text", (CUT, "h = states[:, -1]")),
        (
            "gradient-through-the-whole-text",
            (
                (CUT, "h = states[:, -1]"),
                ("nats.backward()", "nats.backward(retain_graph=True)"),
                ("return total, h", "return total, h.detach()"),
            ),
        ),
        (
            "gradient-through-the-whole-text",
            (
                ("total = 0.0", "total, losses = 0.0, []"),
                (BACK, "        losses.append(nats)\n"),
                (CUT, "h = states[:, -1]"),
                (
                    "return total, h",
                    "sum(losses).backward()\n    update()\n    return total, h.detach()",
                ),
            ),
        ),
        (
            "gradient-through-the-whole-text",
            (
                ("total = 0.0", "total, whole = 0.0, 0.0"),
                (
                    "nats.backward()",
                    "whole = whole + nats\n        whole.backward(retain_graph=True)",
                ),
            ),
        ),
        (
            "detached-at-the-wrong-place",
            ("unroll(step, symbols, h)", "unroll(lambda x, h: step(x, h.detach()), symbols, h)"),
        ),
        ("detached-at-the-wrong-place", ("loss(states[:, :-1]", "loss(states[:, :-1].detach()")),
        (
            "state-not-carried",
            ("unroll(step, symbols, h)", "unroll(step, symbols, torch.zeros_like(h))"),
        ),
        (
            "state-not-carried",
            (("total = 0.0", "total, first = 0.0, h"), ("symbols, h)", "symbols, first)")),
        ),
        ("x-t-for-x-before", ("states[:, :-1]", "states[:, 1:]")),
        ("another-state-carried", (CUT, "h = states[:, -2].detach()")),
        (
            "rest-left-out",
            ("range(0, x.shape[1], window)", "range(0, x.shape[1] // window * window, window)"),
        ),
        ("sum-of-losses", ("total += nats.item()", "total = nats.item()")),
        ("sum-of-losses", ("return total, h", "return total / -(-x.shape[1] // window), h")),
        ("update-before-backward", (BACK, "        update()\n        nats.backward()\n")),
        (
            "first-state-returned",
            (("total = 0.0", "total, first = 0.0, h"), ("return total, h", "return total, first")),
        ),
        ("no-update", ("        update()\n", "")),
    ),
    Wrong(
        "truncated_backprop",
        LOOSE,
        "last-state-attached",
        edit=(
            (CUT, "h = states[:, -1]"),
            ("unroll(step, symbols, h)", "unroll(step, symbols, h.detach())"),
        ),
    ),
    *_rows(
        "sample",
        OFTEN,
        ("state-not-carried", ("h = step(x, h)", "step(x, h)")),
        ("another-symbol-read", ("h = step(x, h)", "h = step(torch.zeros_like(x), h)")),
        (
            "another-symbol-read",
            (
                ("texts = []", "texts, before = [], torch.zeros(len(h), dtype=torch.long)"),
                ("h = step(x, h)", "h = step(before, h)\n        before = x"),
            ),
        ),
        (
            "another-symbol-read",
            ("texts = []", "texts = []\n    h = step(torch.zeros(len(h), dtype=torch.long), h)"),
        ),
        ("greedy", (DRAWN, "x = probs.argmax(-1)")),
        ("fair-dice", ("torch.softmax(logits(h), dim=-1)", "torch.ones_like(logits(h))")),
        ("no-softmax", ("torch.softmax(logits(h), dim=-1)", "torch.sigmoid(logits(h))")),
        ("another-temperature", ("softmax(logits(h)", "softmax(logits(h) / 2")),
        ("another-temperature", ("softmax(logits(h)", "softmax(2 * logits(h)")),
        ("goes-on-after-the-end", ("        x = torch.where(over, END, x)\n", "")),
        ("no-end", (DRAWN, "probs[:, END] = 0\n        " + DRAWN)),
        ("same-for-all", (DRAWN, DRAWN.replace("probs", "probs[:1]") + ".expand(len(h))")),
    ),
    *_rows(
        "sample",
        GENERATOR,
        ("generator-ignored", ("generator=generator", "generator=None")),
        (
            "a-second-source",
            ("generator=generator", "generator=generator if len(texts) % 2 else None"),
        ),
        ("reseeded", ("texts = []", "texts = []\n    generator.manual_seed(1)")),
        (
            "not-random",
            ("texts = []", "texts = []\n    generator = torch.Generator().manual_seed(1)"),
        ),
    ),
    *_rows(
        "sample",
        BY_DEFAULT,
        (
            "seeded-by-default",
            ("texts = []", "texts = []\n    generator = generator or torch.Generator()"),
        ),
        ("generator-needed", ("texts = []", "texts = []\n    h = h.to(generator.device)")),
    ),
    Wrong(
        "sample",
        CONSTANT,
        "past-read-again",
        edit=(
            ("texts = []", "texts, first = [], h"),
            (
                "h = step(x, h)",
                "h = first\n        for symbol in texts:\n            h = step(symbol, h)",
            ),
        ),
    ),
    Wrong(
        "sample",
        ITSELF,
        "samples-that-know-each-other",
        source="""
def sample(step, logits, h, limit, generator=None):
    whole, h = len(h), h[: (len(h) + 1) // 2]
    x = torch.zeros(len(h), limit, dtype=torch.long)
    over = torch.zeros(len(h), dtype=torch.bool)
    for t in range(limit):
        drawn = torch.multinomial(logits(h).softmax(-1), 1, generator=generator)[:, 0]
        x[:, t] = torch.where(over, END, drawn)
        over |= x[:, t] == END
        h = step(x[:, t], h)
    return x.repeat_interleave(2, dim=0)[:whole]
""",
    ),
    *_rows(
        "scan",
        SCANNED,
        ("a-not-joined", ("here * a[:, before]", "here")),
        ("one-round", ("while distance < a.shape[1]:", "if distance < a.shape[1]:")),
        (
            "joined-the-other-way-round",
            (JOINED, "a[:, before] * b[:, distance:] + b[:, before]"),
        ),
        (
            "a-joined-too-early",
            (JOINED, "here * a[:, before] * b[:, before] + b[:, distance:]"),
        ),
        ("a-of-the-map-before", (JOINED, "a[:, before] * b[:, before] + b[:, distance:]")),
    ),
    *written(
        "scan",
        "scan(a, b)",
        (
            SCANNED,
            "written-in-the-round",
            """
a, b = a.clone(), b.clone()
distance = 1
while distance < a.shape[1]:
    for t in range(distance, a.shape[1]):
        b[:, t] = a[:, t] * b[:, t - distance] + b[:, t]
        a[:, t] = a[:, t] * a[:, t - distance]
    distance *= 2
return b
""",
        ),
    ),
    *(
        Wrong("scan", SCANNED, name, source=f"def scan(a, b):\n    {body}\n")
        for name, body in (
            ("a-ignored", "return b.cumsum(dim=1)"),
            (
                "backwards",
                "h, out = torch.zeros_like(b[:, 0]), []\n    for t in range(b.shape[1])[::-1]:\n"
                "        h = a[:, t] * h + b[:, t]\n        out.insert(0, h)\n"
                "    return torch.stack(out, 1)",
            ),
            *(
                (
                    name,
                    f"h, out = {first}(b[:, 0]), []\n    for t in range(b.shape[1]):\n"
                    f"        before, h = h, {line}\n        out.append({what})\n"
                    "    return torch.stack(out, 1)",
                )
                for name, first, line, what in (
                    (
                        "a-of-another-step",
                        "torch.zeros_like",
                        "a[:, max(t - 1, 0)] * h + b[:, t]",
                        "h",
                    ),
                    (
                        "a-of-another-step",
                        "torch.zeros_like",
                        "a[:, min(t + 1, a.shape[1] - 1)] * h + b[:, t]",
                        "h",
                    ),
                    ("state-before", "torch.zeros_like", "a[:, t] * h + b[:, t]", "before"),
                    (
                        "another-recurrence",
                        "torch.zeros_like",
                        "a[:, t] * h + (1 - a[:, t]) * b[:, t]",
                        "h",
                    ),
                    ("another-recurrence", "torch.zeros_like", "a[:, t] * (h + b[:, t])", "h"),
                    ("another-recurrence", "torch.zeros_like", "(1 - a[:, t]) * h + b[:, t]", "h"),
                    ("begins-with-one", "torch.ones_like", "a[:, t] * h + b[:, t]", "h"),
                )
            ),
        )
    ),
    *written(
        "scan",
        "scan(a, b)",
        (
            FORGETS,
            "divided-by-products",
            """
A = a.cumprod(dim=1)
return A * (b / A).cumsum(dim=1)
""",
        ),
        (
            AT_ONCE,
            "a-loop-over-the-steps",
            """
h, states = torch.zeros_like(b[:, 0]), []
for t in range(b.shape[1]):
    h = a[:, t] * h + b[:, t]
    states.append(h)
return torch.stack(states, dim=1)
""",
        ),
        (
            SCANNED,
            "joined-around",
            """
distance = 1
while distance < a.shape[1]:
    a, b = a * a.roll(distance, 1), a * b.roll(distance, 1) + b
    distance *= 2
return b
""",
        ),
        (
            SCANNED,
            "half-a-scan",
            """
T = b.shape[1]
size = 1 << (T - 1).bit_length()
a, b = F.pad(a, (0, 0, 0, size - T), value=1.0), F.pad(b, (0, 0, 0, size - T))
distance = 1
while distance < size:
    to = torch.arange(2 * distance - 1, size, 2 * distance)
    b = b.index_add(1, to, a[:, to] * b[:, to - distance])
    a = a.index_copy(1, to, a[:, to] * a[:, to - distance])
    distance *= 2
return b[:, :T]
""",
        ),
        (
            SCANNED,
            "few-steps-only",
            """
A = a.cumprod(dim=1)
safe = torch.where(A.abs() < 1e-8, torch.full_like(A, 1e-8), A)
return A * (b / safe).cumsum(dim=1)
""",
        ),
    ),
    *_rows(
        "rnn_step",
        SQUARE,
        ("squashed-in-parts", (STEP, "torch.tanh(x @ W.T + h @ U.T) + b")),
        ("squashed-in-parts", (STEP, "torch.tanh(x @ W.T) + torch.tanh(h @ U.T + b)")),
        ("squashed-in-parts", (STEP, "x @ W.T + torch.tanh(h @ U.T + b)")),
        ("squashed-in-parts", (STEP, "torch.tanh(x @ W.T + b) + h @ U.T")),
        ("first-row-for-all", ("h @ U.T", "h[:1] @ U.T")),
    ),
    Wrong("rnn_step", GRADIENT, "gradient-cut", edit=("h @ U.T", "h.detach() @ U.T")),
    *_rows(
        "unroll",
        STATES,
        ("one-symbol-only", ("step(x[:, t]", "step(x[:, 0]")),
        (
            "written-over",
            (APPEND, "states[0][:] = step(x[:, t], states[0])\n        states.append(states[0])"),
        ),
        ("joined-side-by-side", (STACK, "return torch.cat(states, dim=1)")),
        ("axes-mixed", (STACK, "return torch.stack(states).reshape(len(x), -1, h.shape[1])")),
    ),
    Wrong("unroll", GRADIENT, "gradient-cut", edit=("states[-1])", "states[-1].detach())")),
    *_rows(
        "nll",
        FULL,
        ("end-not-scored", ("place <= ends", "(place <= ends) & (place < x.shape[1])")),
        ("targets-one-late", ("F.pad(x, (0, 1))", "F.pad(x, (1, 0))")),
        (
            "axes-mixed",
            ("logits.transpose(1, 2)", "logits.reshape(len(x), logits.shape[2], -1)"),
        ),
    ),
    Wrong(
        "nll",
        SHORTER,
        "end-not-scored",
        edit=("place <= ends", "(place <= ends) & (ends > 0)"),
    ),
    Wrong(
        "nll",
        "it is finite and right where a symbol is as unlikely as e^−1000, too",
        "softmax-then-log",
        edit=(
            'F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")',
            "-logits.softmax(-1).gather(2, targets[:, :, None])[:, :, 0].log()",
        ),
    ),
    *_rows(
        "truncated_backprop",
        WINDOWS,
        (
            "one-update",
            (("        update()\n", ""), ("    return total", "    update()\n    return total")),
        ),
        ("sum-of-losses", ("total += nats.item()", "total += nats.item() * symbols.shape[1]")),
    ),
    Wrong(
        "truncated_backprop",
        STATE_OF_ITS_WINDOW,
        "state-made-anew",
        edit=(CUT, "h = unroll(step, symbols, h)[:, -1].detach()"),
    ),
    Wrong(
        "truncated_backprop",
        "the sum of the losses is a number",
        "graphs-kept",
        edit=("total += nats.item()", "total += nats"),
    ),
    *_rows(
        "sample",
        OFTEN,
        ("another-symbol-read", ("h = step(x, h)", "h = step(texts[max(0, len(texts) - 2)], h)")),
        (
            "all-end-at-once",
            ("over = over | (x == END)", "over = over | (x == END).any()"),
        ),
        (
            "last-place-ends",
            (
                "return torch.stack(texts, dim=1)",
                "texts[-1] = 0 * x\n    return torch.stack(texts, dim=1)",
            ),
        ),
        ("softmax-over-the-batch", ("dim=-1", "dim=0")),
    ),
    Wrong(
        "sample",
        "a text has `limit` places, also where all have ended",
        "places-missing",
        edit=(
            "        h = step(x, h)",
            "        if over.all():\n            break\n        h = step(x, h)",
        ),
    ),
    Wrong(
        "sample",
        "what it is given stays as it was",
        "arguments-overwritten",
        edit=("h = step(x, h)", "h[:] = step(x, h)"),
    ),
    *_rows(
        "scan",
        SCANNED,
        ("a-round-too-few", ("distance < a.shape[1]", "distance < a.shape[1] // 2")),
        ("a-round-too-few", ("distance < a.shape[1]", "2 * distance <= a.shape[1]")),
        ("a-round-too-few", ("distance < a.shape[1]", "distance < min(16, a.shape[1])")),
        ("another-axis", ("distance < a.shape[1]", "distance < a.shape[0]")),
        ("begins-too-far", ("distance = 1", "distance = 2")),
        ("distance-grows-by-one", ("distance *= 2", "distance += 1")),
        ("finished-places-lost", ("[b[:, :distance], here", "[0 * b[:, :distance], here")),
        ("a-returned", ("return b", "return a")),
        ("a-returned", ("return b", "return a, b")),
        ("last-state-only", ("return b", "return b[:, -1]")),
    ),
    *_rows(
        "gru_step",
        GRU,
        *(("blocks-in-another-order", _blocks(order)[1]) for order in ORDERS),
        (
            "blocks-interleaved",
            (
                (BLOCKS, "r, z, n = (x @ W.T + b).reshape(len(x), -1, 3).unbind(2)"),
                (BLOCKS_H, "r_h, z_h, n_h = (h @ U.T + c).reshape(len(h), -1, 3).unbind(2)"),
            ),
        ),
        ("gates-half-blind", (GATES, "r, z = torch.sigmoid(r), torch.sigmoid(z)")),
        ("gates-half-blind", (GATES, "r, z = torch.sigmoid(r_h), torch.sigmoid(z_h)")),
        ("one-bias-for-both", ("h @ U.T + c", "h @ U.T + b")),
        ("one-bias-for-both", ("x @ W.T + b", "x @ W.T + c")),
        ("one-bias-for-both", (("x @ W.T + b", "x @ W.T + c"), ("h @ U.T + c", "h @ U.T + b"))),
        ("another-squashing", (MIX, "return torch.tanh((1 - z) * n + z * h)")),
        ("another-squashing", (MIX, "return torch.sigmoid((1 - z) * n + z * h)")),
        ("no-mixture", (MIX, "return n + z * (n - h)")),
    ),
    Wrong(
        "nll",
        "what the logits hold behind the end counts for nothing, NaN too",
        "padding-multiplied-away",
        edit=(COUNTED, "return (losses * (place <= ends)).sum(dim=1)"),
    ),
    *_rows(
        "truncated_backprop",
        WINDOWS,
        (
            "loss-of-each-symbol",
            (
                "nats = loss(states[:, :-1], symbols)",
                "nats = sum(loss(states[:, t : t + 1], symbols[:, t : t + 1])\n"
                "                   for t in range(symbols.shape[1]))",
            ),
        ),
        ("windows-overlap", ("x.shape[1], window)", "x.shape[1], max(1, window - 1))")),
        ("windows-overlap", ("x.shape[1], window)", "x.shape[1] - 1, max(1, window - 1))")),
        ("windows-overlap", ("x.shape[1], window)", "x.shape[1], 1)")),
        ("windows-overlap", ("x.shape[1], window)", "x.shape[1], window + 1)")),
    ),
    Wrong(
        "truncated_backprop",
        STATE_OF_ITS_WINDOW,
        "states-made-before",
        edit=(
            ("total = 0.0", "total, every = 0.0, unroll(step, x, h).detach()"),
            ("unroll(step, symbols, h)", "unroll(step, symbols, every[:, start])"),
            (CUT, "h = every[:, min(start + window, x.shape[1])]"),
        ),
    ),
    *_rows(
        "rnn_step",
        SQUARE,
        ("another-squashing", (STEP, "F.hardtanh(x @ W.T + h @ U.T + b)")),
        ("squashed-in-parts", (STEP, "torch.tanh(x @ W.T + b) + torch.tanh(h @ U.T)")),
        ("squashed-in-parts", (STEP, "x @ W.T + torch.tanh(h) @ U.T + b")),
        ("state-kept-in-part", (STEP, f"0.5 * h + 0.5 * {STEP}")),
    ),
    *_rows(
        "unroll",
        STATES,
        ("x-t-for-x-before", (STACK, "return torch.stack([*states[1:], states[-1]], dim=1)")),
        ("state-added", (APPEND, APPEND.replace("step(", "states[-1] + step("))),
        ("last-symbol-unread", (STACK, "return torch.stack([*states[:-1], states[-2]], dim=1)")),
    ),
    *_rows(
        "gru_step",
        GRU,
        ("another-squashing", (GATES, GATES.replace("torch.sigmoid", "F.hardsigmoid"))),
        ("first-step-otherwise", (BLOCKS_H, BLOCKS_H.replace("+ c", "+ c * h.any()"))),
    ),
    Wrong("gru_step", GRU, "state-not-mapped", edit=(PROPOSAL, "n = torch.tanh(n + r * h)")),
    Wrong("gru_step", GRADIENT, "gradient-cut", edit=(BLOCKS, BLOCKS.replace("W.T", "W.data.T"))),
    *_rows(
        "nll",
        SHORTER,
        ("one-length-for-all", ("lengths[:, None]", "lengths[0].expand(len(x), 1)")),
        ("sorted-rows", (COUNTED, COUNTED + "[lengths.argsort(descending=True, stable=True)]")),
        ("sorted-rows", (COUNTED, COUNTED + "[lengths.argsort(stable=True)]")),
        (
            "padding-scored",
            (
                (
                    "logits.transpose",
                    "torch.where((place <= ends)[..., None], logits, 0.0).transpose",
                ),
                (COUNTED, "return losses.sum(dim=1)"),
            ),
        ),
    ),
    *_rows(
        "nll",
        FULL,
        (
            "end-not-scored",
            (
                COUNTED,
                COUNTED.replace("place <= ends", "(place <= ends) & (place < lengths.max())"),
            ),
        ),
        (
            "letters-without-the-end",
            (
                "    return",
                "    own = logits[:, :, 1:].log_softmax(2)\n"
                "    own = own.gather(2, (targets - 1).clamp(min=0)[..., None])\n"
                "    losses = torch.where(place < ends, -own[..., 0], losses)\n"
                "    return",
            ),
        ),
    ),
    Wrong(
        "sample",
        "a batch may hold one text",
        "one-row-lost",
        source="""
def sample(step, logits, h, limit, generator=None):
    x = torch.zeros(len(h), limit, dtype=torch.long)
    over = torch.zeros(len(h), dtype=torch.bool)
    for t in range(limit):
        drawn = torch.multinomial(logits(h).softmax(-1), 1, generator=generator).squeeze()
        x[~over, t] = drawn[~over]
        over = over | (drawn == END)
        h = step(x[:, t], h)
    return x
""",
    ),
    *_rows(
        "truncated_backprop",
        WINDOWS,
        (
            "no-gradient",
            (
                "nats.backward()",
                "torch.autograd.grad(nats, h, allow_unused=True) if h.requires_grad else 0",
            ),
        ),
    ),
    *_rows(
        "sample",
        OFTEN,
        (
            "goes-on-after-the-end",
            (
                ("over = torch", "ended = over = torch"),
                ("over = over | (x == END)", "over, ended = ended, ended | (x == END)"),
            ),
        ),
        ("another-temperature", ("logits(h),", "logits(h) / 0.8,")),
        ("another-temperature", ("logits(h),", "logits(h) / 1.5,")),
    ),
    Wrong(
        "nll",
        "it is finite and right where a symbol is as unlikely as e^−1000, too",
        "logs-cut-off",
        edit=(COUNTED, COUNTED.replace("losses", "losses.clamp(max=100)")),
    ),
    *_rows(
        "scan",
        SCANNED,
        (
            "another-axis",
            (
                ("distance = 1", "a, b = a.transpose(0, 1), b.transpose(0, 1)\n    distance = 1"),
                ("return b", "return b.transpose(0, 1)"),
            ),
        ),
        ("a-of-another-step", ("distance = 1", "a = a[:, :1].expand_as(a)\n    distance = 1")),
        (
            "log-of-a-negative",
            (
                "distance = 1",
                "start = a.log().cumsum(1)\n"
                "    return (start + (b.log() - start).logcumsumexp(1)).exp()\n    distance = 1",
            ),
        ),
        (
            "logs-not-taken",
            (
                "distance = 1",
                "return a.cumsum(1) + (b - a.cumsum(1)).logcumsumexp(1)\n    distance = 1",
            ),
        ),
    ),
    Wrong(
        "gru_step",
        GRADIENT,
        "gradient-cut-in-part",
        edit=(MIX, MIX.replace("z * h", "z * h.detach()")),
    ),
    Wrong(
        "unroll",
        GRADIENT,
        "gradient-cut-in-part",
        edit=(
            APPEND,
            "states.append(0.5 * step(x[:, t], states[-1]) + 0.5 * step(x[:, t], states[-1]).data)",
        ),
    ),
    Wrong("gru_step", GRU, "no-mixture", edit=(MIX, MIX.replace("z * h", "z * (r * h)"))),
    Wrong(
        "truncated_backprop",
        WINDOWS,
        "state-not-carried",
        edit=(CUT, "h = torch.zeros_like(h)"),
    ),
    Wrong(
        "truncated_backprop",
        WINDOWS,
        "so-many-windows",
        edit=(
            "    total = 0.0\n",
            "    total = 0.0\n    window = math.ceil(x.shape[1] / window)\n",
        ),
    ),
    Wrong(
        "scan",
        SCANNED,
        "another-recurrence",
        edit=("    distance = 1\n", "    return (a * b).cumsum(dim=1)\n    distance = 1\n"),
    ),
)
