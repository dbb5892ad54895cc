"""The ledger adds up to what the kernel counted, whatever is killed meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import threading
import time
from pathlib import Path

import httpx
import pytest

from sandbox.jail.cgroups import Cgroup
from sandbox.usage import Usage
from tests.live import Account, Site, wait_for
from tests.sessions.test_live import end, kernel_path, ledger, start_kernel
from tests.sessions.test_streams import request, v1
from tests.site.resuming import ResumingKernel
from tests.site.test_nothing_is_lost import kill

BURN = """
import resource, time
def used(): u = resource.getrusage(resource.RUSAGE_SELF); return u.ru_utime + u.ru_stime
began, held = used(), []
while used() - began < {seconds}:
    if len(held) < 12: held.append(bytearray(16 << 20)); time.sleep(0.2)
print('burnt', used() - began)
time.sleep({hold})
{last}
"""


class Observer(threading.Thread):
    """Reads the kernel's accounts of a session's sandbox, fifty times a second."""

    def __init__(self, sandbox: Path) -> None:
        super().__init__(daemon=True)
        state = json.loads((sandbox / "state.json").read_text())
        self._cgroup = Cgroup(int(state["version"]), {name: Path(path) for name, path in state["cgroup"].items()})
        self.cpu_ms = 0
        self.kib_s = 0.0

    def run(self) -> None:
        before, memory = time.monotonic(), self._cgroup.memory_kib()
        while True:
            time.sleep(0.02)
            try:
                now, more = time.monotonic(), self._cgroup.memory_kib()
                self.cpu_ms = self._cgroup.usage(Usage(), 0).cpu_ms
            except OSError:  # it is gone
                return
            self.kib_s += (memory + more) / 2 * (now - before)
            before, memory = now, more


async def burn(page: ResumingKernel, seconds: float, hold: float, last: str) -> float:
    """CPU seconds that a cell says it has used, once its kernel is idle again."""
    text = ""
    async for message in page.messages(v1(request(BURN.format(seconds=seconds, hold=hold, last=last)))):
        text += message["content"].get("text", "")
        if "burnt" in text and message["content"].get("execution_state") == "idle":
            break
    return float(re.findall(r"burnt (\S+)", text)[-1])


@pytest.mark.parametrize("seed", [1, 2])
async def test_known_work_under_random_kills(site: Site, owner: Account, http: httpx.Client, seed: int) -> None:
    kernel, session = start_kernel(http)
    sandbox = site.state / "sandboxes" / session
    observer = Observer(sandbox)
    observer.start()
    luck, over = random.Random(seed), False

    def trouble() -> None:
        while not over:
            time.sleep(luck.uniform(0.5, 2.0))
            kill(site, *luck.choice([("web",), ("sessiond",), ("web", "sessiond")]))

    killing = asyncio.create_task(asyncio.to_thread(trouble))
    burnt, following = 0.0, 0
    for seconds, last in ((3.0, ""), (1.0, "import os; os.kill(os.getpid(), 9)"), (1.0, "")):
        page = ResumingKernel(site.url, owner, kernel_path(kernel))
        page.next = following
        burnt += await burn(page, seconds, 4.0, last)
        following = page.next
    over = True
    await killing
    base = Usage.from_dict(json.loads((sandbox / "state.json").read_text())["base"]).cpu_ms  # 0 where it was no spare
    ended = end(http, session)
    await asyncio.to_thread(observer.join, 30)
    line = ledger(http, session)
    assert {name: line[name] for name in ("cpu_ms", "memory_kib_s")} == {
        name: ended["usage"][name] for name in ("cpu_ms", "memory_kib_s")
    }
    assert line["cpu_ms"] >= burnt * 1000
    # What it used as a spare is nobody's; its last words are after our last look.
    assert line["cpu_ms"] == pytest.approx(observer.cpu_ms - base, rel=0.01, abs=50)
    # Memory over time is in no account of the kernel: two integrals of readings, ten and fifty times a second.
    assert line["memory_kib_s"] == pytest.approx(observer.kib_s, rel=0.02)
    states = ended["wall"]
    assert states["running"] == pytest.approx(line["wall_ms"], rel=0.05, abs=1000)


async def test_a_session_that_ends_while_the_service_is_away_is_counted_to_its_end(
    site: Site, owner: Account, http: httpx.Client
) -> None:
    kernel, session = start_kernel(http)
    page = ResumingKernel(site.url, owner, kernel_path(kernel))
    burnt = await burn(page, 1.0, 0.0, "")
    state = json.loads((site.state / "sandboxes" / session / "state.json").read_text())
    former = site.pid("sessiond")
    os.kill(former, signal.SIGKILL)
    os.kill(state["jail"], signal.SIGKILL)
    wait_for(lambda: site.pid("sessiond") != former, what="a new session service")
    site.wait_until_up()
    found = wait_for(lambda: [s for s in [http.get(f"/api/v1/sessions/{session}").json()] if s["ended"]], 30, "its end")
    assert (found[0]["state"], found[0]["reason"]) == ("failed", "jail_lost")
    line = ledger(http, session)
    assert line["cpu_ms"] >= burnt * 1000
    assert line["wall_ms"] > 1000
    assert line["memory_kib_s"] > 0
