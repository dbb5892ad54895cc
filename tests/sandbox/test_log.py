"""The numbered log: what is kept is in order and whole, whatever is dropped."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.runner.log import Log


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    descriptor = os.open(tmp_path_factory.mktemp("log"), os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


@settings(max_examples=60)
@given(payloads=st.lists(st.binary(max_size=300), max_size=60), since=st.integers(-3, 70))
def test_a_reader_gets_every_kept_record_from_its_number_on(folder: int, payloads: list[bytes], since: int):
    async def read() -> None:
        log = Log(folder, limit=2000)
        for payload in payloads:
            log.append(payload)
        assert log.next == len(payloads)
        assert log.total == sum(map(len, payloads))
        log.end("over")
        cursor, got = log.cursor(since), []
        while (record := await cursor.next()) is not None:
            got.append(record)
        start = min(max(since, log.first), log.next)
        assert got == list(enumerate(payloads))[start:]
        assert cursor.lag == 0
        log.close()

    asyncio.run(read())


async def test_it_keeps_no_more_than_its_limit(folder: int):
    log = Log(folder, limit=4000)
    for number in range(1000):
        log.append(b"%0100d" % number)
    assert log.first > 0
    assert 2000 < (log.next - log.first) * 100 <= 4000
    assert log.read(999) == b"%0100d" % 999
    with pytest.raises(IndexError):
        log.read(0)
    log.close()


async def test_a_slow_reader_holds_the_producer_and_a_leaving_one_lets_it_go(folder: int):
    log = Log(folder, window=1000)
    cursor = log.cursor(0)
    log.append(b"x" * 1001)
    assert log.full()
    waiting = asyncio.create_task(log.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    await cursor.next()
    await waiting
    log.append(b"x" * 1001)
    waiting = asyncio.create_task(log.room())
    await asyncio.sleep(0)
    log.release(cursor)
    await waiting
    log.close()


async def test_readers_wait_for_what_is_to_come(folder: int):
    log = Log(folder)
    cursors = [log.cursor(0), log.cursor(0)]
    waiting = [asyncio.create_task(cursor.next()) for cursor in cursors]
    await asyncio.sleep(0)
    log.append(b"now")
    assert await asyncio.gather(*waiting) == [(0, b"now")] * 2
    log.end("over")
    assert [await cursor.next() for cursor in cursors] == [None, None]
    log.close()
