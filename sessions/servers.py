"""Language servers over WebSocket: each text frame is one message of the Language Server Protocol, both ways.

Two of the server's messages are ours: ``madang/attached`` comes first and says where the project lies (``root``, a
URI), ``madang/ended`` last and says why. Whoever connects again then starts another server.
"""

from __future__ import annotations

import json

from sandbox.images import Server, images
from sandbox.runner.framing import MAX_MESSAGE
from sandbox.runner.wire import Client, Stream
from sessions.models import Session
from sessions.relay import Relay, live_session
from sessions.websocket import BAD_MESSAGE, NO_SUCH_THING, Closed


class LanguageServer(Relay):
    """The server of a language in a session. Who may run programs there may ask it."""

    async def find(self) -> Session:
        kwargs = self.scope["url_route"]["kwargs"]
        session = await live_session(self.scope["user"], self.right, pk=kwargs["id"])
        self.server = _server_of(session.image, kwargs["language"])
        return session

    async def attach(self, client: Client) -> Stream:
        stream = await client.open("server.attach", language=self.server.language, command=list(self.server.command))
        await self._say("attached", root=stream.result["root"])
        return stream

    async def show(self, sequence: int, payload: bytes) -> None:
        await self.send(text_data=payload.decode(errors="replace"))

    async def take(self, frame: str | bytes) -> None:
        if isinstance(frame, bytes) or len(frame) > MAX_MESSAGE:
            raise Closed(BAD_MESSAGE)
        await self.write(frame.encode("utf-8", "replace"))

    async def say_end(self, reason: str) -> None:
        await self._say("ended", reason=reason)

    async def _say(self, what: str, **params: str) -> None:
        await self.send(text_data=json.dumps({"jsonrpc": "2.0", "method": f"madang/{what}", "params": params}))


def _server_of(image: str, language: str) -> Server:
    found = images().get(image)
    for server in found.offered_servers if found else ():
        if server.language == language:
            return server
    raise Closed(NO_SUCH_THING)
