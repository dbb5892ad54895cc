"""What kernels say, written into cells: whatever comes, a notebook stays one."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pycrdt import Doc

from portal.documents import notebook
from portal.documents.cells import CUT, MAX_CELL, MAX_OUTPUTS, Current, Message, Writer, cells, fold
from sandbox.runner.messages import pack


def document(count: int = 1) -> Doc[Any]:
    doc: Doc[Any] = Doc()
    found = [{"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": ""} for n in range(count)]
    notebook.fill(doc, {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": found})
    return doc


def message(kind: str, content: Any, parent: str = "r") -> Message:
    return Message(kind, parent, "2026-01-02T03:04:05Z", content)


def written(*said: Message, current: Current | None = None) -> dict[str, Any]:
    """The cell after all of that."""
    doc = document()
    writer = Writer(doc, current or Current("c0", "r"), {"old": "c0"})
    with doc.transaction():
        for one in said:
            writer.take(one)
    return notebook.read(doc)["cells"][0]


def stream(text: str, name: str = "stdout") -> Message:
    return message("stream", {"name": name, "text": text})


def test_streams_are_joined_by_name() -> None:
    outputs = written(stream("a"), stream("b\n"), stream("e", "stderr"), stream("c"))["outputs"]
    assert [(one["name"], one["text"]) for one in outputs] == [("stdout", "ab\n"), ("stderr", "e"), ("stdout", "c")]


def test_a_cell_is_over_when_its_kernel_is_idle() -> None:
    current = Current("c0", "r")
    busy, idle = message("status", {"execution_state": "busy"}), message("status", {"execution_state": "idle"})
    reply = message("execute_reply", {"status": "error"})
    written(busy, reply, current=current)
    assert (current.started, current.done, current.failed) == (True, False, True)
    written(busy, reply, idle, current=current)
    assert current.done


def test_a_kernel_that_dies_ends_its_cell() -> None:
    current = Current("c0", "r", started=True)
    cell = written(
        message("stream", {"name": "stderr", "text": "killed"}, ""),
        message("status", {"execution_state": "restarting"}, ""),
        current=current,
    )
    assert current.done
    assert current.failed
    assert cell["outputs"][0]["text"] == "killed"


def test_what_an_earlier_cell_still_says_is_in_that_cell() -> None:
    cell = written(message("stream", {"name": "stdout", "text": "late"}, "old"), current=Current("other", "r"))
    assert cell["outputs"][0]["text"] == "late"
    assert written(message("stream", {"name": "stdout", "text": "stranger"}, "unknown"))["outputs"] == []


def test_clearing_waits_for_what_comes() -> None:
    wait = message("clear_output", {"wait": True})
    assert written(stream("a"), wait)["outputs"][0]["text"] == "a"
    assert [one["text"] for one in written(stream("a"), wait, stream("b"))["outputs"]] == ["b"]
    assert written(stream("a"), message("clear_output", {}))["outputs"] == []


def test_output_is_cut_once() -> None:
    flood = [stream("x" * 10_000 + "\n", name) for _ in range(MAX_CELL // 10_000) for name in ("stdout", "stderr")]
    outputs = written(*flood)["outputs"]
    assert sum(len(one["text"]) for one in outputs) <= MAX_CELL + len(CUT)
    assert [one["text"] for one in outputs].count(CUT) == 1
    shown = message("display_data", {"data": {"text/plain": "x"}, "metadata": {}})
    outputs = written(*[shown] * (MAX_OUTPUTS * 2))["outputs"]
    assert len(outputs) == MAX_OUTPUTS + 1
    assert outputs[-1]["text"] == CUT


@given(st.lists(st.text("ab\r\n", max_size=4), max_size=8))
def test_a_line_is_overwritten_the_same_in_any_pieces(pieces: list[str]) -> None:
    whole, line = fold("", "".join(pieces)), ""
    for piece in pieces:
        line = fold(line, piece) if line or piece else ""
    assert line == whole
    text = "".join(one["text"] for one in written(*(stream(piece) for piece in pieces))["outputs"])
    assert text == whole


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=3,
)
kinds = [
    "status", "stream", "display_data", "execute_result", "error", "update_display_data", "clear_output",
    "execute_input", "execute_reply", "input_request", "comm_open",
]  # fmt: skip
fields = [
    "execution_state", "name", "text", "data", "metadata", "transient", "traceback", "ename", "wait", "payload",
    "execution_count", "prompt", "password", "status",
]  # fmt: skip
said = st.tuples(
    st.sampled_from(kinds), st.dictionaries(st.sampled_from(fields), json_values, max_size=4), st.sampled_from("rx")
)


@given(st.lists(said, max_size=4))
def test_whatever_a_kernel_says_a_notebook_stays_one(all: list[tuple[str, dict[str, Any], str]]) -> None:
    doc = document(2)
    writer = Writer(doc, Current("c0", "r"), {"x": "c1"})
    with doc.transaction():
        for kind, content, parent in all:
            header, above = json.dumps({"msg_type": kind, "msg_id": "m"}), json.dumps({"msg_id": parent})
            payload = pack("iopub", [part.encode() for part in (header, above, "{}", json.dumps(content))])
            found = Message.read(payload)
            if found is not None:
                writer.take(found)
    data = notebook.render(doc, b"")
    assert [cell["id"] for cell in notebook.parse(data)["cells"]] == ["c0", "c1"]
    assert len([*cells(doc)]) == 2


@given(st.binary(max_size=60))
def test_garbage_is_no_message(data: bytes) -> None:
    assert Message.read(data) is None
