"""Kernel messages in Jupyter's binary WebSocket layout, as they go over the wire.

``v1.kernel.websocket.jupyter.org``: u64 little-endian count of offsets, the offsets, then the
channel's name and the parts (header, parent header, metadata, content, buffers...).
Source: jupyter_server, "WebSocket protocols".
"""

from __future__ import annotations

import json
import struct
import uuid
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

CHANNELS = frozenset({"shell", "control", "stdin", "iopub"})
DELIMITER = b"<IDS|MSG>"


class MessageError(ValueError):
    """The bytes are not a kernel message."""


def pack(channel: str, parts: list[bytes]) -> bytes:
    """Return one message; ``parts`` begin with the header."""
    name = channel.encode()
    offsets = [8 * (len(parts) + 3)]
    for part in (name, *parts):
        offsets.append(offsets[-1] + len(part))
    return b"".join((struct.pack(f"<{len(offsets) + 1}Q", len(offsets), *offsets), name, *parts))


def unpack(message: bytes) -> tuple[str, list[bytes]]:
    """Return channel and parts.

    Raises:
        MessageError: it is cut, its offsets are wrong, it has fewer than four parts, or its channel is unknown.
    """
    if len(message) < 8:
        raise MessageError("shorter than its count")
    (count,) = struct.unpack_from("<Q", message)
    if not 6 <= count <= 4096 or 8 * (count + 1) > len(message):
        raise MessageError("its count of parts is wrong")
    offsets = struct.unpack_from(f"<{count}Q", message, 8)
    if offsets[0] != 8 * (count + 1) or offsets[-1] != len(message) or list(offsets) != sorted(offsets):
        raise MessageError("its offsets are wrong")
    channel = message[offsets[0] : offsets[1]].decode(errors="replace")
    if channel not in CHANNELS:
        raise MessageError("its channel is unknown")
    return channel, [message[a:b] for a, b in pairwise(offsets[1:])]


def field(part: bytes, name: str) -> Any:
    """One field of a JSON part, or ``None`` where it has none.

    Raises:
        MessageError: the part is not a JSON object.
    """
    try:
        value = json.loads(part)
    except (ValueError, RecursionError) as error:
        raise MessageError("a part is not JSON") from error
    if not isinstance(value, dict):
        raise MessageError("a part is not an object")
    return value.get(name)


def build(msg_type: str, content: dict[str, Any], parent: bytes = b"{}") -> list[bytes]:
    """Parts of a message that the runner itself has to say about a kernel."""
    header = {
        "msg_id": uuid.uuid4().hex,
        "session": "runner",
        "username": "runner",
        "date": datetime.now(UTC).isoformat(),
        "msg_type": msg_type,
        "version": "5.4",
    }
    return [json.dumps(header).encode(), parent, b"{}", json.dumps(content).encode()]
