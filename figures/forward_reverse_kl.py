"""Forward and reverse KL on two bumps: the one Gaussian that covers, and those that choose.

p = 0.4 N(−2, 0.6²) + 0.6 N(2, 0.6²), as in lesson 06. The optima are found here, by the same sums
and the same descent as in the KL explorer.
"""

import numpy as np

from figures.kl_explorer import KLExplorer, log_gaussian
from figures.palette import DARK, LIGHT
from figures.static import to_svg

NAME = "forward-reverse-kl"
ALT = (
    "The same two bumps twice, 40 percent of the mass at minus 2 and 60 percent at 2, each with "
    "Gaussians fitted to them. Left, the least forward KL(p‖q): one broad Gaussian, mean 0.4 and "
    "standard deviation 2.05, lies across both bumps, its peak near the empty valley; 0.557 nats. "
    "Right, the least reverse KL(q‖p): one narrow Gaussian sits exactly on the right bump, 0.510 "
    "nats, and a dashed one, another local optimum, on the left bump, 0.915 nats."
)


def draw(dark: bool) -> str:
    """The picture as SVG text, for a dark page or a light one."""
    from matplotlib.figure import Figure

    colors = DARK if dark else LIGHT
    explorer = KLExplorer()
    (forward,) = explorer._optima["forward"]
    right, left = explorer._optima["reverse"][:2]
    x = np.linspace(-5, 5, 401)
    p = np.exp(explorer.log_p(x))

    figure = Figure(figsize=(8.4, 3.0), layout="constrained")
    panels = figure.subplots(1, 2)
    for ax in panels:
        ax.fill_between(x, p, color=colors["rim"], alpha=0.25, linewidth=0)
        ax.plot(x, p, color=colors["quiet"], linewidth=1.2)
        ax.set(ylim=(0, 0.78), xlim=(-5, 5), yticks=[], facecolor="none")
        ax.spines[["top", "left", "right"]].set_visible(False)
        ax.spines["bottom"].set_color(colors["rim"])
        ax.tick_params(colors=colors["quiet"])
    panels[0].set_title("forward, KL(p‖q): cover", color=colors["path-ink"], loc="left")
    panels[1].set_title("reverse, KL(q‖p): choose", color=colors["leak-ink"], loc="left")

    def curve(ax, optimum, role: str, style: str, say: str, at: tuple[float, float]) -> None:
        mu, sigma, kl = optimum
        ax.plot(x, np.exp(log_gaussian(x, mu, sigma)), style, color=colors[role], linewidth=2.4)
        ax.text(*at, f"{say}\n{kl:.3f} nats", color=colors[f"{role}-ink"], ha="center")

    panels[0].text(-3.0, 0.29, "p", color=colors["quiet"], style="italic")
    panels[1].text(0.0, 0.03, "p", color=colors["quiet"], style="italic")
    curve(panels[0], forward, "path", "-", "q", (0.3, 0.24))
    curve(panels[1], right, "leak", "-", "q, from the right", (2.0, 0.68))
    curve(panels[1], left, "leak", "--", "q, from the left", (-2.2, 0.68))
    return to_svg(figure)
