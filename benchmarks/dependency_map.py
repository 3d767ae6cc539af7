"""The dependency map by perturbation against the Jacobian by reverse mode (torch.func.jacrev)."""

from __future__ import annotations

import statistics
import time

import numpy as np
import torch

from autograder.lessons import solution_functions
from course.causality import dependency_map

TITLE = "The dependency map: perturbation against jacrev"
SIZES = (64, 196, 784)
REPEATS = 3


def by_jacobian(model: torch.nn.Module, x: torch.Tensor) -> np.ndarray:
    """Which entries of the Jacobian at x (n,) are not zero: bool (n, n)."""
    jacobian = torch.func.jacrev(lambda one: model(one[None])[0])(x)
    return (jacobian != 0).numpy()


def run() -> str:
    """Times both on the solved MADE of lesson 05, one draw of inputs each, on two threads."""
    torch.set_num_threads(2)
    made = solution_functions("05_made")["MADE"]
    rows = [
        "Solved MADE of lesson 05, n inputs, 500 hidden units, natural order, one draw, fresh",
        f"normal weights, seed 0, two threads; median of {REPEATS} after a warm-up.",
        "",
        "| n | perturbation, s | jacrev, s | jacrev / perturbation (min–max) "
        "| edges found | by jacrev |",
        "|---|---|---|---|---|---|",
    ]
    for n in SIZES:
        torch.manual_seed(0)
        model = made(n, [500], generator=torch.Generator().manual_seed(0)).double().eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.normal_()
        x = np.random.default_rng(0).integers(0, 2, size=(1, n)).astype(np.float64)
        seconds, found = {"p": [], "j": []}, {}
        for repeat in range(REPEATS + 1):
            start = time.perf_counter()
            found["p"] = dependency_map(model, x, perturb="flip", draws=1, randomize=False).sees
            middle = time.perf_counter()
            found["j"] = by_jacobian(model, torch.from_numpy(x[0]))
            end = time.perf_counter()
            if repeat:
                seconds["p"].append(middle - start)
                seconds["j"].append(end - middle)
        ratios = [j / p for p, j in zip(seconds["p"], seconds["j"], strict=True)]
        rows.append(
            f"| {n} | {statistics.median(seconds['p']):.3f} "
            f"| {statistics.median(seconds['j']):.3f} "
            f"| {statistics.median(ratios):.1f} ({min(ratios):.1f}–{max(ratios):.1f}) "
            f"| {int(found['p'].sum()):,} | {int(found['j'].sum()):,} |"
        )
    rows += [
        "",
        f"A causal model of {SIZES[-1]} inputs has at most "
        f"{SIZES[-1] * (SIZES[-1] - 1) // 2:,} edges. Gradients are zero behind a dead ReLU and at "
        "any threshold: what jacrev finds is a subset.",
    ]
    return "\n".join(rows)
