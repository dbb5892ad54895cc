"""Programs as they are started by hand, without any sandbox: what each could cost at least."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Plain:
    name = "plain process, no sandbox"
    scenarios = frozenset(["runs"])
    languages = ("python", "c")

    def missing(self) -> str:
        return "" if shutil.which("gcc") else "gcc is not installed"

    @contextmanager
    def running(self, spares: bool = True, room: int = 0) -> Iterator[Plain]:
        yield self

    def run(self, language: str, program: str) -> str:
        """What ``program`` says."""
        if language == "python":
            return _said([sys.executable, "-c", program])
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            (Path(folder) / "main.c").write_text(program)
            _said(["gcc", "-g", "-Wall", "main.c", "-lm"], folder)
            return _said(["./a.out"], folder)

    def processor(self) -> dict[str, float]:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {"program": (used.ru_utime + used.ru_stime) * 1000}


def _said(command: list[str], folder: str | None = None) -> str:
    return subprocess.run(command, cwd=folder, capture_output=True, check=True, text=True).stdout
