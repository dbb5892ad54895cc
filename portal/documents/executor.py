"""Runs the cells of a notebook, whether or not anybody looks.

One web process at a time holds the lease of a notebook's row. It takes the kernel's numbered stream, writes what it
says into the document, and moves the row's ``sequence`` in the same transaction: whoever takes over goes on at the
very next record. Only then is the record acknowledged, so that a program is as fast as its output can be kept.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
import uuid
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from django.db.models import Q
from django.utils import timezone
from pycrdt import Doc

from portal.documents import log
from portal.documents.cells import LOST, Current, Message, Writer, cells, show_kernel, tidy
from portal.documents.models import Document, Execution
from portal.documents.processes import PROCESS, is_gone, show_life
from portal.documents.replica import Broken, Replica, replica_of
from sandbox.runner.captures import Captures, update_of
from sandbox.runner.messages import pack
from sandbox.runner.wire import CallError, Client, Stream, WireError
from sessions import background, runner
from sessions.models import Session
from sessions.problems import Problem

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=12)
RENEW_SECONDS = 3.0
ADOPT_SECONDS = 1.0
LINGER_SECONDS = 30.0
GATHER_SECONDS = 0.05
RETRY_SECONDS = 1.0
_MOST_RECORDS = 2000
_ASKED = 64
_ENDED = "The session has ended. Run a cell to start another one."

_running: dict[UUID, Executor] = {}


class LeaseLost(Exception):
    """Another process runs this notebook now."""


def nudge(document: UUID) -> None:
    """There is something to do for a notebook: run it here, unless another process does."""
    executor = _running.get(document)
    if executor is None:
        executor = _running[document] = Executor(document)
        executor.task = background.start(executor.run())
    executor.work.set()


async def adopt_forever() -> None:
    """Take over, for as long as this process lives, the notebooks of processes that are gone."""
    while True:
        try:
            for document in await database_sync_to_async(abandoned)():
                nudge(document)
        except Exception:
            logger.exception("could not look for abandoned notebooks; the next round tries again")
        await asyncio.sleep(ADOPT_SECONDS)


def abandoned() -> list[UUID]:
    """The notebooks that nobody runs any more, or not yet."""
    rows = Execution.objects.filter(~Q(holder="") | ~Q(queue=[])).exclude(holder=PROCESS)
    now = timezone.now()
    return [row.document_id for row in rows.only("document", "holder", "until") if _is_free(row, now)]


def _is_free(row: Execution, now: datetime) -> bool:
    return row.holder in ("", PROCESS) or row.until is None or row.until < now or is_gone(row.holder)


class Executor:
    """Runs one notebook in this process, for as long as there is anything to run."""

    task: asyncio.Task[None]

    def __init__(self, document: UUID) -> None:
        self.id = document
        self.work = asyncio.Event()
        self._records: list[tuple[int, bytes, bool]] = []
        self._over = False
        self._probe = ""
        self._room = asyncio.Event()
        self._has_widgets = False
        self._kernel = UUID(int=0)

    async def run(self) -> None:
        try:
            while self.work.is_set():
                self.work.clear()
                await self._once()
        except (Broken, log.Gone):
            logger.info("notebook %s: its document is gone, or begins anew from its log", self.id)
        except Exception:
            logger.exception("notebook %s: its executor failed; it is taken up again", self.id)
        finally:
            _running.pop(self.id, None)

    async def _once(self) -> None:
        row = await database_sync_to_async(take_lease)(self.id)
        if row is None:
            return  # another process runs it
        self._kernel = row.kernel
        renewing = asyncio.create_task(self._renew())
        try:
            async with replica_of(row.document) as replica:
                replica.on_queue = self.work.set
                await self._until_done(replica, row)
        except LeaseLost:
            self.work.set()  # another process has it, or there is another kernel
            return
        finally:
            await background.end(renewing)
        await database_sync_to_async(leave)(self.id)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            mine = Execution.objects.filter(document=self.id, holder=PROCESS)
            await mine.aupdate(until=timezone.now() + LEASE)

    async def _until_done(self, replica: Replica, row: Execution) -> None:
        while True:
            try:
                async with await runner.connect(str(row.session)) as client:
                    await self._attached(client, replica, row)
                return
            except (CallError, ConnectionError, WireError, Problem) as error:
                if await self._ended(row, error):
                    await self._give_up(replica)
                    return
            await asyncio.sleep(RETRY_SECONDS)
            row = await database_sync_to_async(held)(self.id, self._kernel)

    async def _ended(self, row: Execution, error: Exception) -> bool:
        """Whether the kernel is gone for good, and not only out of reach."""
        if isinstance(error, CallError) and error.code == "not_found":
            return True
        session = await Session.objects.filter(pk=row.session).afirst()
        return session is None or not session.live

    async def _give_up(self, replica: Replica) -> None:
        def change(doc: Doc[Any]) -> None:
            tidy(doc, set())
            show_kernel(doc, {"state": "none", "reason": _ENDED})

        def also(row: Document) -> None:
            Execution.objects.filter(document=row, kernel=self._kernel).update(current=None, queue=[])

        await replica.edit(change, None, log.KERNEL, also)

    # Attached to the kernel

    async def _attached(self, client: Client, replica: Replica, row: Execution) -> None:
        name = f"notebook-{self.id.hex}"
        stream = await client.open("kernel.attach", id=str(row.kernel), session=name, since=row.sequence)
        stream.by_hand = True
        if row.sequence is None:
            row.sequence = int(stream.result["next"])
            await Execution.objects.filter(document=self.id).aupdate(sequence=row.sequence)
        self._records, self._over, self._probe = [], False, ""
        self._has_widgets = bool(row.captures)
        reading = asyncio.create_task(self._read(stream))
        try:
            await self._begin(stream, replica, row)
            await self._work_on(stream, replica)
        finally:
            await background.end(reading)

    async def _begin(self, stream: Stream, replica: Replica, row: Execution) -> None:
        """A request of a process that is gone may not have reached the kernel. What is asked behind it tells."""
        busy = {*row.queue, *([row.current["cell"]] if row.current else [])}
        await replica.edit(lambda doc: tidy(doc, busy), None, log.KERNEL)
        if row.current:
            await self._ask(stream)

    async def _ask(self, stream: Stream) -> None:
        self._probe = uuid.uuid4().hex
        await stream.write(message_to_kernel("kernel_info_request", self._probe, {}))

    async def _read(self, stream: Stream) -> None:
        async for sequence, payload in stream:
            self._records.append((sequence, payload, stream.cut is not None))
            self.work.set()
            if len(self._records) >= _MOST_RECORDS:
                self._room.clear()
                await self._room.wait()
        self._over = True
        self.work.set()

    async def _work_on(self, stream: Stream, replica: Replica) -> None:
        quiet = time.monotonic()
        while time.monotonic() - quiet < LINGER_SECONDS or self._has_widgets:
            if not self._records and not self._over:
                try:
                    async with asyncio.timeout(RENEW_SECONDS):
                        await self.work.wait()
                except TimeoutError:
                    pass  # a message that there is more to run may be lost
            self.work.clear()
            if self._records:
                await self._write(stream, replica)
                await asyncio.sleep(GATHER_SECONDS)
            elif self._over:
                raise ConnectionError("the kernel's stream has ended")
            if await self._next(stream, replica):
                quiet = time.monotonic()

    async def _write(self, stream: Stream, replica: Replica) -> None:
        """Write down all that has come, and only then say that it was taken."""
        records, self._records = self._records, []
        self._room.set()
        row = await database_sync_to_async(held)(self.id, self._kernel)
        current = Current(**row.current) if row.current else None
        captures = Captures(row.captures)
        below = records[-1][0] + 1
        written: list[Writer] = []

        def change(doc: Doc[Any]) -> None:
            writer = Writer(doc, current, row.asked, captures)
            written.append(writer)
            for _sequence, payload, cut in records:
                if cut:
                    writer.note(LOST)
                    self._probe = "ask"
                if payload and (message := Message.read(payload)) is not None:
                    writer.take(message)
                    self._heard(message, writer)
            if writer.kernel:
                show_kernel(doc, writer.kernel)

        def also(document: Document) -> None:
            now = held(self.id, self._kernel)
            now.sequence = below
            interrupted = bool(now.current and now.current.get("interrupted"))
            if (current is not None and current.failed and current.done and not interrupted) or written[0].died:
                now.queue = []
            now.current = None
            if current is not None and not current.done:
                now.current = asdict(current) | {"interrupted": interrupted}
            now.captures = captures.kept
            now.until = timezone.now() + LEASE
            now.save(update_fields=["sequence", "current", "queue", "captures", "until"])

        await replica.edit(change, row.user_id, log.KERNEL, also)
        self._has_widgets = bool(captures)
        for widget, outputs in captures.changed().items():
            await stream.write(message_to_kernel("comm_msg", uuid.uuid4().hex, update_of(widget, outputs)))
        stream.acknowledge(below)

    def _heard(self, message: Message, writer: Writer) -> None:
        """The answer to what was asked behind a request: the request is over by now, or it never came."""
        if message.kind != "kernel_info_reply" or message.parent != self._probe:
            return
        self._probe = ""
        if writer.current is not None and not writer.current.started:
            self._probe = "lost"
        else:
            writer.end()

    async def _next(self, stream: Stream, replica: Replica) -> bool:
        """Ask for the next cell if none runs; whether any runs now."""
        row = await database_sync_to_async(held)(self.id, self._kernel)
        if self._probe == "ask":
            await self._ask(stream)
        if row.current is not None and self._probe != "lost":
            return True
        if row.current is None:
            row = await database_sync_to_async(pick)(self.id, self._kernel)
            await self._show_queue(replica, row)
        self._probe = ""
        if row.current is None:
            return False
        source = source_of(replica.doc, row.current["cell"])
        if source is None or not source.strip():  # deleted while it waited, or nothing to run
            await replica.edit(lambda doc: tidy(doc, {*row.queue}), None, log.KERNEL, forget_current)
            self.work.set()
            return True
        content = {"code": source, "silent": False, "store_history": True, "user_expressions": {},
                   "allow_stdin": True, "stop_on_error": True}  # fmt: skip
        await stream.write(message_to_kernel("execute_request", row.current["request"], content))
        return True

    async def _show_queue(self, replica: Replica, row: Execution) -> None:
        busy = {*row.queue, *([row.current["cell"]] if row.current else [])}
        await replica.edit(lambda doc: tidy(doc, busy), None, log.KERNEL)


def message_to_kernel(kind: str, id: str, content: dict[str, Any], channel: str = "shell") -> bytes:
    """A message to a kernel."""
    header = {
        "msg_id": id,
        "session": "notebook",
        "username": "",
        "date": datetime.now(UTC).isoformat(),
        "msg_type": kind,
        "version": "5.4",
    }
    return pack(channel, [json.dumps(part).encode() for part in (header, {}, {}, content)])


def source_of(doc: Doc[Any], id: str) -> str | None:
    """The source of a code cell; None where there is none."""
    found = next((cell for cell in cells(doc) if cell.get("id") == id and cell.get("cell_type") == "code"), None)
    return None if found is None else str(found.get("source") or "")


# The row. Synchronous; what changes the queue holds the lock of the document's row.


def take_lease(document: UUID) -> Execution | None:
    """The row, leased to this process; None where another holds it."""
    taken: list[Execution] = []
    show_life()

    def also(_: Document) -> None:
        row = Execution.objects.filter(document=document).select_related("document__project").first()
        now = timezone.now()
        if row is None or not _is_free(row, now):
            return
        row.holder, row.until = PROCESS, now + LEASE
        row.save(update_fields=["holder", "until"])
        taken.append(row)

    log.append(document, [], also)
    return taken[0] if taken else None


def held(document: UUID, kernel: UUID) -> Execution:
    """The row as it is now.

    Raises:
        LeaseLost: it is another's by now, or there is another kernel.
    """
    row = Execution.objects.filter(document=document, kernel=kernel, holder=PROCESS).first()
    if row is None:
        raise LeaseLost
    return row


def leave(document: UUID) -> None:
    Execution.objects.filter(document=document, holder=PROCESS).update(holder="", until=None)


def pick(document: UUID, kernel: UUID) -> Execution:
    """Make the first cell that waits the one that runs."""
    found: list[Execution] = []

    def also(_: Document) -> None:
        row = held(document, kernel)
        if row.queue:
            cell, *row.queue = row.queue
            row.current = asdict(Current(cell, uuid.uuid4().hex))
            row.asked = dict([*row.asked.items(), (row.current["request"], cell)][-_ASKED:])
            row.save(update_fields=["queue", "current", "asked"])
        found.append(row)

    log.append(document, [], also)
    return found[0]


def forget_current(document: Document) -> None:
    Execution.objects.filter(document=document, holder=PROCESS).update(current=None)
