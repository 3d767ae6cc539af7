"""Asks a run's kernel what readers can ask on a page, where no kernel is, and keeps the answers.

Right after a cell has run, its widgets are asked as their front end would ask them: a prediction is
given every choice, an explorer of masks every order of some draws. The page plays these back, so
what it says is what the lesson's own functions said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nbclient import NotebookClient
from nbclient.util import ensure_async
from nbformat import NotebookNode

from figures.mask_explorer import ORDERS

VIEW = "application/vnd.jupyter.widget-view+json"
SECONDS = 120  # for one answer
RESHUFFLE = {"reshuffle": True}
DRAWS = 6  # how many networks of an order a page can show one after the other
DRAWN = ("_masks", "_order", "_degrees", "_order_name", "_breaks", "_notice")


async def record_answers(client: NotebookClient, cell: NotebookNode) -> dict[str, dict[str, Any]]:
    """By the model's id, what the widgets that a cell shows answer; see widgets.js for the form.

    A prediction: {"choices": [traits, …]}. An explorer of masks: {"orders": {name: [traits, …]}}.
    The outputs of the cell and the widgets' saved state stay as they were.
    """
    found: dict[str, dict[str, Any]] = {}
    for model in _models_shown(cell):
        state = client.widget_state.get(model, {})
        if {"_choices", "_choice", "_told"} <= state.keys():
            asking = [{"_choice": place} for place in range(len(state["_choices"]))]
            answers = await _ask(client, model, [*asking, {"_choice": -1}], state, ("_told",))
            found[model] = {"choices": answers[:-1]}
        elif state.get("_live") and {"_masks", "_order_name"} <= state.keys() and state["_masks"]:
            asking = []
            for draw in range(DRAWS):
                asking += [{"order": name, "at": draw} for name in ORDERS]
                asking += [RESHUFFLE | {"at": draw}]
            requests = [{"_request": asked} for asked in asking]
            answers = await _ask(client, model, requests, state, DRAWN)
            drawn = len(ORDERS) + 1
            found[model] = {"orders": {n: answers[k::drawn] for k, n in enumerate(ORDERS)}}
    return found


def _models_shown(cell: NotebookNode) -> Iterator[str]:
    for output in cell.get("outputs", []):
        if view := output.get("data", {}).get(VIEW):
            yield view["model_id"]


async def _ask(
    client: NotebookClient,
    model: str,
    asking: list[dict[str, Any]],
    state: Mapping[str, Any],
    names: tuple[str, ...],
) -> list[dict[str, Any]]:
    """The traits `names` of a widget after each of the changes that a front end might send it."""
    told = {name: state[name] for name in names}
    answers = []
    for changed in asking:
        told |= {k: v for k, v in (await _send(client, model, changed)).items() if k in names}
        answers.append(dict(told))
    return answers


async def _send(client: NotebookClient, model: str, changed: dict[str, Any]) -> dict[str, Any]:
    """What a widget's kernel sets when its front end has set `changed`."""
    data = {"method": "update", "state": changed, "buffer_paths": []}
    message = client.kc.session.msg("comm_msg", {"comm_id": model, "data": data})
    client.kc.shell_channel.send(message)
    answered: dict[str, Any] = {}
    while True:
        heard = await ensure_async(client.kc.iopub_channel.get_msg(timeout=SECONDS))
        if heard["parent_header"].get("msg_id") != message["header"]["msg_id"]:
            continue
        content = heard["content"]
        if heard["msg_type"] == "comm_msg" and content["comm_id"] == model:
            if content["data"].get("method") == "update":
                answered |= content["data"]["state"]
        elif heard["msg_type"] == "status" and content["execution_state"] == "idle":
            return answered
