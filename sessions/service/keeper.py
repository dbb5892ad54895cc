"""The keeper of all live sessions: makes them, finds them again after a restart, lets them go."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import IntegrityError
from django.utils import timezone

from sandbox.drivers import Driver, Exit, SandboxError
from sandbox.gpu.board import Board
from sandbox.images import images, policies_for
from sandbox.policy import load_policy
from sandbox.runner.wire import CallError
from sandbox.slots import Slots
from sessions import lifecycle as life
from sessions.ledger import Account
from sessions.lifecycle import State
from sessions.models import Session
from sessions.scheduler import Capacity, Duplicate, Scheduler, TooLarge
from sessions.service import store
from sessions.service.journal import Journal
from sessions.service.live import LiveSession
from sessions.service.runs import Runs

log = logging.getLogger(__name__)

SETTLE_SECONDS = 60.0
END_SECONDS = 30.0
READY_AHEAD_SECONDS = 300.0


class Keeper:
    """See the module's text. ``driver`` starts the sandboxes."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.journal = Journal()
        self.sessions: dict[str, LiveSession] = {}
        self._capacity = Capacity(settings.MADANG_CAPACITY_CPU, settings.MADANG_CAPACITY_MEMORY)
        self._scheduler = Scheduler(self._capacity)
        self.runs = Runs(self)
        self._doors: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    # Life of the keeper

    async def open(self) -> None:
        """Open the driver and make rows and sandboxes agree again."""
        await self.driver.open()
        self._scheduler = Scheduler(self._capacity, Board(await self.driver.gpus()))
        there = set(await self.driver.adopt())
        rows = await database_sync_to_async(store.unfinished)()
        runs = await database_sync_to_async(store.runs_under_way)()
        for row, account, transitions in rows:
            await self._adopt(LiveSession(row, account, transitions, self), str(row.pk) in there)
        for id in there - {str(row.pk) for row, _, _ in rows}:
            self._spawn(self._clear(id))
        self.runs.open(runs)
        self._grant()

    async def close(self) -> None:
        """Write what is to be written and let go; sandboxes keep running."""
        self._closing = True
        await self.runs.close()
        for session in list(self.sessions.values()):
            await session.detach()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.journal.flush(5.0)
        await self.journal.close()
        await self.driver.close()

    async def stop_all(self, reason: str, detail: str, seconds: float) -> bool:
        """Stop every session and wait until all are gone, at most ``seconds``; whether they were."""
        self._closing = True
        live = list(self.sessions.values())
        for session in live:
            await session.apply(life.Stop(reason, detail))
        try:
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(session.gone.wait() for session in live))
        except TimeoutError:
            return False
        return True

    # Sessions

    async def create(
        self,
        user: int,
        project: str | None,
        directory: str | None,
        image: str,
        wanted: dict[str, Any] | None,
        policy: str = "",
        **how: Any,
    ) -> tuple[LiveSession, bool]:
        """Make a session, or return the one that the project has, whoever started it; whether it is new.

        ``policy`` "" is the image's; ``how`` holds ``idle_timeout`` and ``hostname``.

        Raises:
            CallError: ``bad_request``, ``conflict``, ``too_many``, ``too_large`` or ``failed``.
        """
        if self._closing:
            raise CallError("closing", "The session service is shutting down.")
        slots = self.slots(image, wanted, policy)
        if not project:
            return await self._insert(user, None, directory, image, slots, policy, **how), True
        async with self._door(project):
            session = await self._of_project(project)
            if session is None:
                return await self._insert(user, project, directory, image, slots, policy, **how), True
        _refuse_conflict(session, image, slots if wanted else None, policy)
        return session, False

    def slots(self, image: str, wanted: dict[str, Any] | None, policy: str = "") -> Slots:
        """What a session that asks for ``wanted`` is granted.

        Raises:
            CallError: ``bad_request``.
        """
        return _within_policy(_slots(image, wanted), image, policy)

    def find(self, id: str) -> LiveSession:
        """The live session ``id``.

        Raises:
            CallError: ``not_found``, it is over or never was.
        """
        session = self.sessions.get(str(id))
        if session is None:
            raise CallError("not_found", "There is no such live session.")
        return session

    async def settle(self, session: LiveSession) -> None:
        """Wait until it runs or is over, or give up after a while: it may wait for room for long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_SECONDS):
                await session.settled.wait()

    async def locate(self, id: str) -> Path:
        """Where the runner of session ``id`` listens; waits while it is starting.

        Raises:
            CallError: ``not_found`` or ``not_running``.
        """
        session = self.find(id)
        await self.settle(session)
        if session.life.state not in (State.RUNNING, State.PAUSED):
            why = session.row.detail or f"It is {session.life.state}."
            raise CallError("not_running", f"The session is not running. {why}")
        return self.driver.runner_socket(session.id)

    def expect(self, image: str, count: int, begin: datetime, end: datetime) -> None:
        """About ``count`` sessions of ``image`` will start between two moments: the driver has them ready a bit before.

        Raises:
            CallError: ``bad_request``, the image is unknown, or the moments make no sense.
        """
        if image not in images() or count < 1 or begin.tzinfo is None or end.tzinfo is None or end <= begin:
            raise CallError("bad_request", "There is no such image, or it is expected at no time, or by nobody.")
        slots = images()[image].slots
        count = min(count, self._capacity.holds(slots.cpu, slots.memory))  # the others would only queue
        now, clock = timezone.now(), time.monotonic()
        ahead = (begin - now).total_seconds() - READY_AHEAD_SECONDS
        self.driver.expect(image, count, clock + max(0.0, ahead), clock + (end - now).total_seconds())

    # What a session asks of its house

    def enqueue(self, session: LiveSession) -> None:
        if session.id not in self.sessions:
            return
        try:
            self._scheduler.submit(session.request)
        except Duplicate:
            return  # it waits already
        except TooLarge:  # the site has become smaller since it asked
            self._spawn(session.apply(life.Stop("too_large", "This site can no longer grant so much.")))
        self._grant()

    def release(self, session: LiveSession) -> None:
        self._scheduler.release(session.id)
        self._grant()

    def forget(self, session: LiveSession) -> None:
        self.sessions.pop(session.id, None)

    def look_for_room(self) -> None:
        """There is a session that could give up its slots, if somebody waits for some."""
        if self._scheduler.order():
            self.runs.make_room()

    # Inside

    def _grant(self) -> None:
        for id in self._scheduler.grant():
            self.sessions[id].gpus = self._scheduler.board.shares(id)
            self._spawn(self.sessions[id].apply(life.Granted()))
        for position, id in enumerate(self._scheduler.order(), start=1):
            self.sessions[id].queued(position)
        self.look_for_room()

    def _refuse_too_many(self, row: Session) -> None:
        """Runs are counted for themselves: however many wait, their user opens a project.

        A session that waits for a run is none: it makes room for another.
        """
        own = (session for session in self.sessions.values() if session.row.user_id == row.user_id)
        count = sum(other.occupied if row.is_run else not other.row.is_run for other in own)
        if row.is_run and count >= settings.MADANG_MAX_RUNS:
            raise CallError("too_many", f"At most {count} runs can wait or run at once; wait until one is over.")
        if not row.is_run and count >= settings.MADANG_MAX_SESSIONS:
            raise CallError("too_many", f"At most {count} sessions can live at once; stop one first.")

    async def _insert(
        self,
        user: int,
        project: str | None,
        directory: str | None,
        image: str,
        slots: Slots,
        policy: str,
        idle_timeout: int | None,
        hostname: str,
    ) -> LiveSession:
        row = Session(
            user_id=user,
            project=uuid.UUID(project) if project else None,
            directory=directory or "",
            hostname=hostname,
            image=image,
            policy=policy,
            slots=slots.as_dict(),
            state=State.PENDING.value,
            idle_timeout=idle_timeout or settings.MADANG_IDLE_TIMEOUT,
        )
        self._refuse_too_many(row)
        session = LiveSession(row, Account(0, row.created, prices=settings.MADANG_PRICES), 1, self, occupied=row.is_run)
        try:
            self._scheduler.check(session.request)
        except TooLarge as error:
            raise CallError(
                "too_large", "This site can never grant so many cores, so much memory or so many GPUs."
            ) from error
        self.sessions[session.id] = session
        try:
            await self.journal.put(lambda: store.insert(row))
        except BaseException as error:
            self.forget(session)
            if isinstance(error, IntegrityError):
                raise CallError("conflict", "The database refused the session: is its user still there?") from error
            raise
        self.enqueue(session)
        return session

    async def _of_project(self, project: str) -> LiveSession | None:
        """The live session of the project; one that is ending is waited for."""
        for session in list(self.sessions.values()):
            if str(session.row.project) != project:
                continue
            if session.life.over or session.life.state is State.STOPPING:
                try:
                    async with asyncio.timeout(END_SECONDS):
                        await session.gone.wait()
                except TimeoutError as error:
                    raise CallError("conflict", "The project's last session is still ending; try again.") from error
            else:
                return session
        return None

    @contextlib.asynccontextmanager
    async def _door(self, project: str) -> AsyncIterator[None]:
        """One at a time through here, for each project: two tabs that ask at once get one session."""
        lock = self._doors.setdefault(project, asyncio.Lock())
        async with lock:
            yield

    async def _adopt(self, session: LiveSession, there: bool) -> None:
        self.sessions[session.id] = session
        if there:
            self._scheduler.restore(session.request, session.gpus)
        try:
            await session.apply(life.Found() if there else life.Vanished())
        except SandboxError as error:
            log.warning("session %s: %s", session.id, error)

    async def _clear(self, id: str) -> None:
        """End a sandbox that no live session owns: it is over in the ledger, or was never written down."""
        try:
            await self.driver.stop(id)
            async for event in self.driver.events(id):
                if isinstance(event, Exit):
                    break
            await self.driver.collect(id)
            log.info("sandbox %s: cleared, it belonged to no live session", id)
        except SandboxError as error:
            log.warning("sandbox %s: could not be cleared: %s", id, error)

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, life.IllegalOperation):  # it was stopped meanwhile
            log.error("a task of the session service failed: %r", error, exc_info=error)


def _slots(image: str, wanted: dict[str, Any] | None) -> Slots:
    if image not in images():
        raise CallError("bad_request", f"There is no image called {image!r}.")
    try:
        return Slots(**{**images()[image].slots.as_dict(), **(wanted or {})})
    except (TypeError, ValueError) as error:
        raise CallError("bad_request", f"These slots are not possible: {error}.") from error


def _within_policy(slots: Slots, image: str, policy: str) -> Slots:
    """``slots`` as the policy lets them be: what is granted is what holds."""
    if policy and policy not in policies_for(images()[image]):
        raise CallError("bad_request", f"The image {image!r} cannot be given the policy {policy!r}.")
    most = load_policy(policy or images()[image].policy).limits.tasks
    return replace(slots, processes=min(slots.processes, most))


def _refuse_conflict(session: LiveSession, image: str, slots: Slots | None, policy: str) -> None:
    if session.row.image != image:
        raise CallError("conflict", f"This project already runs a session of {session.row.image}; stop it first.")
    if policy and (session.row.policy or images()[image].policy) != policy:
        raise CallError("conflict", "This project already runs a session under another policy; stop it first.")
    if slots is not None and session.slots != slots:
        raise CallError("conflict", "This project already runs a session with other slots; stop it first.")
