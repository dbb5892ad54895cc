"""bin/up's parts: started in order, restarted when they die, and stopped, all of them and nothing else."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bin.lib.console import Console, StepFailed
from bin.lib.parts import Part
from bin.lib.supervisor import Supervisor
from tests.live import wait_for

# Says it is ready, then waits for a signal; SIGINT writes a farewell.
PROGRAM = """
import pathlib, signal, sys
state = pathlib.Path(sys.argv[1])
def end(number, frame):
    (state / "farewell").write_text(signal.Signals(number).name)
    sys.exit(0)
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, end)
(state / "ready").touch()
while True:
    signal.pause()
"""


def part(state: Path, program: str = PROGRAM, **options: object) -> Part:
    ready = state / "ready"
    return Part("part", [sys.executable, "-c", program, str(state)], state, ready.exists, **options)  # type: ignore[arg-type]


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    made = Console(tmp_path / "setup.log")
    yield made
    made.log.close()


def interrupt_when(condition: threading.Event) -> None:
    """Send Ctrl-C to this process, as a person would, once ``condition`` is set."""

    def wait() -> None:
        condition.wait(30)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=wait, daemon=True).start()


def test_ctrl_c_stops_a_part_with_its_own_signal(tmp_path: Path, console: Console) -> None:
    ready = threading.Event()
    interrupt_when(ready)
    one = part(tmp_path, stop_signal=signal.SIGINT)
    Supervisor(console, [one]).run(ready.set)
    assert (tmp_path / "farewell").read_text() == "SIGINT"
    assert one.exit_status() == 0
    assert not one.pid_file.exists()


def test_a_killed_part_is_started_again_and_said_so(
    tmp_path: Path, console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    one, back = part(tmp_path), threading.Event()

    def kill() -> None:
        assert one.process is not None
        former = one.process.pid
        os.kill(former, signal.SIGKILL)

        def look() -> None:
            wait_for(lambda: one.process is not None and one.process.pid != former and one.running_pid())
            back.set()

        threading.Thread(target=look, daemon=True).start()

    interrupt_when(back)
    Supervisor(console, [one]).run(kill)
    assert back.is_set()
    assert "part was ended by SIGKILL; starting it again" in capsys.readouterr().out


def test_a_part_that_ends_at_once_is_reported_with_its_last_words(tmp_path: Path, console: Console) -> None:
    with pytest.raises(StepFailed) as failed:
        Supervisor(console, [part(tmp_path, "raise SystemExit('no database')")]).run(lambda: None)
    assert "no database" in failed.value.tail


def test_a_part_that_does_not_listen_is_killed(tmp_path: Path, console: Console) -> None:
    deaf = (
        "import pathlib, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "(pathlib.Path(sys.argv[1]) / 'ready').touch()\n"
        "while True: signal.pause()"
    )
    ready = threading.Event()
    interrupt_when(ready)
    one = part(tmp_path, deaf, grace=0.3)
    Supervisor(console, [one]).run(ready.set)
    assert one.exit_status() == -signal.SIGKILL


def test_what_a_killed_bin_up_left_behind_is_ended_gently_by_the_next(tmp_path: Path) -> None:
    left = part(tmp_path)
    left.start(tmp_path)
    wait_for(left.is_ready)
    following = part(tmp_path)
    following.start(tmp_path)
    try:
        assert left.process is not None
        assert left.process.wait(10) == 0
        assert (tmp_path / "farewell").read_text() == "SIGTERM"
    finally:
        following.stop()
        following.finish(0.0)


def test_a_pid_that_now_belongs_to_another_is_left_alone(tmp_path: Path) -> None:
    one = part(tmp_path)
    one.pid_file.parent.mkdir(parents=True)
    one.pid_file.write_text(f"{os.getpid()} 1")
    assert one.running_pid() is None


def test_only_lines_that_matter_reach_the_console(tmp_path: Path) -> None:
    one = part(tmp_path)
    one.log.parent.mkdir()
    one.log.write_text("12:00 INFO a: fine\n12:01 ERROR b: broken\nhalf a li")
    assert one.notable_lines() == ["12:01 ERROR b: broken"]
    with one.log.open("a") as log:
        log.write("ne with ERROR\n")
    assert one.notable_lines() == ["half a line with ERROR"]
