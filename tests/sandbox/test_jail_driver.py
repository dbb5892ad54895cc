"""The jail driver and what lies on disk, without a sandbox."""

from __future__ import annotations

import json
from pathlib import Path

from sandbox.drivers import Exit, Refused
from sandbox.drivers.jail import JailDriver
from sandbox.usage import Usage

USAGE = Usage(cpu_ms=7)
ENDED = {"reason": "stopped", "detail": "", "usage": USAGE.as_dict(), "oom_kills": 0}


def test_what_is_expected_of_an_empty_pool_is_remembered(tmp_path: Path):
    driver = JailDriver(tmp_path)
    for name, pool in driver._pools.items():
        driver.expect(name, 7, begin=0.0, end=100.0)
        assert pool.demand.target(50.0) == 7


def test_the_last_words_are_the_refusals_and_the_exit(tmp_path: Path):
    (tmp_path / "exit.json").write_text(json.dumps({**ENDED, "refusals": [["ptrace", "tracing", 2]]}))
    words = JailDriver(tmp_path)._last_words(tmp_path, Usage())
    assert words == [Refused("ptrace", "tracing", 2), Exit("stopped", USAGE)]


def test_a_jail_of_an_older_version_has_no_refusals_and_its_end_counts(tmp_path: Path):
    (tmp_path / "exit.json").write_text(json.dumps(ENDED))
    assert JailDriver(tmp_path)._last_words(tmp_path, Usage()) == [Exit("stopped", USAGE)]
