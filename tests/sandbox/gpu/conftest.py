from __future__ import annotations

import ctypes
import shutil
from pathlib import Path

import pytest

from tests.sandbox.gpu.machine import Machine, build


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Loaded once: what pynvml loads by its name is then this."""
    if not shutil.which("gcc"):
        pytest.skip("gcc is not installed")
    library = build(tmp_path_factory.mktemp("nvml"))
    ctypes.CDLL(str(library))
    return library


@pytest.fixture
def machine(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path / "gpus")
    machine.write()
    monkeypatch.setenv("FAKE_NVML", str(machine.file))
    return machine
