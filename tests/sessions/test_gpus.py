"""Devices are granted with the other slots, remembered through restarts, and counted in the ledger."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.gpu import Device
from sandbox.runner.wire import CallError
from sessions import lifecycle as life
from sessions.lifecycle import State
from sessions.models import UsageLine
from sessions.service.keeper import Keeper
from tests.sessions.conftest import Create, kept, row
from tests.sessions.lab import Ground
from tests.sessions.test_keeper import running
from tests.until import until

pytestmark = pytest.mark.django_db(transaction=True)
HALF, ONE, TWO = {"gpu": 0.5}, {"gpu": 1}, {"gpu": 2}


@pytest.fixture
def machine(ground: Ground) -> Ground:
    ground.gpus = [Device(f"GPU-{index}", "Test", 8 << 30, f"/dev/nvidia{index}") for index in range(2)]
    return ground


def granted(ground: Ground, session: Any) -> list[tuple[str, int]]:
    return [(share.uuid, share.part) for share in ground.boxes[session.id].spec.gpus]


async def test_a_session_gets_what_it_was_granted(machine: Ground, create: Create) -> None:
    async with kept(machine) as keeper:
        first, second = await running(keeper, create, slots=HALF), await running(keeper, create, slots=HALF)
        whole = await running(keeper, create, slots=ONE)
        plain = await running(keeper, create)
        assert granted(machine, first) == granted(machine, second) == [("GPU-0", 50)]
        assert granted(machine, whole) == [("GPU-1", 100)]
        assert granted(machine, plain) == []


async def test_who_does_not_fit_waits_for_a_device(machine: Ground, create: Create) -> None:
    async with kept(machine) as keeper:
        half = await running(keeper, create, slots=HALF)
        waiting = await create(keeper, slots=TWO)
        assert waiting.life.state is State.PENDING
        assert "number 1" in waiting.row.detail
        await half.apply(life.Stop("owner"))
        await until(lambda: waiting.life.state is State.RUNNING)
        assert granted(machine, waiting) == [("GPU-0", 100), ("GPU-1", 100)]


async def test_more_than_there_is_can_never_be_granted(machine: Ground, create: Create) -> None:
    async with kept(machine) as keeper:
        with pytest.raises(CallError, match="never grant"):
            await create(keeper, slots={"gpu": 3})


async def test_without_devices_none_are_granted(keeper: Keeper, create: Create) -> None:
    with pytest.raises(CallError, match="GPUs"):
        await create(keeper, slots=HALF)


async def test_a_restart_knows_who_has_which(machine: Ground, create: Create) -> None:
    async with kept(machine) as first:
        half = await running(first, create, slots=HALF)
        await row(half)
    async with kept(machine) as second:
        assert second.sessions[half.id].gpus == machine.boxes[half.id].spec.gpus
        whole = await running(second, create, slots=ONE)
        assert granted(machine, whole) == [("GPU-1", 100)]
        assert (await create(second, slots=ONE)).life.state is State.PENDING, "the first device is begun"


async def test_what_was_done_on_them_is_in_the_ledger(machine: Ground, create: Create) -> None:
    async with kept(machine) as keeper:
        session = await running(keeper, create, slots=ONE)
        box = machine.boxes[session.id]
        box.use(gpu_ms=400, gpu_memory_kib_s=70, gpu_energy_mj=9, gpu_memory_peak_kib=5)
        box.end()
        await session.gone.wait()
        line = await UsageLine.objects.aget(session_id=session.row.pk)
        assert (line.gpu_ms, line.gpu_memory_kib_s, line.gpu_energy_mj, line.gpu_memory_peak_kib) == (400, 70, 9, 5)
        assert (await row(session)).usage["gpu_ms"] == 400
