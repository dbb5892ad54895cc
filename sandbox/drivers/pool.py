"""Spare sandboxes of an image: how many there should be, and keeping them ready.

:class:`Demand` is pure: it is told when sessions started and which are expected, and says how many
spares to keep. :class:`Pool` makes them, one after the other. A spare costs what a start costs, so it gives way to
whoever waits for one, though not for ever: starts that never cease would make each their own. A spare is claimed once
and is then that session's alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

LEAST, MOST = 2, 16
MOST_EXPECTED = 256
_RATE_SECONDS = 60.0  # starts are counted over so long
_AHEAD_SECONDS = 10.0  # so much of them is kept ready: what a burst takes before the pool has caught up
_RETRY_SECONDS = 30.0
_LOOK_SECONDS = 10.0  # a spare that dies tells nobody
QUIET_SECONDS = 0.08
"""So long after a start its first cell goes first, but a stream of starts does not keep the pool empty."""
_NO_LONGER = 5  # times that

log = logging.getLogger(__name__)


@dataclass
class Demand:
    """Times are in seconds, of one clock. ``least`` and ``most`` bound what is kept without being expected."""

    least: int = LEAST
    most: int = MOST
    _arrivals: deque[float] = field(default_factory=deque)
    _expected: list[tuple[float, float, int]] = field(default_factory=list)

    def arrived(self, now: float) -> None:
        """A session has started."""
        self._arrivals.append(now)
        self._forget(now)

    def expect(self, count: int, begin: float, end: float) -> None:
        """``count`` sessions will start between ``begin`` and ``end``: a class, an exam."""
        self._expected.append((begin, end, count))

    def target(self, now: float) -> int:
        """How many spares there should be now."""
        self._forget(now)
        rate = len(self._arrivals) / _RATE_SECONDS
        usual = max(self.least, min(self.most, math.ceil(rate * _AHEAD_SECONDS)))
        expected = sum(count for begin, _, count in self._expected if begin <= now)
        return max(usual, min(MOST_EXPECTED, expected)) if self.most else 0

    def next_change(self, now: float) -> float | None:
        """When the target may rise or fall by itself, if ever."""
        moments = [moment for begin, end, _ in self._expected for moment in (begin, end)]
        moments += [arrival + _RATE_SECONDS for arrival in self._arrivals]
        return min((moment for moment in moments if moment > now), default=None)

    def _forget(self, now: float) -> None:
        while self._arrivals and self._arrivals[0] <= now - _RATE_SECONDS:
            self._arrivals.popleft()
        self._expected = [item for item in self._expected if item[1] > now]


class Spare(Protocol):
    """What a pool holds."""

    @property
    def alive(self) -> bool: ...

    def close(self) -> None:
        """Let it end, unless it has been claimed."""

    def bury(self) -> None:
        """Leave nothing of it, whether it has died or nobody wants it. May block for some seconds."""


S = TypeVar("S", bound=Spare)


class Pool(Generic[S]):
    """``make`` builds a spare and may raise anything that a start may.

    None is made while somebody waits for a start, nor for ``quiet`` seconds after one; where starts never cease, one
    spare is made after each while for which the pool has given way.
    """

    def __init__(
        self, make: Callable[[], Awaitable[S]], demand: Demand | None = None, quiet: float = QUIET_SECONDS
    ) -> None:
        self._make, self._quiet = make, quiet
        self.demand = demand or Demand()
        self._ready: deque[S] = deque()
        self._dead: list[S] = []
        self._starting = 0
        self._taken = -math.inf
        self._took = 0.0
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._ready)

    def open(self) -> None:
        self._task = asyncio.create_task(self._fill())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        while self._ready:
            self._ready.popleft().close()

    def take(self) -> S | None:
        """A spare that lives, or None; the pool makes another one once it has given way to those who wait."""
        self._taken = time.monotonic()
        self.demand.arrived(self._taken)
        self._wake.set()
        while self._ready:
            spare = self._ready.popleft()
            if spare.alive:
                return spare
            self._dead.append(spare)
        return None

    def expect(self, count: int, begin: float, end: float) -> None:
        """See :meth:`Demand.expect`; times of ``time.monotonic``."""
        self.demand.expect(count, begin, end)
        self._wake.set()

    def starting(self, change: int) -> None:
        """So many more (or fewer) wait for a start without a spare."""
        self._starting += change
        self._wake.set()

    async def _fill(self) -> None:
        while True:
            self._wake.clear()
            target = self.demand.target(time.monotonic())
            await self._bury(target)
            if len(self._ready) >= target:
                await self._sleep()
                continue
            await self._let_starts_go_first()
            try:
                await self._add()
            except Exception:
                log.exception("a spare sandbox could not be made; sessions start without")
                await asyncio.sleep(_RETRY_SECONDS)

    async def _bury(self, target: int) -> None:
        """Those that have died, and the newest beyond ``target``: nobody is going to ask for so many."""
        self._dead += [spare for spare in self._ready if not spare.alive]
        self._ready = deque(spare for spare in self._ready if spare not in self._dead)
        while len(self._ready) > target:
            self._dead.append(self._ready.pop())
        while self._dead:
            await asyncio.to_thread(self._dead.pop().bury)

    async def _add(self) -> None:
        began = time.monotonic()
        self._ready.append(await self._make())
        self._took = time.monotonic() - began

    async def _let_starts_go_first(self) -> None:
        """Until nobody waits and the last one's first cell has run, but for no more than a while.

        That is at least as long as the last spare took: of the time in which others wait, making takes half at most,
        and one spare among many starts at once has a small share of the processor then.
        """
        patience = time.monotonic() + max(self._quiet * _NO_LONGER, self._took)
        while True:
            self._wake.clear()
            free = math.inf if self._starting else self._taken + self._quiet
            wait = min(free, patience) - time.monotonic()
            if wait <= 0:
                return
            await self._woken(wait)

    async def _sleep(self) -> None:
        now = time.monotonic()
        change = self.demand.next_change(now)
        await self._woken(_LOOK_SECONDS if change is None else min(_LOOK_SECONDS, max(0.0, change - now)))

    async def _woken(self, seconds: float) -> None:
        """Once something has changed, or after ``seconds``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
