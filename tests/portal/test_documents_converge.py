"""Whatever several tabs and programs write, and whatever breaks meanwhile: nothing is lost, doubled or reordered.

Every character that is written is unique, so that the text itself tells what became of it.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.documents import disk, kinds, log, replica
from portal.documents.difference import edits
from portal.documents.models import Document
from tests.portal.documents_client import Tab

pytestmark = pytest.mark.django_db(transaction=True)
TABS = 3
_files = itertools.count()

share = st.floats(0, 1)
tab = st.integers(0, TABS - 1)
step = st.one_of(
    st.tuples(st.just("write"), tab, share, st.integers(1, 3)),
    st.tuples(st.just("remove"), tab, share),
    st.tuples(st.just("lose"), tab),
    st.tuples(st.just("return"), tab),
    st.tuples(st.just("break")),
    st.tuples(st.just("program writes"), share),
    st.tuples(st.just("program removes"), share),
    st.tuples(st.just("settle")),
)


class World:
    """Three tabs, a file, and what has been written and removed."""

    def __init__(self, user: Any, project: Any, name: str) -> None:
        self.file: Path = project.directory / name
        self.file.write_text("")
        self.tabs = [Tab(user, project, name) for _ in range(TABS)]
        self.here = [False] * TABS
        self.written: set[str] = set()
        self.removed: set[str] = set()
        self._next = itertools.count(0x4E00)

    def new(self, count: int = 1) -> str:
        text = "".join(chr(next(self._next)) for _ in range(count))
        self.written |= {*text}
        return text

    async def take(self, what: str, *how: Any) -> None:
        await getattr(self, f"on_{what.replace(' ', '_')}")(*how)

    async def on_write(self, which: int, share: float, count: int) -> None:
        tab = self.tabs[which]
        text = str(tab.source)
        tab.source.insert(len(text[: round(share * len(text))].encode()), self.new(count))
        await self.push(which)

    async def on_remove(self, which: int, share: float) -> None:
        tab = self.tabs[which]
        text = str(tab.source)
        if not text:
            return
        index = min(len(text) - 1, int(share * len(text)))
        at = len(text[:index].encode())
        del tab.source[at : at + len(text[index].encode())]
        self.removed.add(text[index])
        await self.push(which)

    async def push(self, which: int) -> None:
        if self.here[which] and self.tabs[which].code is None:
            await self.tabs[which].push()

    async def on_lose(self, which: int) -> None:
        if self.here[which]:
            self.here[which] = False
            await self.tabs[which].close()

    async def on_return(self, which: int) -> None:
        if self.here[which] and self.tabs[which].code is not None:
            await self.on_lose(which)
        if not self.here[which]:
            self.here[which] = True
            await self.tabs[which].connect()
            assert self.tabs[which].code is None

    async def on_break(self) -> None:
        """As when web is killed: what waits to be written is gone."""
        for found in list(replica._replicas.values()):
            found._break([])
        for which, tab in enumerate(self.tabs):
            if self.here[which]:
                await tab.until(lambda tab=tab: tab.code == 4503)

    async def on_program_writes(self, share: float) -> None:
        def write(text: str) -> str:
            at = round(share * len(text))
            return text[:at] + self.new() + text[at:]

        await self.program(write)

    async def on_program_removes(self, share: float) -> None:
        def remove(text: str) -> str:
            at = min(len(text) - 1, int(share * len(text)))
            self.removed |= {*text[at : at + 1]} if text else set()
            return text[:at] + text[at + 1 :] if text else ""

        await self.program(remove)

    async def program(self, change: Callable[[str], str]) -> None:
        """A program reads the file and writes it. Between the two nobody saves: it would lose that by itself."""
        row = await Document.objects.filter(path=self.file.name).afirst()
        with disk._lock(row.pk) if row is not None else nullcontext():
            self.file.write_text(change(self.file.read_text()))

    async def on_settle(self) -> None:
        for which in range(TABS):
            await self.on_return(which)
        texts = [self.file.read_text, *(lambda tab=tab: str(tab.source) for tab in self.tabs)]
        try:
            await self.tabs[0].until(lambda: len({text() for text in texts}) == 1, 4)
        except TimeoutError:
            raise AssertionError([text() for text in texts]) from None

    async def end(self) -> None:
        for which in range(TABS):
            await self.on_lose(which)


def test_nothing_is_lost_doubled_or_reordered(alice, project, monkeypatch) -> None:
    for name in ("LOOK_SECONDS", "PAUSE_SECONDS"):
        monkeypatch.setattr(replica, name, 0.02)

    @settings(max_examples=30, suppress_health_check=list(HealthCheck))
    @given(steps=st.lists(step, min_size=1, max_size=14))
    def run(steps: list[tuple[Any, ...]]) -> None:
        runner.run(live(steps))

    async def live(steps: list[tuple[Any, ...]]) -> None:
        world = World(alice, project, f"f{next(_files)}.txt")
        try:
            for one in steps:
                await world.take(*one)
            await world.on_settle()
            text = world.file.read_text()
            assert sorted(text) == sorted(world.written - world.removed)
            row = await Document.objects.aget(path=world.file.name)
            _number, updates = await database_sync_to_async(log.newest)(row.pk)
            assert kinds.render(kinds.load(*updates), "text", "\n", b"").decode() == text
        finally:
            await world.end()

    with asyncio.Runner() as runner:  # one for all: each has threads of its own, and those have connections
        run()
        runner.run(database_sync_to_async(connections.close_all)())


@given(old=st.text("ab\n가🎉", max_size=60), new=st.text("ab\n가🎉", max_size=60))
def test_edits_make_the_new_text_of_the_old(old: str, new: str) -> None:
    made = old
    for start, end, instead in reversed(edits(old, new)):
        made = made[:start] + instead + made[end:]
    assert made == new
    doc = kinds.load()
    kinds.fill(doc, "text", old.encode())
    kinds.merge(doc, "text", new.encode())
    assert kinds.render(doc, "text", "\n", b"").decode() == new
