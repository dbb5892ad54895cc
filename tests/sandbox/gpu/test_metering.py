"""From NVML's answers to usage, across the C boundary."""

from __future__ import annotations

import subprocess
import sys
from ctypes.util import find_library

import pytest

from sandbox.gpu import Share, nvml
from sandbox.gpu.metering import GpuMeter
from sandbox.usage import Usage
from tests.sandbox.gpu.machine import GIB, Gpu, Machine

ONE, TWO = Gpu("GPU-one", 0, 8 * GIB, name="Test GPU 8"), Gpu("GPU-two", 1, 16 * GIB, name="Test GPU 16")


@pytest.fixture
def pair(machine: Machine) -> Machine:
    machine.gpus = [Gpu(**vars(ONE)), Gpu(**vars(TWO))]
    machine.write()
    return machine


def share(gpu: Gpu, part: int = 100) -> Share:
    return Share(gpu.uuid, part, gpu.memory, f"/dev/nvidia{gpu.minor}")


def never(pid: int) -> None:
    raise AssertionError(f"{pid} has not more than its share")


def test_devices_are_found(pair: Machine) -> None:
    found = nvml.devices()
    assert [(d.uuid, d.name, d.memory, d.node) for d in found] == [
        ("GPU-one", "Test GPU 8", 8 * GIB, "/dev/nvidia0"),
        ("GPU-two", "Test GPU 16", 16 * GIB, "/dev/nvidia1"),
    ]


def test_without_a_driver_there_are_none(monkeypatch: pytest.MonkeyPatch, machine: Machine) -> None:
    monkeypatch.setenv("FAKE_NVML", "/nonexistent")
    with pytest.raises(nvml.NoDriver, match="Driver"):
        nvml.devices()
    assert GpuMeter([share(ONE)]).read(Usage(), {1}, 1000, never) == Usage()


@pytest.mark.skipif(find_library("nvidia-ml") is not None, reason="this machine has NVIDIA's library")
def test_without_the_library_there_are_none() -> None:
    program = "from sandbox.gpu import nvml\ntry: nvml.devices()\nexcept nvml.NoDriver as error: print('none', error)"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout.startswith("none")


def test_only_its_own_processes_count(pair: Machine) -> None:
    meter = GpuMeter([share(ONE)])
    pair.uses(ONE, 10, GIB, 60, time=1)
    pair.uses(ONE, 99, 2 * GIB, 40, time=1)
    usage = meter.read(Usage(cpu_ms=7), {10, 11}, 1000, never)
    assert (usage.cpu_ms, usage.gpu_ms, usage.gpu_memory_kib) == (7, 600, 1 << 20)
    pair.uses(ONE, 10, GIB, 20, time=2)
    usage = meter.read(usage, {10, 11}, 2000, never)
    assert usage.gpu_ms == 600 + 200
    assert usage.gpu_memory_kib_s == (1 << 20) // 2 + (1 << 20), "the trapezoid between two readings"


def test_what_was_seen_once_is_not_counted_again(pair: Machine) -> None:
    meter = GpuMeter([share(ONE)])
    pair.uses(ONE, 10, 0, 50, time=5)
    assert meter.read(Usage(), {10}, 1000, never).gpu_ms == 500
    assert meter.read(Usage(), {10}, 2000, never).gpu_ms == 500


def test_two_devices_add_up(pair: Machine) -> None:
    meter = GpuMeter([share(ONE), share(TWO)])
    pair.uses(ONE, 10, GIB, 100, time=1)
    pair.uses(TWO, 11, GIB, 50, time=1)
    usage = meter.read(Usage(), {10, 11}, 1000, never)
    assert (usage.gpu_ms, usage.gpu_memory_peak_kib) == (1500, 2 << 20)


def test_energy_is_counted_from_the_first_look_by_share(pair: Machine) -> None:
    meter = GpuMeter([share(ONE, 25)])
    pair.gpus[0].energy = 5000
    pair.write()
    assert meter.read(Usage(), {10}, 1000, never).gpu_energy_mj == 0
    pair.gpus[0].energy = 9000
    pair.write()
    assert meter.read(Usage(), {10}, 2000, never).gpu_energy_mj == 1000


def test_a_device_that_cannot_tell_of_processes(pair: Machine) -> None:
    """Of one's own device, all is one's own; of a shared one nothing is made up."""
    pair.gpus[0].busy = 80
    pair.uses(ONE, 10, GIB, -1, time=1)
    assert GpuMeter([share(ONE)]).read(Usage(), {10}, 1000, never).gpu_ms == 800
    assert GpuMeter([share(ONE, 50)]).read(Usage(), {10}, 1000, never).gpu_ms == 0


def test_a_device_that_can_tell_nothing(pair: Machine) -> None:
    pair.gpus[0].busy = pair.gpus[0].energy = -1
    pair.uses(ONE, 10, GIB, -1, time=1)
    usage = GpuMeter([share(ONE)]).read(Usage(), {10}, 1000, never)
    assert (usage.gpu_ms, usage.gpu_energy_mj, usage.gpu_memory_kib) == (0, 0, 1 << 20)


def test_more_memory_than_its_share_ends_the_largest_process(pair: Machine) -> None:
    meter = GpuMeter([share(ONE, 25)])
    ended: list[int] = []
    pair.uses(ONE, 10, GIB, 0, time=1)
    pair.uses(ONE, 11, GIB, 0, time=1)
    pair.uses(ONE, 99, 6 * GIB, 0, time=1)
    meter.read(Usage(), {10, 11}, 1000, ended.append)
    assert ended == [], "2 GiB of 8 are a quarter, and what others have is not counted"
    pair.uses(ONE, 11, GIB + 1, 0, time=2)
    meter.read(Usage(), {10, 11}, 2000, ended.append)
    assert ended == [11]
