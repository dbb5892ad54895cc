"""Starts a peer's server and stops it, with all that it has started."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench import memory
from bin.lib.running import wait_for

START_SECONDS = 60.0
STOP_SECONDS = 30.0


@contextmanager
def server(command: Sequence[str], folder: Path, url: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``command`` in ``folder`` (its home too) until it answers at ``url``; end it and its descendants.

    Raises:
        RuntimeError: it ended at once; the message is what it said.
    """
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=_environment(folder, environment), cwd=folder, stdin=subprocess.DEVNULL,
            stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        wait_for(lambda: _answers(process, url, log), START_SECONDS, command[0])
        yield process
    finally:
        _end(process)


def _environment(folder: Path, more: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, "HOME": str(folder), "SHELL": "/bin/bash", "JUPYTER_CONFIG_DIR": str(folder), **more}


def _answers(process: subprocess.Popen[bytes], url: str, log: Path) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"It ended with {process.returncode}:\n{log.read_text(errors='replace')[-3000:]}")
    try:
        return httpx.get(url, timeout=2.0).is_success  # a proxy may answer before what is behind it
    except httpx.HTTPError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, then kill what is left of its family: some of it has sessions of its own."""
    family = memory.with_descendants({process.pid})
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pid in memory.alive(family - {process.pid}):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
