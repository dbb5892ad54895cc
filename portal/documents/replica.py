"""A document in the memory of this web process, while somebody looks at it or a kernel writes into it.

A cache of the log and nothing more: a change is applied here, appended to the log, and only then told to others.
Where the log cannot be written the replica breaks: everybody who used it begins anew from the log.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID
from weakref import WeakValueDictionary

from channels.db import database_sync_to_async
from pycrdt import Doc, TransactionEvent, get_update, merge_updates

from portal.documents import disk, kinds, log
from portal.documents.aside import aside
from portal.documents.models import Document
from portal.documents.presence import Presences
from portal.documents.processes import PROCESS
from portal.documents.wire import NOTHING
from sessions import background
from sessions.ear import Ear, tell
from sessions.problems import Problem

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How often a replica looks at the log and the file by itself."""
PAUSE_SECONDS = 0.7
LONGEST_SECONDS = 4.0
RETRY_SECONDS = 5.0
_PATIENCE_SECONDS = 3.0
_LAST_TRIES = 10
_GROW = 4  # a document's updates may have so many times what its file may


class TooLarge(Exception):
    """The change would make the document larger than documents are."""


class Broken(Exception):
    """The log could not be written: what was not told to be in it may not be in it."""


class Listener(Protocol):
    """Who wants to know what happens to a document."""

    def changed(self, update: bytes) -> None: ...
    def saved(self, number: int) -> None: ...
    def save_failed(self, problem: Problem) -> None: ...
    def gone(self) -> None: ...
    def present(self, message: bytes) -> None: ...
    def broken(self) -> None: ...


@dataclass
class _Waiting:
    change: log.Change
    source: Listener | None
    also: Callable[[Document], Any] | None
    done: asyncio.Future[int] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Replica:
    """One document. In the event loop's thread only."""

    def __init__(self, row: Document) -> None:
        self.id, self.kind, self.project = row.pk, row.kind, row.project_id
        self.number, self.saved = 0, row.saved
        self.doc: Doc[Any] = Doc()
        self.presences = Presences()
        self.listeners: set[Listener] = set()
        self.users = 0
        self.is_broken = False
        self.on_queue: Callable[[], None] = lambda: None
        self._row = row
        self._size = 0
        self._waiting: list[_Waiting] = []
        self._work, self._look_now = asyncio.Event(), asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()
        self._changed_at: float | None = None
        self._changed_first = 0.0
        self._stamp: disk.Stamp = disk.LOOK_AGAIN
        self.gone = False
        self._unsettled: float | None = None
        self._create = False
        self._sync_lock = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        self._tell_again = 0.0

    async def start(self) -> None:
        self.number, updates, self.doc = await aside(_newest)(self.id)
        self._size = sum(map(len, updates))
        await self.sync(updates)
        self._ear = Ear(_group(self.id), self._heard, self._look_now.set)
        self._tasks += [background.start(self._write()), background.start(self._look())]

    async def stop(self) -> None:
        """Nobody is here any more: what is not in the file goes there now."""
        await self._settled.wait()
        await asyncio.gather(background.end(*self._tasks), self._ear.stop(), return_exceptions=True)
        for _ in range(_LAST_TRIES):
            if self.is_broken or await self.sync():
                break
            await asyncio.sleep(PAUSE_SECONDS)
        if not self.is_broken:
            await aside(log.compact)(self.id)

    # Changes

    def apply(
        self, update: bytes, author: int | None, origin: str, source: Listener | None = None
    ) -> asyncio.Future[int]:
        """Take an update; the future is its number once it is in the log.

        Raises:
            ValueError: it is no update.
            TooLarge: it is, but the document would be too large.
        """
        if self._size + len(update) > _GROW * kinds.MAX_BYTES[self.kind]:
            self._size = len(self.doc.get_update())
            if self._size + len(update) > _GROW * kinds.MAX_BYTES[self.kind]:
                raise TooLarge
        new = _effect(self.doc, lambda: self.doc.apply_update(update))
        if get_update(update, self.doc.get_state())[:1] != b"\0":
            self._size += len(update)
            raise ValueError("it builds on what nobody has")
        return self._append(log.Change(new, author, origin), source, None)

    def changes_anything(self, update: bytes) -> bool:
        """Whether an update says anything that is not known here.

        Raises:
            ValueError: it is no update.
        """
        copy = kinds.load(self.doc.get_update())
        return _effect(copy, lambda: copy.apply_update(update)) != NOTHING

    def edit(
        self,
        change: Callable[[Doc[Any]], Any],
        author: int | None,
        origin: str,
        also: Callable[[Document], Any] | None = None,
    ) -> asyncio.Future[int]:
        """Have ``change`` change the document here, and append what it did; ``also`` runs in the same transaction."""

        def work() -> None:
            with self.doc.transaction():
                change(self.doc)

        return self._append(log.Change(_effect(self.doc, work), author, origin), None, also)

    def _append(
        self, change: log.Change, source: Listener | None, also: Callable[[Document], Any] | None
    ) -> asyncio.Future[int]:
        waiting = _Waiting(change, source, also)
        if self.is_broken:
            waiting.done.set_exception(Broken())
            return waiting.done
        self._size += len(change.data)
        self._waiting.append(waiting)
        self._settled.clear()
        self._work.set()
        return waiting.done

    async def settled(self) -> None:
        """Return when all that is in the document is in the log."""
        await self._settled.wait()

    async def _write(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            waiting, self._waiting = self._waiting, []
            try:
                await self._commit(waiting)
            except Exception as error:
                if not isinstance(error, log.Gone):
                    logger.exception("document %s: its log could not be written", self.id)
                self._break(waiting)
                return
            if not self._waiting:
                self._settled.set()

    async def _commit(self, waiting: list[_Waiting]) -> None:
        changes = [one.change for one in waiting]

        def also(row: Document) -> None:
            for one in waiting:
                if one.also is not None:
                    one.also(row)

        real = [change for change in changes if change.data != NOTHING]
        if not real and not any(one.also for one in waiting):
            numbers: list[int] = []
        else:
            numbers = await database_sync_to_async(log.append)(self.id, real, also)
        if numbers and numbers[0] > self.number + 1:
            await self._catch_up(numbers[0] - 1)
        self.number = max([self.number, *numbers])
        given, number = iter(numbers), self.number
        for one in waiting:
            if one.change.data != NOTHING:
                number = next(given)
                self._tell(lambda listener, one=one: listener.changed(one.change.data), but=one.source)  # type: ignore[misc]
            if not one.done.done():
                one.done.set_result(number)
        if numbers:
            self._note_change()
            await self._say({"type": "document.moved", "number": self.number})

    async def _catch_up(self, most: int | None = None) -> None:
        """Take what other processes have appended."""
        for number, update in await database_sync_to_async(log.since)(self.id, self.number):
            if number <= self.number or (most is not None and number > most):
                continue
            self.doc.apply_update(update)
            self._size += len(update)
            self.number = number
            self._tell(lambda listener, update=update: listener.changed(update))  # type: ignore[misc]
            self._note_change()

    def _note_change(self) -> None:
        now = time.monotonic()
        if self._changed_at is None:
            self._changed_first = now
            self._look_now.set()
        self._changed_at = now

    def _break(self, waiting: list[_Waiting]) -> None:
        self.is_broken = True
        for one in [*waiting, *self._waiting]:
            if not one.done.done():
                one.done.set_exception(Broken())
                one.done.exception()  # not everybody waits for it
        self._waiting = []
        self._settled.set()
        _forget(self)
        self._tell(lambda listener: listener.broken())

    # The file

    def save_now(self, create: bool = True) -> None:
        """Save without waiting for a pause; a file that is gone is made again."""
        self._create = self._create or create
        self._changed_at, self._changed_first = 0.0, 0.0
        self._look_now.set()

    @property
    def path(self) -> str:
        return self._row.path

    async def sync(self, updates: Sequence[bytes] = ()) -> bool:
        """Merge what is new in the file, and write what is new here; False where the file is just being written.

        ``updates`` are those that make the document, where they are at hand: to encode a large one takes a while.
        """
        async with self._sync_lock:
            await self._settled.wait()
            if self.is_broken:
                return True
            create, self._create = self._create, False
            changed_at, self._changed_at = self._changed_at, None
            state, number = updates or [self.doc.get_update()], self.number
            patient = time.monotonic() - (self._unsettled or time.monotonic()) < _PATIENCE_SECONDS
            outcome = await aside(disk.sync)(self.id, state, number, create, patient)
        self._stamp = outcome.stamp
        self._row.path = outcome.path
        if outcome.unsettled:
            self._postpone(create, changed_at)
            return False
        self._unsettled = None
        if outcome.merged:
            await self._catch_up()
        if outcome.problem is not None:
            problem = outcome.problem
            self._changed_at = time.monotonic() + RETRY_SECONDS
            self._changed_first = self._changed_at
            self._tell(lambda listener: listener.save_failed(problem))
        elif outcome.gone:
            if not self.gone:
                self._tell(lambda listener: listener.gone())
        elif outcome.saved != self.saved or self.gone:
            self.saved = outcome.saved
            self._tell(lambda listener: listener.saved(outcome.saved))
            await self._say({"type": "document.saved", "number": outcome.saved})
        self.gone = outcome.gone
        return True

    def _postpone(self, create: bool, changed_at: float | None) -> None:
        self._create = self._create or create
        self._changed_at = self._changed_at or changed_at
        self._unsettled = self._unsettled or time.monotonic()

    async def _look(self) -> None:
        """Look at the log and at the file, each second, and when something changed."""
        while True:
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._look_now.wait()
            except TimeoutError:
                pass  # nobody called: it is time
            self._look_now.clear()
            try:
                await self._look_once()
            except log.Gone:
                self._break([])
                return
            except Exception:
                logger.exception("document %s: it could not be looked at; the next round tries again", self.id)
                await asyncio.sleep(RETRY_SECONDS)

    async def _look_once(self) -> None:
        if not self._waiting and self._settled.is_set():
            await self._catch_up()
        now = time.monotonic()
        due = None
        if self._changed_at is not None:
            due = min(self._changed_at + PAUSE_SECONDS, self._changed_first + LONGEST_SECONDS)
        if (due is None or now < due) and not self.gone and await self._is_as_known():
            if due is not None:
                asyncio.get_running_loop().call_later(max(0.0, due - now), self._look_now.set)
            return
        await self.sync()
        if self.number - self.saved < 2:
            await self._compact_sometimes()

    async def _is_as_known(self) -> bool:
        """Whether the file is as it was when we read or wrote it."""
        if self._stamp == disk.LOOK_AGAIN:
            known, self._stamp = await aside(disk.look)(self.id)
            return known
        return await aside(disk.stamp)(self._row.project, self._row.path) == self._stamp

    _compacted = 0

    async def _compact_sometimes(self) -> None:
        if self.number - self._compacted >= log.COMPACT_AT:
            self._compacted = self.number
            await aside(log.compact)(self.id)

    # Others

    def _tell(self, tell: Callable[[Listener], None], but: Listener | None = None) -> None:
        for listener in list(self.listeners):
            if listener is not but:
                tell(listener)

    def show_presence(self, message: bytes, but: Listener | None = None) -> Awaitable[None]:
        """Tell everybody of somebody's cursor, in other processes too."""
        self._tell(lambda listener: listener.present(message), but)
        return self._say({"type": "document.presence", "message": message})

    async def say_queue(self) -> None:
        """Tell the process that runs this notebook that there is more to run."""
        await self._say({"type": "document.queue"})

    async def _say(self, message: dict[str, Any]) -> None:
        """Other processes look by themselves each second: that they cannot be told holds nobody up here."""
        if time.monotonic() < self._tell_again:
            return
        try:
            await tell(_group(self.id), {**message, "from": PROCESS})
            self._tell_again = 0.0
        except Exception:
            if not self._tell_again:
                logger.exception("document %s: other processes cannot be told of it", self.id)
            self._tell_again = time.monotonic() + RETRY_SECONDS

    def _heard(self, message: dict[str, Any]) -> None:
        if message.get("from") == PROCESS:
            return
        match message["type"]:
            case "document.queue":
                self.on_queue()
            case "document.moved":
                self._look_now.set()
            case "document.saved":
                self.saved = max(self.saved, message["number"])
                self._tell(lambda listener: listener.saved(message["number"]))
            case "document.presence":
                self.presences.hear(message["message"])
                self._tell(lambda listener: listener.present(message["message"]))


def _effect(doc: Doc[Any], work: Callable[[], Any]) -> bytes:
    """The update that ``work`` makes of ``doc``: what was there already is not in it."""
    updates: list[bytes] = []

    def note(event: TransactionEvent) -> None:
        updates.append(event.update)

    subscription = doc.observe(note)
    try:
        work()
    finally:
        doc.unobserve(subscription)
    return merge_updates(*updates) if updates else NOTHING


def _newest(document: UUID) -> tuple[int, list[bytes], Doc[Any]]:
    number, updates = log.newest(document)
    return number, updates, kinds.load(*updates)


_replicas: dict[UUID, Replica] = {}
_starting: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()


def _group(document: UUID) -> str:
    return f"document-{document.hex}"


def _forget(replica: Replica) -> None:
    if _replicas.get(replica.id) is replica:
        del _replicas[replica.id]


@asynccontextmanager
async def replica_of(row: Document) -> Any:
    """This process's replica of a document; it lives as long as somebody uses it.

    Raises:
        log.Gone: the document was removed.
    """
    lock = _starting.setdefault(row.pk, asyncio.Lock())
    async with lock:
        replica = _replicas.get(row.pk)
        if replica is None:
            replica = Replica(row)
            await replica.start()
            _replicas[row.pk] = replica
        replica.users += 1
    try:
        yield replica
    finally:
        replica.users -= 1
        if not replica.users:
            await asyncio.shield(_leave(replica, lock))


async def _leave(replica: Replica, lock: asyncio.Lock) -> None:
    async with lock:
        if replica.users:
            return  # somebody came back meanwhile
        _forget(replica)
        try:
            await replica.stop()
        except log.Gone:
            return  # its project was removed: there is nothing to save
