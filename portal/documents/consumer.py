"""The WebSocket of a document: ``docs/developers/documents.md``."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from channels.db import database_sync_to_async
from pycrdt import merge_updates

from portal.documents import disk, log, wire
from portal.documents.aside import aside
from portal.documents.models import Document
from portal.documents.presence import Forged, Speaker
from portal.documents.replica import Broken, Replica, TooLarge, replica_of
from portal.models import Project
from portal.roles import Role, role_of
from portal.token_bucket import TokenBucket
from sessions.flow import Flow
from sessions.problems import Problem
from sessions.websocket import AWAY, BAD_MESSAGE, BROKEN, NO_SUCH_THING, NOT_SIGNED_IN, NOT_YOURS, Closed, WebSocket

logger = logging.getLogger(__name__)

ANOTHER, TOO_LARGE, NOT_A_DOCUMENT, TOO_MANY = 4409, 4413, 4415, 4429
MAX_CONNECTIONS = 64
"""Of one user in one process: tabs, times files that are open in each."""
COLORS = 8
_BACKLOG = 4 * 1024 * 1024
_MOST_WORDS = 2000

_open: dict[int, int] = {}


class DocumentSocket(WebSocket):
    """One browser that looks at one document.

    What goes out waits here, in order and bounded: a browser that reads slowly gets many updates as one, and one
    that is too far behind the whole document.
    """

    def __init__(self) -> None:
        super().__init__()
        self._counted = False
        self._frames = self._taken = 0
        self._updates: list[bytes] = []
        self._words: list[str | bytes] = []
        self._behind = False
        self._out = asyncio.Event()
        self._stack = AsyncExitStack()
        self._speaker: Speaker | None = None
        self._frames_allowed = TokenBucket(600, 120)
        self._bytes_allowed = TokenBucket(24 * 1024 * 1024, 1024 * 1024)

    async def connect(self) -> None:
        await self.accept()
        self.flow = Flow(self.base_send)
        self._tasks.append(asyncio.create_task(self._run()))

    async def _run(self) -> None:
        try:
            await self._open()
            await self._send_all()
        except Closed as closed:
            await self._end(closed.code)
        except Problem as problem:
            await self._end({404: NO_SUCH_THING, 413: TOO_LARGE, 415: NOT_A_DOCUMENT}.get(problem.status, BAD_MESSAGE))
        except log.Gone:
            await self._end(NO_SUCH_THING)
        except Exception:
            logger.exception("a document's connection broke")
            await self._end(BROKEN)

    async def _open(self) -> None:
        user = self.scope.get("user")
        if user is None or not user.is_authenticated or not user.is_active:
            raise Closed(NOT_SIGNED_IN)
        _open[user.pk] = _open.get(user.pk, 0) + 1
        self._counted = True
        if _open[user.pk] > MAX_CONNECTIONS:
            raise Closed(TOO_MANY)
        kwargs = self.scope["url_route"]["kwargs"]
        query = parse_qs(self.scope["query_string"].decode("latin1"))
        known = query.get("document", [""])[-1]
        self.project, self.role, row = await aside(_find)(user, kwargs["id"], kwargs["path"], known)
        self.replica: Replica = await self._stack.enter_async_context(replica_of(row))
        color = user.pk % COLORS
        person = {
            "id": user.pk,
            "name": user.display_name,
            "color": f"var(--person-{color})",
            "colorLight": f"var(--person-{color}-ground)",
        }
        self._speaker = Speaker(self.replica.presences, person)
        await self.replica.settled()
        self.replica.listeners.add(self)  # and from here on nothing waits: who looks misses nothing
        self._say(
            {
                "type": "hello",
                "document": str(row.pk),
                "path": self.replica.path,
                "kind": row.kind,
                "role": self.role.value,
                "number": self.replica.number,
                "saved": self.replica.saved,
                "user": person,
            }
        )
        if self.replica.gone:
            self.gone()
        self._push(wire.sync(wire.STEP1, self.replica.doc.get_state()))
        self._push(self.replica.presences.message())
        self._ready.set()
        self._tasks.append(asyncio.create_task(self._guard(self.project.pk)))

    # In

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self._ready.wait()
        if self._over:
            return
        try:
            if self._frames_allowed.take() or self._bytes_allowed.take(len(text_data or bytes_data or "")):
                raise Closed(TOO_MANY)
            if text_data is not None:
                self._order(text_data)
            else:
                await self._take(wire.read(bytes_data or b""))
        except Closed as closed:
            await self._end(closed.code)
        except (wire.FrameError, Forged):
            await self._end(BAD_MESSAGE)
        except TooLarge:
            await self._end(TOO_LARGE)
        except Broken:
            await self._end(AWAY)

    def _order(self, text: str) -> None:
        try:
            order = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise Closed(BAD_MESSAGE) from error
        if order != {"type": "save"}:
            raise Closed(BAD_MESSAGE)
        if self.role.can_edit:
            self.replica.save_now()

    async def _take(self, message: wire.Sync | wire.Query | list[wire.Presence]) -> None:
        if isinstance(message, wire.Query):
            self._push(self.replica.presences.message())
        elif isinstance(message, list):
            assert self._speaker is not None
            if told := self._speaker.say(message):
                await self.replica.show_presence(told, but=self)
        elif message.step == wire.STEP1:
            await self.replica.settled()
            self._push(wire.sync(wire.STEP2, self._missing(message.body)))
        else:
            self._change(message.body)

    def _missing(self, state: bytes) -> bytes:
        try:
            return bytes(self.replica.doc.get_update(state))
        except ValueError as error:
            raise Closed(BAD_MESSAGE) from error

    def _change(self, update: bytes) -> None:
        self._frames += 1
        try:
            if not self.role.can_edit:
                if self.replica.changes_anything(update):
                    raise Closed(NOT_YOURS)
                return
            done = self.replica.apply(update, self.scope["user"].pk, log.EDIT, self)
        except ValueError as error:
            raise Closed(BAD_MESSAGE) from error
        frames = self._frames
        done.add_done_callback(lambda future: self._was_taken(frames, future))

    def _was_taken(self, frames: int, future: asyncio.Future[int]) -> None:
        if not future.cancelled() and future.exception() is None:
            self._taken = frames
            self._say({"type": "taken", "frames": frames, "number": future.result()})

    # Out: the replica calls these

    def changed(self, update: bytes) -> None:
        self._updates.append(update)
        if sum(map(len, self._updates)) > _BACKLOG:
            self._updates, self._behind = [], True
        self._out.set()

    def saved(self, number: int) -> None:
        self._say({"type": "saved", "number": number})

    def save_failed(self, problem: Problem) -> None:
        self._say({"type": "save_failed", "code": problem.code, "detail": problem.detail, "hint": problem.hint})

    def gone(self) -> None:
        self._say({"type": "gone"})

    def present(self, message: bytes) -> None:
        self._push(message)

    def broken(self) -> None:
        self._tasks.append(asyncio.create_task(self._end(AWAY)))

    def _say(self, message: dict[str, Any]) -> None:
        self._push(json.dumps(message))

    def _push(self, frame: str | bytes) -> None:
        self._words.append(frame)
        self._out.set()
        if len(self._words) == _MOST_WORDS:  # it takes nothing: it may come back when it does
            self.broken()

    async def _send_all(self) -> None:
        """Updates go before the words that came after them: who is told of a number has what belongs to it."""
        while True:
            await self._out.wait()
            self._out.clear()
            updates, self._updates = self._updates, []
            words, self._words = self._words, []
            if self._behind:
                self._behind = False
                await self._give(wire.sync(wire.STEP2, self.replica.doc.get_update()))
            elif updates:
                await self._give(wire.sync(wire.UPDATE, merge_updates(*updates) if len(updates) > 1 else updates[0]))
            for word in words:
                await self._give(word)

    async def _give(self, frame: str | bytes) -> None:
        self.flow.sending(len(frame))
        if isinstance(frame, str):
            await self.send(text_data=frame)
        else:
            await self.send(bytes_data=frame)
        await self.flow.drained()

    # Rights, and the end

    async def check_right(self) -> None:
        role = await _role_now(self.scope["user"], self.project.pk)
        if role is None:
            raise Closed(NOT_YOURS)
        if role is not self.role:
            self.role = role
            self._say({"type": "role", "role": role.value})

    async def leave(self) -> None:
        async with self._stack:
            if self._counted and (user := self.scope["user"].pk) in _open:
                _open[user] -= 1
                if not _open[user]:
                    del _open[user]
            await super().leave()
            replica = getattr(self, "replica", None)
            if replica is not None:
                replica.listeners.discard(self)
                if self._speaker is not None and (left := self._speaker.leave()):
                    await replica.show_presence(left, but=self)


def _find(user: Any, id: UUID, path: str, known: str) -> tuple[Project, Role, Document]:
    """The project, what the user may do in it, and the document: that which the browser knows, or that of the path.

    Raises:
        Closed: not theirs, or the document that the browser knows is no more.
        Problem: the file cannot be opened as a document.
    """
    project = Project.objects.filter(pk=id, deleted_at=None).first()
    role = role_of(user, project) if project is not None else None
    if project is None or role is None:
        raise Closed(NO_SUCH_THING if project is None else NOT_YOURS)
    if not known:
        return project, role, disk.open_document(project, path)
    row = Document.objects.select_related("project").filter(project=project, pk=_uuid(known)).first()
    if row is None:
        raise Closed(ANOTHER)
    return project, role, row


@database_sync_to_async
def _role_now(user: Any, id: UUID) -> Role | None:
    project = Project.objects.filter(pk=id).first()
    return role_of(user, project) if project is not None else None


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Closed(BAD_MESSAGE) from error
