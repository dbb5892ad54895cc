"""The driver contract as code: every driver in ``DRIVERS`` passes it unchanged."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import uuid
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import cast

import pytest

from sandbox.drivers import Exit, Sample, SandboxError, SandboxSpec, load_driver
from sandbox.images import images
from sandbox.jail.cgroups import Cgroup
from sandbox.slots import MIB, Slots
from tests.sandbox.conftest import Lab

pytestmark = [pytest.mark.jail, pytest.mark.every_driver, pytest.mark.asyncio(loop_scope="module")]


async def test_a_cell_runs_and_the_project_is_shared(lab: Lab):
    id = await lab.start()
    inside = await lab.kernel(id)
    assert await inside.run("open('made.txt', 'w').write('hello'); print(6*7)") == "42\n"
    made = lab.folder / "project" / "made.txt"
    assert made.read_text() == "hello"
    assert made.stat().st_uid == (lab.folder / "project").stat().st_uid


async def test_samples_come_and_the_last_event_is_the_exit(lab: Lab):
    id = await lab.start()
    inside = await lab.kernel(id)
    await inside.run("sum(range(10**7))")
    sample = await lab.sample(id, 2)
    assert sample.usage.memory_kib > 0
    assert sample.usage.processes >= 2
    assert sample.usage.cpu_ms > 0
    await lab.driver.stop(id)
    events = [event async for event in lab.driver.events(id)]
    assert isinstance(events[-1], Exit)
    assert all(isinstance(event, Sample) for event in events[:-1])
    assert events[-1].reason == "stopped"
    assert events[-1].usage.cpu_ms >= sample.usage.cpu_ms
    assert events[-1].usage.memory_kib_s > 0


async def test_who_leaves_its_events_takes_no_stop_along(lab: Lab):
    id = await lab.start()
    stopping = []
    async with contextlib.aclosing(cast(AsyncGenerator[object], lab.driver.events(id))) as events:
        await anext(events)
        asyncio.get_running_loop().call_soon(lambda: stopping.append(asyncio.ensure_future(lab.driver.stop(id))))
    await asyncio.gather(*stopping)
    async with asyncio.timeout(30):
        assert (await lab.end(id)).reason == "stopped"


async def test_events_of_an_ended_sandbox_yield_its_exit_again_until_collected(lab: Lab):
    id = await lab.start()
    await lab.driver.stop(id)
    first = await lab.end(id)
    assert await lab.end(id) == first
    assert id in await lab.driver.adopt()
    await lab.driver.collect(id)
    assert id not in await lab.driver.adopt()
    await lab.driver.collect(id)
    await lab.driver.stop(id)


async def test_a_new_instance_of_the_driver_adopts_what_the_last_one_started(lab: Lab):
    id = await lab.start()
    inside = await lab.kernel(id)
    await inside.run("x = 41")
    successor = lab.successor()
    assert id in await successor.adopt()
    async for event in successor.events(id):
        assert isinstance(event, Sample)
        break
    assert await inside.run("print(x + 1)") == "42\n"


async def test_pause_freezes_and_resume_goes_on_with_nothing_lost(lab: Lab):
    id = await lab.start()
    inside = await lab.kernel(id)
    await inside.run("x = 1")
    await lab.driver.pause(id)
    before = (await lab.sample(id)).usage.cpu_ms
    answer = asyncio.create_task(inside.run("print(x)"))
    assert (await lab.sample(id, 2)).usage.cpu_ms - before < 20
    assert not answer.done()
    await lab.driver.resume(id)
    assert await answer == "1\n"


async def test_stopping_is_no_accident_to_its_kernels(lab: Lab):
    id = await lab.start()
    inside = await lab.kernel(id)
    await lab.driver.stop(id)
    said = b"".join([payload async for _, payload in inside.stream])
    assert b"started again" not in said
    assert b"restarting" not in said


async def test_a_paused_sandbox_can_be_stopped(lab: Lab):
    id = await lab.start()
    await lab.kernel(id)
    await lab.driver.pause(id)
    await lab.driver.stop(id)
    assert (await lab.end(id)).reason == "stopped"


async def test_stopping_ends_what_ignores_signals_and_hides_in_sessions_of_its_own(lab: Lab):
    id = await lab.start()
    inside = await lab.kernel(id)
    stubborn = (
        "import os, signal, time\nfor n in (15, 1, 2): signal.signal(n, signal.SIG_IGN)\nos.setsid()\ntime.sleep(999)"
    )
    await inside.run(f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {stubborn!r}])")
    await lab.driver.stop(id)
    assert (await lab.end(id)).usage.processes == 0


async def test_a_memory_hog_is_ended_and_its_neighbours_are_not(lab: Lab):
    hog = await lab.start(Slots(memory=200 * MIB))
    inside = await lab.kernel(hog)
    await inside.send("x = bytearray(10**9)")
    said = ""
    async for _, payload in inside.stream:
        said += payload.decode(errors="replace")
        if "restarting" in said:
            break
    assert "out of memory" in said
    assert (await lab.sample(hog)).usage.memory_peak_kib <= 200 * 1024


async def test_a_fork_bomb_meets_the_limit_of_processes(lab: Lab):
    id = await lab.start(Slots(memory=256 * MIB, processes=40))
    inside = await lab.kernel(id)
    said = await inside.run(
        "import os, time\ntry:\n    for n in range(500):\n        if os.fork() == 0: time.sleep(60); os._exit(0)\n"
        "except OSError as error: print(type(error).__name__, n < 40)"
    )
    assert said == "BlockingIOError True\n"


async def test_it_says_busy_and_idle(lab: Lab):
    id = await lab.start()
    inside = await lab.kernel(id)
    await inside.send("import time; time.sleep(2.5)")
    busy = False
    async with asyncio.timeout(60):
        async for event in lab.driver.events(id):
            assert isinstance(event, Sample)
            busy = busy or event.busy
            if busy and not event.busy and event.idle_ms > 1000:
                break


async def test_unknown_things_are_refused_with_a_code(lab: Lab):
    with pytest.raises(SandboxError) as refused:
        load_driver("nonsense", Path("/nonexistent"))
    assert refused.value.code == "unknown_driver"
    spec = SandboxSpec(str(uuid.uuid4()), next(iter(images().values())), Slots(), Path("/nonexistent"))
    with pytest.raises(SandboxError) as refused:
        await lab.driver.start(spec)
    assert refused.value.code == "no_project"
    assert spec.id not in await lab.driver.adopt()


async def test_nothing_is_left_when_its_supervisor_is_killed(lab: Lab):
    """The jail driver's own promise: without a jail there is no sandbox, and its accounts are still read."""
    id = await lab.start()
    await lab.kernel(id)
    directory = lab.driver.runner_socket(id).parent
    state = json.loads((directory / "state.json").read_text())
    os.kill(state["jail"], signal.SIGKILL)
    ended = await lab.end(id)
    assert ended.reason == "jail_lost"
    assert ended.usage.cpu_ms > 0
    assert not any(Path(path).exists() for path in state["cgroup"].values())
    with pytest.raises(FileNotFoundError):  # gone, or a zombie that this machine's init has yet to bury
        Path(f"/proc/{state['runner']}/exe").readlink()


async def test_its_accounts_survive_its_supervisor_though_nobody_looked(lab: Lab):
    """The session service was away too: what was used is known to the last sample."""
    id = await lab.start()
    inside = await lab.kernel(id)
    await inside.run("import time; x = bytearray(100 << 20)\nfor n in range(8): sum(range(10**6)); time.sleep(0.2)")
    seen = (await lab.sample(id)).usage
    directory = lab.driver.runner_socket(id).parent
    os.kill(json.loads((directory / "state.json").read_text())["jail"], signal.SIGKILL)
    successor = lab.successor()
    ended = [event async for event in successor.events(id)][-1]
    assert isinstance(ended, Exit)
    assert ended.reason == "jail_lost"
    for name in ("cpu_ms", "wall_ms", "memory_kib_s", "memory_peak_kib"):
        assert getattr(ended.usage, name) >= getattr(seen, name) > 0, name


async def test_a_paused_sandbox_pays_for_its_memory_and_for_no_cpu(lab: Lab):
    id = await lab.start()
    inside = await lab.kernel(id)
    await inside.run("x = bytearray(100 << 20); print(1)")
    await inside.send("while True: pass")
    await lab.driver.pause(id)
    first, last = (await lab.sample(id)).usage, (await lab.sample(id, 4)).usage
    assert last.cpu_ms - first.cpu_ms < 20
    held = (last.wall_ms - first.wall_ms) * first.memory_kib / 1000
    assert last.memory_kib_s - first.memory_kib_s == pytest.approx(held, rel=0.01)


async def test_pausing_while_output_flows_loses_and_doubles_nothing(lab: Lab):
    id = await lab.start()
    inside = await lab.kernel(id)
    client = await lab.client(id)
    await client.call("terminal.start", name="1")
    screen = await client.open("terminal.attach", name="1", since=0)
    saying = asyncio.create_task(inside.run("for n in range(100000): print(n)"))
    await screen.write(b"seq 100000; echo en''d\n")
    seen = b""
    async for _, data in screen:
        seen += data
        if len(seen) % 7 == 0 and b"\nend\r" not in seen:  # at one moment or another
            await lab.driver.pause(id)
            await lab.driver.resume(id)
        if b"\nend\r\n" in seen:
            break
    assert await saying == "".join(f"{n}\n" for n in range(100000))
    assert b"".join(b"%d\r\n" % n for n in range(1, 100001)) in seen


async def test_a_terminal_lives_through_a_pause(lab: Lab):
    id = await lab.start()
    client = await lab.client(id)
    await client.call("terminal.start", name="1")
    screen = await client.open("terminal.attach", name="1", since=0)
    await screen.write(b"kept=here\n")
    await lab.driver.pause(id)
    await screen.write(b"echo still-$kept\n")  # typed while it stands still
    await lab.driver.resume(id)
    seen = b""
    async for _, data in screen:
        seen += data
        if b"still-here" in seen:
            break


async def test_a_lost_runner_ends_the_sandbox_with_an_honest_reason(lab: Lab):
    id = await lab.start()
    directory = lab.driver.runner_socket(id).parent
    os.kill(json.loads((directory / "state.json").read_text())["runner"], signal.SIGKILL)
    ended = await lab.end(id)
    assert ended.reason == "runner_lost"
    assert "files" in ended.detail


async def test_what_is_cleared_has_ended_and_is_accounted_for(lab: Lab):
    id = await lab.start()
    inside = await lab.kernel(id)
    before = await lab.driver.mark(id)
    await inside.run("import subprocess; left = subprocess.Popen(['sleep', '1000']); sum(range(10**7))")
    cleared = await lab.driver.clear(id)
    assert cleared.usage.since(before).cpu_ms > 0
    assert cleared.peak_kib > 0
    assert cleared.refused == ()
    state = json.loads(lab.driver.runner_socket(id).with_name("state.json").read_text())
    paths = {name: Path(path) for name, path in state["cgroup"].items()}
    left = [Path(f"/proc/{pid}/comm") for pid in Cgroup(state["version"], paths, bool(state.get("nested"))).processes()]
    assert "sleep\n" not in [comm.read_text() for comm in left if comm.exists()]
