"""The life of a session as a pure function: an operation in, the new state and a list of actions out.

::

    pending ──Granted──▶ preparing ──Started──▶ running ◀──Resume── paused
       ▲  └─Stop          │  │  │                 │ └────Pause────▶  │
       └──── Deferred ────┘  │  └──Stop──┐        │                  │
                             │           ▼        │                  │
                        StartFailed   stopping ◀──┴──────Stop────────┤
                             ▼           ▼                           │
                           failed     stopped ◀────────Exited────────┘

Nothing here knows Django, a clock or a socket. ``service/live.py`` carries the actions out, in
their order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sandbox.usage import Usage


class State(StrEnum):
    PENDING = "pending"
    PREPARING = "preparing"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


FINAL = frozenset({State.STOPPED, State.FAILED})
LIVE = frozenset(State) - FINAL


class IllegalOperation(Exception):
    """The operation means nothing in this state; nothing has changed."""

    def __init__(self, state: State, operation: Operation) -> None:
        super().__init__(f"A session that is {state} cannot take {type(operation).__name__}.")
        self.state = state
        self.operation = operation


@dataclass(frozen=True)
class Life:
    """Where a session is. ``reason`` is a stable word, ``detail`` a sentence for its owner."""

    state: State = State.PENDING
    reason: str = ""
    detail: str = ""

    @property
    def over(self) -> bool:
        return self.state in FINAL


# Operations: what happens to a session.


@dataclass(frozen=True)
class Granted:
    """The scheduler has room for it."""


@dataclass(frozen=True)
class Started:
    """The driver has started its sandbox."""


@dataclass(frozen=True)
class StartFailed:
    """The driver could not start its sandbox, and says why."""

    detail: str


@dataclass(frozen=True)
class Deferred:
    """The driver has no room for its sandbox just now: back into the queue."""

    detail: str


@dataclass(frozen=True)
class Stop:
    """Somebody, or a rule, ends it."""

    reason: str
    detail: str = ""


@dataclass(frozen=True)
class Pause:
    reason: str = "owner"


@dataclass(frozen=True)
class PauseFailed:
    """The driver could not freeze it: it runs."""

    detail: str


@dataclass(frozen=True)
class Resume:
    reason: str = "owner"


@dataclass(frozen=True)
class ResumeFailed:
    """The driver could not thaw it: it is still paused."""

    detail: str


@dataclass(frozen=True)
class Exited:
    """Its sandbox is over. ``usage`` holds the exact totals, or None when nobody knows them any more."""

    reason: str
    usage: Usage | None = None
    detail: str = ""


@dataclass(frozen=True)
class Found:
    """The service has just started and its sandbox is there."""


@dataclass(frozen=True)
class Vanished:
    """The service has just started and its sandbox is nowhere."""


Operation = (
    Granted
    | Started
    | StartFailed
    | Deferred
    | Stop
    | Pause
    | PauseFailed
    | Resume
    | ResumeFailed
    | Exited
    | Found
    | Vanished
)

# Actions: what is to be done about it.


@dataclass(frozen=True)
class Record:
    """Write the transition down and tell the watchers."""

    before: State
    life: Life


@dataclass(frozen=True)
class Finish:
    """Write the final ledger line and the last transition, in one transaction, and tell the watchers."""

    before: State
    life: Life
    usage: Usage | None


@dataclass(frozen=True)
class Enqueue:
    """Ask the scheduler for slots; ``later``: not at once, the driver has just refused."""

    later: bool = False


@dataclass(frozen=True)
class Release:
    """Give its slots, or its place in the queue, back to the scheduler."""


@dataclass(frozen=True)
class Start:
    """Start the sandbox; answer with Started, StartFailed or Deferred."""


@dataclass(frozen=True)
class Follow:
    """Listen to the sandbox's events; answer the last one with Exited."""


@dataclass(frozen=True)
class Halt:
    """Stop the sandbox; its Exit follows."""


@dataclass(frozen=True)
class Freeze:
    """Pause the sandbox; answer a failure with PauseFailed."""


@dataclass(frozen=True)
class Thaw:
    """Resume the sandbox; answer a failure with ResumeFailed."""


@dataclass(frozen=True)
class Collect:
    """Remove what is left of the sandbox; harmless where there was none."""


Action = Record | Finish | Enqueue | Release | Start | Follow | Halt | Freeze | Thaw | Collect
Step = tuple[Life, tuple[Action, ...]]


def apply(life: Life, operation: Operation) -> Step:
    """Return the life after ``operation`` and the actions it calls for.

    Raises:
        IllegalOperation: the operation means nothing in this state.
    """
    return _RULES[type(operation)](life, operation)


def _granted(life: Life, operation: Granted) -> Step:
    _expect(life, operation, State.PENDING)
    return _move(life, Life(State.PREPARING), Start())


def _started(life: Life, operation: Started) -> Step:
    _expect(life, operation, State.PREPARING, State.STOPPING)
    if life.state is State.STOPPING:  # stopped while it was being started
        return life, (Follow(), Halt())
    return _move(life, Life(State.RUNNING), Follow())


def _start_failed(life: Life, operation: StartFailed) -> Step:
    _expect(life, operation, State.PREPARING, State.STOPPING)
    if life.state is State.STOPPING:
        return _end(life, Life(State.STOPPED, life.reason, life.detail))
    return _end(life, Life(State.FAILED, "start_failed", operation.detail))


def _deferred(life: Life, operation: Deferred) -> Step:
    _expect(life, operation, State.PREPARING, State.STOPPING)
    if life.state is State.STOPPING:
        return _end(life, Life(State.STOPPED, life.reason, life.detail))
    return _move(life, Life(State.PENDING, "no_room", operation.detail), Release(), Enqueue(later=True))


def _stop(life: Life, operation: Stop) -> Step:
    if life.over or life.state is State.STOPPING:
        return life, ()  # asked twice is asked once
    if life.state is State.PENDING:
        return _end(life, Life(State.STOPPED, operation.reason, operation.detail))
    after = Life(State.STOPPING, operation.reason, operation.detail)
    # A sandbox that is being started can be stopped only when it is there: Started sees to it.
    return _move(life, after, *(() if life.state is State.PREPARING else (Halt(),)))


def _pause(life: Life, operation: Pause) -> Step:
    _expect(life, operation, State.RUNNING)
    return _move(life, Life(State.PAUSED, operation.reason), Freeze())


def _pause_failed(life: Life, operation: PauseFailed) -> Step:
    _expect(life, operation, State.PAUSED)
    return _move(life, Life(State.RUNNING, "pause_failed", operation.detail))


def _resume(life: Life, operation: Resume) -> Step:
    _expect(life, operation, State.PAUSED)
    return _move(life, Life(State.RUNNING, operation.reason), Thaw())


def _resume_failed(life: Life, operation: ResumeFailed) -> Step:
    _expect(life, operation, State.RUNNING)
    return _move(life, Life(State.PAUSED, "resume_failed", operation.detail))


def _exited(life: Life, operation: Exited) -> Step:
    _expect(life, operation, *LIVE)
    return _end(life, _ending(life, operation), operation.usage)


def _found(life: Life, operation: Found) -> Step:
    _expect(life, operation, *LIVE)
    if life.state is State.STOPPING:
        return life, (Follow(), Halt())
    if life.state is State.PAUSED:  # the service may have been killed between writing and freezing
        return life, (Follow(), Freeze())
    if life.state is State.RUNNING:
        return life, (Follow(), Thaw())
    return _move(life, Life(State.RUNNING), Follow())


def _vanished(life: Life, operation: Vanished) -> Step:
    _expect(life, operation, *LIVE)
    if life.state is State.PENDING:
        return life, (Enqueue(),)
    if life.state is State.PREPARING:
        detail = "The session service was restarted while this session was starting. Start it again."
        return _end(life, Life(State.FAILED, "start_failed", detail))
    return _end(
        life, _ending(life, Exited("jail_lost", None, "Its sandbox was gone when the session service returned."))
    )


def _ending(life: Life, exited: Exited) -> Life:
    if life.state is State.STOPPING:  # whoever asked for the end gave its reason
        return Life(State.STOPPED, life.reason, life.detail)
    if exited.reason == "stopped":
        return Life(State.STOPPED, exited.reason, exited.detail)
    return Life(State.FAILED, exited.reason, exited.detail)


def _expect(life: Life, operation: Operation, *states: State) -> None:
    if life.state not in states:
        raise IllegalOperation(life.state, operation)


def _move(before: Life, after: Life, *actions: Action) -> Step:
    return after, (Record(before.state, after), *actions)


def _end(before: Life, after: Life, usage: Usage | None = None) -> Step:
    return after, (Finish(before.state, after, usage), Release(), Collect())


_RULES: dict[type, Callable[[Life, Any], Step]] = {
    Granted: _granted,
    Started: _started,
    StartFailed: _start_failed,
    Deferred: _deferred,
    Stop: _stop,
    Pause: _pause,
    PauseFailed: _pause_failed,
    Resume: _resume,
    ResumeFailed: _resume_failed,
    Exited: _exited,
    Found: _found,
    Vanished: _vanished,
}
