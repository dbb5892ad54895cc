"""Outputs that a widget takes (ipywidgets' ``Output``, on which ``interact`` stands), so that no cell has them. Pure.

Such a widget says with its state ``msg_id`` whose outputs are its own for now. A page would take them and keep them in
its state ``outputs``. A notebook's executor does, so that they are there though no page looks, and once though many
do; and the runner, for pages that come before the kernel has been told. The protocol:
https://ipywidgets.readthedocs.io, "Low Level Widget Explanation" and the model state of ``@jupyter-widgets/output``.
"""

from __future__ import annotations

import json
from typing import Any

from sandbox.runner.messages import weight

Json = dict[str, Any]
MOST_WIDGETS = 100
MOST_OUTPUTS, MOST_SIZE = 100, 256 * 1024
"""For each widget; its outputs go to the kernel whole each time that they change."""
CUT = "[Output was cut here: a widget keeps 256 KiB and 100 outputs.]\n"
_MODULE = "@jupyter-widgets/output"
_OUTPUTS = {
    "stream": ("name", "text"),
    "display_data": ("data", "metadata"),
    "execute_result": ("data", "metadata", "execution_count"),
    "error": ("ename", "evalue", "traceback"),
}


class Captures:
    """``kept`` is what it knew, as :attr:`kept` said: "" for nothing."""

    def __init__(self, kept: str = "") -> None:
        self._widgets: dict[str, Json] = json.loads(kept or "{}")  # the one that opened last at the end
        self._changed: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._widgets)

    @property
    def kept(self) -> str:
        """What it knows, in ASCII: databases do not take each text that JSON can say."""
        return json.dumps(self._widgets) if self._widgets else ""

    @property
    def outputs(self) -> dict[str, list[Json]]:
        """What each widget has, the one that opened last at the end."""
        return {id: kept["outputs"] for id, kept in self._widgets.items()}

    def takes_of(self, parent: str) -> str | None:
        """The widget that takes the outputs of what ``parent`` asked for."""
        return next((id for id in reversed(self._widgets) if parent and self._widgets[id]["parent"] == parent), None)

    def take(self, kind: str, parent: str, content: Json) -> bool:
        """Hear what a kernel says; whether it is none of the cells' business."""
        if kind.startswith("comm_"):
            self._comm(kind, content)
            return True
        widget = self.takes_of(parent)
        if widget is None or (kind not in _OUTPUTS and kind != "clear_output"):
            return False
        if kind == "clear_output":
            self._clear(widget, content.get("wait") is True)
        else:
            self._add(widget, {"output_type": kind, **{name: content.get(name) for name in _OUTPUTS[kind]}})
        return True

    def clear(self) -> None:
        """The kernel has none of its widgets any more."""
        self._widgets.clear()
        self._changed.clear()

    def changed(self) -> dict[str, list[Json]]:
        """What the kernel is to be told since the last time: the outputs of each widget that took some."""
        told = {id: self._widgets[id]["outputs"] for id in self._changed if id in self._widgets}
        self._changed.clear()
        return told

    def _comm(self, kind: str, content: Json) -> None:
        id, data = content.get("comm_id"), _object(content.get("data"))
        state = _object(data.get("state"))
        if not isinstance(id, str):
            return
        if kind == "comm_close":
            self._widgets.pop(id, None)
        elif kind == "comm_open" and state.get("_model_module") == _MODULE:
            self._widgets[id] = {"parent": "", "outputs": [], "size": 0, "wait": False}
            self._set(id, state)
            for old in list(self._widgets)[:-MOST_WIDGETS]:
                del self._widgets[old]
        elif id in self._widgets and data.get("method") == "update":
            self._set(id, state)

    def _set(self, id: str, state: Json) -> None:
        if isinstance(parent := state.get("msg_id"), str):
            self._widgets[id]["parent"] = parent[:200]
        outputs = state.get("outputs")
        if isinstance(outputs, list):  # the program's own doing: append_stdout, or outputs = ()
            self._widgets[id] |= {"outputs": [], "size": 0}
            for output in outputs:
                if isinstance(output, dict):
                    self._add(id, output)
            self._changed.discard(id)

    def _clear(self, id: str, wait: bool) -> None:
        if wait:
            self._widgets[id]["wait"] = True
            return
        self._widgets[id] |= {"outputs": [], "size": 0, "wait": False}
        self._changed.add(id)

    def _add(self, id: str, output: Json) -> None:
        kept = self._widgets[id]
        if kept["wait"]:
            self._clear(id, False)
        self._changed.add(id)
        outputs, size = kept["outputs"], weight(output)
        if outputs and outputs[-1].get("text") == CUT:
            return
        if len(outputs) >= MOST_OUTPUTS or kept["size"] + size > MOST_SIZE:
            outputs.append({"output_type": "stream", "name": "stderr", "text": CUT})
            return
        kept["size"] += size
        if not _joined(outputs, output):
            outputs.append(output)


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _joined(outputs: list[Json], output: Json) -> bool:
    """Whether ``output`` went on what the last one of ``outputs`` began to print."""
    last = outputs[-1] if outputs else {}
    before, more = last.get("text"), output.get("text")
    if any(last.get(name) != output.get(name) for name in ("output_type", "name")):
        return False
    if not isinstance(before, str) or not isinstance(more, str):
        return False
    last["text"] = before + more
    return True


def update_of(widget: str, outputs: list[Json]) -> Any:
    """The content of the message that tells a kernel what a widget's outputs are."""
    return {"comm_id": widget, "data": {"method": "update", "state": {"outputs": outputs}, "buffer_paths": []}}
