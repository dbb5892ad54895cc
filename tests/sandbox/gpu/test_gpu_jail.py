"""A sandbox on a machine whose NVML is ours: what it sees, what is counted, what ends a program."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from sandbox.drivers.jail import JailDriver
from sandbox.drivers.zygotes import Zygote, image_zygote
from sandbox.gpu import Share
from sandbox.images import Image
from tests.sandbox.conftest import Lab, unfit
from tests.sandbox.gpu.machine import GIB, Gpu, Machine
from tests.settings import IMAGES

pytestmark = pytest.mark.jail
GRANTED, OTHER = "/dev/nvidia93", "/dev/nvidia94"


@pytest.fixture
def nodes() -> Iterator[None]:
    """Device files as a driver makes them; behind them is /dev/null."""
    if os.geteuid() != 0:
        pytest.skip("only root can make device files")
    for node in (GRANTED, OTHER):
        Path(node).unlink(missing_ok=True)  # of a run that was killed
        os.mknod(node, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        os.chmod(node, 0o666)
    yield
    for node in (GRANTED, OTHER):
        os.unlink(node)


@pytest_asyncio.fixture
async def lab(
    nodes: None, library: Path, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Lab]:
    if reason := unfit():
        pytest.skip(reason)
    told = {"LD_LIBRARY_PATH": str(library.parent), "FAKE_NVML": str(machine.file)}

    def zygote(image: Image, prefix: Path) -> Zygote:
        made = image_zygote(image, prefix)
        made._environment = {**made._environment, **told}
        return made

    monkeypatch.setattr("sandbox.drivers.jail.image_zygote", zygote)
    (tmp_path / "images").symlink_to(IMAGES)
    driver = JailDriver(tmp_path, 0)
    await driver.open()
    lab = Lab(driver, tmp_path)
    yield lab
    await lab.close()
    await driver.close()


def kernel_of(lab: Lab, id: str) -> int:
    """The host's pid of the sandbox's youngest process."""
    state = json.loads((lab.folder / "sandboxes" / id / "state.json").read_text())
    groups = state["cgroup"].values()
    pids = next(text.split() for group in groups if (text := Path(group, "cgroup.procs").read_text()))
    return max(map(int, pids))


async def test_it_sees_its_device_and_no_other(lab: Lab, machine: Machine) -> None:
    gpu = Gpu("GPU-mine", 93)
    machine.gpus = [gpu, Gpu("GPU-other", 94)]
    machine.write()
    assert [device.node for device in await lab.driver.gpus()] == [GRANTED, OTHER]
    inside = await lab.kernel(await lab.start(gpus=(Share(gpu.uuid, 50, gpu.memory, GRANTED),)))
    assert await inside.run("import glob; print(glob.glob('/dev/nvidia[0-9]*'))") == f"['{GRANTED}']\n"
    assert await inside.run(f"open('{GRANTED}', 'r+b').close(); print('opened')") == "opened\n"
    told = "import os; print(os.environ['CUDA_VISIBLE_DEVICES'], os.environ['TF_FORCE_GPU_ALLOW_GROWTH'])"
    assert await inside.run(told) == "GPU-mine true\n"
    without = await lab.kernel(await lab.start(project=lab.folder / "other"))
    said = await without.run("import glob, os; print(glob.glob('/dev/nvidia*'), 'CUDA_VISIBLE_DEVICES' in os.environ)")
    assert said == "[] False\n"


async def test_what_it_does_there_is_counted_to_the_end(lab: Lab, machine: Machine) -> None:
    gpu = Gpu("GPU-mine", 93)
    machine.gpus = [gpu]
    machine.write()
    id = await lab.start(gpus=(Share(gpu.uuid, 100, gpu.memory, GRANTED),))
    await lab.kernel(id)
    machine.uses(gpu, kernel_of(lab, id), 2 * GIB, 100, time=1)
    machine.uses(gpu, os.getpid(), GIB, 100, time=1)
    while (sample := await lab.sample(id)).usage.gpu_ms == 0:
        pass
    assert sample.usage.gpu_memory_kib == 2 << 20, "what the test's own process has is somebody else's"
    await lab.driver.stop(id)
    usage = (await lab.end(id)).usage
    assert usage.gpu_ms >= sample.usage.gpu_ms
    assert usage.gpu_memory_peak_kib == 2 << 20
    assert usage.gpu_memory_kib_s > 0


async def test_a_program_with_more_memory_than_the_share_is_ended(lab: Lab, machine: Machine) -> None:
    gpu = Gpu("GPU-mine", 93)
    machine.gpus = [gpu]
    machine.write()
    id = await lab.start(gpus=(Share(gpu.uuid, 25, gpu.memory, GRANTED),))
    inside = await lab.kernel(id)
    started = "import subprocess; hog = subprocess.Popen(['sleep', '1000']); print(hog.poll())"
    assert await inside.run(started) == "None\n"
    hog = kernel_of(lab, id)
    machine.uses(gpu, hog, 3 * GIB, 0, time=1)
    while (sample := await lab.sample(id)).notice != "gpu_memory_full":
        pass
    assert "share" in sample.detail
    assert await inside.run("print(hog.wait())") == "-9\n"
    machine.processes.clear()
    machine.write()
    assert await inside.run("print('the kernel goes on')") == "the kernel goes on\n"
