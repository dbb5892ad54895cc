"""What a container costs: ``docker run`` of one line of Python, where an engine and the image are there."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

IMAGE = "python:3.11-slim"
LIMIT = 60.0


class Docker:
    name = "docker run"
    scenarios = frozenset(["warm", "claim", "runs"])
    languages = ("python",)

    def missing(self) -> str:
        return missing_from_engine(IMAGE, f"docker pull {IMAGE}")

    @contextmanager
    def running(self, spares: bool = True, room: int = 0) -> Iterator[Docker]:
        yield self

    def first_output(self) -> float:
        """Milliseconds from asking for a container to the first thing Python prints in it."""
        command = ["docker", "run", "--rm", "--network=none", IMAGE, "python", "-c", "print(1)"]
        began = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            if process.stdout.readline() != b"1\n":
                raise RuntimeError("the container printed nothing")
            return (time.perf_counter() - began) * 1000

    claim = first_output

    def run(self, language: str, program: str) -> str:
        """What ``program`` says."""
        command = ["docker", "run", "--rm", "--network=none", IMAGE, language, "-c", program]
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout

    def processor(self) -> dict[str, float]:
        return {}


def missing_from_engine(image: str, mend: str) -> str:
    """Why ``image`` cannot be had of a Docker Engine here; "" when it can. ``mend`` is the command that gets it."""
    if not shutil.which("docker"):
        return "docker is not installed"
    if _docker("version").returncode:
        return "no Docker Engine is up here"
    return f"first: {mend}" if _docker("image", "inspect", image).returncode else ""


def _docker(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["docker", *arguments], capture_output=True, check=False, timeout=LIMIT)
