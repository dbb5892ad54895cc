"""Typing into a terminal: more than a program takes makes the sender wait, and never for ever."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.runner import pace
from sandbox.runner.activity import Activity
from sandbox.runner.children import Children
from sandbox.runner.log import Log
from sandbox.runner.terminal import Terminal

LINES = (b"z" * 99 + b"\n") * 1000


class OnlyChild(Children):
    pid = 0

    def watch(self, pid: int, ended: object) -> None:
        self.pid = pid


@pytest.fixture
def child() -> Iterator[OnlyChild]:
    child = OnlyChild()
    yield child
    os.killpg(child.pid, signal.SIGKILL)
    os.waitpid(child.pid, 0)


async def test_a_paste_goes_on_though_the_answers_to_it_are_not_taken(
    tmp_path: Path, child: OnlyChild, monkeypatch: pytest.MonkeyPatch
):
    """What a reader acknowledges comes behind its paste: neither may wait for the other."""
    monkeypatch.setattr(pace, "AWAY_SECONDS", float("inf"))
    folder = os.open(tmp_path, os.O_RDONLY)
    log = Log(folder)
    terminal = Terminal("1", log, child, Activity(lambda report: None))
    terminal.start(tmp_path, 24, 80)
    reader = log.cursor(0)
    async with asyncio.timeout(60):
        await terminal.write(b"cat\n")
        for _ in range(30):
            await terminal.write(LINES)
        assert log.full(), "the reader has taken nothing"
    terminal._hang_up()
    log.release(reader)
    log.close()
    os.close(folder)
