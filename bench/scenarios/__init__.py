"""The scenarios. Each is the same for every subject that takes part in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bench.report import Row
from bench.scenarios import kernels, memories, terminals
from bench.scenarios.bell import bell
from bench.scenarios.churn import churn
from bench.scenarios.counts import Counts
from bench.scenarios.live import live
from bench.scenarios.pages import pages
from bench.scenarios.runs import runs
from bench.scenarios.together import together
from bench.subject import Subject


@dataclass(frozen=True)
class Shared:
    """One measure of a server that is there already. Those ``alone`` have one that keeps nothing ready."""

    name: str
    title: str
    unit: str
    measure: Callable[[Any, Counts], list[float]]
    alone: bool = False


@dataclass(frozen=True)
class Whole:
    """A scenario that starts servers of its own, and has any number of rows."""

    name: str
    title: str
    measure: Callable[[Subject, Counts], Iterator[Row]]


Scenario = Shared | Whole

SCENARIOS: list[Scenario] = [
    Whole("cold", "request to first output, on a server that has just started", kernels.cold_starts),
    Shared("warm", "request to first output, warm", "ms", kernels.warm_starts),
    Shared("claim", "a sandbox to first output, without a web server", "ms", kernels.claims),
    Shared("round-trip", "round trip of `print(1)`", "ms", kernels.round_trips),
    Shared("echo", "terminal echo", "ms", terminals.echoes),
    Shared("cell-bulk", "20 MB of lines from one cell", "s", kernels.cell_bulk),
    Shared("terminal-bulk", "terminal bulk output, 20 MB", "s", terminals.bulk),
    Shared("interrupt", "Ctrl-C under a flood, reading 2 MB/s", "ms", terminals.interrupts),
    Shared("memory", "memory per idle session", "MiB", memories.per_session, alone=True),
    Shared("server-memory", "memory of the server alone", "MiB", memories.of_server, alone=True),
    Whole("bell", "a class opens its sessions at the same instant", bell),
    Whole("live", "many live sessions", live),
    Whole("runs", "runs of small programs", runs),
    Whole("churn", "sessions that come and go", churn),
    Whole("pages", "what a person waits for in a browser", pages),
    Whole("together", "many people write in one text", together),
]
BROWSER = {"pages", "together"}
