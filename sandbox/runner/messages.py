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
MAX_MESSAGE = 16 * 1024 * 1024
"""Bytes of a message from a kernel. What is larger is replaced by a note: no page could show it."""


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
    return json_object(part).get(name)


def json_object(part: str | bytes) -> dict[str, Any]:
    """A JSON part.

    Raises:
        MessageError: it is not a JSON object.
    """
    try:
        value = json.loads(part)
    except (ValueError, RecursionError) as error:
        raise MessageError("a part is not JSON") from error
    if not isinstance(value, dict):
        raise MessageError("a part is not an object")
    return value


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


def bounded(parts: list[bytes]) -> list[bytes]:
    """``parts`` of a kernel's message, or where they are too large, the same message with a note in their place.

    Raises:
        MessageError: it is too large, and not because of its content.
    """
    size = sum(map(len, parts))
    if size <= MAX_MESSAGE:
        return parts
    header, parent = parts[0], parts[1]
    if len(header) + len(parent) > 64 * 1024:
        raise MessageError("its header is too large")
    content = json.loads(parts[3]) if len(parts[3]) <= MAX_MESSAGE else {}
    note = cut(str(field(header, "msg_type")), content if isinstance(content, dict) else {}, size)
    return [header, parent, b"{}", json.dumps(note).encode()]


def cut(msg_type: str, content: dict[str, Any], size: int) -> dict[str, Any]:
    """What is said in place of a content of ``size`` bytes that is too large."""
    note = f"[cut: this output has {size / 1e6:,.0f} MB, more than {MAX_MESSAGE / 1e6:,.0f} MB cannot be shown]"
    if msg_type == "stream":
        return {"name": content.get("name", "stdout"), "text": note + "\n"}
    if msg_type == "error":
        lines = [str(line)[:4096] for line in content.get("traceback", [])[-50:]]
        return {"ename": str(content.get("ename", ""))[:200], "evalue": note, "traceback": [*lines, note]}
    if msg_type in ("display_data", "execute_result", "update_display_data"):
        kept: dict[str, Any] = {name: content[name] for name in ("execution_count", "transient") if name in content}
        return {"data": {"text/plain": note}, "metadata": {}, **kept}
    return {"status": "error", "ename": "TooLarge", "evalue": note, "traceback": []}


def weight(value: Any, limit: int = MAX_MESSAGE) -> int:
    """About how many bytes ``value`` has as JSON; counting ends soon above ``limit``."""
    if isinstance(value, str | bytes):
        return len(value)
    total = 0
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
        total += weight(item, limit - total) + 8
        if total > limit:
            break
    return total
