"""The bench's arithmetic and its reading of processes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bench import memory
from bench.report import Row, percentile, table


def test_the_table_holds_medians_and_how_many_times_slower_the_peer_is() -> None:
    text = table([Row("start", "ms", {"us": [10, 20, 30], "peer": [100, 200, 300]})], "us", "peer")
    assert text.splitlines()[-1] == "| start | 20.0 ms |  | 200 ms |  | 10.0 x |"


def test_what_was_not_measured_stays_empty() -> None:
    text = table([Row("start", "ms", {"peer": [1.0] * 5})], "us", "peer")
    assert text.splitlines()[-1] == "| start |  |  | 1.00 ms | 1.00 |  |"


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.95, 95), (1.0, 100), (0.0, 1)])
def test_percentiles_are_values_that_were_measured(share: float, value: int) -> None:
    assert percentile(list(range(1, 101)), share) == value


def test_descendants_and_their_memory_are_found() -> None:
    grow = "import sys; kept = bytearray(64 << 20); print('ready', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", grow], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        assert child.pid in memory.with_descendants({os.getpid()})
        assert 64 * 1024 < memory.pss_kib({child.pid}) < 128 * 1024
        child.stdin.close()
    assert child.pid not in memory.with_descendants({os.getpid()})
    assert memory.pss_kib({child.pid}) == 0
