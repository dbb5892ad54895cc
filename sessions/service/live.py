"""One live session: takes operations, one at a time, and carries out what ``lifecycle`` says."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine, Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from channels.db import database_sync_to_async
from django.utils import timezone

from sandbox.drivers import NOTICES, Driver, Exit, Refused, Sample, SandboxError, SandboxSpec
from sandbox.gpu import Share
from sandbox.images import images
from sandbox.slots import Slots
from sandbox.usage import Usage
from sessions import lifecycle as life
from sessions import refusals
from sessions.idle import Idle
from sessions.ledger import Account, Line
from sessions.lifecycle import Life, State
from sessions.models import Session
from sessions.projects import Equipment, project_directory
from sessions.represent import money, session_json, timestamp
from sessions.scheduler import Request
from sessions.service import store
from sessions.service.journal import Journal
from sessions.service.network import indexes, indexes_known, network_for
from sessions.service.setting_up import set_up
from sessions.service.watch import Watcher

log = logging.getLogger(__name__)

LEDGER_SECONDS = 60.0
RETRY_SECONDS = 1.0
NO_ROOM_SECONDS = 5.0


class House(Protocol):
    """What a session needs of the keeper around it."""

    driver: Driver
    journal: Journal

    def enqueue(self, session: LiveSession) -> None: ...

    def release(self, session: LiveSession) -> None: ...

    def forget(self, session: LiveSession) -> None: ...


@dataclass
class LiveSession:
    """See the module's text. ``row`` mirrors the database's row; only this object changes it.

    ``occupied``: a run is in it, or comes; one that is a run's and not occupied waits for another.
    """

    row: Session
    account: Account
    transitions: int
    house: House
    latest: Usage = field(default_factory=Usage)
    watchers: set[Watcher] = field(default_factory=set)
    occupied: bool = False

    def __post_init__(self) -> None:
        row = self.row
        self.id = str(row.pk)
        self.life = Life(State(row.state), row.reason, row.detail)
        self.settled = asyncio.Event()  # it runs, or it is over: nobody has to wait for it any longer
        self.gone = asyncio.Event()
        self.latest = self.account.usage()
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._charged = time.monotonic()
        self._charging: asyncio.Future[Any] | None = None
        self._finished: asyncio.Future[Any] | None = None
        self._last: store.Fields = {}
        self._idle = self._first_idle()
        self._mark_settled()

    # What others see

    @property
    def request(self) -> Request:
        slots = self.slots
        return Request(self.id, self.row.user_id, slots.cpu, slots.memory, slots.gpu)

    @property
    def gpus(self) -> tuple[Share, ...]:
        """The shares of devices that its slots stand for, once they are granted."""
        return tuple(Share(**share) for share in self.row.gpus)

    @gpus.setter
    def gpus(self, shares: Iterable[Share]) -> None:
        self.row.gpus = [asdict(share) for share in shares]

    @property
    def slots(self) -> Slots:
        return Slots(**self.row.slots)

    def describe(self) -> dict[str, Any]:
        return session_json(self.row)

    def watch(self) -> Watcher:
        """A watcher that sees the session as it is, then each change; give it back with :meth:`unwatch`."""
        watcher = Watcher()
        watcher.tell({"type": "session", **self.describe()})
        if self.gone.is_set():
            watcher.end()
        self.watchers.add(watcher)
        return watcher

    def unwatch(self, watcher: Watcher) -> None:
        self.watchers.discard(watcher)

    def queued(self, position: int) -> None:
        """It waits for slots; ``position`` 1 is next. The database learns only that it waits."""
        detail = f"Waiting for room: number {position} in the queue."
        if self.life.state is State.PENDING and (self.row.reason, self.row.detail) != ("queued", detail):
            if self.row.reason != "queued":
                self._save({"reason": "queued", "detail": ""})
            self.row.reason, self.row.detail = "queued", detail
            self._publish()

    # Operations

    async def apply(self, operation: life.Operation) -> None:
        """Take ``operation`` and carry out its actions.

        Raises:
            IllegalOperation: it means nothing in this state.
            SandboxError: pausing or resuming failed.
        """
        async with self._lock:
            await self._step(operation)

    async def extend(self) -> None:
        """Keep it for at least a whole idle timeout from now.

        Raises:
            IllegalOperation: it is not running.
        """
        if self.life.state is not State.RUNNING:
            raise life.IllegalOperation(self.life.state, life.Resume("extend"))
        self._idle = self._idle.extended(time.monotonic())
        self._publish_deadline()
        await self._save({"idle_deadline": self.row.idle_deadline})

    def occupy(self, occupied: bool) -> None:
        """A run comes, or is over: it is not idle now."""
        self.occupied = occupied
        self._idle = self._idle.extended(time.monotonic())

    async def detach(self) -> None:
        """Stop following it; the sandbox goes on."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _step(self, operation: life.Operation) -> None:
        self.life, actions = life.apply(self.life, operation)
        for action in actions:
            await self._do(action)

    async def _do(self, action: life.Action) -> None:
        match action:
            case life.Record(before):
                self._record(before)
            case life.Finish(before, _, usage):
                self._finish(before, usage)
            case life.Enqueue(later):
                self._enqueue(later)
            case life.Release():
                self.house.release(self)
            case life.Start():
                self._spawn(self._start())
            case life.Follow():
                self._spawn(self._follow())
            case life.Halt():
                self._spawn(self._halt())
            case life.Freeze():
                await self._freeze()
            case life.Thaw():
                await self._thaw()
            case life.Collect():
                self._spawn(self._collect())

    # Actions

    def _enqueue(self, later: bool) -> None:
        if later:
            asyncio.get_running_loop().call_later(NO_ROOM_SECONDS, self._enqueue_if_pending)
        else:
            self.house.enqueue(self)

    def _enqueue_if_pending(self) -> None:
        if self.life.state is State.PENDING:
            self.house.enqueue(self)

    async def _start(self) -> None:
        operation: life.Operation
        try:
            await indexes_known()
            equipment = await database_sync_to_async(self._equipment)()
            await self.house.driver.start(self._spec(equipment))
            operation = life.Started()
            if equipment.setup[1]:
                self._spawn(set_up(self.house.driver.runner_socket(self.id), *equipment.setup))
        except SandboxError as error:
            operation = life.Deferred(str(error)) if error.code == "capacity" else life.StartFailed(str(error))
        except Exception:
            log.exception("session %s: the driver failed to start it", self.id)
            operation = life.StartFailed("The sandbox could not be started; the operator finds the cause in the log.")
        await self.apply(operation)

    def _equipment(self) -> Equipment:
        return project_directory().equipment(self.row.project) if self.row.project else Equipment()

    def _spec(self, equipment: Equipment) -> SandboxSpec:
        image = images().get(self.row.image)
        if image is None:
            raise SandboxError("unknown_image", f"There is no image called {self.row.image!r} any more.")
        policy = self.row.policy or image.policy
        return SandboxSpec(
            id=self.id,
            image=image,
            slots=self.slots,
            project=Path(self.row.directory) if self.row.directory else None,
            policy=policy,
            hostname=self.row.hostname,
            datasets=equipment.datasets,
            environment=indexes().environment | image.environment | equipment.environment,
            network=network_for(image, policy),
            gpus=self.gpus,
        )

    async def _follow(self) -> None:
        while True:
            try:
                async for event in self.house.driver.events(self.id):
                    if isinstance(event, Exit):
                        await self.apply(life.Exited(event.reason, event.usage, event.detail))
                        return
                    if isinstance(event, Refused):
                        self._refused(event)
                    else:
                        self._sample(event)
            except SandboxError as error:
                log.warning("session %s: its events broke off: %s", self.id, error)
            except Exception:
                log.exception("session %s: its events broke off", self.id)
            await asyncio.sleep(RETRY_SECONDS)

    async def _halt(self) -> None:
        while not self.life.over:
            try:
                await self.house.driver.stop(self.id)
                return
            except SandboxError as error:
                log.warning("session %s: the driver could not stop it: %s", self.id, error)
            except Exception:
                log.exception("session %s: the driver could not stop it", self.id)
            await asyncio.sleep(RETRY_SECONDS)

    async def _freeze(self) -> None:
        try:
            await self.house.driver.pause(self.id)
        except SandboxError as error:
            await self._step(life.PauseFailed(str(error)))
            raise

    async def _thaw(self) -> None:
        try:
            await self.house.driver.resume(self.id)
        except SandboxError as error:
            await self._step(life.ResumeFailed(str(error)))
            raise

    async def _collect(self) -> None:
        try:
            if self._finished is not None:
                await self._finished  # its accounts stay on disk until they are in the ledger
            for name, value in self._last.items():
                setattr(self.row, name, value)
            self._after_change()
            await self.house.driver.collect(self.id)
        except Exception:
            log.exception("session %s: it could not be collected; the next start tries again", self.id)
        self.settled.set()
        self.gone.set()
        for watcher in self.watchers:
            watcher.end()
        self.house.forget(self)

    # Readings

    def _sample(self, sample: Sample) -> None:
        self.latest = sample.usage
        self.row.usage, self.row.cost = sample.usage.as_dict(), self.account.cost_of(sample.usage)
        self._notice(sample)
        if self.life.state is State.RUNNING:
            now = time.monotonic()
            self._idle = self._idle.seen(now, 0.0 if sample.busy else sample.idle_ms / 1000)
            if self._idle.news():
                self._publish_deadline()
            if self._idle.expired(now) and not self.occupied:
                self._spawn(self.apply(life.Stop("idle", f"Nothing happened in it for {self.row.idle_timeout} s.")))
        when = {"at": timestamp(timezone.now()), "idle_deadline": timestamp(self.row.idle_deadline)}
        used = {**self.row.usage, "cost": money(self.row.cost)}
        self._tell({"type": "usage", "busy": sample.busy, "idle_ms": sample.idle_ms, **when, **used})
        if time.monotonic() - self._charged >= LEDGER_SECONDS and (not self._charging or self._charging.done()):
            self._charge()

    def _refused(self, refused: Refused) -> None:
        self.row.refusals, news = refusals.after(self.row.refusals, refused, timestamp(timezone.now()) or "")
        if news is not None:
            self._tell({"type": "refusal", **news}, key=f"refusal {refused.call} {refused.reason}")

    def _notice(self, sample: Sample) -> None:
        """While a limit is reached, the session says so where it else says why it is in its state."""
        told = self.row.reason, self.row.detail
        said = sample.notice, sample.detail
        if not sample.notice and self.life.reason not in NOTICES:  # which a restart of the service read back
            said = self.life.reason, self.life.detail
        if self.life.state is not State.RUNNING or said == told:
            return
        self.row.reason, self.row.detail = said
        if said[0] != told[0]:
            self._save({"reason": said[0], "detail": said[1]})
        self._publish()

    def charged(self, usage: Usage) -> tuple[Line, store.Fields]:
        """The line of the ledger that brings it up to ``usage``, and the row's fields with it: to be written."""
        self._charged = time.monotonic()
        self.latest, self.row.usage = usage, usage.as_dict()
        line = self.account.line(usage, timezone.now())
        self.account = self.account.after(line)
        self.row.cost = self.account.cost
        return line, {name: getattr(self.row, name) for name in ("usage", "cost", "idle_deadline", "refusals")}

    def _charge(self) -> None:
        line, fields = self.charged(self.latest)
        self._charging = self.house.journal.put(lambda: store.charge(self.row.pk, line, fields))

    # Writing down and telling

    def _record(self, before: State) -> None:
        now = timezone.now()
        self._enter(now)
        self._number(before, now, self._fields())
        self._after_change()

    def _finish(self, before: State, usage: Usage | None) -> None:
        """Write the end. Nobody is told before it is written: who sees the end sees the ledger complete."""
        now, state = timezone.now(), self.life
        line = None if self.account.closed else self.account.line(usage, now, final=True)
        if line is not None:
            self.account = self.account.after(line)
        self._last = {
            "state": state.state.value,
            "reason": state.reason,
            "detail": state.detail,
            "started": self.row.started,
            "ended": now,
            "idle_deadline": None,
            "usage": self.account.usage().as_dict(),
            "cost": self.account.cost,
            "refusals": self.row.refusals,
        }
        sequence, fields = self.transitions, self._last
        self.transitions += 1
        self._finished = self.house.journal.put(
            lambda: store.finish(self.row.pk, sequence, before, state, now, fields, line)
        )

    def _enter(self, now: datetime) -> None:
        row, state = self.row, self.life.state
        row.state, row.reason, row.detail = state.value, self.life.reason, self.life.detail
        if state is State.RUNNING:
            row.started = row.started or now
            self._idle = self._idle.extended(time.monotonic())
            row.idle_deadline = self._deadline()
            self._idle = self._idle.published()
        else:
            row.idle_deadline = None  # paused or ending: no countdown

    def _number(self, before: State, now: datetime, fields: store.Fields) -> None:
        sequence, state = self.transitions, self.life
        self.transitions += 1
        self.house.journal.put(lambda: store.record(self.row.pk, sequence, before, state, now, fields), later=True)

    def _fields(self) -> store.Fields:
        names = ("state", "reason", "detail", "started", "ended", "idle_deadline", "usage", "cost", "refusals", "gpus")
        return {name: getattr(self.row, name) for name in names}

    def _after_change(self) -> None:
        self._mark_settled()
        self._publish()

    def _mark_settled(self) -> None:
        if self.life.state in (State.PENDING, State.PREPARING):
            self.settled.clear()
        else:
            self.settled.set()

    def _save(self, fields: store.Fields) -> asyncio.Future[Any]:
        return self.house.journal.put(lambda: store.change(self.row.pk, fields))

    def _publish(self) -> None:
        self._tell({"type": "session", **self.describe()})

    def _publish_deadline(self) -> None:
        self.row.idle_deadline = self._deadline()
        self._idle = self._idle.published()
        self._publish()

    def _deadline(self) -> datetime:
        return timezone.now() + timedelta(seconds=self._idle.deadline - time.monotonic())

    def _first_idle(self) -> Idle:
        """From the row's deadline where it has one: an extension survives a restart."""
        timeout = float(self.row.idle_timeout)
        idle = Idle(timeout, time.monotonic() - timeout)
        if self.row.idle_deadline is None:
            return idle.extended(time.monotonic())
        left = (self.row.idle_deadline - timezone.now()).total_seconds()
        return Idle(timeout, time.monotonic() + min(left, timeout) - timeout)

    def _tell(self, event: dict[str, Any], key: str = "") -> None:
        for watcher in self.watchers:
            watcher.tell(event, key)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, life.IllegalOperation):  # which was overtaken: nothing to do
            log.error("session %s: %r", self.id, error, exc_info=error)
