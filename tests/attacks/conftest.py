"""A house with a neighbour in it: each attack is tried beside a session that must not notice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest_asyncio

from sandbox.slots import MIB, Slots
from tests.attacks import host
from tests.sandbox.conftest import Inside, Lab, driver

__all__ = ["driver"]

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
async def house(driver: object, tmp_path: Path) -> AsyncIterator[House]:
    """Two sessions on folders of their own; afterwards nothing of either may be left on the host."""
    lab = Lab(driver, tmp_path)  # type: ignore[arg-type]
    folders = [tmp_path / "attacker", tmp_path / "neighbour"]
    state = lab.driver.runner_socket("any").parents[2]
    before = host.count(state, [])
    attacker, neighbour = [await lab.start(SLOTS, folder) for folder in folders]
    yield House(lab, attacker, await lab.kernel(attacker), await lab.kernel(neighbour))
    await lab.close()
    await host.settle(state, [attacker, neighbour], before)
