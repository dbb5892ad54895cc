"""All sandboxes of a site: which there are is read from the disk, so that nobody has to tell a new egress."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from sandbox.egress import record
from sandbox.egress.attend import Attendant, NoAccount
from sandbox.egress.rules import Allowance

LOOK_SECONDS = 0.25

log = logging.getLogger(__name__)


async def serve(sandboxes: Path, allowances: Sequence[Allowance], ended: asyncio.Event) -> None:
    """Attend to every sandbox under ``sandboxes`` until ``ended``, then until the last connection has ended."""
    attendants: dict[tuple[str, int], Attendant] = {}
    leaving: set[asyncio.Task[None]] = set()
    while not ended.is_set():
        there = _directories(sandboxes)
        for gone in attendants.keys() - there:
            task = asyncio.create_task(attendants.pop(gone).close())
            leaving.add(task)
            task.add_done_callback(leaving.discard)
        for new in there - attendants.keys():
            if attendant := _attend(sandboxes / new[0], allowances):
                attendants[new] = attendant
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await ended.wait()
    log.info("the session service has ended: no new connections")
    await asyncio.gather(*(attendant.leave() for attendant in attendants.values()), *leaving)


def _directories(sandboxes: Path) -> set[tuple[str, int]]:
    """Name and inode: a sandbox that did not become one makes way for another of its name, with a new account."""
    try:
        return {(entry.name, entry.inode()) for entry in os.scandir(sandboxes) if entry.is_dir(follow_symlinks=False)}
    except FileNotFoundError:
        return set()


def _attend(directory: Path, allowances: Sequence[Allowance]) -> Attendant | None:
    if not (known := record.read(directory)):
        return None  # it is being made, or removed
    try:
        return Attendant(directory, known, allowances)
    except NoAccount:
        return None
