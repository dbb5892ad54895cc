"""Between two runs in a sandbox: what runs inside is ended, the runner removes what it left, and it is accounted for.

The jail ends the processes, from outside, whatever they are; what lies in the sandbox's own folders its runner removes,
which is the same user there. What a run has used is the difference between two readings, at its beginning and here.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from sandbox.jail.beginning import Runner
from sandbox.jail.cgroups import Cgroup
from sandbox.jail.control import Call
from sandbox.jail.loop import Loop, Timer
from sandbox.jail.meter import Meter
from sandbox.jail.notifier import Refusals, as_list
from sandbox.runner.wire import CallError

END_SECONDS = 2.0
CLEAN_SECONDS = 5.0
_AGAIN_SECONDS = 0.002


class Clearing:
    """``refusals`` are the totals so far. ``waits``: the runner's interpreter that waits, as the sandbox numbers it.

    ``busy``: there is a run.
    """

    def __init__(
        self, loop: Loop, cgroup: Cgroup, runner: Runner, meter: Meter, refusals: Callable[[], Refusals]
    ) -> None:
        self._loop, self._cgroup, self._runner, self._meter, self._refusals = loop, cgroup, runner, meter, refusals
        self._marked, self._kills = Refusals(), 0
        self._asked: Call | None = None
        self._late: Timer | None = None
        self.waits = 0
        self.busy = False

    def mark(self, call: Call) -> None:
        """A run begins: answers with the totals now."""
        self._meter.account()
        self._meter.peak.begin()
        self.busy = True
        self._marked, self._kills = self._refusals(), self._cgroup.out_of_memory_kills()
        call.answer(self._meter.usage.as_dict())

    def clear(self, call: Call) -> None:
        """It is over: answers with what it was once nothing is left of it, or that something is."""
        if self._asked is not None:
            raise CallError("illegal", "This sandbox is being cleared already.")
        self._asked = call
        self._end_all(time.monotonic() + END_SECONDS)

    def runner_is_clean(self, clean: bool) -> None:
        """The runner says so. It is inside: that no process is left was seen to before, from here."""
        if self._late is not None:
            self._loop.cancel(self._late)
            self._late = None
            self._tell(clean)

    def _end_all(self, deadline: float) -> None:
        others = [pid for pid in self._cgroup.processes() if pid != self._runner.pid and not self._is_waiting(pid)]
        if others and time.monotonic() > deadline:
            self._tell(False)
        elif others:
            for pid in others:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._loop.after(_AGAIN_SECONDS, self._end_all, deadline)
        else:
            self._ask_runner()

    def _ask_runner(self) -> None:
        try:
            self._runner.lifeline.send(b"clean\n")
        except OSError:  # it has just ended, or does not listen
            self._tell(False)
        else:
            self._late = self._loop.after(CLEAN_SECONDS, self._give_up)

    def _give_up(self) -> None:
        self._late = None
        self._tell(False)

    def _is_waiting(self, pid: int) -> bool:
        if not self.waits:
            return False
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return False  # it has just ended
        ids = next((line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")), [])
        return len(ids) > 1 and int(ids[-1]) == self.waits

    def _tell(self, clean: bool) -> None:
        call, self._asked = self._asked, None
        if call is None:
            return
        self.busy = False
        self._meter.account()
        refused = self._refusals() - self._marked
        clean = clean and not refused and self._cgroup.out_of_memory_kills() == self._kills
        usage, peak = self._meter.usage.as_dict(), self._meter.peak.kib
        call.answer({"usage": usage, "peak_kib": peak, "refusals": as_list(refused.items()), "clean": clean})
