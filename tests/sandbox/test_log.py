"""The numbered log: what is kept is in order and whole, whatever is dropped."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.runner import pace
from sandbox.runner.log import Cursor, Log


async def take(cursor: Cursor) -> int:
    """Read a record as a reader does that takes it at once; its number."""
    seq, payload = await cursor.next() or (-1, b"")
    cursor.sent(seq, len(payload))
    cursor.acknowledge(seq + 1)
    return seq


async def stalled(task: asyncio.Task[object]) -> bool:
    """Whether it waits for something that only the test can do."""
    for _ in range(5):
        await asyncio.sleep(0)
    return not task.done()


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
        log.release(cursor)
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
    log = Log(folder)
    cursor = log.cursor(0)
    big = b"x" * (pace.FIRST + 1)
    log.append(big)
    assert log.full()
    waiting = asyncio.create_task(log.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    await take(cursor)
    await waiting
    log.append(big)
    log.append(big)
    waiting = asyncio.create_task(log.room())
    await asyncio.sleep(0)
    log.release(cursor)
    await waiting
    log.close()


async def test_no_more_is_under_way_than_was_acknowledged_and_a_window(folder: int):
    log = Log(folder)
    for _ in range(200):
        log.append(b"x" * 4096)
    cursor, last = log.cursor(0), -1
    for _ in range(2):
        asked = asyncio.create_task(cursor.next())
        while not await stalled(asked):
            last, payload = asked.result() or (0, b"")
            cursor.sent(last, len(payload))
            asked = asyncio.create_task(cursor.next())
        assert (last + 1 - cursor.acknowledged) * 4096 <= pace.FIRST + cursor.acknowledged * 4096
        cursor.acknowledge(last + 1)
        seq, payload = await asked or (0, b"")
        assert seq == last + 1
        cursor.sent(seq, len(payload))
        last = seq
    log.close()


async def test_a_reader_that_takes_nothing_for_long_holds_nobody(folder: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pace, "AWAY_SECONDS", 0.0)
    log = Log(folder)
    cursor = log.cursor(0)
    log.append(b"x" * (pace.FIRST + 1))
    assert log.full(), "it has been sent nothing yet"
    seq, payload = await cursor.next() or (0, b"")
    cursor.sent(seq, len(payload))
    await log.room()
    log.close()


@pytest.mark.parametrize("since", [0, 150])
async def test_a_reader_learns_that_records_were_cut(folder: int, since: int):
    log = Log(folder, limit=4000)
    for number in range(200):
        log.append(b"%0100d" % number)
    cursor = log.cursor(since)
    assert (await take(cursor), cursor.cut) == (max(since, log.first), since < log.first)
    assert (await take(cursor), cursor.cut) == (max(since, log.first) + 1, False)
    for number in range(200):
        log.append(b"%0100d" % number)
    assert (await take(cursor), cursor.cut) == (log.first, True), "in the middle of a stream too"
    assert (await take(cursor), cursor.cut) == (log.first + 1, False)
    log.close()


async def test_a_full_disk_cuts_and_says_so(folder: int, monkeypatch: pytest.MonkeyPatch):
    log = Log(folder)
    cursor = log.cursor(0)
    log.append(b"first")
    assert await take(cursor) == 0
    log.append(b"second")
    full = True

    def pwrite(file: int, data: bytes, offset: int) -> int:
        if full:
            raise OSError(errno.ENOSPC, "full")
        return real(file, data, offset)

    real = os.pwrite
    monkeypatch.setattr("sandbox.runner.log.os.pwrite", pwrite)
    log.append(b"third")
    full = False
    assert log.append(b"fourth") == 3
    assert (await take(cursor), cursor.cut, log.read(3)) == (3, True, b"fourth")
    assert cursor.lag == 0
    log.close()


async def test_the_files_stay_until_the_last_reader_has_left(folder: int):
    log = Log(folder)
    log.append(b"last words")
    cursor = log.cursor(0)
    log.end("over")
    log.close()
    assert await cursor.next() == (0, b"last words")
    assert await cursor.next() is None
    log.release(cursor)


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
