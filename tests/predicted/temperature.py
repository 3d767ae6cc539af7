"""Answers of lesson 13."""

import math

import torch

from tests.predicted import least, nearest, only

EXAMPLE = torch.tensor([0.5, 0.25, 0.125, 0.125])  # worked by hand in exercise 2


def _impossible(asked) -> int:
    z = torch.tensor([0.0, 1.0, -math.inf])
    impossible, *_ = asked.temperature(z, 1e6).flip(0).tolist()
    return nearest(impossible, 1 / 3, 0, 1 / 6)


def _divided(_) -> int:
    p = torch.tensor([0.6, 0.3, 0.1])
    divided = (p / 0.5) / (p / 0.5).sum()
    told = ((0.78, 0.20, 0.02), (0.6, 0.3, 0.1), (0.47, 0.33, 0.19))
    return only(*(torch.allclose(divided, torch.tensor(one), atol=0.006) for one in told))


def _tied(_) -> int:
    return [2, 3, 4].index(int((EXAMPLE >= EXAMPLE.sort(descending=True).values[2]).sum()))


def _change_places(asked) -> int:
    """Which two of temperature, top-k and top-p give the same in both orders, at many logits."""
    draw = torch.Generator().manual_seed(0)
    same = [True, True, True]
    for _ in range(50):
        z = 2 * torch.randn(8, generator=draw, dtype=torch.float64)

        def heat(p):
            return asked.temperature(p.log(), 1.7)

        def best(p):
            return asked.top_k(p, 4)

        def mass(p):
            return asked.top_p(p, 0.7)

        p = z.softmax(0)
        for i, (f, g) in enumerate(((heat, best), (heat, mass), (best, mass))):
            same[i] &= torch.allclose(f(g(p)), g(f(p)))
    return only(*same, not any(same))


def _more_probable(asked) -> int:
    best = divmod(int(asked.texts_of_tree.argmax()), 2)
    return [(0, 0), (0, 1), (1, 0)].index(best)


def _width(asked) -> int:
    """Which widths find the best of all texts of 5 tokens over 3, in 300 random models."""
    V, n = 3, 5
    texts = torch.cartesian_prod(*[torch.arange(V)] * n)
    found = dict.fromkeys((n, V, V ** (n - 1)), 0)
    for seed in range(300):
        step = asked.random_model(V, n, torch.Generator().manual_seed(seed))
        tables = [step(texts[:, :t]).gather(1, texts[:, t : t + 1]) for t in range(n)]
        most = float(torch.cat(tables, dim=1).sum(1).max())
        for width in found:
            best = float(asked.beam_search(step, width, n)[1][0])
            found[width] += math.isclose(best, most, abs_tol=1e-4)
    return only(*(count == 300 for count in found.values()))


def _worst_beam(asked) -> int:
    return least(
        *(asked.numbers(rf"beam of {w}: \([\d, ]+\), probability ([\d.]+)")[0] for w in (1, 2, 3))
    )


def _surprised(asked) -> int:
    rows = ("the author", r"T = 1\.0", "greedy")
    return least(*(asked.numbers(rf"{name}: +([\d.]+) ± .* bits a token")[0] for name in rows))


def _calibrated(asked) -> int:
    gap, error = asked.numbers(r"too sure by ([-−\d.]+) ± ([\d.]+) nats")
    (best,) = asked.numbers(r"at T = 1, [\d.]+ at T = ([\d.]+), the best")
    return only(gap > 2 * error and best > 1, gap < -2 * error and best < 1, abs(gap) < 2 * error)


def _cold(asked) -> int:
    cold = asked.joint_temperature(asked.texts_of_tree, 0.01)
    return only(cold[0, 0] > 0.99, cold[1, 0] > 0.99, cold[0].sum() > 0.99)


def _same_at_every_T(asked) -> int:
    same = [
        all(
            torch.allclose(
                asked.joint_temperature(p, T), asked.tokenwise_temperature(p, T), atol=1e-5
            )
            for T in temperatures
        )
        for p, temperatures in (
            (asked.independent, (0.3, 0.7, 2.0)),
            (asked.texts_of_tree, (0.3, 0.7)),
        )
    ]
    return only(not any(same), same == [True, False], all(same))


def _stands(asked) -> int:
    (after,) = asked.numbers(r"from bell 20 on: .* after its own ([\d.]+)$")
    return nearest(after, 0.33, 0.5, 0.8)


ANSWERS = {
    "As T → ∞": _impossible,
    "The probabilities (0.6, 0.3, 0.1)": _divided,
    "A colleague keeps": _tied,
    "And by “the sum": lambda _: [0, 1, 2].index(int((EXAMPLE.cumsum(0) <= 0.3).sum())),
    "Which two may change places": _change_places,
    "Is there a more probable": _more_probable,
    "Which w is sure": _width,
    "Which beam finds": _worst_beam,
    "Which perplexity has a model": lambda _: nearest(math.exp(-math.log(1.0)), 0, 1, 50),
    "Whose text surprises": _surprised,
    "The small GPT, on a page": _calibrated,
    "What is left of p_T": _cold,
    "For which p are the two": _same_at_every_T,
    "From bell 20 of its own": _stands,
}
