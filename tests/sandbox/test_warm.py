"""An interpreter that waits: what is forked from it cannot tell, and nobody else can."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.runner import warm
from sandbox.runner.children import Children
from sandbox.runner.pipes import Input
from sandbox.runner.step import Limits, Step
from sandbox.runner.warm import Warm

PROGRAM = [os.path.realpath(sys.executable), "main.py"]
SEEN = """
import ctypes, json, os, resource, signal, sys
main = sys.modules["__main__"]
seen = {
    "argv": sys.argv, "orig_argv": sys.orig_argv, "path": sys.path, "executable": sys.executable, "prefix": sys.prefix,
    "main": {name: repr(value) for name, value in vars(main).items() if name not in ("main", "seen", "SourceFileLoader")
             and not hasattr(value, "__path__") and "object at" not in repr(value) and "<module" not in repr(value)},
    "modules": sorted(sys.modules), "flags": list(sys.flags), "cached": sorted(sys.path_importer_cache),
    "environment": {k: v for k, v in os.environ.items() if k not in ("_", "SHLVL", "OLDPWD")},
    "cwd": os.getcwd(), "umask": os.umask(0), "own group": os.getpgrp() == os.getpid(),
    "signals": [repr(signal.getsignal(number)) for number in signal.valid_signals()],
    "limit": resource.getrlimit(resource.RLIMIT_CPU), "open": sorted(map(int, os.listdir("/proc/self/fd")))[:-1],
    "streams": [repr(s) + str(s.line_buffering) for s in (sys.stdin, sys.stdout, sys.stderr)],
    "hooks": [repr(hook) for hook in (sys.excepthook, sys.displayhook)],
    "dumpable": ctypes.CDLL(None).prctl(3),
}
print(json.dumps(seen, default=repr))
"""


@pytest.fixture
def hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "hook"
    folder.mkdir()
    shutil.copy(Path(warm.__file__).with_name("pause.py"), folder / "sitecustomize.py")
    monkeypatch.setattr(warm, "HOOK", folder)
    return folder


class Ground:
    """Steps in one folder, from an interpreter that waits or in the usual way."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.children = Children()
        self.children.open()
        self.pids: list[int] = []
        self.warm = Warm(self.children, self.pids.append)

    async def run(self, text: str, waiting: bool, given: bytes = b"", time_s: float = 20) -> dict[str, Any]:
        (self.folder / "main.py").write_text(text)
        said: dict[int, bytes] = {1: b"", 2: b""}
        launched: list[bool] = []

        def launch(*how: Any) -> bool:
            launched.append(waiting and self.warm.launch(PROGRAM, self.folder, 20, *how))
            return launched[-1]

        def say(descriptor: int, data: bytes) -> None:
            said[descriptor] += data

        input = Input()
        await input.write(given)
        input.end()
        limits = Limits(time_s, 20, 1 << 20)
        step = Step(" ".join(PROGRAM), self.folder, limits, self.children, say, input, True, launch, self.warm.drop)
        told = await step.run()
        assert launched == [waiting]
        return {**told, "out": said[1].decode(), "err": said[2].decode()}


@pytest.fixture
def ground(hook: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


async def both(folder: Path, text: str, given: bytes = b"") -> tuple[dict[str, Any], dict[str, Any]]:
    """In the usual way, and as the second fork of one that waits."""
    ground = Ground(folder)
    try:
        usual = await ground.run(text, False, given)
        await ground.run("print('the first')", True)
        return usual, await ground.run(text, True, given)
    finally:
        ground.warm.drop()


async def test_what_a_program_sees_of_its_interpreter_is_the_same(ground: Path) -> None:
    usual, forked = (json.loads(told["out"]) for told in await both(ground, SEEN))
    assert {name: (forked[name], usual[name]) for name in usual if forked[name] != usual[name]} == {}


@pytest.mark.parametrize(
    "text",
    [
        "print('hello', input())\nimport sys\nprint(repr(sys.stdin.read()))",
        "raise SystemExit(7)",
        "raise SystemExit('gone')",
        "def f(): 1/0\ndef g(): f()\ng()",
        "print('x'\n",
        "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
        "raise KeyboardInterrupt",
        "import atexit, sys; atexit.register(print, 'left'); print('err', file=sys.stderr); sys.exit()",
        "import threading, time\nthreading.Thread(target=lambda: (time.sleep(0.1), print('last'))).start()",
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import sys; print(sys.path, sys.argv)'])",
        "import multiprocessing as m\nif __name__ == '__main__': print(m.get_context('spawn').Pool(1).map(abs, [-1]))",
        "import ctypes, socket, resource, signal\nprint(ctypes.CDLL(None).getpid() > 0, socket.socketpair()[0].family)",
        "import sys; open('other.py', 'w').write('x = 5')\nimport other; print(other.x, __file__, other.__file__)",
        "import os; os.write(1, b'raw\\xff'[:3]); os._exit(3)",
        "import asyncio; print(asyncio.run(asyncio.sleep(0, 'done')))",
    ],
)
async def test_a_program_ends_and_prints_as_it_does_without(ground: Path, text: str) -> None:
    usual, forked = await both(ground, text, b"you\nrest\n")
    for name in ("exit_code", "signal", "out", "err", "cause"):
        assert forked[name] == usual[name], (name, usual, forked)


async def test_what_a_fork_used_is_its_own(ground: Path) -> None:
    burn = "import time\nt = time.process_time()\nwhile time.process_time() - t < 0.2: pass\nkept = bytearray(30 << 20)"
    usual, forked = await both(ground, burn)
    assert forked["cpu_ms"] >= 200
    assert 30_000 < forked["peak_kib"] < usual["peak_kib"] + 4096
    _, small = await both(ground, "print()")
    assert small["peak_kib"] < 20_000


async def test_who_waits_is_started_again_when_it_was_ended_or_stopped(ground: Path) -> None:
    here = Ground(ground)
    try:
        await here.run("print(1)", True)
        (first,) = here.pids
        assert not os.access(f"/proc/{first}/mem", os.W_OK) or os.geteuid() == 0
        os.kill(first, signal.SIGSTOP)
        assert (await here.run("print(2)", True))["out"] == "2\n"
        os.kill(first, signal.SIGKILL)
        while here.pids[-1] == first:
            await asyncio.sleep(0)
        assert (await here.run("print(3)", True))["out"] == "3\n"
        assert here.pids[1:2] == [0] and here.pids[-1] not in (0, first)
    finally:
        here.warm.drop()


async def test_a_program_that_does_not_end_is_ended(ground: Path) -> None:
    here = Ground(ground)
    try:
        told = await here.run("import time; time.sleep(1000)", True, time_s=0.5)
        assert (told["cause"], told["signal"]) == ("time_limit", "SIGKILL")
        assert (await here.run("print('next')", True))["out"] == "next\n"
    finally:
        here.warm.drop()


async def test_without_the_hook_nothing_waits(ground: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "HOOK", Path("/nonexistent"))
    assert not Warm(Children(), lambda pid: None).launch(PROGRAM, ground, 1, [0, 1, 2], print, print)
