"""Two scenes. A victim: a sandbox of the default policy, with a neighbour, and a host that must not notice. A house:
a sandbox with small slots to use up, beside a neighbour that must not notice either."""

from __future__ import annotations

import json
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest_asyncio

from bin.lib.engine import FOLDER_PREFIX
from sandbox.drivers import Driver, Exit, Refused
from sandbox.egress.rules import Network
from sandbox.slots import MIB, Slots
from tests.attacks import host
from tests.sandbox.conftest import Inside, Lab, driver, lab, pytest_generate_tests

__all__ = ["driver", "lab", "pytest_generate_tests"]

SLOTS = Slots(cpu=1, memory=160 * MIB, disk=64 * MIB, processes=48)


@dataclass
class House:
    """``attacker`` is the session under attack from inside; ``neighbour`` another one's kernel."""

    lab: Lab
    id: str
    attacker: Inside
    neighbour: Inside

    async def neighbour_answers(self) -> None:
        """The neighbour computes, writes and starts a program, as ever."""
        said = await self.neighbour.run(
            "import subprocess\nopen('mine', 'w').write('x' * 99999)\n"
            "print(sum(range(10**6)), subprocess.run(['echo', 'well'], capture_output=True, text=True).stdout)"
        )
        assert said == "499999500000 well\n\n", said

    async def runner_answers(self) -> list[str]:
        """The attacked session's runner answers; the names of its terminals."""
        client = await self.lab.client(self.id)
        assert (await client.call("hello"))["protocol"] == 1
        return [terminal["name"] for terminal in await client.call("terminal.list")]


@pytest_asyncio.fixture(loop_scope="module")
async def house(driver: Driver, tmp_path: Path) -> AsyncIterator[House]:
    """Two sessions on folders of their own; afterwards nothing of either may be left on the host."""
    lab = Lab(driver, tmp_path)
    folders = [tmp_path / "attacker", tmp_path / "neighbour"]
    state = lab.driver.runner_socket("any").parents[2]
    before = host.count(state, [])
    attacker, neighbour = [await lab.start(SLOTS, folder) for folder in folders]
    yield House(lab, attacker, await lab.kernel(attacker), await lab.kernel(neighbour))
    await lab.close()
    await host.settle(state, [attacker, neighbour], before)


@dataclass
class Victim:
    """The sandbox under attack, and the kernel that the attacker has in it."""

    lab: Lab
    id: str
    kernel: Inside

    async def run(self, code: str) -> str:
        return await self.kernel.run(code)

    def state(self) -> dict[str, Any]:
        file = self.lab.driver.runner_socket(self.id).parent / "state.json"
        state: dict[str, Any] = json.loads(file.read_text())
        return state

    async def told(self) -> Counter[tuple[str, str]]:
        """End it; what its owner was told that its policy refused."""
        await self.lab.driver.stop(self.id)
        told: Counter[tuple[str, str]] = Counter()
        async for event in self.lab.driver.events(self.id):
            if isinstance(event, Refused):
                told[event.call, event.reason] = event.count
            if isinstance(event, Exit):
                assert event.reason == "stopped", event
        return told


def traces() -> dict[str, object]:
    """What an attack could change on the host. The engine's own mounts are those of containers that come and go."""
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    return {
        "mounts": [mount for mount in mounts if FOLDER_PREFIX not in mount],
        "modules": Path("/proc/modules").read_text() if Path("/proc/modules").exists() else "",
        "hostname": socket.gethostname(),
        "boot": round(time.time() - time.monotonic(), -1),
        "swaps": Path("/proc/swaps").read_text(),
    }


@pytest_asyncio.fixture(loop_scope="module")
async def victim(lab: Lab) -> AsyncIterator[Victim]:
    """Afterwards the neighbour still has its memory, the host is as it was, and the victim's jail and runner live
    (or were ended by the test)."""
    neighbour = await lab.kernel(await lab.start())
    await neighbour.run("precious = 41")
    id = await lab.start(network=Network("public"))  # the widest: what fails here fails under every rule
    victim = Victim(lab, id, await lab.kernel(id))
    before, state = traces(), victim.state()
    yield victim
    if not victim.lab.driver.runner_socket(id).with_name("exit.json").exists():
        for role in ("jail", "runner"):
            assert Path(f"/proc/{state[role]}/comm").read_text().strip() == role
        assert await victim.run("print('still here')") == "still here\n"
    assert await neighbour.run("print(precious + 1)") == "42\n"
    assert traces() == before
