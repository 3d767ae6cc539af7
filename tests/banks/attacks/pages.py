"""For the instructor's browser: script in prose, outputs, errors, names, metadata and pictures."""

from __future__ import annotations

import base64

from tests.banks.attacks.attack import (
    AWAY,
    MARK,
    PAGES,
    SCRIPT,
    Attack,
    Notebook,
    answering,
    code,
    markdown,
    named,
    with_cells,
    with_code,
)

_SET = f"window.{MARK}=1"

_HANDLERS = f"""<img src=x onerror="{_SET}"> <svg onload="{_SET}"><animate onbegin="{_SET}"/></svg>
<details open ontoggle="{_SET}">x</details> <body onload="{_SET}">
<input autofocus onfocus="{_SET}">
<div onmouseover="{_SET}" style="position:fixed;inset:0;z-index:9999">x</div>
<video><source onerror="{_SET}"></video><a onclick="{_SET}" href="#">x</a>"""

_FRAMES = f"""<iframe srcdoc="{SCRIPT}"></iframe><iframe src="{AWAY}"></iframe>
<object data="data:text/html,{SCRIPT}"></object><embed src="{AWAY}x.swf">
<meta http-equiv="refresh" content="0;url={AWAY}"><base href="{AWAY}">
<link rel="stylesheet" href="{AWAY}x.css"><style>body {{ background: url({AWAY}x.png) }}</style>
<form action="{AWAY}" id="f"><button autofocus formaction="javascript:{_SET}">
Full credit</button></form>"""

_SVG = f"<svg xmlns='http://www.w3.org/2000/svg' onload='{_SET}'/>"
_SVG = base64.b64encode(_SVG.encode()).decode()

_LINKS = f"""[a](javascript:{_SET}) [b](<javascript:{_SET}>) [c]( data:text/html,{SCRIPT})
[d](vbscript:x) <{AWAY}> {AWAY} [e][ref] ![f]({AWAY}x.png) [g](JaVaScRiPt&colon;{_SET})
[h](&#106;avascript:{_SET}) [i](java\tscript:{_SET}) <javascript:{_SET}> [^1]

[ref]: javascript:{_SET}
[^1]: javascript:{_SET}
![pic](data:image/svg+xml;base64,{_SVG})
![att](attachment:x.svg)"""

_BROKEN_OUT = f"""`` ` </code>{SCRIPT} `` and <!-- --!>{SCRIPT} -->
```python
</code></pre>{SCRIPT}
```
~~~html {SCRIPT}
{SCRIPT}
~~~
<scr<script>ipt>{_SET}</scr</script>ipt> <<script>script>{_SET}</script> \\<script>{_SET}</script>
&lt;script&gt;{_SET}&lt;/script&gt; \u003cscript\u003e{_SET}\u003c/script\u003e <scrıpt>x</scrıpt>
| a | b |
|---|---|
| {SCRIPT} | <img src=x onerror={_SET}> |"""

_TEX = f"""$\\href{{javascript:{_SET}}}{{x}}$
$$\\style{{x:expression({_SET})}}{{y}} \\cssId{{f}}{{z}}$$
\\(\\unicode{{<script>{_SET}</script>}}\\) $\\require{{HTML}}\\class{{btn}}{{x}}$ $</span>{SCRIPT}$
$$\\def\\x{{\\href}}\\x{{javascript:{_SET}}}{{y}}$$ \\begin{{align}} {SCRIPT} \\end{{align}}
$\\html{{{SCRIPT}}}$ $\\data{{x=y}}{{z}}$ $\\\\href{{javascript:{_SET}}}{{x}}$"""

_MERMAID = f"""```mermaid
graph LR; A["<img src=x onerror='{_SET}'>"] --> B; click A "javascript:{_SET}"
```
``` mermaid
%%{{init: {{"securityLevel": "loose"}}}}%%
graph LR; A --> B; click A call eval("{_SET}")
```
<div class="mermaid">graph LR; A["{SCRIPT}"]</div>"""

_DISPLAYS = f"""
from IPython.display import HTML, SVG, Javascript, Latex, Markdown, display, IFrame
display(HTML({SCRIPT!r}))
display(Javascript({_SET!r}))
display(Markdown({_HANDLERS!r}))
display(Latex("$\\\\href{{javascript:{_SET}}}{{x}}$"))
display(IFrame("{AWAY}", 10, 10))
for mime in ("text/html", "image/svg+xml", "application/javascript", "text/markdown", "text/latex",
             "application/vnd.jupyter.widget-view+json", "application/vnd.mermaid", "text/x-evil",
             "application/pdf", "image/jpeg", "video/mp4"):
    display({{mime: {SCRIPT!r}, "text/plain": {SCRIPT!r}}}, raw=True)
HTML({SCRIPT!r})
"""

_PICTURES = f"""
import base64
from IPython.display import display
head = b"\\x89PNG\\r\\n\\x1a\\n\\x00\\x00\\x00\\rIHDR" + b"\\x00\\x00\\x00\\x01" * 2 + b"\\x08" * 9
for raw in ('x" onerror="{_SET}',
            base64.b64encode(head + b"{SCRIPT}").decode() + '" onerror="{_SET}',
            base64.b64encode(head + b"{SCRIPT}").decode(), base64.b64encode(b"{SCRIPT}").decode()):
    display({{"image/png": raw, "image/jpeg": raw}}, raw=True,
            metadata={{"image/png": {{"width": '1" onload="{_SET}', "alt": '{SCRIPT}'}}}})
"""

_STREAMS = f"""
import sys
print({SCRIPT!r})
print("\\x1b[31m{SCRIPT}\\x1b[0m \\x1b]8;;javascript:{_SET}\\x07link\\x1b]8;;\\x07 \\x9b31m")
print("</pre>{SCRIPT}<pre>")
sys.stderr.write({_HANDLERS!r})
"""

_ERRORS = f"""
def @NAME@(*args, **kwargs):
    raise type({SCRIPT!r}, (ValueError,), {{}})(
        {_HANDLERS!r} + '\\'"></section>{SCRIPT}')  # {SCRIPT}
"""

_ERROR_CELL = f"""
class {MARK}(Exception): pass
{MARK}.__name__ = {SCRIPT!r}
{MARK}.__qualname__ = {SCRIPT!r}
get_ipython()._showtraceback({MARK}, {SCRIPT!r}, [{SCRIPT!r}, "</pre>{SCRIPT}"])
raise {MARK}({_HANDLERS!r})
"""

_NAMES = f"""
class Odd:
    __name__ = {SCRIPT!r}
def @NAME@(*args, **kwargs):
    odd = type({SCRIPT!r}, (), {{}})()
    odd.__name__ = '"><img src=x onerror="{_SET}">'
    return odd
@NAME@.__name__ = '"><img src=x onerror="{_SET}">'
@NAME@.__qualname__ = {SCRIPT!r}
"""

_SHAPES = f"""
def @NAME@(*args, **kwargs):
    return {{{SCRIPT!r}: {SCRIPT!r}}} if kwargs else [{SCRIPT!r}] * 3
"""

_SOURCE = f"""
x = "</script>{SCRIPT}"  # </pre>{SCRIPT}
'''{_HANDLERS}'''
# %%html
# {SCRIPT}
"""

_MAGIC = f"%%html\n{SCRIPT}"


def _stored_outputs(notebook: Notebook) -> Notebook:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [
                {"output_type": "display_data", "metadata": {}, "data": {"text/html": SCRIPT}},
                {"output_type": "display_data", "metadata": {},
                 "data": {"application/javascript": _SET, "image/svg+xml": _HANDLERS}},
            ]  # fmt: skip
    return notebook


def _answer(text: str):
    def build(notebook: Notebook) -> Notebook:
        named(notebook, "why_order")["source"] = text
        notebook["cells"].insert(2, markdown(text))
        return notebook

    return build


def _attachments(notebook: Notebook) -> Notebook:
    svg = base64.b64encode(f"<svg onload='{_SET}'>{SCRIPT}</svg>".encode()).decode()
    notebook["cells"].insert(
        2, markdown("![x](attachment:x.svg)", attachments={"x.svg": {"image/svg+xml": svg}})
    )
    cell = named(notebook, "why_order")
    cell["source"], cell["attachments"] = "![x](attachment:x.svg)", {"x.svg": {"text/html": SCRIPT}}
    return notebook


def _raw(notebook: Notebook) -> Notebook:
    for format_ in ("text/html", "html", ""):
        cell = markdown(SCRIPT, metadata={"format": format_, "raw_mimetype": format_})
        notebook["cells"].insert(2, {**cell, "cell_type": "raw"})
    return notebook


def _metadata(notebook: Notebook) -> Notebook:
    notebook["metadata"] |= {
        "title": f"</title>{SCRIPT}",
        "authors": [{"name": SCRIPT}],
        "widgets": {"application/vnd.jupyter.widget-state+json": {
            "state": {"x": {"model_name": "HTMLModel", "state": {"value": f"</script>{SCRIPT}"}}},
            "version_major": 2, "version_minor": 0}},
        "language_info": {"name": f'"></script>{SCRIPT}', "pygments_lexer": "html"},
    }  # fmt: skip
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = [f'x" onload="{_SET}', SCRIPT]
        cell["metadata"]["magics_language"] = f'x">{SCRIPT}'
        cell["id"] = f'x"><img src=x onerror={_SET}>'[:64]
    return notebook


_WIDGETS = f"""
import ipywidgets as w
from IPython.display import display
display(w.HTML({SCRIPT!r}), w.HTMLMath({_HANDLERS!r}), w.Label({SCRIPT!r}))
w.Output().append_display_data({{"text/html": {SCRIPT!r}}})
w.HTML({SCRIPT!r})
"""

ATTACKS = (
    Attack("script in prose", PAGES, _answer(f"{SCRIPT}\n\nText {SCRIPT} text.")),
    Attack("handlers in prose", PAGES, _answer(_HANDLERS)),
    Attack("frames, forms and styles in prose", PAGES, _answer(_FRAMES)),
    Attack("links and images in prose", PAGES, _answer(_LINKS)),
    Attack("prose that breaks out of code", PAGES, _answer(_BROKEN_OUT)),
    Attack("mathematics", PAGES, _answer(_TEX)),
    Attack("diagrams", PAGES, _answer(_MERMAID)),
    Attack("HTML and JavaScript in outputs", PAGES, with_code(_DISPLAYS)),
    Attack("stored outputs", PAGES, _stored_outputs),
    Attack("pictures", PAGES, with_code(_PICTURES)),
    Attack("streams", PAGES, with_code(_STREAMS)),
    Attack("errors in checks", PAGES, answering(_ERRORS)),
    Attack("errors in cells", PAGES, with_code(_ERROR_CELL)),
    Attack("names of objects", PAGES, answering(_NAMES)),
    Attack("texts as answers", PAGES, answering(_SHAPES)),
    Attack("source of cells", PAGES, with_code(_SOURCE)),
    Attack("magics", PAGES, with_code(_MAGIC)),
    Attack("attachments", PAGES, _attachments),
    Attack("raw cells", PAGES, _raw),
    Attack("metadata and tags", PAGES, _metadata),
    Attack("widgets", PAGES, with_code(_WIDGETS)),
    Attack("a cell that is nothing but a tag", PAGES, with_cells(code(SCRIPT), markdown(SCRIPT))),
)
