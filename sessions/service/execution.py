"""One run, carried out in a session: its files in, its program run, its sandbox cleared, its answer written down."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from django.utils import timezone

from sandbox.drivers import Cleared, SandboxError
from sandbox.runner.wire import CallError, Client, Stream, WireError
from sandbox.usage import Usage
from sessions import lifecycle as life
from sessions import refusals
from sessions.ledger import spent
from sessions.lifecycle import State
from sessions.models import Run
from sessions.represent import money, timestamp
from sessions.runs.answer import Tally, Verdict, judge
from sessions.service import store
from sessions.service.live import LiveSession

QUEUE_SECONDS = 900.0
SPARE_SECONDS = 30.0  # on top of a run's own limits, to begin and to send what it made
END_SECONDS = 20.0
NOTE_SECONDS = 0.25
"""A run that is over sooner is written down once, when it is. Nobody has been told of it before."""
_SOUND = frozenset({"ok", "compile_error", "runtime_error"})
"""Verdicts after which a sandbox may be used again."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Terms:
    """What a run is to do: see :class:`sessions.runs.order.Order`. Files and input come as records."""

    build: str
    command: str
    program: tuple[str, ...]
    time_s: float
    cpu_s: float
    output: int

    @property
    def seconds(self) -> float:
        """How long it may take at most, from its beginning."""
        return 2 * self.time_s + SPARE_SECONDS


class Place(Protocol):
    """What an execution needs of those who keep the sessions of runs."""

    async def runner(self, session: LiveSession) -> Client: ...

    def leave(self, session: LiveSession, sound: bool) -> None: ...


class Execution:
    """A run under way in ``session``, which no other run is in. ``fresh``: none was before either.

    ``terms`` None: it went on while the session service was away.
    """

    def __init__(self, run: Run, terms: Terms | None, session: LiveSession, place: Place, fresh: bool) -> None:
        self.run, self.session = run, session
        self._terms, self._place, self._fresh = terms, place, fresh
        self._given: asyncio.Queue[bytes] = asyncio.Queue()
        self._told: list[asyncio.Queue[bytes | None]] = []
        self._tally = Tally(terms.output if terms else 1 << 30, self._say)
        self._base = Usage()
        self._whole = terms is None
        self._noting = asyncio.get_running_loop().call_later(NOTE_SECONDS, self.note)
        self._noted = terms is None  # then it was written down before
        self.done = asyncio.Event()

    # What others ask

    def give(self, record: bytes) -> None:
        """A record for the runner: a file, the sign to begin, input."""
        self._whole = self._whole or record[:1] == b"g"
        self._given.put_nowait(record)

    def note(self) -> asyncio.Future[Any]:
        """Write down that it is under way; from now on its changes are too."""
        self._noting.cancel()
        self._noted = True
        run = _copy(self.run)
        return self.session.house.journal.put(lambda: store.note_run(run))

    async def hear(self, live: bool) -> AsyncIterator[bytes]:
        """Yield what it says as it comes, if that is wanted, as records of the runner's; returns when it is done."""
        if live:
            told: asyncio.Queue[bytes | None] = asyncio.Queue()
            self._told.append(told)
            while (record := await told.get()) is not None:
                yield record
        await self.done.wait()

    async def left(self) -> None:
        """Whoever asked for it has left: it goes on, if all that it needs is there."""
        if not self._whole:
            await self.cancel()

    async def cancel(self) -> None:
        """End it; returns when it is done."""
        if not self.done.is_set():
            self.run.cancelled = True
            await self.session.apply(life.Stop("run_over"))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                await self.done.wait()

    def describe(self) -> dict[str, Any]:
        """How far it is. That it is done is told by its answer alone, once that is written down."""
        detail = self.session.row.detail if self.session.life.state is State.PENDING else ""
        status = "running" if self.run.status == "done" else self.run.status
        return {"status": status, "detail": detail}

    # Carrying it out

    async def carry_out(self) -> None:
        """To its end, whatever happens."""
        failed = "It was given up."
        try:
            failed = await self._in_sandbox()
        except SandboxError as error:
            failed = str(error)
        except (CallError, ConnectionError, WireError) as error:
            failed = f"Its sandbox broke off: {str(error).rstrip('.')}."
        except TimeoutError:
            failed = "Its sandbox did not answer in time."
        except ValueError:
            failed = "Its sandbox said something that makes no sense."
        except Exception:
            log.exception("run %s failed", self.run.pk)
            failed = "That went wrong; the operator finds the cause in the log."
        await self._settle(failed)

    async def _in_sandbox(self) -> str:
        """Let the session's runner do it; returns why it could not, or ""."""
        async with asyncio.timeout(QUEUE_SECONDS):
            while self.session.life.state in (State.PENDING, State.PREPARING):
                await self.session.settled.wait()
        if self.session.life.state is not State.RUNNING:
            return self.session.row.detail or f"Its session is {self.session.life.state}."
        stream = await self._begin()
        self.run.status = "running"
        if self._noted:
            self.note()
        feeding = asyncio.create_task(self._feed(stream))  # a program may write before it has read everything
        try:
            async with asyncio.timeout(self._terms.seconds if self._terms else None):
                async for _, record in stream:
                    self._tally.take(record)
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
        return stream.end if isinstance(stream.end, str) else "Its sandbox ended before it did."

    async def _begin(self) -> Stream:
        client = await self._place.runner(self.session)
        if self._terms is None:  # what was used before is in the ledger
            self._base = self.session.account.usage()
            return await client.open("run.attach", id=str(self.run.pk))
        marked = await self.session.house.driver.mark(self.session.id)
        if not self._fresh:  # its first run bears what the sandbox itself took
            self._base = marked
        terms = vars(self._terms)
        return await client.open("run.start", id=str(self.run.pk), keep=True, **terms)

    async def _feed(self, stream: Stream) -> None:
        while True:
            records = [await self._given.get()]
            while not self._given.empty():  # what came together goes together
                records.append(self._given.get_nowait())
            await stream.write(*records)

    def _say(self, descriptor: int, data: bytes) -> None:
        for told in self._told:
            told.put_nowait(b"%d" % descriptor + data)

    # Its end

    async def _settle(self, failed: str) -> None:
        cleared = await self._clear()
        if cleared is None:
            await self._end_session()
        answer = self._answer(failed, cleared)
        self._noting.cancel()
        self.run.status, self.run.answer = "done", json.dumps(answer)
        try:
            await self._write(cleared)
        finally:
            sound = bool(cleared and cleared.clean) and answer["verdict"] in _SOUND and not self.run.cancelled
            self._place.leave(self.session, sound)
            for told in self._told:
                told.put_nowait(None)
            self.done.set()

    async def _clear(self) -> Cleared | None:
        """The last account of it; None where only its session's end has one."""
        if self.session.life.state is not State.RUNNING:
            return None
        try:
            return await self.session.house.driver.clear(self.session.id)
        except SandboxError:
            return None

    async def _end_session(self) -> None:
        """Stop it and wait for its last account."""
        await self.session.apply(life.Stop("run_over"))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                await self.session.gone.wait()

    async def _write(self, cleared: Cleared | None) -> None:
        """The line of the ledger and the answer together: whoever sees one sees the other."""
        run, id = self.run, self.session.row.pk
        line, fields = self.session.charged(cleared.usage) if cleared else (None, {})
        write = store.note_run if self._noted else store.insert_run
        await self.session.house.journal.put(lambda: store.conclude(lambda: write(run), id, line, fields))

    def _answer(self, failed: str, cleared: Cleared | None) -> dict[str, Any]:
        session, tally = self.session, self._tally
        refused = self._refused(cleared)
        verdict: Verdict = judge(tally.steps, tally.causes, [item["reason"] for item in refused], failed)
        if session.life.reason == "out_of_memory":
            verdict, failed = "memory_limit", session.life.detail
        if self.run.cancelled:
            verdict, failed = "cancelled", ""
        elif verdict == "internal_error" and session.life.over and session.life.detail:
            failed = session.life.detail  # why the sandbox did not start, or ended
        usage = spent(cleared.usage if cleared else session.account.usage(), self._base)
        if cleared:
            usage = replace(usage, memory_peak_kib=cleared.peak_kib)
        told = {"verdict": verdict, "detail": failed, "steps": tally.steps, "files": tally.files}
        cost = money(session.account.prices.cost(usage))
        return {**told, "usage": usage.as_dict(), "cost": cost, "refusals": refused}

    def _refused(self, cleared: Cleared | None) -> list[refusals.Refusal]:
        if cleared is None:
            return self.session.row.refusals
        known: list[refusals.Refusal] = []
        for refused in cleared.refused:
            known, _ = refusals.after(known, refused, timestamp(timezone.now()) or "")
        return known


def _copy(run: Run) -> Run:
    """As it is now: what waits to be written must not change."""
    return Run(**{field.attname: getattr(run, field.attname) for field in Run._meta.concrete_fields})
