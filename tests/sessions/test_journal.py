"""The journal: in order, those that somebody waits for without delay."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest

from sessions.service import journal as journals
from sessions.service.journal import Journal

pytestmark = pytest.mark.django_db(transaction=True)


@asynccontextmanager
async def opened() -> AsyncIterator[Journal]:
    journal = Journal()
    try:
        yield journal
    finally:
        await journal.close()


async def test_what_is_for_later_waits_for_what_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "LATER_SECONDS", 3600.0)
    written: list[int] = []
    async with opened() as journal:
        for number in (1, 2):
            journal.put(partial(written.append, number), later=True)
        await asyncio.sleep(0)
        assert written == []
        await journal.put(lambda: written.append(3))
        assert written == [1, 2, 3]
        rest = journal.put(lambda: written.append(4), later=True)
        assert await journal.flush(10.0)
        assert rest.done()
        assert written == [1, 2, 3, 4]


async def test_what_is_for_later_is_written_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "LATER_SECONDS", 0.001)
    async with opened() as journal:
        writes = [journal.put(partial(int, number), later=True) for number in range(3)]
        assert await asyncio.wait_for(asyncio.gather(*writes), 30) == [0, 1, 2]
