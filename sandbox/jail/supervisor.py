"""The jail: supervises one sandbox from outside, from its making to its last account.

Its socket ``jail.sock`` speaks :mod:`sandbox.runner.wire`: ``watch`` opens a stream of samples,
``pause``, ``resume`` and ``stop`` do what they say. ``state.json`` tells where its processes and
cgroup are, for whoever must clean up after a jail that was killed; ``exit.json`` is its last word.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sandbox.egress import account
from sandbox.jail import claim, linux
from sandbox.jail.account import AccountFile, integrated
from sandbox.jail.cgroups import Cgroup, parent_groups, sandbox_group
from sandbox.jail.disks import Transferred, disk_of, look
from sandbox.jail.guard import DiskGuard
from sandbox.jail.making import Runner, make, write_json
from sandbox.jail.notices import Notices
from sandbox.jail.notifier import LiveFacts, Notifier, Refusals, as_list
from sandbox.jail.plan import Plan
from sandbox.jail.shown import Shown
from sandbox.policy import load_policy
from sandbox.runner import sockets
from sandbox.runner.wire import CallError, Peer
from sandbox.usage import Usage

CLAIM_SECONDS = 10
GRACE_SECONDS = 3.0
SAMPLE_SECONDS = 1.0
QUICK_SECONDS = 0.1  # between two looks at the memory while something computes: memory moves only then
LEAST_SECONDS = 0.05
BUSY_CPU = 0.05  # of one core, over a sample: what computes more than this is not idle


def supervise(plan: Plan, reply: socket.socket) -> None:
    """Be the jail of ``plan``: make the sandbox, say so on ``reply``, watch over it. Never returns."""
    directory = Path(plan.directory)
    try:
        _become_daemon(directory, keep=reply.fileno())
        cgroup = sandbox_group(plan.id, *parent_groups())
        try:
            shown = Shown(directory / "shown", plan.slots.memory, plan.cores)
            runner = make(plan, cgroup, directory)
        except BaseException:
            cgroup.kill()
            cgroup.remove()
            raise
        control = sockets.listen(directory / "jail.sock")
        reply.sendall(b'{"ready": true}\n')
        asyncio.run(_watch(plan, cgroup, runner, shown, control, reply))
    except BaseException as error:
        traceback.print_exc()
        _answer_error(reply, error)
    finally:
        os._exit(0)


async def _watch(
    plan: Plan,
    cgroup: Cgroup,
    runner: Runner,
    shown: Shown,
    control: socket.socket,
    reply: socket.socket,
) -> None:
    policy = load_policy(plan.policy)
    facts = LiveFacts(cgroup, runner.pid, plan.slots.processes, policy.limits.processes)
    jail = Jail(plan, cgroup, runner, Notifier(runner.asked, policy, facts), shown, control)
    if plan.spare:
        jail.wait_for_claim(reply)
    else:
        reply.close()
        jail.guard_project(plan)
    await jail.watch()


def _answer_error(reply: socket.socket, error: BaseException) -> None:
    try:
        reply.sendall(json.dumps({"error": str(error) or type(error).__name__}).encode() + b"\n")
    except OSError:
        return  # nobody waits any more: the log has it


def _become_daemon(directory: Path, keep: int) -> None:
    os.setsid()
    linux.set_name("jail")
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)  # the runner, orphaned by the builder, becomes our child
    log = os.open(directory / "jail.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        if descriptor > 2 and descriptor != keep:
            try:
                os.close(descriptor)
            except OSError:
                continue  # the listing's own descriptor


class Jail:
    """Watches over a runner that is ready."""

    def __init__(
        self,
        plan: Plan,
        cgroup: Cgroup,
        runner: Runner,
        notifier: Notifier,
        shown: Shown,
        control: socket.socket,
    ) -> None:
        self._plan, self._cgroup, self._notifier, self._shown = plan, cgroup, notifier, shown
        self._pid, self._lifeline, self._namespaces = runner.pid, runner.lifeline, runner.namespaces
        self._control = control
        self._guard: DiskGuard | None = None
        self._guarding: list[asyncio.Task[None]] = []
        self._began = time.monotonic()
        # Since the sandbox was built; its session is told what came after ``base``.
        self._usage, self._base, self._sampled_ms = Usage(), Usage(), 0
        self._transferred = Transferred()
        self._notices = Notices(cgroup, plan.slots)
        self._keeper: socket.socket | None = None
        self._claimed = asyncio.Event()
        self._account = AccountFile(Path(plan.directory))
        self._stirred = asyncio.Event()
        self._input = self._active = time.monotonic()
        self._busy = self._computes = False
        self._reason = ""
        self._paused = False
        self._over = False
        self._ending: asyncio.Future[None] | None = None
        self._tick: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._report = b""

    async def watch(self) -> None:
        """Until the runner has ended: then the last account is written, and nothing is left."""
        loop = asyncio.get_running_loop()
        gone = asyncio.Event()
        pidfd = os.pidfd_open(self._pid)
        loop.add_reader(pidfd, gone.set)
        loop.add_reader(self._lifeline, self._heard)
        self._notifier.open()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, lambda: self._stop("stopped"))
        methods = {name: getattr(self, name) for name in ("watch_samples", "pause", "resume", "stop", "claim")}
        server = await asyncio.start_unix_server(lambda r, w: Peer(r, w, methods).serve(), sock=self._control)
        sampler = asyncio.create_task(self._sample())
        await gone.wait()
        for task in (sampler, *self._guarding):
            task.cancel()
        loop.remove_reader(pidfd)
        await self._finish()
        self._over = True
        self._next_tick()
        await asyncio.sleep(0.05)  # let those who watch read the end
        server.close()

    # What jail.sock answers

    async def watch_samples(self, peer: Peer, call: int) -> dict[str, Any]:
        async def pump() -> None:
            seq, told = 0, Refusals()
            self._read_accounts()
            while not self._over:
                refusals = self._refusals()
                message = self._message(refusals.items() - told.items())
                told = refusals
                await peer.send({"stream": call, "seq": seq}, message)
                seq += 1
                await asyncio.shield(self._tick)
            await peer.send({"stream": call, "end": "exit"})

        peer.spawn(call, pump())
        return {}

    async def pause(self, peer: Peer, call: int) -> dict[str, Any]:
        self._cgroup.freeze(True)
        self._paused = True
        return {}

    async def resume(self, peer: Peer, call: int) -> dict[str, Any]:
        self._cgroup.freeze(False)
        self._paused = False
        self._input = time.monotonic()
        return {}

    async def stop(self, peer: Peer, call: int) -> dict[str, Any]:
        self._stop("stopped")
        return {}

    async def claim(self, peer: Peer, call: int, plan: str) -> dict[str, Any]:
        """Become the sandbox of ``plan``, whose directory this one has been renamed to."""
        if self._keeper is None:
            raise CallError("illegal", "This sandbox is no spare one, or not any more.")
        wanted = Plan.from_json(plan)
        self._let_go_of_keeper()
        try:
            more = claim.differences(self._plan, wanted)
            claim.enter(self._pid, more, self._id_maps.sources(more))
            self._id_maps.close()
            order = {"root": claim.root_of(wanted), "environment": wanted.environment}
            self._lifeline.send(b"claim " + json.dumps(order).encode() + b"\n")
            await asyncio.wait_for(self._claimed.wait(), CLAIM_SECONDS)
            self.guard_project(wanted)
        except (OSError, ValueError, TimeoutError) as error:
            self._stop("unclaimed")
            raise CallError("failed", str(error) or "The runner did not answer.") from error
        self._plan = wanted
        asyncio.get_running_loop().call_soon(self._begin_session)  # after the answer, and before anything else is heard
        return {}

    # Inside

    def wait_for_claim(self, keeper: socket.socket) -> None:
        """A spare sandbox ends with the driver that holds the other end of ``keeper``, unless it is claimed."""
        assert self._plan.host_id is not None
        self._keeper = keeper
        self._id_maps = claim.IdMaps(self._plan.host_id)
        asyncio.get_running_loop().add_reader(keeper, self._lose_keeper)

    def guard_project(self, plan: Plan) -> None:
        """From now on there is the project of ``plan``, if it has one, and its disk limit."""
        if plan.project:
            self._guard = DiskGuard(Path(plan.project), plan.slots.disk, self._cgroup, self._pid, self._namespaces)
            self._guarding.append(asyncio.create_task(self._guard.watch(self._computed_lately, self._next_tick)))

    def _lose_keeper(self) -> None:
        self._let_go_of_keeper()
        self._stop("unclaimed")

    def _let_go_of_keeper(self) -> None:
        if self._keeper is not None:
            asyncio.get_running_loop().remove_reader(self._keeper)
            self._keeper.close()
            self._keeper = None

    def _begin_session(self) -> None:
        """What was used while nobody had asked is nobody's; and the project may lie on another disk."""
        self._read_accounts()
        self._base = self._usage
        with contextlib.suppress(OSError):  # see _read_accounts
            self._account.write(self._usage.since(self._base))
        self._input = self._active = time.monotonic()
        path = Path(self._plan.directory) / "state.json"
        write_json(path, json.loads(path.read_text()) | {"base": self._base.as_dict()})
        if self._plan.project:
            self._cgroup.throttle(disk_of(self._plan.project))

    def _stop(self, reason: str) -> None:
        if not self._reason:
            self._reason = reason
            self._ending = asyncio.ensure_future(self._end())

    async def _end(self) -> None:
        """SIGTERM to everybody but the runner, then SIGKILL: it goes down with pid 1."""
        self._cgroup.freeze(False)
        with contextlib.suppress(OSError):  # it has just ended by itself
            self._lifeline.send(b"stop\n")
        others = [pid for pid in self._cgroup.processes() if pid != self._pid]
        for pid in others:
            _kill(pid, signal.SIGTERM)
            _kill(pid, signal.SIGHUP)  # what an interactive shell listens to
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline and set(self._cgroup.processes()) - {self._pid}:  # noqa: ASYNC110 - the kernel
            await asyncio.sleep(0.02)
        self._read_accounts()
        _kill(self._pid, signal.SIGKILL)

    def _heard(self) -> None:
        try:
            data = self._lifeline.recv(65536)
        except BlockingIOError:
            return
        if not data:
            asyncio.get_running_loop().remove_reader(self._lifeline)
            return
        *lines, self._report = (self._report + data).split(b"\n")
        self._report = self._report[-4096:]
        for line in lines:
            try:
                report = json.loads(line)
                if "claimed" in report:
                    self._claimed.set()
                    continue
                self._busy = bool(report.get("busy"))
                self._input = min(int(report.get("input_ms", 0)) / 1000, time.monotonic())
            except (ValueError, TypeError, AttributeError):
                continue  # the runner is inside: what it says is checked, not trusted
        self._stirred.set()

    async def _sample(self) -> None:
        due = 0.0
        while True:
            now = time.monotonic()
            if now >= due:
                self._read_accounts()
                self._next_tick()
                due = now + SAMPLE_SECONDS
            else:
                self._look_at_memory()
            self._stirred.clear()
            await asyncio.sleep(LEAST_SECONDS)
            rest = due - time.monotonic()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stirred.wait(), min(rest, QUICK_SECONDS) if self._computes else rest)

    def _computed_lately(self) -> bool | None:
        """Within the last moments; None while it is paused."""
        return None if self._paused else time.monotonic() - self._active < 1.5

    def _next_tick(self) -> None:
        tick, self._tick = self._tick, asyncio.get_running_loop().create_future()
        tick.set_result(None)

    def _look_at_memory(self) -> None:
        with contextlib.suppress(OSError):  # the next sample tries again, and says why
            self._usage = integrated(self._usage, self._wall_ms(), self._cgroup.memory_kib())

    def _wall_ms(self) -> int:
        return int((time.monotonic() - self._began) * 1000)

    def _read_accounts(self) -> None:
        before = self._usage
        try:
            self._transferred = self._transferred.after(look(self._cgroup.processes()))
            totals = self._transferred.read, self._transferred.written
            usage = self._cgroup.usage(before, self._wall_ms(), totals)
            self._usage = account.added(usage, before, Path(self._plan.directory))
            self._shown.update(self._cgroup, self._usage)
            self._notices.after(self._usage)
        except OSError:
            traceback.print_exc()
            return
        with contextlib.suppress(OSError):  # the disk was full when the file was made: it is only for accidents
            self._account.write(self._usage.since(self._base))
        elapsed, self._sampled_ms = self._usage.wall_ms - self._sampled_ms, self._usage.wall_ms
        self._computes = not self._paused and (self._busy or self._usage.cpu_ms > before.cpu_ms + 2)
        if self._busy or (elapsed and (self._usage.cpu_ms - before.cpu_ms) / elapsed > BUSY_CPU):
            self._active = time.monotonic()

    def _message(self, refusals: Iterable[tuple[tuple[str, str], int]]) -> bytes:
        """A sample, and the new totals of what was refused since the last one: once a second is often enough."""
        idle = time.monotonic() - max(self._input, self._active)
        busy = self._busy and not self._paused
        notice, detail = self._notices.now(self._guard)
        sample = {"usage": self._usage.since(self._base).as_dict(), "busy": busy, "idle_ms": int(idle * 1000)}
        sample |= {"notice": notice, "detail": detail, "refusals": as_list(refusals)}
        return json.dumps(sample).encode()

    def _refusals(self) -> Refusals:
        """What the policy refused when it was asked, and what the limit of processes and threads did."""
        return self._notifier.refusals + Refusals({("clone", "processes"): self._cgroup.refused_tasks()})

    async def _finish(self) -> None:
        _, status = os.waitpid(self._pid, 0)  # noqa: ASYNC222 - its pidfd says it has ended
        while self._cgroup.processes():  # the kernel is still burying the namespace
            self._cgroup.kill()
            await asyncio.sleep(0.005)
        self._notifier.close()
        self._read_accounts()
        kills = self._cgroup.out_of_memory_kills()
        reason, detail = self._verdict(kills)
        if not self._plan.spare:
            usage = self._usage.since(self._base).as_dict()
            ended = {"reason": reason, "detail": detail, "usage": usage, "oom_kills": kills}
            ended["refusals"] = as_list(self._refusals().items())
            write_json(Path(self._plan.directory) / "exit.json", ended)
        self._cgroup.remove()
        sys.stderr.write(f"ended: {reason} {os.waitstatus_to_exitcode(status)} {detail}\n")

    def _verdict(self, kills: int) -> tuple[str, str]:
        if self._reason:
            return self._reason, ""
        if kills:
            return "out_of_memory", "It used more memory than it was granted, and its runner had to be ended."
        return "runner_lost", "Its first process ended by itself. Your files are as they were."


def _kill(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
