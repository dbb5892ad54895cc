"""The jail: supervises one sandbox from outside, from its making to its last account.

Its socket ``jail.sock`` speaks :mod:`sandbox.runner.wire`: ``watch_samples`` opens a stream of samples,
``pause``, ``resume``, ``stop`` and ``claim`` do what they say. ``state.json`` tells where its processes and
cgroup are, for whoever must clean up after a jail that was killed; ``exit.json`` is its last word.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path

from sandbox.jail import linux
from sandbox.jail.beginning import Runner, write_json
from sandbox.jail.cgroups import Cgroup, ParentGroups, sandbox_group
from sandbox.jail.clearing import Clearing
from sandbox.jail.control import Call, Control
from sandbox.jail.disks import disk_of
from sandbox.jail.guard import DiskGuard
from sandbox.jail.loop import Loop
from sandbox.jail.meter import Meter
from sandbox.jail.notifier import LiveFacts, Notifier, Refusals, as_list
from sandbox.jail.plan import Plan
from sandbox.jail.shown import Shown
from sandbox.jail.spare import Spare
from sandbox.policy import load_policy
from sandbox.runner import sockets
from sandbox.runner.wire import CallError

GRACE_SECONDS = 3.0
REAPED_SECONDS = 1.0
SAMPLE_SECONDS = 1.0
QUIET_SECONDS = 10.0  # between two samples of a sandbox in which nothing happens: a host has a thousand of them
QUIET_AFTER_SECONDS = 15.0
QUICK_SECONDS = 0.1  # between two looks at the memory while something computes: memory moves only then
LEAST_SECONDS = 0.05
BUSY_CPU = 0.05  # of one core, over a sample: what computes more than this is not idle


Maker = Callable[[Plan, Cgroup, Path, socket.socket], Runner]
"""Makes the sandbox of a plan in its cgroup; the socket leads to whoever asked for it."""


def supervise(plan: Plan, groups: ParentGroups, reply: socket.socket, make: Maker, nested: bool = False) -> None:
    """Be the jail of ``plan``: ``make`` the sandbox under ``groups``, say so on ``reply``, watch over it.

    ``nested``: its processes are in groups of their own beneath its cgroup. Never returns.
    """
    directory = Path(plan.directory)
    try:
        _become_daemon(directory, keep=reply.fileno())
        cgroup = sandbox_group(plan.id, *groups, nested=nested)
        try:
            shown = Shown(directory / "shown", plan.slots.memory, plan.cores)
            runner = make(plan, cgroup, directory, reply)
        except BaseException:
            cgroup.kill()
            cgroup.remove()
            raise
        control = sockets.listen(directory / "jail.sock")
        reply.sendall(b'{"ready": true}\n')
        Jail(plan, cgroup, runner, shown, control, reply).watch()
    except BaseException as error:
        traceback.print_exc()
        _answer_error(reply, error)
    finally:
        os._exit(0)


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
    os.closerange(3, keep)
    os.closerange(keep + 1, 1 << 16)


class Jail:
    """Watches over a runner that is ready. ``keeper`` is whoever asked for the sandbox."""

    def __init__(
        self,
        plan: Plan,
        cgroup: Cgroup,
        runner: Runner,
        shown: Shown,
        control: socket.socket,
        keeper: socket.socket,
    ) -> None:
        policy = load_policy(plan.policy)
        self._loop = Loop()
        self._ended = os.pidfd_open(runner.pid)
        self._plan, self._cgroup, self._runner = plan, cgroup, runner
        self._meter = Meter(plan, cgroup, shown)
        most = plan.slots.processes, policy.limits.processes
        self._facts = LiveFacts(cgroup, runner.pid, *most, self._meter.sysinfo)
        self._notifier = Notifier(self._loop, runner.asked, policy, self._facts)
        self._clearing = Clearing(self._loop, cgroup, runner, self._meter, self._refusals)
        self._guard: DiskGuard | None = None
        self._spare: Spare | None = None
        self._watchers: dict[Call, Refusals] = {}
        self._input = self._active = time.monotonic()
        self._reported = self._computes = self._paused = False
        self._sampled = self._looked = 0.0
        self._timer = self._loop.after(0, self._look)
        self._reason = ""
        self._report = b""
        names = ("watch_samples", "pause", "resume", "mark", "clear", "stop", "claim")
        methods = {name: getattr(self, name) for name in names}
        self._control = Control(self._loop, control, methods)
        if plan.spare:
            self._spare = Spare(self._loop, plan, runner, keeper, self._begin_session, self._stop)
        else:
            keeper.close()
            self._guard_project()

    def watch(self) -> None:
        """Until the runner has ended: then the last account is written, and nothing is left."""
        self._loop.on_readable(self._ended, self._finish)
        self._loop.on_readable(self._runner.lifeline.fileno(), self._hear)
        self._loop.on_signals((signal.SIGTERM, signal.SIGINT), lambda: self._stop("stopped"))
        self._notifier.open()
        self._loop.run()

    # What jail.sock answers

    def watch_samples(self, call: Call) -> None:
        """Opens a stream of samples: one now, and one each second or when there is something new."""
        call.answer({})
        self._read_accounts()
        self._watchers[call] = Refusals()
        self._tell(call)

    def pause(self, call: Call) -> None:
        self._cgroup.freeze(True)
        self._paused = True
        call.answer({})

    def resume(self, call: Call) -> None:
        self._cgroup.freeze(False)
        self._paused = False
        self._input = time.monotonic()
        call.answer({})

    def mark(self, call: Call) -> None:
        self._clearing.mark(call)
        self._input = time.monotonic()

    def clear(self, call: Call) -> None:
        if self._reason or self._paused:
            raise CallError("illegal", "This sandbox is ending, or paused.")
        self._clearing.clear(call)

    def stop(self, call: Call) -> None:
        self._stop("stopped")
        call.answer({})

    def claim(self, call: Call, plan: str) -> None:
        if self._spare is None:
            raise CallError("illegal", "This sandbox is no spare one, or not any more.")
        self._spare.claim(call, plan)

    # Inside

    def _guard_project(self) -> None:
        """From now on there is the project, if the plan has one, and its disk limit."""
        if self._plan.project:
            folder, limit = Path(self._plan.project), self._plan.slots.disk
            self._guard = DiskGuard(folder, limit, self._cgroup, self._runner.pid, self._runner.namespaces)
            self._guard.watch(self._loop, self._computed_lately, self._tell_all)

    def _begin_session(self, call: Call, plan: Plan) -> None:
        """A spare sandbox is a session's now. Its project may lie on another disk."""
        self._plan = plan
        self._guard_project()
        self._spare = None
        call.answer({})
        base = self._meter.begin_session(Path(plan.directory))
        self._input = self._active = time.monotonic()
        path = Path(plan.directory) / "state.json"
        write_json(path, json.loads(path.read_text()) | {"base": base.as_dict()})
        if plan.project:
            self._cgroup.throttle(disk_of(plan.project))

    def _stop(self, reason: str) -> None:
        """SIGTERM to everybody but the runner, then SIGKILL: it goes down with pid 1."""
        if self._reason:
            return
        self._reason = reason
        self._cgroup.freeze(False)
        with contextlib.suppress(OSError):  # it has just ended by itself
            self._runner.lifeline.send(b"stop\n")
        for pid in self._others():
            _kill(pid, signal.SIGTERM)
            _kill(pid, signal.SIGHUP)  # what an interactive shell listens to
        self._end_by(time.monotonic() + GRACE_SECONDS)

    def _end_by(self, deadline: float) -> None:
        if self._others() and time.monotonic() < deadline:
            self._loop.after(0.02, self._end_by, deadline)
            return
        self._meter.read()
        _kill(self._runner.pid, signal.SIGKILL)

    def _others(self) -> list[int]:
        return [pid for pid in self._cgroup.processes() if pid != self._runner.pid]

    def _hear(self) -> None:
        """Lines of the runner. It is inside: what it says is checked, not trusted."""
        try:
            data = self._runner.lifeline.recv(65536)
        except BlockingIOError:
            return
        except ConnectionError:  # it ended with words of ours unread
            data = b""
        if not data:
            self._loop.forget(self._runner.lifeline.fileno())
            return
        *lines, self._report = (self._report + data).split(b"\n")
        self._report = self._report[-4096:]
        for line in lines:
            with contextlib.suppress(ValueError, TypeError, AttributeError):
                self._heed(json.loads(line))

    def _heed(self, report: dict[str, object]) -> None:
        if "clean" in report:
            self._clearing.runner_is_clean(report["clean"] is True)
            self._input = time.monotonic()
        elif "warm" in report:
            self._clearing.waits = self._facts.waits = int(str(report["warm"]))
        elif report.get("claimed"):
            if self._spare is not None:
                self._spare.runner_is_claimed()
        else:
            self._reported = bool(report.get("busy"))
            self._input = min(int(str(report.get("input_ms", 0))) / 1000, time.monotonic())
            self._look_soon()

    @property
    def _busy(self) -> bool:
        """The runner says so, or there is a run."""
        return self._reported or self._clearing.busy

    def _look_soon(self) -> None:
        """Something has changed inside."""
        self._loop.cancel(self._timer)
        self._timer = self._loop.after(self._looked + LEAST_SECONDS - time.monotonic(), self._look)

    def _look(self) -> None:
        """At all accounts once a second, more seldom where nothing happens; at some more often where it computes."""
        now = self._looked = time.monotonic()
        try:
            moved = self._meter.look()
            if now >= self._sampled + (SAMPLE_SECONDS if moved or self._lively(now) else QUIET_SECONDS):
                self._sampled = now
                self._read_accounts()
                self._tell_all()
            if self._guard is not None:
                self._guard.glance()
        finally:
            due = self._sampled + SAMPLE_SECONDS
            rest = min(QUICK_SECONDS if self._computes else SAMPLE_SECONDS, due - now if due > now else SAMPLE_SECONDS)
            self._timer = self._loop.after(now + rest - time.monotonic(), self._look)

    def _lively(self, now: float) -> bool:
        return self._busy or now - max(self._input, self._active) < QUIET_AFTER_SECONDS

    def _read_accounts(self) -> None:
        spent, share = self._meter.read()
        self._computes = not self._paused and (self._busy or spent > 2)
        if self._busy or share > BUSY_CPU:
            self._active = time.monotonic()

    def _computed_lately(self) -> bool | None:
        """Within the last moments; None while it is paused."""
        return None if self._paused else time.monotonic() - self._active < 1.5

    def _tell_all(self) -> None:
        for call in list(self._watchers):
            if call.left:
                del self._watchers[call]
            else:
                self._tell(call)

    def _tell(self, call: Call) -> None:
        """A sample, with the new totals of what was refused since the last one."""
        refusals = self._refusals()
        if call.record(self._sample(refusals.items() - self._watchers[call].items())):
            self._watchers[call] = refusals

    def _sample(self, refusals: Iterable[tuple[tuple[str, str], int]]) -> bytes:
        idle = time.monotonic() - max(self._input, self._active)
        busy = self._busy and not self._paused
        notice, detail = self._meter.notices.now(self._guard)
        sample = {"usage": self._meter.usage.as_dict(), "busy": busy, "idle_ms": int(idle * 1000)}
        sample |= {"notice": notice, "detail": detail, "refusals": as_list(refusals)}
        return json.dumps(sample).encode()

    def _refusals(self) -> Refusals:
        """What the policy refused when it was asked, and what the limit of processes and threads did."""
        return self._notifier.refusals + Refusals({("clone", "processes"): self._cgroup.refused_tasks()})

    def _finish(self) -> None:
        """The runner has ended, and everybody inside with it."""
        self._loop.forget(self._ended)
        self._loop.cancel(self._timer)
        try:
            self._bury()
        finally:
            for call in self._watchers:
                call.end("exit")
            self._control.finish()

    def _bury(self) -> None:
        code = os.waitstatus_to_exitcode(os.waitpid(self._runner.pid, 0)[1]) if self._runner.ours else ""
        while self._cgroup.processes():  # the kernel still takes the namespace down
            self._cgroup.kill()
            time.sleep(0.005)
        deadline = time.monotonic() + REAPED_SECONDS
        with contextlib.suppress(OSError):  # no such account: there is nothing to wait for
            while self._cgroup.tasks() and time.monotonic() < deadline:  # who started the runner has yet to reap it
                time.sleep(0.005)
        refusals = self._refusals()
        self._notifier.close()
        self._meter.read()
        kills = self._cgroup.out_of_memory_kills()
        reason, detail = self._verdict(kills)
        if not self._plan.spare:
            usage = self._meter.usage.as_dict()
            ended = {"reason": reason, "detail": detail, "usage": usage, "oom_kills": kills}
            ended["refusals"] = as_list(refusals.items())
            write_json(Path(self._plan.directory) / "exit.json", ended)
        self._cgroup.remove()
        sys.stderr.write(f"ended: {reason} {code} {detail}\n")

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
