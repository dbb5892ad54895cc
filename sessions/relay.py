"""What all streams to a browser share: who may open one, how it is fed, why it closes.

Bytes go straight between the WebSocket and the runner's socket, never through the channel layer.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async

from sandbox.runner.wire import CallError, Client, Stream, WireError
from sessions.flow import Flow
from sessions.lifecycle import FINAL, State
from sessions.models import Session
from sessions.problems import Problem
from sessions.projects import Right
from sessions.runner import connect
from sessions.websocket import AWAY, BROKEN, ENDED, NO_SUCH_THING, NORMAL, NOT_SIGNED_IN, NOT_YOURS, Closed, WebSocket

log = logging.getLogger(__name__)

ENDING_SECONDS = 3.0
SLOW_SECONDS = 0.05


class Relay(WebSocket):
    """A WebSocket fed by a stream. Subclasses say what to open, and what goes in and out.

    The connection is accepted at once and refused by a close code, because a browser cannot see
    why a handshake failed.
    """

    right = Right.RUN  # what one must have on the session's project
    stream: Stream

    # For subclasses

    def subprotocol(self) -> str | None:
        """The subprotocol to accept."""
        return None

    async def find(self) -> Session:
        """The session that this WebSocket leads into; raise :class:`Closed` where there is none."""
        raise NotImplementedError

    async def attach(self, client: Client) -> Stream:
        """Open the stream on a connection to the session's runner."""
        raise NotImplementedError

    async def show(self, sequence: int, payload: bytes) -> None:
        """Send one record of the stream to the browser."""
        raise NotImplementedError

    async def show_cut(self, sequence: int, payload: bytes, following: int) -> None:
        """Tell the browser that records before ``sequence`` are lost, and that those below ``following`` are old."""

    async def take(self, frame: str | bytes) -> None:
        """Pass on what the browser sent; raise :class:`Closed` where it is nonsense."""
        raise NotImplementedError

    async def say_end(self, reason: str) -> None:
        """Tell the browser that the stream has ended by itself, before the WebSocket is closed."""

    async def dial(self) -> Client:
        """A connection to what feeds the stream."""
        return await connect(str(self.session.pk))

    # Channels calls these

    def __init__(self) -> None:
        super().__init__()
        self._client: Client | None = None
        self.acknowledges = False
        self._shown = 0

    async def connect(self) -> None:
        self.query = {key: values[-1] for key, values in parse_qs(self.scope["query_string"].decode("latin1")).items()}
        await self.accept(self.subprotocol())
        self.flow = Flow(self.base_send, self._gone_out)
        self._tasks.append(asyncio.create_task(self._run()))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self._ready.wait()
        if self._over:
            return
        try:
            await self.take(text_data if text_data is not None else bytes_data or b"")
        except Closed as closed:
            await self._end(closed.code)
        except (ConnectionError, WireError):
            return  # the stream's own end says why

    async def leave(self) -> None:
        await super().leave()
        if self._client is not None:
            await self._client.close()

    # Inside

    async def write(self, payload: bytes) -> None:
        """Write to the stream. While it takes nothing, nothing more is read from the browser."""
        writing = asyncio.ensure_future(self.stream.write(payload))
        done, _ = await asyncio.wait({writing}, timeout=SLOW_SECONDS)
        if done:
            writing.result()
            return
        self.flow.pause_reading()
        try:
            await writing
        finally:
            self.flow.resume_reading()

    async def _run(self) -> None:
        try:
            await self._feed()
        except Closed as closed:
            await self._end(closed.code)
        except Problem as problem:
            await self._end(AWAY if problem.code == "service_away" else await self._why_lost())
        except CallError as error:
            await self._end(NO_SUCH_THING if error.code == "not_found" else AWAY)
        except (ConnectionError, WireError):
            await self._end(await self._why_lost())
        except Exception:
            log.exception("%s: a stream broke", type(self).__name__)
            await self._end(BROKEN)

    async def _feed(self) -> None:
        user = self.scope.get("user")
        if user is None or not user.is_authenticated or not user.is_active:
            raise Closed(NOT_SIGNED_IN)
        self.session = await self.find()
        self._client = await self.dial()
        self.stream = await self.attach(self._client)
        self.stream.by_hand = True
        self._ready.set()
        self._tasks.append(asyncio.create_task(self._guard(self.session.project)))
        async for sequence, payload in self.stream:
            self.flow.sending(len(payload))
            if self.stream.cut is not None:
                await self.show_cut(sequence, payload, self.stream.cut)
            await self.show(sequence, payload)
            self._shown = sequence + 1
            await self.flow.drained()
        if isinstance(self.stream.end, dict):  # {"lost": reason}
            raise Closed(await self._why_lost())
        await self.say_end(str(self.stream.end or ""))
        raise Closed(self.end_code)

    end_code = NORMAL

    def acknowledge(self, below: int) -> None:
        """The browser has taken all records before ``below``, and will go on saying so."""
        self.acknowledges = True
        self.stream.acknowledge(below)

    def _gone_out(self) -> None:
        """What a browser that acknowledges nothing can be assumed to have."""
        if self._shown and not self.acknowledges:
            self.stream.acknowledge(self._shown)

    async def check_right(self) -> None:
        if not await Session.objects.open_to(self.scope["user"], self.right).filter(pk=self.session.pk).aexists():
            raise Closed(NOT_YOURS)

    async def _why_lost(self) -> int:
        """The runner is gone: because the session ends, or for no reason that is known."""
        deadline = asyncio.get_running_loop().time() + ENDING_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            if await _state_of(self.session) in {*FINAL, State.STOPPING}:
                return ENDED
            await asyncio.sleep(0.2)
        return AWAY


@database_sync_to_async
def _state_of(session: Session) -> str:
    return Session.objects.values_list("state", flat=True).get(pk=session.pk)


@database_sync_to_async
def live_session(user: Any, right: Right, **which: Any) -> Session:
    """The live session that the look-up ``which`` names, if ``user`` has ``right`` on its project.

    Raises:
        Closed: there is none, it is not for them, or it is over.
    """
    session = Session.objects.open_to(user, right).filter(**which).first()
    if session is None:
        raise Closed(NOT_YOURS if Session.objects.filter(**which).exists() else NO_SUCH_THING)
    if not session.live:
        raise Closed(ENDED)
    return session
