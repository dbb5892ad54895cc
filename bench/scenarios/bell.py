"""The bell: a class opens its sessions, each user their own, and runs the first cell, all at the same instant."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

from bench import memory
from bench.load import ring
from bench.peers import OURS
from bench.report import Row
from bench.scenarios.counts import Counts
from bench.subject import Server, Subject

PEER_SESSION_KIB = 150 << 10  # a user's server with a kernel
KEPT_FREE = 0.2  # of the memory that was available


def bell(subject: Subject, counts: Counts) -> Iterator[Row]:
    """Milliseconds from the bell to each user's first output; once announced and once not, where that differs."""
    for count in counts.bell if subject.name == OURS else counts.bell[:1]:
        for announced in (True, False) if subject.name == OURS else (False,):
            yield _rung(subject, count, announced, counts.bell_seconds)


def _rung(subject: Subject, count: int, announced: bool, seconds: float) -> Row:
    title, who = f"the bell, {count} users", subject.name + (", announced" if announced else "")
    note = ""
    if subject.name != OURS:
        fit = int(memory.available_kib() * (1 - KEPT_FREE) / PEER_SESSION_KIB)
        count, note = min(count, fit), f"only {fit} users: no memory for more; " if fit < count else ""
    with subject.running(room=count) as running:
        server: Server = running
        users = server.users(count)
        if announced:
            server.announce(count)
        server.first_output()  # as on a site that has been used before
        note += f"load {os.getloadavg()[0]:.1f} before; "
        served = asyncio.run(ring(users, seconds))
    return Row(title, who, "ms", served.times, note + served.note())
