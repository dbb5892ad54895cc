"""What sessions and servers weigh when nothing happens."""

from __future__ import annotations

from bench import memory
from bench.scenarios.counts import Counts
from bench.subject import Running


def per_session(running: Running, counts: Counts) -> list[float]:
    """MiB (PSS) that an idle session adds, with a kernel that has run something, to a server that keeps none ready.

    What all processes have together with sessions, less what they had without: so pages that sessions share
    with a server count once, and what a server grows by counts too.
    """
    users = running.users(counts.sessions)
    running.first_output()  # what is loaded at the first use is not the sessions'

    def measure() -> int:
        return memory.pss_kib(running.own_processes() | running.session_processes())

    before = memory.settled(measure)
    started = []
    for user in users:
        id = user.start_kernel()
        kernel = user.kernel(id)
        kernel.wait_until_idle(kernel.execute("print(1)"))
        kernel.close()
        started.append((user, id))
    after = memory.settled(measure)
    for user, id in started:
        running.forget(user, id)
    return [(after - before) / 1024 / counts.sessions]


def of_server(running: Running, counts: Counts) -> list[float]:
    """MiB (PSS) of the server itself, without sessions."""
    return [memory.settled(lambda: memory.pss_kib(running.own_processes())) / 1024]
