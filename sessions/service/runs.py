"""The runs under way, and the sessions that they are in.

A session in which a run has ended well waits a little for the next run of the same user that asks for the same: see
``docs/decisions/a-run-takes-the-last-ones-session.md``. Whoever else needs room gets it from those that wait.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone

from sandbox.runner.wire import CallError, Client
from sessions import lifecycle as life
from sessions.lifecycle import State
from sessions.models import RUN_HOSTNAME, Run
from sessions.service import store
from sessions.service.execution import END_SECONDS, QUEUE_SECONDS, Execution, Terms
from sessions.service.live import LiveSession

if TYPE_CHECKING:
    from sessions.service.keeper import Keeper

WAIT_SECONDS = 60
"""How long a session waits for another run."""
MOST_WAITING = 4
"""Of one user. Of all together as many as there may be spare sandboxes."""
TIDY_SECONDS = 60.0
_MOST_RECORD = 2 << 20

log = logging.getLogger(__name__)


class Runs:
    """See the module's text."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self.under_way: dict[str, Execution] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._clients: dict[str, Client] = {}
        self._left: dict[str, float] = {}
        self._ending: set[str] = set()
        self._tidied: dict[int, float] = {}

    # Life

    def open(self, under_way: Iterable[Run]) -> None:
        """Go on with those of the runs ``under_way`` that went on while the service was away."""
        for run in under_way:
            session = self._keeper.sessions.get(str(run.session_id))
            if session is not None and session.life.state is State.RUNNING and session.row.is_run:
                session.occupied = True
                self._spawn(Execution(run, None, session, self, False))
        for session in self._sessions():
            if not session.occupied:  # what has been in it nobody knows
                self._stop(session)

    async def close(self) -> None:
        """Let go: what runs goes on."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for client in self._clients.values():
            await client.close()

    # Runs

    async def begin(
        self, user: int, image: str, language: str, slots: dict[str, Any] | None, terms: Terms, record: bool
    ) -> Execution:
        """Find or make a session for a run, and begin; ``record``: return once it is written down.

        Raises:
            CallError: as :meth:`Keeper.create`.
        """
        session, fresh = await self._session(user, image, slots)
        most = timedelta(seconds=QUEUE_SECONDS + terms.seconds + END_SECONDS)
        last = timezone.now() + most
        run = Run(user_id=user, session_id=session.row.pk, image=image, language=language, last=last)
        execution = Execution(run, terms, session, self, fresh)
        self._spawn(execution)
        if record:
            await execution.note()
        self._tidy(user)
        return execution

    def find(self, id: str) -> Execution:
        """The run ``id`` that is under way.

        Raises:
            CallError: ``not_found``.
        """
        if (execution := self.under_way.get(str(id))) is None:
            raise CallError("not_found", "There is no such run under way.")
        return execution

    # Sessions

    def make_room(self) -> None:
        """Somebody waits for slots: the session that has waited longest for a run gives its own up."""
        waiting = self._waiting()
        if waiting and not self._ending:  # whoever ends already may be enough
            self._stop(waiting[0])

    async def runner(self, session: LiveSession) -> Client:
        """The one connection to its runner for all runs in it.

        Raises:
            OSError: nobody listens there.
        """
        if session.id not in self._clients:
            socket = self._keeper.driver.runner_socket(session.id)
            self._clients[session.id] = await Client.connect(socket, max_frame=_MOST_RECORD)
        return self._clients[session.id]

    def leave(self, session: LiveSession, sound: bool) -> None:
        """A run in it is over. ``sound``: it is as it was, and may wait for another."""
        session.occupied = False
        self._left[session.id] = time.monotonic()
        if not sound:
            self._stop(session)
            return
        session.occupy(False)
        waiting = self._waiting()
        own = [other for other in waiting if other.row.user_id == session.row.user_id]
        if len(own) > MOST_WAITING:
            self._stop(own[0])
        elif len(waiting) > settings.MADANG_SPARES:
            self._stop(waiting[0])
        self._keeper.look_for_room()

    def _sessions(self) -> list[LiveSession]:
        return [session for session in self._keeper.sessions.values() if session.row.is_run]

    def _waiting(self) -> list[LiveSession]:
        """Those that wait for a run, the longest first."""
        self._ending &= self._keeper.sessions.keys()
        idle = (session for session in self._sessions() if not session.occupied and session.id not in self._ending)
        waiting = [session for session in idle if session.life.state is State.RUNNING]
        return sorted(waiting, key=lambda session: self._left.get(session.id, 0.0))

    async def _session(self, user: int, image: str, slots: dict[str, Any] | None) -> tuple[LiveSession, bool]:
        """One that waits, or a new one; whether it is new."""
        wanted = self._keeper.slots(image, slots)
        own = [session for session in self._waiting() if session.row.user_id == user]
        for session in reversed(own):  # the warmest first
            if session.row.image == image and session.slots == wanted:
                session.occupy(True)
                return session, False
        if own and len(self._of(user)) >= settings.MADANG_MAX_RUNS:
            self._stop(own[0])
        session, _ = await self._keeper.create(
            user, None, None, image, slots, idle_timeout=WAIT_SECONDS, hostname=RUN_HOSTNAME
        )
        return session, True

    def _of(self, user: int) -> list[LiveSession]:
        return [session for session in self._sessions() if session.row.user_id == user]

    def _stop(self, session: LiveSession) -> None:
        self._left.pop(session.id, None)
        if client := self._clients.pop(session.id, None):
            self._start(client.close())
        self._ending.add(session.id)
        self._start(session.apply(life.Stop("run_over")))

    # Tasks

    def _spawn(self, execution: Execution) -> None:
        id = str(execution.run.pk)
        self.under_way[id] = execution
        task = self._start(execution.carry_out())
        task.add_done_callback(lambda _: self.under_way.pop(id, None))

    def _start(self, work: Any) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, life.IllegalOperation):  # it was stopped meanwhile
            log.error("a run's task failed: %r", error, exc_info=error)

    def _tidy(self, user: int) -> None:
        """Forget the user's old answers, now and then."""
        now = time.monotonic()
        if now - self._tidied.get(user, -TIDY_SECONDS) >= TIDY_SECONDS:
            self._tidied[user] = now
            self._keeper.journal.put(lambda: store.forget_runs(user))


async def told(execution: Execution, live: bool) -> AsyncIterator[bytes]:
    """What whoever began it hears: its output if they want it, and its answer, ``a`` and JSON, or nothing if long."""
    async for record in execution.hear(live):
        yield record
    answer = execution.run.answer.encode()
    yield b"a" + (answer if len(answer) < _MOST_RECORD else b"")
