"""A small, quick client of Jupyter's server protocol: the same code drives every server that is measured."""

from __future__ import annotations

import itertools
import json
import struct
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

V1 = Subprotocol("v1.kernel.websocket.jupyter.org")
PATIENCE = 60.0

Message = dict[str, Any]


class Jupyter:
    """A server at ``url`` (up to, and without, ``/api``), reached with ``token``."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token, self.headers = url.rstrip("/"), token, {"Authorization": f"token {token}"}
        self.opens = ""  # where a server that is the user's own is asked for, if it is
        self.http = httpx.Client(headers=self.headers, timeout=PATIENCE)

    def start_kernel(self) -> str:
        """Start a Python kernel; its id."""
        return str(self._json("POST", "/api/kernels", {"name": "python3"})["id"])

    def stop_kernel(self, id: str) -> None:
        self._json("DELETE", f"/api/kernels/{id}")

    def kernel(self, id: str) -> Kernel:
        """Connect to a kernel's channels."""
        return Kernel(self._socket(channels(id), V1))

    def start_terminal(self) -> str:
        """Start a terminal; its name."""
        return str(self._json("POST", "/api/terminals")["name"])

    def stop_terminal(self, name: str) -> None:
        self._json("DELETE", f"/api/terminals/{name}")

    def terminal(self, name: str, ahead: int = 16) -> Terminal:
        """Connect to a terminal; ``ahead`` is how many frames may lie here unread."""
        return Terminal(self._socket(f"/terminals/websocket/{name}", None, ahead))

    def close(self) -> None:
        self.http.close()

    def _json(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, self.url + path, json=body)
        if answer.is_error:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json() if answer.content else None

    def _socket(self, path: str, protocol: Subprotocol | None, ahead: int = 16) -> ClientConnection:
        return connect(
            self.url.replace("http", "ws", 1) + path, additional_headers=self.headers, compression=None,
            subprotocols=[protocol] if protocol else None, max_size=None, open_timeout=PATIENCE, proxy=None,
            max_queue=ahead,
            ping_interval=None,  # an answer may be long behind a flood that is read slowly
            legacy=True,  # used and closed in different places, not in one "with"
        )  # fmt: skip


class Kernel:
    """A connection to a kernel's channels."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def execute(self, code: str) -> str:
        """Ask to run ``code``; the request's id."""
        id, message = request(code)
        self.socket.send(message)
        return id

    def wait_for_output(self, id: str) -> str:
        """Wait for the first thing that request ``id`` prints, and return it."""
        while True:
            message = self._receive()
            if prints(message, id):
                return str(message["content"]["text"])

    def count_output(self, id: str) -> int:
        """Wait until request ``id`` is done; how many characters it has printed."""
        count = 0
        while True:
            message = self._receive()
            if not answers(message, id):
                continue
            if message["header"]["msg_type"] == "stream":
                count += len(message["content"]["text"])
            elif message["content"].get("execution_state") == "idle":
                return count

    def wait_until_idle(self, id: str) -> None:
        """Wait until request ``id`` is done: its last message on the channel that outputs come by."""
        while True:
            message = self._receive()
            if answers(message, id) and message["content"].get("execution_state") == "idle":
                return

    def close(self) -> None:
        self.socket.close()

    def _receive(self) -> Message:
        return unpack(self.socket.recv(PATIENCE))


class Terminal:
    """A connection to a terminal, in terminado's JSON."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def send(self, text: str) -> None:
        self.socket.send(json.dumps(["stdin", text]))

    def pass_by(self, text: str, rate: float = 0.0) -> int:
        """Read until ``text`` comes, at most ``rate`` characters a second (0: at once); how many were read."""
        began, count, tail = time.perf_counter(), 0, ""
        while text not in tail:
            shown = self._read()
            count, tail = count + len(shown), tail[-len(text) :] + shown
            if rate and (ahead := count / rate - (time.perf_counter() - began)) > 0:
                time.sleep(ahead)
        return count

    def read_some(self, seconds: float, rate: float) -> None:
        """Read for some time, at most ``rate`` characters a second."""
        began, count = time.perf_counter(), 0
        while (now := time.perf_counter() - began) < seconds:
            if count > now * rate:
                time.sleep(count / rate - now)
            count += len(self._read())

    def _read(self) -> str:
        kind, *values = json.loads(self.socket.recv(PATIENCE))
        if kind == "disconnect":
            raise ConnectionError("the terminal ended")
        return str(values[0]) if kind == "stdout" else ""

    def wait_for(self, text: str) -> str:
        """Read until ``text`` has been shown; what was shown."""
        shown = ""
        while text not in shown:
            shown += self._read()
        return shown

    def close(self) -> None:
        self.socket.close()


def answers(message: Message, id: str) -> bool:
    """Whether ``message`` is about request ``id``."""
    return bool(message["parent_header"].get("msg_id") == id)


def prints(message: Message, id: str) -> bool:
    """Whether ``message`` is output of request ``id``."""
    return answers(message, id) and message["header"]["msg_type"] == "stream"


def channels(id: str) -> str:
    """The path of a new connection to kernel ``id``."""
    return f"/api/kernels/{id}/channels?session_id={uuid.uuid4()}"


def request(code: str) -> tuple[str, bytes]:
    """A request to run ``code``, in the v1 framing, and its id."""
    id = uuid.uuid4().hex
    content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}}
    content |= {"allow_stdin": False, "stop_on_error": True}
    header = {"msg_id": id, "msg_type": "execute_request", "username": "bench", "session": id, "version": "5.3"}
    header["date"] = datetime.now(UTC).isoformat()
    return id, _pack("shell", [header, {}, {}, content])


def _pack(channel: str, parts: list[Message]) -> bytes:
    """A message of the v1 framing: the offsets' number, the offsets, the parts."""
    body = [channel.encode(), *(json.dumps(part).encode() for part in parts)]
    offsets = [8 * (1 + len(body) + 1)]
    for part in body:
        offsets.append(offsets[-1] + len(part))
    return struct.pack(f"<{1 + len(offsets)}Q", len(offsets), *offsets) + b"".join(body)


def unpack(data: str | bytes) -> Message:
    """A message of a kernel's channels, with its ``channel``."""
    if isinstance(data, str):
        message: Message = json.loads(data)
        return message
    (count,) = struct.unpack_from("<Q", data)
    offsets = struct.unpack_from(f"<{count}Q", data, 8)
    parts = [data[start:end] for start, end in itertools.pairwise(offsets)]
    names = ("header", "parent_header", "metadata", "content")
    return dict(zip(names, map(json.loads, parts[1:5]), strict=True), channel=parts[0].decode())
