"""A WebSocket of a preview, relayed to the program that listens inside."""

from __future__ import annotations

import asyncio
from typing import Any

from portal.preview import frames, http1
from portal.preview.frames import BadFrame, Message, Reader
from portal.preview.hosts import Preview
from portal.preview.http import BOUNDS, forwarded, target
from portal.preview.http1 import BadResponse, Response
from sandbox.runner.wire import CallError, Stream, WireError
from sessions.flow import Flow
from sessions.problems import Problem
from sessions.runner import connect

BROKEN, AWAY = 1011, 4502
_HANDSHAKE = (b"sec-websocket-key", b"sec-websocket-version", b"sec-websocket-extensions", b"sec-websocket-protocol")


async def refuse(receive: Any, send: Any, code: int) -> None:
    """Accept, then close: only an open WebSocket can tell its client a close code."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": code})


async def relay_websocket(preview: Preview, scope: dict[str, Any], receive: Any, send: Any, cookie: str) -> None:
    """Relay messages both ways until one end has closed. ``cookie`` is ours and goes no further."""
    try:
        async with await connect(str(preview.session), **BOUNDS) as client:
            stream = await client.open("port.connect", port=preview.port)
            stream.by_hand = True
            await _Relay(stream, receive, send).run(scope, cookie)
    except (Problem, CallError, BadResponse, WireError, ConnectionError, ValueError):
        await refuse(receive, send, AWAY)


class _Relay:
    def __init__(self, stream: Stream, receive: Any, send: Any) -> None:
        self._stream, self._receive, self._send = stream, receive, send
        self._records = stream.__aiter__()
        self._reader = Reader()

    async def run(self, scope: dict[str, Any], cookie: str) -> None:
        """Shake hands inside, then with the visitor, then relay.

        Raises:
            BadResponse: nothing inside takes a WebSocket here.
        """
        protocol, rest = await self._shake_hands(scope, cookie)
        await self._receive()  # websocket.connect
        await self._send({"type": "websocket.accept", "subprotocol": protocol})
        flow = Flow(self._send)
        inwards, outwards = asyncio.create_task(self._inwards(rest, flow)), asyncio.create_task(self._outwards())
        try:
            await asyncio.wait((inwards, outwards), return_when=asyncio.FIRST_COMPLETED)
        finally:
            visitor_left = outwards.done()
            for task in (inwards, outwards):
                task.cancel()
            code, _ = await asyncio.gather(inwards, outwards, return_exceptions=True)
            flow.release()
        if not visitor_left:
            await self._send({"type": "websocket.close", "code": code if isinstance(code, int) else BROKEN})

    async def _shake_hands(self, scope: dict[str, Any], cookie: str) -> tuple[str | None, bytes]:
        key = frames.new_key()
        headers = [(name, value) for name, value in forwarded(scope, cookie) if name not in _HANDSHAKE]
        headers += [(b"upgrade", b"websocket"), (b"connection", b"Upgrade"), (b"sec-websocket-version", b"13")]
        headers.append((b"sec-websocket-key", key))
        if offered := scope.get("subprotocols"):
            headers.append((b"sec-websocket-protocol", ", ".join(offered).encode()))
        await self._stream.write(http1.request_head("GET", target(scope), headers))
        response = Response("GET")
        while response.head is None:
            _, data = await anext(self._records, (0, b""))
            response.feed(data)
        accept = response.head.get(b"sec-websocket-accept")
        if response.head.status != 101 or accept != frames.accept_of(key):
            raise BadResponse("it takes no WebSocket")
        chosen = response.head.get(b"sec-websocket-protocol").decode("latin-1")
        return (chosen if chosen in (offered or ()) else None), response.rest

    async def _inwards(self, data: bytes, flow: Flow) -> int:
        """From the program to the visitor; returns the code to close with."""
        try:
            while True:
                for message in self._reader.feed(data):
                    if (code := await self._show(message)) is not None:
                        return code
                    await flow.drained()
                _, data = await anext(self._records, (0, b""))
                if not data:
                    return BROKEN
        except BadFrame as bad:
            return bad.code

    async def _show(self, message: Message) -> int | None:
        match message.kind:
            case frames.TEXT:
                try:
                    await self._send({"type": "websocket.send", "text": message.data.decode()})
                except UnicodeDecodeError as error:
                    raise BadFrame(1007) from error
            case frames.BINARY:
                await self._send({"type": "websocket.send", "bytes": message.data})
            case frames.PING:
                await self._stream.write(frames.encode(frames.PONG, message.data))
            case frames.CLOSE:
                code = int.from_bytes(message.data[:2], "big") if len(message.data) >= 2 else 1000
                return code if code in range(3000, 5000) or code in (1000, 1001, 1008, 1009, 1011) else 1000
        return None

    async def _outwards(self) -> None:
        """From the visitor to the program, until the visitor leaves."""
        while (event := await self._receive())["type"] == "websocket.receive":
            text = event.get("text")
            kind, data = (frames.BINARY, event["bytes"]) if text is None else (frames.TEXT, text.encode())
            for piece in _pieces(frames.encode(kind, data)):
                await self._stream.write(piece)
        code = int(event.get("code") or 1000)
        code = code if code != 1005 else 1000
        await self._stream.write(frames.encode(frames.CLOSE, code.to_bytes(2, "big")))


def _pieces(data: bytes) -> list[bytes]:
    return [data[start : start + 64 * 1024] for start in range(0, len(data), 64 * 1024)]
