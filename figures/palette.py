"""The colors of every picture: Okabe and Ito's eight, and what they mean here, light and dark.

Color never carries a meaning alone: each role also has a shape or a word (a leak is dashed and
marked with a cross, a missing path is a dotted ring). The eight colors are those of Okabe and Ito
(2008), "Color Universal Design", which people with the common color blindnesses can tell apart.
"""

OKABE_ITO = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky blue": "#56B4E9",
    "bluish green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermilion": "#D55E00",
    "reddish purple": "#CC79A7",
}

# A role has a color for areas and lines, and a "-ink" color for words: at least 4.5 : 1 on the
# page (WCAG 2.1, 1.4.3). Tests hold the contrast.
LIGHT = {
    "page": "#FFFFFF",
    "panel": "#F5F7FA",
    "ink": "#1B2430",
    "quiet": "#566173",
    "line": "#D8DEE6",
    "wire": "#B4BECB",
    "node": "#FFFFFF",
    "rim": "#6A7688",
    "path": OKABE_ITO["blue"],
    "path-ink": "#005A8D",
    "on-path": "#FFFFFF",
    "leak": OKABE_ITO["vermilion"],
    "leak-ink": "#A84600",
    "on-leak": "#FFFFFF",
    "good": OKABE_ITO["bluish green"],
    "good-ink": "#00694C",
    "gap": OKABE_ITO["orange"],
    "gap-ink": "#7F5700",
}
DARK = {
    "page": "#14191F",
    "panel": "#1C232B",
    "ink": "#E8ECF1",
    "quiet": "#A3AEBB",
    "line": "#313B46",
    "wire": "#4C5967",
    "node": "#14191F",
    "rim": "#8793A1",
    "path": OKABE_ITO["sky blue"],
    "path-ink": "#7CC7F2",
    "on-path": "#0B1015",
    "leak": "#F0762B",
    "leak-ink": "#FF9A57",
    "on-leak": "#0B1015",
    "good": "#1FBF92",
    "good-ink": "#3FD3A8",
    "gap": OKABE_ITO["orange"],
    "gap-ink": "#F2B84B",
}


def stylesheet(selector: str) -> str:
    """CSS that gives `selector` the roles as variables (`--leak`, `--path-ink`, …).

    Dark where the host says so (JupyterLab, Colab, VS Code, Sphinx), else where the reader's system
    does: a host's word wins, since a light notebook on a dark system is a light page.
    """
    light = _declarations(LIGHT) + "color-scheme: light;"
    dark = _declarations(DARK) + "color-scheme: dark;"
    hosts = {
        light: (
            '[data-jp-theme-light="true"]',
            'html[theme="light"]',
            "body.vscode-light",
            'html[data-theme="light"]',
        ),
        dark: (
            '[data-jp-theme-light="false"]',
            'html[theme="dark"]',
            "body.vscode-dark",
            'html[data-theme="dark"]',
        ),
    }
    rules = [
        f"{selector} {{ {light} }}",
        f"@media (prefers-color-scheme: dark) {{ {selector} {{ {dark} }} }}",
    ]
    for declarations, places in hosts.items():
        where = ", ".join(f"{place} {selector}" for place in places)
        rules.append(f"{where} {{ {declarations} }}")
    return "\n".join(rules) + "\n"


def _declarations(colors: dict[str, str]) -> str:
    return " ".join(f"--{role}: {color};" for role, color in colors.items()) + " "
