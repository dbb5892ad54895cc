"""The driver contract: what starts sandboxes on a kind of place.

A driver is one module in this package with a class that satisfies :class:`Driver`; it is
chosen by name (``MADANG_DRIVER=jail``). ``docs/developers/adding-a-driver.md`` walks through
one, and ``tests/sandbox/test_driver_contract.py`` is the contract as code: a new driver is
added to its list and must pass unchanged.

A sandbox outlives the session service. What a driver must know to find it again lies on
disk (``<state>/sandboxes/<id>/``), never only in memory: a new instance of the driver finds
every sandbox of the last one with :meth:`Driver.adopt`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Protocol

from sandbox.egress.rules import Network
from sandbox.gpu import Device, Share
from sandbox.images import Image
from sandbox.slots import Slots
from sandbox.usage import Usage

NOTICES = frozenset({"disk_full", "processes_full", "memory_full", "gpu_memory_full"})


class SandboxError(Exception):
    """A sandbox could not be started or is gone. ``code`` is stable; the message is for a person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class SandboxSpec:
    """Everything a driver needs to start a sandbox.

    ``id`` names it (a UUID's text). ``project`` is the host folder mounted read-write at
    ``/home/work/project``; ``datasets`` maps a name under ``/datasets`` to a host folder,
    read-only. ``hostname`` is what the prompt shows. ``network`` is what it may reach: the driver gives it to
    :func:`sandbox.egress.record.prepare` and the sandbox nothing but loopback. ``gpus`` are the shares of devices
    that its slot ``gpu`` stands for: it sees these devices and no other.
    """

    id: str
    image: Image
    slots: Slots
    project: Path | None = None
    datasets: Mapping[str, Path] = field(default_factory=dict)
    policy: str = "default"
    hostname: str = "madang"
    environment: Mapping[str, str] = field(default_factory=dict)
    network: Network = field(default_factory=Network)
    gpus: tuple[Share, ...] = ()


@dataclass(frozen=True)
class Sample:
    """One reading, about each second. ``idle_ms`` is the time since the last input or computation.

    ``notice``: a limit that it has reached, one of :data:`NOTICES`, with a sentence for the owner in
    ``detail``; both empty while there is none.
    """

    usage: Usage
    busy: bool
    idle_ms: int
    notice: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Refused:
    """The policy has refused ``call`` ``count`` times for ``reason`` (:data:`sandbox.policy.rules.REASONS`).

    ``count`` is the total since the sandbox began: who hears it twice, or misses one, has the right number.
    Whoever begins to listen is told every total once; then those that changed, about each second.
    """

    call: str
    reason: str
    count: int


@dataclass(frozen=True)
class Exit:
    """The last event of a sandbox: why it ended and the exact totals.

    ``reason``: ``stopped`` (asked for), ``out_of_memory``, ``runner_lost``, ``jail_lost``,
    ``failed`` (it never became ready). ``detail`` is a sentence for the owner.
    """

    reason: str
    usage: Usage
    detail: str = ""


@dataclass(frozen=True)
class Cleared:
    """What a sandbox was at :meth:`Driver.clear`: its totals, and since :meth:`Driver.mark` the most memory that it had
    and what its policy refused.

    ``clean``: nothing is left of what ran in it. ``peak_kib`` is the kernel's where that counts anew when it is told
    to, or where more was used than ever before; else it is the highest of our readings.
    """

    usage: Usage
    peak_kib: int
    refused: tuple[Refused, ...] = ()
    clean: bool = False


class Driver(Protocol):
    """See the module's text. Every method may raise :class:`SandboxError`."""

    async def open(self) -> None:
        """Get ready (start zygotes, check the host). Idempotent."""

    async def gpus(self) -> list[Device]:
        """The devices that sandboxes can be granted here, in an order in which neighbours work best together."""

    async def close(self) -> None:
        """Release what this process holds; sandboxes keep running."""

    async def start(self, spec: SandboxSpec) -> None:
        """Start a sandbox and return when its runner answers."""

    def expect(self, image: str, count: int, begin: float, end: float) -> None:
        """About ``count`` starts of ``image`` come between two moments of ``time.monotonic``: have as many ready."""

    async def adopt(self) -> list[str]:
        """Ids of all sandboxes that live, or ended and were not collected yet."""

    def events(self, id: str) -> AsyncIterator[Sample | Refused | Exit]:
        """Samples and refusals while it runs; at the end the last totals of refusals, and one :class:`Exit`.

        A sandbox that is gone yields these at once."""

    async def pause(self, id: str) -> None:
        """Freeze every process of it; nothing is lost."""

    async def resume(self, id: str) -> None: ...

    async def mark(self, id: str) -> Usage:
        """Something begins that is accounted for by itself: the totals now."""

    async def clear(self, id: str) -> Cleared:
        """It is over: end all that runs inside but the runner, and remove what programs have left where they can write.

        A project stays as it is.
        """

    async def stop(self, id: str) -> None:
        """End it: its processes get SIGTERM, then SIGKILL after a short grace. Idempotent."""

    async def collect(self, id: str) -> None:
        """Remove every trace of an ended sandbox (after its Exit is in the ledger). Idempotent."""

    def runner_socket(self, id: str) -> Path:
        """Where its runner listens (``sandbox.runner.wire``); the path lies outside the sandbox."""


def load_driver(name: str, state: Path, spares: int = 16) -> Driver:
    """Return the driver called ``name``, keeping its state under ``state`` and at most ``spares`` sandboxes ready.

    Raises:
        SandboxError: there is no such driver.
    """
    try:
        module = import_module(f"sandbox.drivers.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"sandbox.drivers.{name}":
            raise  # it is there, and lacks something itself
        raise SandboxError("unknown_driver", f"There is no driver called {name!r}.") from error
    driver: Driver = module.create(state, spares)
    return driver
