"""The bench's arithmetic, its patience, its reading of processes, and that one failure loses nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from bench import memory
from bench.jupyter import Jupyter
from bench.load import Served, asks_to_wait, start_kernel
from bench.measuring import measure
from bench.report import Row, percentile, table
from bench.scenarios import SCENARIOS, Scenario, Shared, Whole
from bench.scenarios.counts import QUICK, Counts
from bench.subject import Subject

NO_ROOM = httpx.Response(503, json={"code": "no_room"}, headers={"Retry-After": "0"})


def test_the_table_has_a_row_for_each_who_took_part_and_how_many_times_slower_it_is() -> None:
    rows = [Row("start", "us", "ms", [10, 20, 30]), Row("start", "peer", "ms", [100, 200, 300], "sometimes")]
    assert table(rows, "us").splitlines()[2:] == [
        "| start | us | 20.0 ms |  |  |  |  |",
        "|  | peer | 200 ms |  |  | 10.0 x | sometimes |",
    ]


def test_five_samples_have_a_95th_percentile_and_a_maximum() -> None:
    assert table([Row("start", "us", "ms", [1, 1, 1, 1, 2.5])], "us").splitlines()[-1].startswith(
        "| start | us | 1.00 ms | 2.50 | 2.50 |"
    )  # fmt: skip


def test_what_was_not_measured_stays_empty_and_says_why() -> None:
    text = table([Row("start", "us", "", [], "failed: no room"), Row("start", "peer", "ms", [1.0] * 5)], "us")
    assert text.splitlines()[-2:] == [
        "| start | us |  |  |  |  | failed: no room |",
        "|  | peer | 1.00 ms | 1.00 | 1.00 |  |  |",
    ]


def test_a_note_cannot_break_the_table() -> None:
    assert "| a \\| b c |" in table([Row("start", "us", "ms", [1.0], "a | b\n\nc")], "us")


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.95, 95), (1.0, 100), (0.0, 1)])
def test_percentiles_are_values_that_were_measured(share: float, value: int) -> None:
    assert percentile(list(range(1, 101)), share) == value


def test_who_was_served_and_who_was_not_is_told() -> None:
    served = Served([1.0, 2.0], told_to_wait=3)
    served.failures["nothing within 60 s"] += 2
    assert served.note().startswith("2 of 4 served; told to wait 3 times; ")
    assert served.note().endswith("; 2 x nothing within 60 s")


@pytest.mark.parametrize(
    ("answer", "waits"),
    [
        (NO_ROOM, True),
        (httpx.Response(503, json={"code": "no_room"}), True),
        (httpx.Response(429, headers={"Retry-After": "10"}), True),
        (httpx.Response(503, json={"code": "not_started"}), False),
        (httpx.Response(500, text="no_room"), False),
    ],
)
def test_a_refusal_for_now_is_told_from_one_for_good(answer: httpx.Response, waits: bool) -> None:
    assert asks_to_wait(answer) is waits


async def test_a_user_who_is_told_to_wait_asks_again() -> None:
    answers = [NO_ROOM, NO_ROOM, httpx.Response(201, json={"id": "k"})]
    served = Served()
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda request: answers.pop(0))) as http:
        assert await start_kernel(Jupyter("http://site.test", "key"), http, served) == "k"
    assert (served.told_to_wait, answers) == (2, [])


async def test_a_user_who_is_refused_for_good_does_not() -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(422, text="unknown kernel"))
    async with httpx.AsyncClient(transport=transport) as http:
        with pytest.raises(RuntimeError, match="unknown kernel"):
            await start_kernel(Jupyter("http://site.test", "key"), http)


class Counted:
    """A subject that only counts how often it was started."""

    name = "counted"
    scenarios = frozenset(["good", "bad", "after", "whole", "broken"])

    def __init__(self) -> None:
        self.starts = 0

    def missing(self) -> str:
        return ""

    @contextmanager
    def running(self, spares: bool = True, room: int = 0) -> Iterator[None]:
        self.starts += 1
        yield


def fails(running: None, counts: Counts) -> list[float]:
    raise ConnectionError("it went away\nand more")


def breaks(subject: Subject, counts: Counts) -> Iterator[Row]:
    yield Row("first half", subject.name, "ms", [1.0])
    raise TimeoutError("too late")


def test_what_fails_loses_nothing_else_and_its_server_is_not_used_again() -> None:
    scenarios: list[Scenario] = [
        Shared("good", "Good", "ms", lambda running, counts: [1.0]),
        Shared("bad", "Bad", "ms", fails),
        Shared("after", "After", "ms", lambda running, counts: [2.0]),
        Whole("broken", "Broken", breaks),
        Shared("elsewhere", "Of others", "ms", fails),
    ]
    subject = Counted()
    found = [(name, row.samples, row.note) for name, row in measure(subject, scenarios, QUICK, lambda text: None)]
    assert found == [
        ("good", [1.0], ""),
        ("bad", [], "failed: ConnectionError: it went away"),
        ("after", [2.0], ""),
        ("broken", [1.0], ""),
        ("broken", [], "failed: TimeoutError: too late"),
    ]
    assert subject.starts == 2


def test_scenarios_and_what_cannot_run_here_are_listed() -> None:
    listed = subprocess.run([sys.executable, "-m", "bench", "--list"], capture_output=True, text=True, check=True)
    assert {scenario.name for scenario in SCENARIOS} <= set(listed.stdout.split())
    assert "Madang" in listed.stdout


def test_descendants_and_their_memory_are_found() -> None:
    grow = "import sys; kept = bytearray(64 << 20); print('ready', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", grow], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        assert child.pid in memory.with_descendants({os.getpid()})
        assert "sys.stdin.read()" in memory.command(child.pid)
        assert memory.processor_seconds({child.pid}).keys() == {child.pid}
        assert 64 * 1024 < memory.pss_kib({child.pid}) < 128 * 1024
        child.stdin.close()
    assert child.pid not in memory.with_descendants({os.getpid()})
    assert memory.alive({child.pid}) == set()
    assert memory.pss_kib({child.pid}) == 0
    assert (memory.command(child.pid), memory.processor_seconds({child.pid})) == ("", {})
