"""A machine with GPUs as NVML tells of it: real NVML calls into a library of ours (nvml.c)."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

GIB = 1 << 30
_SOURCE = Path(__file__).with_name("nvml.c")


def build(folder: Path) -> Path:
    """Compile the library into ``folder``; its name there is what ``pynvml`` loads."""
    library = folder / "libnvidia-ml.so.1"
    flags = ["-shared", "-fPIC", f"-Wl,-soname,{library.name}"]
    subprocess.run(["gcc", "-Wall", "-Werror", *flags, "-o", library, _SOURCE], check=True, timeout=60)
    return library


@dataclass
class Gpu:
    """``busy`` in percent and ``energy`` in mJ; -1: it cannot tell."""

    uuid: str
    minor: int = 0
    memory: int = 8 * GIB
    busy: int = 0
    energy: int = 0
    name: str = "Test GPU"


@dataclass
class Machine:
    """What the library answers from ``file``; :meth:`write` after each change."""

    file: Path
    gpus: list[Gpu] = field(default_factory=list)
    processes: list[tuple[str, int, int, int, int]] = field(default_factory=list)

    def write(self) -> None:
        lines = [f"device {g.uuid} {g.minor} {g.memory} {g.busy} {g.energy} {g.name}" for g in self.gpus]
        lines += ["process " + " ".join(map(str, process)) for process in self.processes]
        aside = self.file.with_suffix(".new")
        aside.write_text("\n".join(lines) + "\n")
        os.replace(aside, self.file)

    def uses(self, gpu: Gpu, pid: int, memory: int, busy: int, time: int) -> None:
        """From now on ``pid`` has ``memory`` bytes of ``gpu``, and was ``busy`` percent at ``time`` µs."""
        self.processes = [process for process in self.processes if process[:2] != (gpu.uuid, pid)]
        self.processes.append((gpu.uuid, pid, memory, busy, time))
        self.write()
