"""bin/up as a person starts it, as far as it goes without a built site."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bin.lib import layout, setup, site
from bin.lib.console import Console
from tests.live import environment
from tests.settings import ROOT


def up(state: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "bin/up", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        env=environment(state, **more),
    )  # fmt: skip


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def test_a_taken_port_is_a_clear_message_before_any_set_up(tmp_path: Path, taken_port: int) -> None:
    done = up(tmp_path, "--port", str(taken_port))
    assert done.returncode == 1
    assert f"Cannot listen on 127.0.0.1 port {taken_port}: Address already in use" in done.stdout
    assert "--port 0" in done.stdout
    assert "Python packages" not in done.stdout


def test_the_port_may_come_from_the_environment(tmp_path: Path, taken_port: int) -> None:
    assert f"port {taken_port}" in up(tmp_path, PORT=str(taken_port)).stdout


def test_a_port_that_is_none_is_refused(tmp_path: Path) -> None:
    assert "70000 is no port" in up(tmp_path, "--port", "70000").stdout
    assert "invalid int value" in up(tmp_path, "--port", "many").stderr


def test_two_on_one_state_directory_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bin.lib.up import _only_one

    monkeypatch.setenv("MADANG_STATE", str(tmp_path))
    with _only_one():
        done = up(tmp_path, "--port", "0")
    assert done.returncode == 1
    assert f"Madang already runs on {tmp_path}" in done.stdout


@pytest.mark.parametrize(("host", "url"), [("127.0.0.1", "http://127.0.0.1"), ("0.0.0.0", "http://127.0.0.1")])
def test_the_url_can_be_opened(host: str, url: str) -> None:
    with site.listen(host, 0) as listener:
        assert site.url(listener) == f"{url}:{listener.getsockname()[1]}/"


def test_node_that_is_too_old_is_not_taken(tmp_path: Path) -> None:
    for name, answer in (("node", "v18.20.0"), ("npm", "10.0.0")):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho {answer}\n")
        program.chmod(0o755)
    assert setup._node_version({"PATH": str(tmp_path)}) == (18, 20)
    assert setup._node_version({"PATH": str(tmp_path)}) < setup.NODE_AT_LEAST
    assert setup._node_version({"PATH": "/nowhere"}) == (0,)


def test_a_stamp_is_fresh_only_while_the_files_are_the_same(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("one")
    layout.write_stamp(tmp_path, layout.digest_files([source]))
    assert layout.is_fresh(tmp_path, layout.digest_files([source]))
    source.write_text("two")
    assert not layout.is_fresh(tmp_path, layout.digest_files([source]))


def test_a_failed_step_keeps_the_last_words_of_its_command(tmp_path: Path) -> None:
    from bin.lib.console import StepFailed

    console = Console(tmp_path / "log")
    with pytest.raises(StepFailed) as failed, console.step("Something") as step:
        step.run(["sh", "-c", "echo out of luck; exit 3"])
    console.log.close()
    assert "out of luck" in failed.value.tail
    assert "out of luck" in (tmp_path / "log").read_text()


def test_what_is_missing_is_told_with_the_command_that_mends_it() -> None:
    report = """
Sandbox
  ✓ seccomp: found
  ✗ user namespaces: this kernel forbids them
      mend: sudo sysctl -w kernel.unprivileged_userns_clone=1
  – landlock: the kernel has none
      mend: a newer kernel

Missing: user namespaces.
"""
    assert setup.missing_of(report).split("\n") == [
        "  ✗ user namespaces: this kernel forbids them",
        "      mend: sudo sysctl -w kernel.unprivileged_userns_clone=1",
    ]
