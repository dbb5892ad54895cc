"""The scenarios. Each takes a subject and returns its samples, so that every subject does exactly the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench import memory
from bench.jupyter import Jupyter, Kernel, Terminal
from bench.subjects import Running


@dataclass(frozen=True)
class Counts:
    """How many samples are taken."""

    cold: int = 5
    warm: int = 15
    round_trips: int = 200
    echoes: int = 200
    sessions: int = 5
    floods: int = 5
    megabytes: int = 20


# The prompt holds no letter, and is not in what we type; escape sequences hold none of these keys.
PROMPT = "% "
KEYS = "abcdefgijk"
SLOW = 2e6
QUICK = Counts(cold=1, warm=5, round_trips=50, echoes=50, sessions=3, floods=1)


def first_output(running: Running, user: Jupyter) -> float:
    """Milliseconds from asking for a kernel to the first thing it prints. The kernel is ended afterwards."""
    began = time.perf_counter()
    id = user.start_kernel()
    kernel = user.kernel(id)
    kernel.wait_for_output(kernel.execute("print(1)"))
    took = time.perf_counter() - began
    kernel.close()
    running.forget(user, id)
    return took * 1000


def warm_starts(running: Running, counts: Counts) -> list[float]:
    """First outputs of a server that has started a kernel before."""
    (user,) = running.users(1)
    first_output(running, user)
    return [first_output(running, user) for _ in range(counts.warm)]


def round_trips(running: Running, counts: Counts) -> list[float]:
    """Milliseconds from sending ``print(1)`` to its output, on a kernel that runs."""
    (user,) = running.users(1)
    id = user.start_kernel()
    kernel = user.kernel(id)
    samples = [_round_trip(kernel) for _ in range(counts.round_trips + 5)]
    kernel.close()
    running.forget(user, id)
    return samples[5:]


def _round_trip(kernel: Kernel) -> float:
    began = time.perf_counter()
    id = kernel.execute("print(1)")
    kernel.wait_for_output(id)
    took = time.perf_counter() - began
    kernel.wait_until_idle(id)
    return took * 1000


def echoes(running: Running, counts: Counts) -> list[float]:
    """Milliseconds from a key to its echo by the shell."""
    samples = []
    with shell(running) as terminal:
        for index in range(counts.echoes):
            began = time.perf_counter()
            terminal.send(key := KEYS[index % len(KEYS)])
            terminal.wait_for(key)
            samples.append((time.perf_counter() - began) * 1000)
            if key == KEYS[-1]:
                terminal.send("\x15\r")  # drop the line, so that it never wraps
                terminal.wait_for(PROMPT)
    return samples


@contextmanager
def shell(running: Running, ahead: int = 16) -> Iterator[Terminal]:
    """A terminal at its prompt."""
    (user,) = running.users(1)
    kernel = user.start_kernel()  # a terminal needs a session, and where it has one this starts it
    name = user.start_terminal()
    terminal = user.terminal(name, ahead)
    terminal.send("PS1='%'' '\r")
    terminal.wait_for(PROMPT)
    try:
        yield terminal
    finally:
        terminal.close()
        user.stop_terminal(name)
        running.forget(user, kernel)


def cell_bulk(running: Running, counts: Counts) -> list[float]:
    """Seconds for 20 MB of lines from one cell. Nothing where lines are missing."""
    (user,) = running.users(1)
    id = user.start_kernel()
    kernel = user.kernel(id)
    samples = []
    for _ in range(counts.floods):
        began = time.perf_counter()
        said = kernel.count_output(kernel.execute(f"for n in range({counts.megabytes * 10_000}): print(f'{{n:099}}')"))
        if said == counts.megabytes * 1_000_000:
            samples.append(time.perf_counter() - began)
    kernel.close()
    running.forget(user, id)
    return samples


def terminal_bulk(running: Running, counts: Counts) -> list[float]:
    """Seconds for 20 MB of lines from a terminal."""
    samples = []
    with shell(running) as terminal:
        for _ in range(counts.floods):
            began = time.perf_counter()
            terminal.send(f"yes {'x' * 98} | head -n {counts.megabytes * 10_000}; echo e''nd\r")
            terminal.pass_by("\nend\r")
            samples.append(time.perf_counter() - began)
    return samples


def interrupts(running: Running, counts: Counts) -> list[float]:
    """Milliseconds from Ctrl-C to the prompt, under ``yes``, for a client that reads 2 MB a second."""
    samples = []
    with shell(running, ahead=1) as terminal:
        for _ in range(counts.floods):
            terminal.send("yes\r")
            terminal.read_some(3.0, SLOW)
            began = time.perf_counter()
            terminal.send("\x03")
            terminal.pass_by(PROMPT, SLOW)
            samples.append((time.perf_counter() - began) * 1000)
    return samples


def idle_memory(running: Running, counts: Counts) -> list[float]:
    """MiB (PSS) that an idle session adds, with a kernel that has run something.

    What all processes have together with sessions, less what they had without: so pages that sessions share
    with a server count once, and what a server grows by counts too.
    """
    users = running.users(counts.sessions)
    first_output(running, users[0])  # what is loaded at the first use is not the sessions'
    before = memory.settled_pss_kib(running.own_processes())
    started = []
    for user in users:
        id = user.start_kernel()
        kernel = user.kernel(id)
        kernel.wait_until_idle(kernel.execute("print(1)"))
        kernel.close()
        started.append((user, id))
    after = memory.settled_pss_kib(running.own_processes() | running.session_processes())
    for user, id in started:
        running.forget(user, id)
    return [(after - before) / 1024 / counts.sessions]


def own_memory(running: Running, counts: Counts) -> list[float]:
    """MiB (PSS) of the server itself, without sessions."""
    return [memory.settled_pss_kib(running.own_processes()) / 1024]


@dataclass(frozen=True)
class Scenario:
    title: str
    unit: str
    measure: Callable[[Running, Counts], list[float]]


SCENARIOS = [
    Scenario("request to first output, warm", "ms", warm_starts),
    Scenario("round trip of `print(1)`", "ms", round_trips),
    Scenario("terminal echo", "ms", echoes),
    Scenario("20 MB of lines from one cell", "s", cell_bulk),
    Scenario("terminal bulk output, 20 MB", "s", terminal_bulk),
    Scenario("Ctrl-C under a flood, reading 2 MB/s", "ms", interrupts),
    Scenario("memory per idle session", "MiB", idle_memory),
    Scenario("memory of the server alone", "MiB", own_memory),
]
COLD = "request to first output, cold"
