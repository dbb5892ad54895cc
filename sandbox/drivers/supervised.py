"""What the drivers of this host have in common: each sandbox has a jail, a process that watches over it from outside.

What differs is how a sandbox is made: forked from a zygote (:mod:`sandbox.drivers.jail`), or in a container that a
Docker Engine starts (:mod:`sandbox.drivers.docker`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import socket
import time
import uuid
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sandbox.drivers import Cleared, Exit, Refused, Sample, SandboxError, SandboxSpec
from sandbox.drivers.pool import LEAST, QUIET_SECONDS, Demand, Pool
from sandbox.egress import account, record
from sandbox.gpu import Device, nvml
from sandbox.images import Image
from sandbox.images.added import version_of
from sandbox.jail.account import last_account
from sandbox.jail.cgroups import Cgroup
from sandbox.jail.plan import Plan
from sandbox.jail.seen import choose_cores
from sandbox.runner.wire import CallError, Client, WireError
from sandbox.usage import Usage

_FIRST_HOST_ID = 1_900_000_000  # above every range that systemd or subuid(5) hand out

log = logging.getLogger(__name__)


@dataclass
class SpareSandbox:
    """A sandbox that nobody has asked for yet. It ends when ``keeper`` is closed before it was claimed.

    ``current`` says whether its image is still what it was made of. ``gone`` is called once nothing of it is left.
    """

    plan: Plan
    keeper: socket.socket
    current: Callable[[], bool]
    gone: Callable[[], None]

    @property
    def alive(self) -> bool:
        return self.current() and self._kept()

    def _kept(self) -> bool:
        try:
            return self.keeper.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def close(self) -> None:
        self.keeper.close()

    def bury(self) -> None:
        self.close()
        _clear(Path(self.plan.directory))
        self.gone()


class SupervisedDriver(ABC):
    """See :class:`sandbox.drivers.Driver`. State: ``<state>/sandboxes/<id>/``, and ``<state>/spares/`` likewise."""

    start_seconds = 60
    """How long a sandbox may take until it is ready, on however busy a host."""
    quiet_seconds = QUIET_SECONDS
    """How long after a start no spare is made, so that its first cell has the processor."""

    def __init__(self, state: Path, spares: int, offered: Iterable[Image]) -> None:
        self._sandboxes, self._spares = state / "sandboxes", state / "spares"
        self._host_ids: dict[str, int] = {}
        self._cores: dict[str, list[int]] = {}
        self._followed: dict[str, Client] = {}
        self._pools = {
            i.name: Pool(partial(self._make_spare, i), self._demand(i, spares), self.quiet_seconds) for i in offered
        }

    def _demand(self, image: Image, most: int) -> Demand:
        """How many spare sandboxes of ``image`` are kept."""
        return Demand(0 if image.base else min(LEAST, most), most)

    def _version(self, image: Image) -> object:
        """What sandboxes of ``image`` are made of now: spares that were made of something else are nobody's."""
        return version_of(image)

    @abstractmethod
    def _make_plan(
        self, spec: SandboxSpec, directory: Path, host_id: int | None, cores: list[int], spare: bool
    ) -> Plan:
        """The plan of a sandbox that is to be made."""

    @abstractmethod
    async def _launch(self, image: Image, plan: Plan) -> socket.socket:
        """Start a jail that carries the written ``plan`` out; returns our end of its answers.

        Raises:
            SandboxError: that could not be begun.
        """

    async def open(self) -> None:
        self._sandboxes.mkdir(parents=True, exist_ok=True, mode=0o700)
        await asyncio.to_thread(self._clear_spares)
        await asyncio.to_thread(self._read_plans)

    async def gpus(self) -> list[Device]:
        try:
            return await asyncio.to_thread(nvml.devices)
        except nvml.NoDriver as error:
            log.info("no GPUs: %s", error)
            return []

    async def close(self) -> None:
        await asyncio.gather(*(pool.close() for pool in self._pools.values()), return_exceptions=True)

    async def start(self, spec: SandboxSpec) -> None:
        if spec.image.name not in self._pools:
            raise SandboxError("unknown_image", f"There is no image called {spec.image.name}.")
        if spec.project is not None and not spec.project.is_dir():
            raise SandboxError("no_project", "The project's folder is not there.")
        pool = self._pools[spec.image.name]
        spare = pool.take() if _fits(spec) else None
        if spare is not None and await self._claim(spare, spec):
            return
        pool.starting(1)
        try:
            plan = self._plan(spec, self._directory(spec.id))
            _write_plan(plan)
            self._prepare_network(spec)
            (await self._build(spec.image, plan)).close()
        finally:
            pool.starting(-1)

    def expect(self, image: str, count: int, begin: float, end: float) -> None:
        if (pool := self._pools.get(image)) is not None:  # an empty one is false
            pool.expect(count, begin, end)

    async def adopt(self) -> list[str]:
        if not self._sandboxes.is_dir():
            return []
        return [path.name for path in self._sandboxes.iterdir() if (path / "plan.json").exists()]

    async def events(self, id: str) -> AsyncIterator[Sample | Refused | Exit]:
        directory, last, client = self._directory(id), Usage(), None
        try:
            async with await Client.connect(directory / "jail.sock") as client:
                self._followed[id] = client
                async for _, payload in await client.open("watch_samples"):
                    sample = json.loads(payload)
                    last = Usage.from_dict(sample["usage"])
                    for refused in _refusals(sample):
                        yield refused
                    notice, detail = str(sample.get("notice", "")), str(sample.get("detail", ""))
                    yield Sample(last, bool(sample["busy"]), int(sample["idle_ms"]), notice, detail)
        except (OSError, WireError, CallError):
            pass  # no jail listens: it has ended, and exit.json or its absence says how
        finally:
            if client is not None and self._followed.get(id) is client:  # else somebody else follows it by now
                del self._followed[id]
        for event in await asyncio.to_thread(self._last_words, directory, last):
            yield event

    async def pause(self, id: str) -> None:
        await self._call(id, "pause")

    async def resume(self, id: str) -> None:
        await self._call(id, "resume")

    async def mark(self, id: str) -> Usage:
        return Usage.from_dict(await self._call(id, "mark"))

    async def clear(self, id: str) -> Cleared:
        told = await self._call(id, "clear")
        refused = tuple(_refusals(told))
        return Cleared(Usage.from_dict(told["usage"]), int(told["peak_kib"]), refused, bool(told["clean"]))

    async def stop(self, id: str) -> None:
        try:
            await self._call(id, "stop")
        except SandboxError:
            return  # it has ended already

    async def collect(self, id: str) -> None:
        await asyncio.to_thread(shutil.rmtree, self._directory(id), ignore_errors=True)
        self._give_back(id)

    def runner_socket(self, id: str) -> Path:
        return self._directory(id) / "runner.sock"

    def _directory(self, id: str) -> Path:
        return self._sandboxes / id

    def _prepare_network(self, spec: SandboxSpec) -> None:
        """Before anybody can use the sandbox: if we end at any moment, there is none without its way out."""
        record.prepare(self._directory(spec.id), spec.network, self.runner_socket(spec.id))

    def _plan(self, spec: SandboxSpec, directory: Path, spare: bool = False) -> Plan:
        host_id, cores = self._new_host_id(spec.id), self._take_cores(spec)
        try:
            return self._make_plan(spec, directory, host_id, cores, spare)
        except BaseException:
            self._give_back(spec.id)
            raise

    async def _build(self, image: Image, plan: Plan) -> socket.socket:
        """Have the written ``plan`` carried out; returns our end of what keeps the sandbox, if it is a spare one."""
        directory = Path(plan.directory)
        try:
            ours = await self._launch(image, plan)
        except SandboxError:
            self._forget(plan)
            raise
        answer = await self._answer(ours)
        if "error" in answer:
            ours.close()
            log.error("sandbox %s: %s\n%s", plan.id, answer["error"], _tail(directory / "jail.log"))
            self._forget(plan)
            raise SandboxError("not_started", f"The sandbox could not be started: {answer['error']}")
        return ours

    def _forget(self, plan: Plan) -> None:
        """Of a sandbox that could not be made."""
        shutil.rmtree(plan.directory, ignore_errors=True)
        self._give_back(plan.id)

    async def _make_spare(self, image: Image) -> SpareSandbox:
        id, version = str(uuid.uuid4()), self._version(image)
        spec = SandboxSpec(id, image, image.slots, policy=image.policy)
        plan = self._plan(spec, self._spares / id, spare=True)
        _write_plan(plan)
        keeper = await self._build(image, plan)
        return SpareSandbox(plan, keeper, lambda: self._version(image) == version, partial(self._give_back, id))

    async def _claim(self, spare: SpareSandbox, spec: SandboxSpec) -> bool:
        """Make ``spare`` the sandbox of ``spec``; whether that went well."""
        directory, host_id, cores = self._directory(spec.id), spare.plan.host_id, spare.plan.cores
        plan = self._make_plan(spec, directory, host_id, cores, False)
        self._give_back(spare.plan.id)
        self._cores[spec.id] = cores
        if host_id is not None:
            self._host_ids[spec.id] = host_id
        os.rename(spare.plan.directory, directory)
        self._prepare_network(spec)
        _write_plan(plan)
        try:
            await self._call(spec.id, "claim", plan=plan.to_json())
        except SandboxError as error:
            log.error("sandbox %s: the spare one could not be claimed: %s", spec.id, error)
            os.rename(directory, spare.plan.directory)
            await asyncio.to_thread(spare.bury)
            return False
        finally:
            spare.close()
        return True

    def _take_cores(self, spec: SandboxSpec) -> list[int]:
        """The cores that the fewest sandboxes have: what is there is spread over all of them."""
        taken = Counter(core for cores in self._cores.values() for core in cores)
        cores = choose_cores(spec.slots.cpu, sorted(os.sched_getaffinity(0)), taken)
        self._cores[spec.id] = cores
        return cores

    def _give_back(self, id: str) -> None:
        """The host user and the cores of a sandbox that is no more, or has another id now."""
        self._host_ids.pop(id, None)
        self._cores.pop(id, None)

    def _new_host_id(self, id: str) -> int | None:
        """A host user that no sandbox has now; ``None`` when we are an ordinary user and have but ourselves."""
        if os.geteuid() != 0:
            return None
        used = set(self._host_ids.values())
        new = next(number for number in range(_FIRST_HOST_ID, _FIRST_HOST_ID + 1_000_000) if number not in used)
        self._host_ids[id] = new
        return new

    def _clear_spares(self) -> None:
        """Those of the last instance ended with it, unless their jails were killed."""
        self._spares.mkdir(mode=0o700, exist_ok=True)
        for directory in self._spares.iterdir():
            _clear(directory)

    def _read_plans(self) -> None:
        """What the sandboxes of the last instance have."""
        for file in self._sandboxes.glob("*/plan.json"):
            plan, id = json.loads(file.read_text()), file.parent.name
            self._cores[id] = plan.get("cores", [])
            if plan["host_id"] is not None:
                self._host_ids[id] = plan["host_id"]

    async def _call(self, id: str, method: str, **params: Any) -> Any:
        try:
            if (followed := self._followed.get(id)) is not None:
                with contextlib.suppress(OSError):  # its follower leaves: that tells nothing of the jail
                    return await followed.call(method, **params)
            async with await Client.connect(self._directory(id) / "jail.sock") as client:
                return await client.call(method, **params)
        except (OSError, WireError, CallError) as error:
            raise SandboxError("gone", "The sandbox has ended.") from error

    async def _answer(self, reply: socket.socket) -> dict[str, Any]:
        reply.setblocking(False)
        loop, text = asyncio.get_running_loop(), b""
        try:
            async with asyncio.timeout(self.start_seconds):
                while not text.endswith(b"\n"):
                    data = await loop.sock_recv(reply, 4096)
                    if not data:
                        return {"error": "its jail ended before it was ready; the log says why"}
                    text += data
        except TimeoutError:
            return {"error": f"it was not ready within {self.start_seconds} s"}
        answer: dict[str, Any] = json.loads(text)
        return answer

    def _last_words(self, directory: Path, last: Usage) -> list[Refused | Exit]:
        try:
            ended = json.loads((directory / "exit.json").read_text())
            exit = Exit(ended["reason"], Usage.from_dict(ended["usage"]), ended["detail"])
            return [*_refusals(ended), exit]
        except (OSError, ValueError, KeyError):
            return [self._bury(directory, last)]

    def _bury(self, directory: Path, last: Usage) -> Exit:
        """The jail was killed: its sandbox fell with it; read the accounts a last time and clear what is left."""
        usage = max(last, last_account(directory), key=lambda usage: usage.wall_ms)
        try:
            cgroup, base = _ended(directory)
            before = usage.upon(base)
            usage = cgroup.usage(before, before.wall_ms).since(base)
            cgroup.remove()
        except (OSError, ValueError, KeyError):
            pass  # it never got so far as to have accounts: what was read last stands
        usage = account.added(usage, last, directory)
        return Exit(
            "jail_lost", usage, "The sandbox's supervisor was killed; the sandbox ended with it. Files are safe."
        )


def _ended(directory: Path) -> tuple[Cgroup, Usage]:
    """The cgroup of a sandbox whose jail was killed, once all in it is dead, and the base of its accounts.

    Raises:
        OSError, ValueError, KeyError: it never got so far as to have one.
    """
    state = json.loads((directory / "state.json").read_text())
    paths = {name: Path(path) for name, path in state["cgroup"].items()}
    cgroup = Cgroup(int(state["version"]), paths, bool(state.get("nested")))
    cgroup.kill()
    deadline = time.monotonic() + 5
    while cgroup.processes() and time.monotonic() < deadline:
        time.sleep(0.01)
    return cgroup, Usage.from_dict(state["base"])


def _clear(directory: Path) -> None:
    """Leave nothing of a spare sandbox whose jail or driver was killed."""
    try:
        _ended(directory)[0].remove()
    except (OSError, ValueError, KeyError):
        pass  # it has no cgroup: its jail saw to it, or it never had one
    shutil.rmtree(directory, ignore_errors=True)


def _fits(spec: SandboxSpec) -> bool:
    """Whether a spare sandbox can become this one: all but project, hostname and environment is fixed in it."""
    return not spec.datasets and not spec.gpus and spec.slots == spec.image.slots and spec.policy == spec.image.policy


def _write_plan(plan: Plan) -> None:
    os.makedirs(plan.directory, mode=0o700, exist_ok=True)
    Path(plan.directory, "plan.json").write_text(plan.to_json())


def _refusals(told: dict[str, Any]) -> list[Refused]:
    """A jail that an older version started, and that outlived it, tells none."""
    return [Refused(*refused) for refused in told.get("refusals", ())]


def _tail(path: Path) -> str:
    try:
        return path.read_text(errors="replace")[-4000:]
    except OSError:
        return "(no log)"
