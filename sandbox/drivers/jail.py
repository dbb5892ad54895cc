"""The jail driver: sandboxes on this Linux host, forked from a zygote. See :mod:`sandbox.jail`."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import socket
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from sandbox import doctor
from sandbox.drivers import Exit, Sample, SandboxError, SandboxSpec
from sandbox.images import Image, images
from sandbox.jail.cgroups import Cgroup
from sandbox.jail.plan import make_plan
from sandbox.jail.seen import choose_cores
from sandbox.runner.wire import CallError, Client, WireError
from sandbox.usage import Usage

_FIRST_HOST_ID = 1_900_000_000  # above every range that systemd or subuid(5) hand out
_ZYGOTE_SECONDS = 60
_START_SECONDS = 60
_CHECKOUT = Path(__file__).resolve().parents[2]

log = logging.getLogger(__name__)


def create(state: Path) -> JailDriver:
    return JailDriver(state)


class Zygote:
    """The driver's end of one image's zygote; started at the first need, and again if it died."""

    def __init__(self, image: Image, prefix: Path) -> None:
        self._image, self._prefix = image, prefix
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = asyncio.Lock()

    async def send(self, plan: str, reply: socket.socket) -> None:
        """Ask for a jail; ``reply`` is where it answers."""
        async with self._lock:
            if self._process is None or self._process.poll() is not None:
                await self._start()
            assert self._control is not None
            await asyncio.to_thread(socket.send_fds, self._control, [plan.encode()], [reply.fileno()])

    async def warm(self) -> None:
        async with self._lock:
            if self._process is None:
                await self._start()

    def close(self) -> None:
        if self._control:
            self._control.close()
        if self._process:
            self._process.wait()

    async def _start(self) -> None:
        python = self._prefix / "bin" / "python"
        if not python.exists():
            message = f"The image {self._image.name} is not installed on this host: python -m sandbox.images.install"
            raise SandboxError("image_missing", message)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = await asyncio.to_thread(self._spawn, theirs)
        self._control = ours
        ours.setblocking(False)
        try:
            ready = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(ours, 64), _ZYGOTE_SECONDS)
        except TimeoutError:
            ready = b""
        ours.setblocking(True)
        if ready != b"ready":
            self._process.kill()
            raise SandboxError("zygote_failed", f"The image {self._image.name} could not be loaded; the log says why.")

    def _spawn(self, control: socket.socket) -> subprocess.Popen[bytes]:
        python = str(self._prefix / "bin" / "python")
        command = [python, "-P", "-m", "sandbox.jail.zygote", str(control.fileno()), *self._image.preload]
        keep = [control.fileno()]
        return subprocess.Popen(command, cwd="/", env=self._environment(), pass_fds=keep, stdin=subprocess.DEVNULL)

    def _environment(self) -> dict[str, str]:
        """Nothing of ours but what it needs: a secret in the environment would be in every sandbox's memory."""
        single = dict.fromkeys(self._image.thread_variables, "1")  # a fork cannot inherit threads
        ours = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "PYTHONPATH": str(_CHECKOUT)}
        cache = {"HOME": str(self._prefix), "MPLCONFIGDIR": str(self._prefix / "matplotlib")}
        return {**ours, **cache, **single, **self._image.environment}


class JailDriver:
    """See :class:`sandbox.drivers.Driver`. State: ``<state>/sandboxes/<id>/`` and ``<state>/images/``."""

    def __init__(self, state: Path) -> None:
        self._sandboxes = state / "sandboxes"
        self._zygotes = {i.name: Zygote(i, state / "images" / i.directory.name) for i in images().values()}
        self._prefixes = {i.name: state / "images" / i.directory.name for i in images().values()}
        self._host_ids: set[int] = set()
        self._cores: dict[str, list[int]] = {}
        self._warming: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        doctor.require_essentials()
        self._sandboxes.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._cores = self._cores_on_disk()
        self._warming = [asyncio.create_task(zygote.warm()) for zygote in self._zygotes.values()]

    async def close(self) -> None:
        await asyncio.gather(*self._warming, return_exceptions=True)
        for zygote in self._zygotes.values():
            await asyncio.to_thread(zygote.close)

    async def start(self, spec: SandboxSpec) -> None:
        zygote = self._zygotes.get(spec.image.name)
        if zygote is None:
            raise SandboxError("unknown_image", f"There is no image called {spec.image.name}.")
        directory = self._directory(spec.id)
        if spec.project is not None and not spec.project.is_dir():
            raise SandboxError("no_project", "The project's folder is not there.")
        directory.mkdir(mode=0o700)
        plan = make_plan(spec, directory, self._prefixes[spec.image.name], self._new_host_id(), self._take_cores(spec))
        (directory / "plan.json").write_text(plan.to_json())
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                await zygote.send(plan.to_json(), theirs)
            answer = await self._answer(ours)
        if "error" in answer:
            log.error("sandbox %s: %s\n%s", spec.id, answer["error"], _tail(directory / "jail.log"))
            await self.collect(spec.id)
            raise SandboxError("not_started", f"The sandbox could not be started: {answer['error']}")

    async def adopt(self) -> list[str]:
        if not self._sandboxes.is_dir():
            return []
        return [path.name for path in self._sandboxes.iterdir() if (path / "plan.json").exists()]

    async def events(self, id: str) -> AsyncIterator[Sample | Exit]:
        directory, last = self._directory(id), Usage()
        try:
            async with await Client.connect(directory / "jail.sock") as client:
                async for _, payload in await client.open("watch_samples"):
                    sample = json.loads(payload)
                    last = Usage.from_dict(sample["usage"])
                    notice, detail = str(sample.get("notice", "")), str(sample.get("detail", ""))
                    yield Sample(last, bool(sample["busy"]), int(sample["idle_ms"]), notice, detail)
        except (OSError, WireError, CallError):
            pass  # no jail listens: it has ended, and exit.json or its absence says how
        yield await asyncio.to_thread(self._last_word, directory, last)

    async def pause(self, id: str) -> None:
        await self._call(id, "pause")

    async def resume(self, id: str) -> None:
        await self._call(id, "resume")

    async def stop(self, id: str) -> None:
        try:
            await self._call(id, "stop")
        except SandboxError:
            return  # it has ended already

    async def collect(self, id: str) -> None:
        self._cores.pop(id, None)
        await asyncio.to_thread(shutil.rmtree, self._directory(id), ignore_errors=True)

    def runner_socket(self, id: str) -> Path:
        return self._directory(id) / "runner.sock"

    def _directory(self, id: str) -> Path:
        return self._sandboxes / id

    def _take_cores(self, spec: SandboxSpec) -> list[int]:
        """The cores that the fewest sandboxes have: what is there is spread over all of them."""
        taken = Counter(core for cores in self._cores.values() for core in cores)
        cores = choose_cores(spec.slots.cpu, sorted(os.sched_getaffinity(0)), taken)
        self._cores[spec.id] = cores
        return cores

    def _cores_on_disk(self) -> dict[str, list[int]]:
        plans = (json.loads(file.read_text()) for file in self._sandboxes.glob("*/plan.json"))
        return {plan["id"]: plan.get("cores", []) for plan in plans}

    def _new_host_id(self) -> int | None:
        """A host user that no sandbox has now; ``None`` when we are an ordinary user and have but ourselves."""
        if os.geteuid() != 0:
            return None
        used = self._host_ids & {int(i) for i in self._ids_on_disk()} | set(self._ids_on_disk())
        self._host_ids = used
        new = next(id for id in range(_FIRST_HOST_ID, _FIRST_HOST_ID + 1_000_000) if id not in used)
        self._host_ids.add(new)
        return new

    def _ids_on_disk(self) -> set[int]:
        plans = (json.loads(file.read_text()) for file in self._sandboxes.glob("*/plan.json"))
        return {plan["host_id"] for plan in plans}

    async def _call(self, id: str, method: str) -> None:
        try:
            async with await Client.connect(self._directory(id) / "jail.sock") as client:
                await client.call(method)
        except (OSError, WireError, CallError) as error:
            raise SandboxError("gone", "The sandbox has ended.") from error

    async def _answer(self, reply: socket.socket) -> dict[str, Any]:
        reply.setblocking(False)
        loop, text = asyncio.get_running_loop(), b""
        try:
            async with asyncio.timeout(_START_SECONDS):
                while not text.endswith(b"\n"):
                    data = await loop.sock_recv(reply, 4096)
                    if not data:
                        return {"error": "its jail ended before it was ready; the log says why"}
                    text += data
        except TimeoutError:
            return {"error": f"it was not ready within {_START_SECONDS} s"}
        answer: dict[str, Any] = json.loads(text)
        return answer

    def _last_word(self, directory: Path, last: Usage) -> Exit:
        try:
            ended = json.loads((directory / "exit.json").read_text())
            return Exit(ended["reason"], Usage.from_dict(ended["usage"]), ended["detail"])
        except (OSError, ValueError, KeyError):
            return self._bury(directory, last)

    def _bury(self, directory: Path, last: Usage) -> Exit:
        """The jail was killed: its sandbox fell with it; read the accounts a last time and clear what is left."""
        usage = last
        try:
            state = json.loads((directory / "state.json").read_text())
            cgroup = Cgroup(int(state["version"]), {name: Path(path) for name, path in state["cgroup"].items()})
            cgroup.kill()
            deadline = time.monotonic() + 5
            while cgroup.processes() and time.monotonic() < deadline:
                time.sleep(0.01)
            usage = cgroup.usage(last, last.wall_ms)
            cgroup.remove()
        except (OSError, ValueError, KeyError):
            pass  # it never got so far as to have accounts: what was read last stands
        return Exit(
            "jail_lost", usage, "The sandbox's supervisor was killed; the sandbox ended with it. Files are safe."
        )


def _tail(path: Path) -> str:
    try:
        return path.read_text(errors="replace")[-4000:]
    except OSError:
        return "(no log)"
