"""What a kernel says, written into the cells of a notebook. What it says is hostile until proved otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pycrdt import Array, Doc, Map, Text

from portal.documents import notebook
from sandbox.runner.captures import Captures
from sandbox.runner.messages import MessageError, json_object, unpack

Json = dict[str, Any]
MAX_CELL = 2 * 1024 * 1024
"""About how many bytes of output a cell keeps."""
MAX_OUTPUTS = 500
CUT = "[Output was cut here: a cell keeps 2 MiB and 500 outputs. Write what is larger to a file.]\n"
LOST = "[Earlier output is no longer kept: it was more than is stored, or nobody was there to take it.]\n"
_FIELDS = {
    "display_data": ("data", "metadata"),
    "execute_result": ("data", "metadata", "execution_count"),
    "error": ("ename", "evalue", "traceback"),
}


@dataclass(frozen=True)
class Message:
    """A kernel's message, as far as it matters here."""

    kind: str
    parent: str
    date: str
    content: Json

    @classmethod
    def read(cls, payload: bytes) -> Message | None:
        """What ``payload`` says; None where it is no message."""
        try:
            _channel, parts = unpack(payload)
            header, parent, content = (json_object(part) for part in (parts[0], parts[1], parts[3]))
        except MessageError:
            return None
        return cls(_text(header, "msg_type"), _text(parent, "msg_id"), _text(header, "date")[:40], content)


def _text(value: Json, name: str) -> str:
    found = value.get(name)
    return notebook.clean(found) if isinstance(found, str) else ""


@dataclass
class Current:
    """The cell that runs: what was asked, and what came of it so far. Kept in the executor's row.

    ``interrupted``: somebody asked for its end, and gave up what waited then; what waits now came later.
    """

    cell: str
    request: str
    started: bool = False
    failed: bool = False
    clear: bool = False
    done: bool = False
    interrupted: bool = False


@dataclass
class Writer:
    """Writes messages into a document, inside one transaction.

    ``asked`` leads from earlier requests to their cells; ``captures`` has what belongs to widgets instead.
    """

    doc: Doc[Any]
    current: Current | None
    asked: dict[str, str]
    captures: Captures = field(default_factory=Captures)
    kernel: Json = field(default_factory=dict)
    died: bool = False

    def __post_init__(self) -> None:
        self._cells = {str(cell.get("id")): cell for cell in cells(self.doc)}
        self._weights: dict[str, int] = {}

    def take(self, message: Message) -> None:
        """Write down what ``message`` says; nothing, where that is nested beyond reason."""
        with suppress(RecursionError):
            self._take(message)

    def _take(self, message: Message) -> None:
        if message.kind == "status":
            self._status(message)
        elif message.kind == "update_display_data":
            self._update(message.content)
        elif self.captures.take(message.kind, message.parent, message.content):
            pass
        elif (cell := self._cell_of(message)) is not None:
            self._in_cell(cell, message)

    def note(self, text: str) -> None:
        """Say something in the cell that runs."""
        if self.current is not None and (cell := self._code(self.current.cell)) is not None:
            self._stream(cell, {"name": "stderr", "text": text})

    def end(self) -> None:
        """What runs is over, though its end was not heard."""
        if self.current is not None and not self.current.done:
            self.current.failed = True
            self._finish()

    def _cell_of(self, message: Message) -> Map[Any] | None:
        if self.current is not None and message.parent in (self.current.request, ""):
            return self._code(self.current.cell)
        return self._code(self.asked.get(message.parent, ""))

    def _code(self, id: str) -> Map[Any] | None:
        cell = self._cells.get(id)
        return cell if cell is not None and cell.get("cell_type") == "code" else None

    def _is_current(self, message: Message) -> bool:
        return self.current is not None and message.parent == self.current.request

    def _status(self, message: Message) -> None:
        state = _text(message.content, "execution_state")
        if state in ("restarting", "dead"):
            self.kernel = {"state": state, "reason": ""}
            self.died = True
            self.captures.clear()
            if self.current is not None:
                self.current.failed = True
                self._finish()
        elif not message.parent and state == "idle":
            self.kernel = {"state": "idle", "reason": ""}
        elif self._is_current(message) and state == "busy":
            self.kernel = {"state": "busy", "reason": ""}
            self._begin(message.date)
        elif self._is_current(message) and state == "idle":
            self.kernel = {"state": "idle", "reason": ""}
            self._time("iopub.status.idle", message.date)
            self._finish()

    def _begin(self, date: str) -> None:
        assert self.current is not None
        self.current.started = True
        if (cell := self._code(self.current.cell)) is None:
            return
        cell["execution_state"] = "running"
        cell["execution_count"] = None
        _outputs(cell).clear()
        _metadata(cell).pop("execution", None)
        self._time("iopub.status.busy", date)

    def _finish(self) -> None:
        assert self.current is not None
        self.current.done = True
        if (cell := self._code(self.current.cell)) is not None:
            rest(cell)

    def _time(self, name: str, date: str) -> None:
        cell = self._code(self.current.cell) if self.current is not None else None
        if cell is None or not date:
            return
        metadata = _metadata(cell)
        known = metadata.get("execution")
        metadata["execution"] = {**(known if isinstance(known, dict) else {}), name: date}

    def _in_cell(self, cell: Map[Any], message: Message) -> None:
        content = message.content
        match message.kind:
            case "execute_input" if self._is_current(message):
                count = content.get("execution_count")
                cell["execution_count"] = count if isinstance(count, int) and abs(count) < 1 << 31 else None
                self._time("iopub.execute_input", message.date)
            case "execute_reply" if self._is_current(message):
                self._reply(cell, message)
            case "input_request":
                prompt, password = _text(content, "prompt")[:4096], content.get("password") is True
                cell["input_request"] = {"prompt": prompt, "password": password}
            case "clear_output":
                self._clear(cell, content.get("wait") is True)
            case "stream":
                self._stream(cell, content)
            case "display_data" | "execute_result" | "error":
                self._output(cell, message.kind, content)

    def _reply(self, cell: Map[Any], message: Message) -> None:
        assert self.current is not None
        self.current.failed = message.content.get("status") != "ok"
        self._time("shell.execute_reply", message.date)
        payload = message.content.get("payload")
        for page in payload if isinstance(payload, list) else []:
            if isinstance(page, dict) and page.get("source") == "page" and isinstance(page.get("data"), dict):
                self._output(cell, "display_data", {"data": page["data"], "metadata": {}})

    def _clear(self, cell: Map[Any], wait: bool) -> None:
        if wait and self.current is not None:
            self.current.clear = True
        else:
            _outputs(cell).clear()

    def _make_room(self, cell: Map[Any], size: int) -> Array[Any] | None:
        """The cell's outputs, if ``size`` more fit; else it is noted once that they do not."""
        outputs = _outputs(cell)
        if self.current is not None and self.current.clear:
            self.current.clear = False
            outputs.clear()
        last = outputs[len(outputs) - 1] if len(outputs) else None
        if isinstance(last, Map) and str(last.get("text", "")) == CUT:
            return None
        id = str(cell.get("id"))
        if len(outputs) == 0 or id not in self._weights:
            self._weights[id] = weight(outputs)
        self._weights[id] += size
        if len(outputs) < MAX_OUTPUTS and self._weights[id] <= MAX_CELL:
            return outputs
        outputs.append(notebook.new_output({"output_type": "stream", "name": "stderr", "text": CUT}))
        return None

    def _stream(self, cell: Map[Any], content: Json) -> None:
        name, text = _text(content, "name"), _text(content, "text")
        if name not in ("stdout", "stderr") or not text:
            return
        outputs = self._make_room(cell, len(text))
        if outputs is None:
            return
        last = outputs[len(outputs) - 1] if len(outputs) else None
        if isinstance(last, Map) and last.get("name") == name and isinstance(last.get("text"), Text):
            extend(last["text"], text)
        else:
            outputs.append(notebook.new_output({"output_type": "stream", "name": name, "text": fold("", text)}))

    def _output(self, cell: Map[Any], kind: str, content: Json) -> None:
        output: Json = {"output_type": kind, **{name: content.get(name) for name in _FIELDS[kind]}}
        if kind == "error":
            lines = output["traceback"] if isinstance(output["traceback"], list) else []
            output["traceback"] = [notebook.clean(str(line)) for line in lines]
            output |= {name: _text(content, name) for name in ("ename", "evalue")}
        else:
            output |= {name: content.get(name) if isinstance(content.get(name), dict) else {} for name in _BUNDLE}
            transient = content.get("transient")
            if isinstance(transient, dict) and isinstance(transient.get("display_id"), str):
                output["transient"] = {"display_id": _text(transient, "display_id")[:200]}
        outputs = self._make_room(cell, _weigh(output))
        if outputs is not None:
            outputs.append(notebook.new_output(output))

    def _update(self, content: Json) -> None:
        transient = content.get("transient")
        id = transient.get("display_id") if isinstance(transient, dict) else None
        if not isinstance(id, str) or not isinstance(content.get("data"), dict) or _weigh(content) > MAX_CELL:
            return
        for cell in self._cells.values():
            for output in _maps(cell.get("outputs")):
                known = output.get("transient")
                if isinstance(known, dict) and known.get("display_id") == id[:200]:
                    metadata = content.get("metadata")
                    output["data"] = notebook.shared(content["data"])
                    output["metadata"] = notebook.shared(metadata) if isinstance(metadata, dict) else {}


_BUNDLE = ("data", "metadata")


def cells(doc: Doc[Any]) -> Iterator[Map[Any]]:
    """The cells of a document that are such."""
    return (cell for cell in notebook.cells_of(doc) if isinstance(cell, Map))


def rest(cell: Map[Any]) -> None:
    """The cell neither runs nor waits."""
    if cell.get("execution_state") != "idle":
        cell["execution_state"] = "idle"
    if "input_request" in cell:
        del cell["input_request"]


def tidy(doc: Doc[Any], busy: set[str]) -> None:
    """No cell says that it runs or waits, but those in ``busy``."""
    for cell in cells(doc):
        if cell.get("cell_type") == "code" and str(cell.get("id")) not in busy:
            rest(cell)


def show_kernel(doc: Doc[Any], told: Json) -> None:
    state = doc.get("state", type=Map)
    known = state.get("kernel")
    merged = {"name": "", "reason": "", **(known if isinstance(known, dict) else {}), **told}
    if merged != known:
        state["kernel"] = merged


def _outputs(cell: Map[Any]) -> Array[Any]:
    if not isinstance(cell.get("outputs"), Array):
        cell["outputs"] = Array()
    found: Array[Any] = cell["outputs"]
    return found


def _metadata(cell: Map[Any]) -> Map[Any]:
    if not isinstance(cell.get("metadata"), Map):
        cell["metadata"] = Map()
    found: Map[Any] = cell["metadata"]
    return found


def _maps(value: Any) -> Iterator[Map[Any]]:
    return (item for item in value if isinstance(item, Map)) if isinstance(value, Array) else iter(())


def weight(outputs: Array[Any]) -> int:
    return sum(_weigh(output.to_py()) for output in _maps(outputs))


def _weigh(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 8 + sum(_weigh(item) for item in items)


def extend(text: Text, more: str) -> None:
    """Append to what a stream has printed; a carriage return goes back to the beginning of the line."""
    so_far = str(text)
    if "\r" not in more and not so_far.endswith("\r"):
        text.insert(len(text), more)
        return
    start = so_far.rfind("\n") + 1
    at = len(so_far[:start].encode())
    if at < len(text):
        del text[at : len(text)]
    text.insert(at, fold(so_far[start:], more))


def fold(line: str, more: str) -> str:
    """``line`` and what is printed behind it, as a terminal shows it. A return at the very end waits for more."""
    printed = (line + more).replace("\r\n", "\n")
    if "\r" not in printed:
        return printed
    ends = printed.endswith("\r")
    lines = (printed[:-1] if ends else printed).split("\n")
    return "\n".join(map(_overwrite, lines)) + ("\r" if ends else "")


def _overwrite(line: str) -> str:
    """The last that was printed from the beginning of the line: it takes the place of all before."""
    return next((part for part in reversed(line.split("\r")) if part), "")
