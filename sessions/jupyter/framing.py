"""Kernel messages between Jupyter's two WebSocket framings. Pure.

Inside Madang a message is always in the binary layout ``v1.kernel.websocket.jupyter.org``
(``sandbox.runner.messages``). Clients that ask for no subprotocol get the older framing: a JSON
text, or, for messages with buffers, a big-endian count, offsets, the JSON text and the buffers.
"""

from __future__ import annotations

import json
import struct
from itertools import pairwise
from typing import Any

from sandbox.runner.messages import MessageError, build, json_object, pack, unpack

V1 = "v1.kernel.websocket.jupyter.org"
NUMBERED = "madang.kernel.v1"
TO_KERNEL = frozenset({"shell", "control", "stdin"})
_PARTS = ("header", "parent_header", "metadata", "content")
_COUNT = struct.Struct(">I")
_SEQUENCE = struct.Struct(">Q")
ACKNOWLEDGEMENT = _SEQUENCE.size
"""The length of a client's frame that is only a number: it has taken all records below it."""

__all__ = ["NUMBERED", "V1", "MessageError", "check", "cut_note", "from_json", "number", "to_json", "unnumber"]


def to_json(message: bytes) -> str | bytes:
    """A v1 message in the JSON framing: text, or bytes if it has buffers.

    Raises:
        MessageError: it is no v1 message of JSON objects.
    """
    channel, parts = unpack(message)
    if len(parts) < len(_PARTS):
        raise MessageError("it has fewer than four parts")
    body: dict[str, Any] = {name: json_object(part) for name, part in zip(_PARTS, parts, strict=False)}
    body |= {"channel": channel, "msg_id": body["header"].get("msg_id"), "msg_type": body["header"].get("msg_type")}
    buffers = parts[len(_PARTS) :]
    if not buffers:
        return _text({**body, "buffers": []})
    return _with_buffers(_text(body).encode(), buffers)


def from_json(frame: str | bytes) -> bytes:
    """A frame of the JSON framing as a v1 message, fit to be sent to a kernel.

    Raises:
        MessageError: it is no kernel message, or not for a channel that takes messages.
    """
    text, buffers = (frame, []) if isinstance(frame, str) else _split(frame)
    body = json_object(text)
    channel = body.get("channel", "shell")
    if not isinstance(channel, str) or channel not in TO_KERNEL:
        raise MessageError("its channel takes no messages")
    parts = []
    for name in _PARTS:
        part = body.get(name, {})
        if not isinstance(part, dict):
            raise MessageError(f"its {name} is not an object")
        parts.append(json.dumps(part).encode())
    message = pack(channel, [*parts, *buffers])
    check(message)
    return message


def check(message: bytes) -> None:
    """Refuse what is not a v1 message that a kernel can take.

    Raises:
        MessageError: says why.
    """
    channel, parts = unpack(message)
    if channel not in TO_KERNEL:
        raise MessageError("its channel takes no messages")
    if len(parts) < len(_PARTS):
        raise MessageError("it has fewer than four parts")
    header, _, _, _ = (json_object(part) for part in parts[: len(_PARTS)])
    for name in ("msg_id", "msg_type"):
        if not isinstance(header.get(name), str) or not header[name]:
            raise MessageError(f"its header has no {name}")


def number(sequence: int, message: bytes) -> bytes:
    """A v1 message with its number in the stream before it (``madang.kernel.v1``)."""
    return _SEQUENCE.pack(sequence) + message


def cut_note(message: bytes) -> bytes:
    """A v1 message that tells the reader of ``message`` that something before it is lost: printed in the same cell."""
    try:
        parent = unpack(message)[1][1]
    except MessageError:
        parent = b"{}"  # what a broken kernel says has no cell
    text = "[Earlier output is no longer kept: it was more than is stored, or came too fast for this connection.]\n"
    return pack("iopub", build("stream", {"name": "stderr", "text": text}, parent))


def unnumber(frame: bytes) -> tuple[int, bytes]:
    """What :func:`number` joined.

    Raises:
        MessageError: it is too short.
    """
    if len(frame) < _SEQUENCE.size:
        raise MessageError("shorter than its number")
    return _SEQUENCE.unpack_from(frame)[0], frame[_SEQUENCE.size :]


def _with_buffers(text: bytes, buffers: list[bytes]) -> bytes:
    blobs = [text, *buffers]
    offset, offsets = _COUNT.size * (len(blobs) + 1), []
    for blob in blobs:
        offsets.append(offset)
        offset += len(blob)
    return b"".join((struct.pack(f">{len(blobs) + 1}I", len(blobs), *offsets), *blobs))


def _split(frame: bytes) -> tuple[bytes, list[bytes]]:
    if len(frame) < _COUNT.size:
        raise MessageError("shorter than its count")
    (count,) = _COUNT.unpack_from(frame)
    start = _COUNT.size * (count + 1)
    if not 1 <= count <= 4096 or start > len(frame):
        raise MessageError("its count of buffers is wrong")
    offsets = [*struct.unpack_from(f">{count}I", frame, _COUNT.size), len(frame)]
    if offsets[0] != start or offsets != sorted(offsets):
        raise MessageError("its offsets are wrong")
    blobs = [frame[a:b] for a, b in pairwise(offsets)]
    return blobs[0], blobs[1:]


def _text(body: dict[str, Any]) -> str:
    """``body`` as JSON that a UTF-8 frame can carry: lone surrogates stay escaped."""
    text = json.dumps(body, ensure_ascii=False)
    return text if text.isascii() or _encodable(text) else json.dumps(body)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
