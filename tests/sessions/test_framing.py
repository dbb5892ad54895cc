"""Kernel messages survive both framings, and garbage is refused with a reason."""

from __future__ import annotations

import contextlib
import json
import struct
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sandbox.runner.messages import pack, unpack
from sessions.jupyter import framing
from sessions.jupyter.framing import MessageError

texts = st.text(max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 53), 1 << 53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(texts, values, max_size=4)
headers = st.builds(
    lambda rest, id, kind: {**rest, "msg_id": id, "msg_type": kind},
    objects, st.text(min_size=1, max_size=9), st.text(min_size=1, max_size=9),
)  # fmt: skip
buffers = st.lists(st.binary(max_size=40), max_size=3)
channels = st.sampled_from(sorted(framing.TO_KERNEL))


def message(
    channel: str,
    header: dict[str, Any],
    parent: dict[str, Any],
    metadata: dict[str, Any],
    content: dict[str, Any],
    blobs: list[bytes],
) -> bytes:
    return pack(channel, [*(json.dumps(part).encode() for part in (header, parent, metadata, content)), *blobs])


def read(v1: bytes) -> tuple[str, list[dict[str, Any]], list[bytes]]:
    channel, parts = unpack(v1)
    return channel, [json.loads(part) for part in parts[:4]], parts[4:]


@given(channels, headers, objects, objects, objects, buffers)
def test_there_and_back_again(
    channel: str,
    header: dict[str, Any],
    parent: dict[str, Any],
    metadata: dict[str, Any],
    content: dict[str, Any],
    blobs: list[bytes],
) -> None:
    v1 = message(channel, header, parent, metadata, content, blobs)
    framing.check(v1)
    frame = framing.to_json(v1)
    assert isinstance(frame, bytes if blobs else str)
    assert read(framing.from_json(frame)) == read(v1)


def test_lone_surrogates_stay_readable() -> None:
    v1 = message("shell", {"msg_id": "1", "msg_type": "x"}, {}, {}, {"text": "\ud83d"}, [])
    frame = framing.to_json(v1)
    assert isinstance(frame, str)
    assert frame.encode()
    assert json.loads(frame)["content"] == {"text": "\ud83d"}


def test_a_text_is_what_jupyters_clients_read() -> None:
    v1 = message("iopub", {"msg_id": "7", "msg_type": "status"}, {}, {}, {"execution_state": "idle"}, [])
    body = json.loads(framing.to_json(v1))
    assert body["channel"] == "iopub"
    assert body["msg_type"] == "status"
    assert body["msg_id"] == "7"
    assert body["buffers"] == []


def test_buffers_lie_where_jupyters_layout_says() -> None:
    v1 = message("shell", {"msg_id": "1", "msg_type": "x"}, {}, {}, {}, [b"abc", b"", b"de"])
    frame = framing.to_json(v1)
    assert isinstance(frame, bytes)
    count, *offsets = struct.unpack_from(">5I", frame)
    assert count == 4
    assert json.loads(frame[offsets[0] : offsets[1]])["channel"] == "shell"
    assert [frame[offsets[1] : offsets[2]], frame[offsets[2] : offsets[3]], frame[offsets[3] :]] == [b"abc", b"", b"de"]


@given(st.binary(max_size=200) | st.text(max_size=200))
@example(b"")
@example("[" * 100_000)
@example(struct.pack(">I", 0xFFFFFFFF))
@example(struct.pack(">II", 1, 4))
def test_garbage_is_refused_and_nothing_worse(frame: str | bytes) -> None:
    for read_one in (framing.from_json, framing.check, framing.to_json, framing.unnumber):
        if read_one is not framing.from_json and isinstance(frame, str):
            continue
        with contextlib.suppress(MessageError):  # anything else fails the test
            read_one(frame)  # type: ignore[arg-type]


GOOD = {
    "channel": "shell",
    "header": {"msg_id": "1", "msg_type": "x"},
    "parent_header": {},
    "metadata": {},
    "content": {},
}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"channel": "iopub"}, "channel"),
        ({"channel": {"a": 1}}, "channel"),
        ({"channel": "hb"}, "channel"),
        ({"header": []}, "header"),
        ({"header": {"msg_id": "1"}}, "msg_type"),
        ({"header": {"msg_id": 1, "msg_type": "x"}}, "msg_id"),
        ({"content": "text"}, "content"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], why: str) -> None:
    with pytest.raises(MessageError, match=why):
        framing.from_json(json.dumps({**GOOD, **change}))


def test_v1_for_a_channel_that_takes_nothing() -> None:
    with pytest.raises(MessageError, match="channel"):
        framing.check(message("iopub", {"msg_id": "1", "msg_type": "x"}, {}, {}, {}, []))


@given(st.integers(0, (1 << 64) - 1), st.binary(max_size=50))
def test_numbers(sequence: int, payload: bytes) -> None:
    assert framing.unnumber(framing.number(sequence, payload)) == (sequence, payload)
