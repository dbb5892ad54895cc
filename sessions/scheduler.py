"""Who gets slots next: first come first served within what there is, taking turns between users.

Every user has a queue of their own; the queues take turns, so that one user's hundred sessions
delay another's first by one turn only. Whoever's turn it is waits for room and is not overtaken:
a large request is never starved by small ones. Pure: no clock, no I/O.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.gpu import Share
from sandbox.gpu.board import Board

_NANO = 1_000_000_000


class TooLarge(Exception):
    """More than the site can ever grant."""


class Duplicate(Exception):
    """The id waits already, or holds slots already."""


@dataclass(frozen=True)
class Capacity:
    """What may be granted in all: ``cpu`` in cores (already overcommitted), ``memory`` in bytes."""

    cpu: float
    memory: int

    def holds(self, cpu: float, memory: int) -> int:
        """How many sessions with such slots fit at once."""
        return min(int(self.cpu // cpu), self.memory // memory)


@dataclass(frozen=True)
class Request:
    """One session that wants slots; ``user`` is whose turn it takes."""

    id: str
    user: int
    cpu: float
    memory: int
    gpu: float = 0.0


class Scheduler:
    """Waiting requests and granted ones, and the ``board`` of devices that they share.

    Cores are counted in billionths: nothing is lost to rounding.
    """

    def __init__(self, capacity: Capacity, board: Board | None = None) -> None:
        self.board = board or Board()
        self._cpu, self._memory = _units(capacity.cpu), capacity.memory
        self._waiting: OrderedDict[int, deque[Request]] = OrderedDict()
        self._granted: dict[str, Request] = {}

    @property
    def free(self) -> Capacity:
        """What is left; negative when more was adopted than there is."""
        return Capacity(self._free_cpu() / _NANO, self._free_memory())

    @property
    def granted(self) -> frozenset[str]:
        return frozenset(self._granted)

    def check(self, request: Request) -> None:
        """Refuse what could never be granted.

        Raises:
            TooLarge: it would not fit if nobody else were here.
        """
        possible = _units(request.cpu) <= self._cpu and request.memory <= self._memory
        if not possible or not self.board.possible(request.gpu):
            raise TooLarge(request.id)

    def submit(self, request: Request) -> None:
        """Queue ``request``.

        Raises:
            TooLarge: it would never fit.
            Duplicate: its id is known already.
        """
        self.check(request)
        self._refuse_known(request)
        self._waiting.setdefault(request.user, deque()).append(request)

    def restore(self, request: Request, gpus: Iterable[Share] = ()) -> None:
        """Count slots that are in use already, even where they are more than there is.

        Raises:
            Duplicate: its id is known already.
        """
        self._refuse_known(request)
        self.board.restore(request.id, gpus)
        self._granted[request.id] = request

    def grant(self) -> list[str]:
        """Grant slots to all whose turn it is and who fit, and return their ids in order."""
        ids = []
        while self._waiting:
            user, queue = next(iter(self._waiting.items()))
            request = queue[0]
            if not self._fits(request):
                break
            queue.popleft()
            del self._waiting[user]
            if queue:
                self._waiting[user] = queue  # to the end: it is the next user's turn
            self._granted[request.id] = request
            self.board.take(request.id, request.gpu)
            ids.append(request.id)
        return ids

    def release(self, id: str) -> bool:
        """Give back the slots of ``id``, or its place in the queue; whether it had either."""
        if self._granted.pop(id, None) is not None:
            self.board.release(id)
            return True
        for user, queue in self._waiting.items():
            for request in queue:
                if request.id == id:
                    queue.remove(request)
                    if not queue:
                        del self._waiting[user]
                    return True
        return False

    def order(self) -> list[str]:
        """Ids of all who wait, in the order they will be granted."""
        rounds = [list(queue) for queue in self._waiting.values()]
        longest = max(map(len, rounds), default=0)
        return [queue[turn].id for turn in range(longest) for queue in rounds if turn < len(queue)]

    def _fits(self, request: Request) -> bool:
        room = _units(request.cpu) <= self._free_cpu() and request.memory <= self._free_memory()
        return room and self.board.fits(request.gpu)

    def _free_cpu(self) -> int:
        return self._cpu - sum(_units(request.cpu) for request in self._granted.values())

    def _free_memory(self) -> int:
        return self._memory - sum(request.memory for request in self._granted.values())

    def _refuse_known(self, request: Request) -> None:
        if request.id in self._granted or request.id in self.order():
            raise Duplicate(request.id)


def _units(cores: float) -> int:
    return round(cores * _NANO)
