"""What the session service answers, see ``docs/developers/architecture.md``."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import json
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from sandbox.drivers import SandboxError
from sandbox.runner.wire import CallError, Method, Peer
from sessions import background
from sessions import lifecycle as life
from sessions.service.execution import Execution, Terms
from sessions.service.keeper import Keeper
from sessions.service.live import LiveSession
from sessions.service.runs import told
from sessions.service.watch import Watcher

log = logging.getLogger(__name__)

# How long an answer waits for the database to have what it tells: after it, a reader sees it too.
WRITTEN_SECONDS = 5.0


class Methods:
    """The methods by name, for a :class:`~sandbox.runner.wire.Peer`."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper

    def table(self) -> dict[str, Method]:
        methods: dict[str, Callable[..., Awaitable[Any]]] = {
            "session.create": self.create,
            "session.stop": self.stop,
            "session.pause": self.pause,
            "session.resume": self.resume,
            "session.extend": self.extend,
            "session.get": self.get,
            "session.locate": self.locate,
            "session.watch": self.watch,
            "run.start": self.run_start,
            "run.get": self.run_get,
            "run.wait": self.run_wait,
            "run.cancel": self.run_cancel,
            "pool.expect": self.expect,
        }
        return {name: answered(name, method) for name, method in methods.items()}

    async def create(
        self,
        peer: Peer,
        call: int,
        *,
        user: int,
        image: str,
        project: str | None = None,
        directory: str | None = None,
        slots: dict[str, Any] | None = None,
        idle_timeout: int | None = None,
        hostname: str = "madang",
        policy: str = "",
        wait: bool = False,
    ) -> dict[str, Any]:
        session, new = await self._keeper.create(
            user, project, directory, image, slots, idle_timeout=idle_timeout, hostname=hostname, policy=policy
        )
        if not wait:
            return {**await self._written(session), "new": new}
        await self._keeper.settle(session)  # whoever waits is in a hurry: the database catches up meanwhile
        return {**session.describe(), "new": new}

    async def stop(self, peer: Peer, call: int, *, id: str, reason: str = "owner") -> dict[str, Any]:
        return await self._apply(id, life.Stop(reason))

    async def pause(self, peer: Peer, call: int, *, id: str) -> dict[str, Any]:
        return await self._apply(id, life.Pause())

    async def resume(self, peer: Peer, call: int, *, id: str) -> dict[str, Any]:
        return await self._apply(id, life.Resume())

    async def extend(self, peer: Peer, call: int, *, id: str) -> dict[str, Any]:
        session = self._keeper.find(id)
        await session.extend()
        return session.describe()

    async def get(self, peer: Peer, call: int, *, id: str) -> dict[str, Any]:
        return self._keeper.find(id).describe()

    async def locate(self, peer: Peer, call: int, *, id: str) -> dict[str, Any]:
        socket = await self._keeper.locate(id)
        return {"socket": str(socket), "state": str(self._keeper.find(id).life.state)}

    async def watch(self, peer: Peer, call: int, *, id: str) -> dict[str, Any]:
        session = self._keeper.find(id)
        peer.spawn(call, _show(peer, call, session, session.watch()))
        return {}

    async def expect(self, peer: Peer, call: int, *, image: str, count: int, begin: str, end: str) -> dict[str, Any]:
        """A class begins: ``count`` sandboxes of ``image`` are to be ready between two moments (ISO 8601)."""
        self._keeper.expect(image, count, datetime.fromisoformat(begin), datetime.fromisoformat(end))
        return {}

    async def run_start(
        self,
        peer: Peer,
        call: int,
        *,
        user: int,
        image: str,
        language: str,
        slots: dict[str, Any] | None,
        terms: dict[str, Any],
        record: bool = False,
        live: bool = False,
    ) -> dict[str, Any]:
        asked = Terms(**{**terms, "program": tuple(terms["program"])})
        execution = await self._keeper.runs.begin(user, image, language, slots, asked, record)

        async def give(record: bytes) -> None:
            execution.give(record)

        peer.on_write(call, give)
        peer.spawn(call, _tell(peer, call, execution, live))
        run = execution.run
        return {"id": str(run.pk), "session": str(run.session_id), "created": run.created.isoformat()}

    async def run_get(self, peer: Peer, call: int, *, id: str) -> dict[str, Any]:
        return self._keeper.runs.find(id).describe()

    async def run_wait(self, peer: Peer, call: int, *, id: str, seconds: float) -> dict[str, Any]:
        execution = self._keeper.runs.find(id)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await execution.done.wait()
        return {"done": execution.done.is_set()}

    async def run_cancel(self, peer: Peer, call: int, *, id: str) -> dict[str, Any]:
        await self._keeper.runs.find(id).cancel()
        return {}

    async def _apply(self, id: str, operation: life.Operation) -> dict[str, Any]:
        session = self._keeper.find(id)
        await session.apply(operation)
        return await self._written(session)

    async def _written(self, session: LiveSession) -> dict[str, Any]:
        await self._keeper.journal.flush(WRITTEN_SECONDS)
        return session.describe()


async def _tell(peer: Peer, call: int, execution: Execution, live: bool) -> None:
    sequence = 0
    try:
        async for record in told(execution, live):
            await peer.send({"stream": call, "seq": sequence}, record)
            sequence += 1
        await peer.send({"stream": call, "end": "done"})
    except ConnectionError:
        return
    finally:
        if not execution.done.is_set():
            background.start(execution.left())


async def _show(peer: Peer, call: int, session: LiveSession, watcher: Watcher) -> None:
    sequence = 0
    try:
        async for event in watcher:
            await peer.send({"stream": call, "seq": sequence}, json.dumps(event).encode())
            sequence += 1
        await peer.send({"stream": call, "end": "ended"})
    except ConnectionError:
        return
    finally:
        session.unwatch(watcher)


def answered(name: str, method: Callable[..., Awaitable[Any]]) -> Method:
    """``method`` with every failure turned into a CallError, so that a caller always gets an answer."""
    signature = inspect.signature(method)

    async def carry_out(peer: Peer, call: int, **params: Any) -> Any:
        try:
            return await method(peer, call, **params)
        except CallError:
            raise
        except life.IllegalOperation as error:
            raise CallError("illegal", str(error)) from error
        except SandboxError as error:
            raise CallError("failed", str(error)) from error
        except Exception as error:
            log.exception("%s failed", name)
            raise CallError("failed", "The session service failed; the operator finds the cause in its log.") from error

    @functools.wraps(method)
    async def answer(peer: Peer, call: int, **params: Any) -> Any:
        try:
            signature.bind(peer, call, **params)
        except TypeError as error:
            raise CallError("bad_request", f"{name}: {error}.") from error
        # A caller that leaves must not leave a session half-way between two states.
        work = asyncio.ensure_future(carry_out(peer, call, **params))
        work.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(work)

    return answer
