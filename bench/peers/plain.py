"""Programs as they are started by hand, without any sandbox: what each could cost at least."""

from __future__ import annotations

import resource
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Plain:
    """``programs`` by language are what it is run with: a path, or a name that is looked for as a shell does."""

    name: str
    programs: dict[str, str]
    scenarios = frozenset(["runs"])

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self.programs)

    def missing(self) -> str:
        absent = [program for program in self.programs.values() if not shutil.which(program)]
        return f"{absent[0]} is not installed" if absent else ""

    @contextmanager
    def running(self, spares: bool = True, room: int = 0) -> Iterator[Plain]:
        yield self

    def run(self, language: str, program: str) -> str:
        """What ``program`` says."""
        if language == "python":
            return _said([self.programs[language], "-c", program])
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            (Path(folder) / "main.c").write_text(program)
            _said([self.programs[language], "-g", "-Wall", "main.c", "-lm"], folder)
            return _said(["./a.out"], folder)

    def processor(self) -> dict[str, float]:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {"program": (used.ru_utime + used.ru_stime) * 1000}


def _said(command: list[str], folder: str | None = None) -> str:
    return subprocess.run(command, cwd=folder, capture_output=True, check=True, text=True).stdout
