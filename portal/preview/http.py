"""One HTTP request of a preview, relayed to the program that listens inside."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import Any

from django.conf import settings

from portal.preview import http1
from portal.preview.hosts import Preview
from portal.preview.http1 import BadResponse, Head, Headers, Response
from sandbox.runner.wire import CallError, Stream, WireError
from sessions.problems import Problem
from sessions.runner import connect

# What the runner may have waiting here for one connection.
BOUNDS = {"max_frame": 128 * 1024, "waiting": 128 * 1024}
_PLAIN = [
    (b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"), (b"x-content-type-options", b"nosniff"),
]  # fmt: skip
_NOT_FROM_OUTSIDE = (b"forwarded", b"x-real-ip")
# What would speak for more than this one preview, and who may frame it, which is ours to say.
_NOT_FROM_INSIDE = (
    b"strict-transport-security", b"alt-svc", b"public-key-pins", b"nel", b"report-to", b"x-frame-options",
)  # fmt: skip
_DOMAIN = re.compile(rb";\s*domain\s*=[^;]*", re.IGNORECASE)


async def say(send: Any, status: int, text: str, headers: Headers | None = None) -> None:
    """Answer with a plain page."""
    await send({"type": "http.response.start", "status": status, "headers": [*_PLAIN, *(headers or [])]})
    await send({"type": "http.response.body", "body": f"{text}\n".encode()})


async def relay_http(
    preview: Preview, scope: dict[str, Any], receive: Any, send: Any, cookie: str, more: Headers
) -> None:
    """Answer the request ``scope`` with what the program says and the headers ``more``.

    ``cookie`` is ours and goes no further.
    """
    response = Response(scope["method"])
    flow = Flow(send)
    try:
        async with await connect(str(preview.session), **BOUNDS) as client:
            stream = await client.open("port.connect", port=preview.port)
            stream.by_hand = True  # nobody inside heeds acknowledgements, and who never reads must not pile them up
            asking = asyncio.create_task(_ask(stream, scope, receive, cookie))
            try:
                await _answer(stream, response, partial(_start, send, more), send, flow, asking)
            finally:
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
    except asyncio.CancelledError:
        flow.cut()  # who watched it may no longer
        raise
    except (Problem, CallError, BadResponse, WireError, ConnectionError, ValueError) as error:
        if response.head is None:
            await say(send, 502, _why(error), more)
        else:
            flow.cut()  # half an answer must not look like a whole one
    finally:
        flow.release()


async def _ask(stream: Stream, scope: dict[str, Any], receive: Any, cookie: str) -> None:
    """Send the request; returns when the visitor has left."""
    headers = forwarded(scope, cookie)
    sized = any(name == b"content-length" for name, _ in headers)
    chunked = not sized and any(name == b"transfer-encoding" for name, _ in scope["headers"])
    if chunked:
        headers.append((b"transfer-encoding", b"chunked"))
    await stream.write(http1.request_head(scope["method"], target(scope), [*headers, (b"connection", b"close")]))
    while (event := await receive())["type"] == "http.request":
        for start in range(0, len(body := event.get("body", b"")), 64 * 1024):
            piece = body[start : start + 64 * 1024]
            await stream.write(http1.chunk(piece) if chunked else piece)
        if not event.get("more_body") and chunked:
            await stream.write(http1.chunk(b""))


async def _start(send: Any, more: Headers, head: Head) -> None:
    await send({"type": "http.response.start", "status": head.status, "headers": [*returned(head.headers), *more]})


async def _answer(
    stream: Stream, response: Response, start: Any, send: Any, flow: Flow, asking: asyncio.Task[None]
) -> None:
    records = stream.__aiter__()
    started = False
    while not response.done:
        data = await _next(records, asking)
        if data is None:
            return  # the visitor has left
        body = response.feed(data)
        if response.head is not None and not started:
            if response.head.status == 101:
                raise BadResponse("it changed the protocol")
            started = True
            await start(response.head)
        if body:
            await send({"type": "http.response.body", "body": body, "more_body": True})
            await flow.drained()
    await send({"type": "http.response.body", "body": b""})


async def _next(records: Any, asking: asyncio.Task[None]) -> bytes | None:
    """The next record, ``b""`` at the stream's end; None once the visitor has left."""
    coming = asyncio.ensure_future(anext(records, (0, b"")))
    watched: set[asyncio.Future[Any]] = {coming, asking}
    done, _ = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
    if coming in done:
        return bytes(coming.result()[1])
    if asking.exception() is not None:  # it could not be sent; perhaps it is answered all the same
        return bytes((await coming)[1])
    coming.cancel()
    await asyncio.gather(coming, return_exceptions=True)
    return None


def forwarded(scope: dict[str, Any], cookie: str) -> Headers:
    """The request's headers for the program: without what is ours, and with where the request came from."""
    headers = [
        (name, value)
        for name, value in http1.end_to_end(scope["headers"])
        if name not in _NOT_FROM_OUTSIDE and not name.startswith(b"x-forwarded-") and name != b"cookie"
    ]
    ours = {cookie, settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, settings.LANGUAGE_COOKIE_NAME}
    sent = b"; ".join(value for name, value in scope["headers"] if name == b"cookie").split(b";")
    kept = [pair.strip() for pair in sent if pair.partition(b"=")[0].strip().decode("latin-1") not in ours]
    if theirs := b"; ".join(pair for pair in kept if pair):
        headers.append((b"cookie", theirs))
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    scheme = "https" if settings.SESSION_COOKIE_SECURE else "http"
    client = scope.get("client") or ("", 0)
    headers += [(b"x-forwarded-host", host), (b"x-forwarded-proto", scheme.encode())]
    return [*headers, (b"x-forwarded-for", str(client[0]).encode())]


def target(scope: dict[str, Any]) -> bytes:
    """The request's path and query, as they came."""
    path = bytes(scope.get("raw_path") or scope["path"].encode())
    return path + (b"?" + scope["query_string"] if scope["query_string"] else b"")


def returned(headers: Headers) -> Headers:
    """The answer's headers for the visitor: cookies are for this host alone."""
    kept: Headers = []
    for name, value in http1.end_to_end(headers):
        if name == b"set-cookie":
            if value.partition(b"=")[0].strip().lower().endswith(b"madang_preview"):
                continue  # ours is not theirs to set
            value = _DOMAIN.sub(b"", value)
        if name not in _NOT_FROM_INSIDE:
            kept.append((name, value))
    return kept


def _why(error: Exception) -> str:
    if isinstance(error, Problem):
        return f"{error.detail} {error.hint}"
    if isinstance(error, CallError):
        return error.message
    return "What answered at this port was not HTTP, or it ended too early."


class Flow:
    """Back-pressure for one answer, where the server is Daphne: see :mod:`sessions.flow`."""

    def __init__(self, send: Any) -> None:
        self._request = send.args[0] if isinstance(send, partial) and send.args else None
        if not hasattr(self._request, "registerProducer"):
            self._request = None
        self._writable = asyncio.Event()
        self._writable.set()
        if self._request is not None:
            self._request.registerProducer(self, True)

    async def drained(self) -> None:
        await self._writable.wait()

    def release(self) -> None:
        if self._request is not None:
            request, self._request = self._request, None
            if not request.finished and request.channel is not None:
                request.unregisterProducer()

    def cut(self) -> None:
        """End the connection in the middle of the answer."""
        if self._request is not None and self._request.channel is not None:
            self._request.channel.forceAbortClient()

    # Twisted's IPushProducer: the transport calls these.

    def pauseProducing(self) -> None:
        self._writable.clear()

    def resumeProducing(self) -> None:
        self._writable.set()

    def stopProducing(self) -> None:
        self._writable.set()
