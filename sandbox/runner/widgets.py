"""What a kernel has said of its widgets, for who comes while it computes and answers nothing. Pure.

A widget is a comm of ipywidgets', whose state later messages change key by key
(https://ipywidgets.readthedocs.io, "Low Level Widget Explanation"). States are kept as they would be written: that
tells their size, and nothing in them is looked at. A kernel can say anything: what makes no sense is no widget, and
of a widget that is not known here a client asks the kernel.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.runner import messages
from sandbox.runner.captures import Captures

MOST_WIDGETS, MOST_BYTES = 1000, 4 * 1024 * 1024
"""Of one kernel. Beyond these the widgets are forgotten of which nothing was heard for the longest."""
TARGET = "jupyter.widget"
_LEAST = 2048  # what a buffer counts at least: a message has some thousand parts at most
_LONGEST_ID = 200
_KINDS = ("comm_open", "comm_msg", "comm_close")
_REFERENCE = re.compile(r'"IPY_MODEL_([^"\\]+)"')

Place = tuple[str | int, ...]
"""Where in a state a buffer belongs."""


@dataclass
class _Widget:
    """``state`` has each key's member of the JSON object, ``"key":value``."""

    metadata: str
    state: dict[str, str] = field(default_factory=dict)
    buffers: dict[Place, bytes] = field(default_factory=dict)
    heard: int = 0
    size: int = 0

    def update(self, state: dict[str, str], buffers: dict[Place, bytes]) -> None:
        """A key comes with all its buffers, and where it is nothing else without a value."""
        told = {*state, *(place[0] for place in buffers)}
        self.state = {key: member for key, member in self.state.items() if key not in told} | state
        self.buffers = {place: data for place, data in self.buffers.items() if place[0] not in told} | buffers
        self.size = len(self.metadata) + sum(len(key) + len(member) for key, member in self.state.items())
        self.size += sum(max(len(data), _LEAST) + _length(place) for place, data in self.buffers.items())


class Widgets:
    """The widgets of one process of a kernel."""

    def __init__(self) -> None:
        self._widgets: dict[str, _Widget] = {}
        self._captures = Captures()
        self._heard = self._size = 0

    def hear(self, parts: list[bytes]) -> None:
        """Take a message that the kernel said to everybody, whatever it is."""
        try:
            if b'"comm_' in parts[0]:
                self._comm(parts)
            elif self._captures:
                self._output(parts)
        except (messages.MessageError, RecursionError):
            return

    def described(self) -> tuple[bytes, list[bytes]]:
        """All widgets, the oldest first: the content of a ``comm_info_reply``, and its buffers.

        Each comm has its ``state`` and ``metadata`` besides; ``buffer_paths`` says of each buffer whose it is and where
        it belongs, as ipywidgets' own ``update_states`` does.
        """
        taken = self._taken()
        comms = (
            f'{_written(id)}:{{"target_name":"{TARGET}","metadata":{widget.metadata},'
            f'"state":{{{",".join({**widget.state, **taken.get(id, {})}.values())}}}}}'
            for id, widget in self._widgets.items()
        )
        places = [[id, *place] for id, widget in self._widgets.items() for place in widget.buffers]
        content = f'{{"status":"ok","comms":{{{",".join(comms)}}},"buffer_paths":{_written(places)}}}'
        return content.encode(), [data for widget in self._widgets.values() for data in widget.buffers.values()]

    # Inside

    def _comm(self, parts: list[bytes]) -> None:
        kind = messages.field(parts[0], "msg_type")
        if kind not in _KINDS:
            return
        if len(parts[3]) > MOST_BYTES:  # whose it is would cost as much as all the rest: now nothing is sure
            self._widgets, self._captures, self._size = {}, Captures(), 0
            return
        content = messages.json_object(parts[3])
        id = content.get("comm_id")
        if not isinstance(id, str) or len(id) > _LONGEST_ID:
            return
        self._captures.take(kind, "", content)
        if kind != "comm_open" and id not in self._widgets:
            return
        before = self._widgets.get(id)
        self._size -= before.size if before else 0
        after = None if kind == "comm_close" else _after(before, kind, content, parts)
        if after is None:
            self._widgets.pop(id, None)
            return
        self._heard += 1
        after.heard = self._heard
        self._widgets[id] = after
        self._size += after.size
        if len(self._widgets) > MOST_WIDGETS or self._size > MOST_BYTES:
            self._forget()

    def _output(self, parts: list[bytes]) -> None:
        parent = messages.field(parts[1], "msg_id")
        if isinstance(parent, str) and self._captures.takes_of(parent):
            kind = str(messages.field(parts[0], "msg_type"))
            self._captures.take(kind, parent, messages.json_object(parts[3]))

    def _taken(self) -> dict[str, dict[str, str]]:
        """The outputs that widgets have taken and the kernel may not know of yet; of as many as there is room for."""
        room, found = MOST_BYTES, {}
        for id, outputs in reversed(self._captures.outputs.items()):
            try:
                member = _member("outputs", outputs)
            except (ValueError, RecursionError):
                continue
            room -= len(member)
            if room < 0:
                break
            found[id] = {"outputs": member}
        return found

    def _forget(self) -> None:
        """Keep three quarters: what was heard of last, with what it is in and all that it refers to."""
        refers = {id: [*_references(widget)] for id, widget in self._widgets.items()}
        holders: dict[str, list[str]] = {id: [] for id in self._widgets}
        for id, references in refers.items():
            for reference in references:
                holders.setdefault(reference, []).append(id)
        latest = sorted(self._widgets, key=lambda id: self._widgets[id].heard, reverse=True)
        kept: set[str] = set()
        room = MOST_BYTES * 3 // 4
        for id in _reached(latest, holders, set()):
            whole = [one for one in _reached([id], refers, set(kept)) if one in self._widgets]
            size = sum(self._widgets[one].size for one in whole)
            if size <= room and len(kept) + len(whole) <= MOST_WIDGETS * 3 // 4:
                kept.update(whole)
                room -= size
        self._widgets = {id: widget for id, widget in self._widgets.items() if id in kept}
        self._size = sum(widget.size for widget in self._widgets.values())


def _after(before: _Widget | None, kind: str, content: dict[str, Any], parts: list[bytes]) -> _Widget | None:
    """The widget behind a message; ``None`` where it is none, or it cannot be known what it is by now."""
    data = content.get("data")
    state, paths = (data.get("state", {}), data.get("buffer_paths", [])) if isinstance(data, dict) else ({}, [])
    try:
        members = {key: _member(key, value) for key, value in state.items()}
        buffers = dict(zip(map(_place, paths), parts[4:], strict=False))
        if kind == "comm_open":
            if content.get("target_name") != TARGET:
                return None
            before = _Widget(_written(messages.json_object(parts[2])))
        if before is not None:
            before.update(members, buffers)
    except (AttributeError, TypeError, ValueError, RecursionError):
        return None
    return before


def _place(path: Any) -> Place:
    """
    Raises:
        ValueError: it is none.
    """
    if not isinstance(path, list) or not path or not isinstance(path[0], str):
        raise ValueError("a buffer's place begins with a key of the state")
    if not all(isinstance(step, str | int) for step in path):
        raise ValueError("and goes on with names and numbers")
    return tuple(path)


def _length(place: Place) -> int:
    return sum(len(str(step)) for step in place)


def _references(widget: _Widget) -> Iterator[str]:
    for member in widget.state.values():
        yield from _REFERENCE.findall(member)


def _reached(starts: Iterable[str], ways: Mapping[str, list[str]], seen: set[str]) -> Iterator[str]:
    """All that can be reached and is not ``seen`` yet, each once, near what comes first in ``starts`` first."""
    for start in starts:
        waiting = [start]
        while waiting:
            id = waiting.pop()
            if id not in seen:
                seen.add(id)
                yield id
                waiting.extend(ways.get(id, ()))


def _member(key: str, value: Any) -> str:
    """A member of a JSON object. Raises as :func:`_written`."""
    return f"{_written(key)}:{_written(value)}"


def _written(value: Any) -> str:
    """``value`` as JSON that every reader takes.

    Raises:
        ValueError: it has a number that is none.
        RecursionError: it is too deep.
    """
    return json.dumps(value, allow_nan=False, separators=(",", ":"))
