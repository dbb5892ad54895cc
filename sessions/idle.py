"""When an idle session ends. Idle means no input *and* no computation. Pure: times are given, in seconds."""

from __future__ import annotations

from dataclasses import dataclass, replace

# A countdown that moves by less than this is not worth telling anyone about.
STEP = 2.0


@dataclass(frozen=True)
class Idle:
    """``timeout`` in seconds; ``active`` is when it was last active, ``told`` the deadline that was published."""

    timeout: float
    active: float
    told: float | None = None

    @property
    def deadline(self) -> float:
        """When it ends unless something happens before."""
        return self.active + self.timeout

    def seen(self, now: float, idle: float) -> Idle:
        """After a reading at ``now`` which says it has been idle for ``idle`` seconds."""
        return replace(self, active=max(self.active, now - max(0.0, idle)))

    def extended(self, now: float) -> Idle:
        """Somebody wants it kept: at least a whole timeout from ``now``."""
        return replace(self, active=max(self.active, now))

    def expired(self, now: float) -> bool:
        return now >= self.deadline

    def news(self) -> bool:
        """Whether the deadline has moved far enough from what was published to publish it again."""
        return self.told is None or abs(self.deadline - self.told) > STEP

    def published(self) -> Idle:
        return replace(self, told=self.deadline)
