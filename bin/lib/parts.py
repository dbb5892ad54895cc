"""The processes that ``bin/up`` keeps running.

Each part is started in a session of its own, so Ctrl-C in the terminal reaches ``bin/up`` only, which then ends
each part in its own way. What a part prints goes straight into its log file: nothing of it hangs on ``bin/up``.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

LOG_LIMIT = 16 * 1024 * 1024
_NOTABLE = re.compile(r"\b(ERROR|CRITICAL)\b")


@dataclass
class Part:
    """One process to keep running.

    ``stop_signal`` asks it to end; after ``grace`` seconds it is killed. ``is_ready`` says whether it answers.
    """

    name: str
    command: list[str]
    state: Path
    is_ready: Callable[[], bool]
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0
    env: dict[str, str] = field(default_factory=dict)
    pass_fds: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    _read: int = 0

    @property
    def log(self) -> Path:
        return self.state / "log" / f"{self.name}.log"

    @property
    def pid_file(self) -> Path:
        return self.state / "run" / f"{self.name}.pid"

    def start(self, cwd: Path) -> None:
        """Start it; an older one of this state that ``bin/up`` left behind (it was killed) is ended first."""
        self._end_leftover()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.pid_file.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            self._read = log.tell()
            self.process = subprocess.Popen(
                self.command, cwd=cwd, env={**os.environ, **self.env}, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True, pass_fds=self.pass_fds,
            )  # fmt: skip
        self.started = time.monotonic()
        aside = self.pid_file.with_suffix(".new")  # who reads the pid file sees the old one or this one
        aside.write_text(f"{self.process.pid} {_birth(self.process.pid)}", encoding="ascii")
        aside.replace(self.pid_file)

    def exit_status(self) -> int | None:
        """Its exit status (negative: the signal that ended it), or None while it runs."""
        return self.process.poll() if self.process else None

    def stop(self) -> None:
        """Ask it to end."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(self.stop_signal)

    def finish(self, until: float) -> None:
        """Wait for its end until a moment of ``time.monotonic``; then kill its whole process group."""
        if not self.process:
            return
        try:
            self.process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.pid_file.unlink(missing_ok=True)

    def notable_lines(self) -> list[str]:
        """What it logged since the last call that a person at the console should see."""
        with self.log.open("rb") as log:
            log.seek(self._read)
            data = log.read(1024 * 1024)
        whole = data.rfind(b"\n") + 1
        self._read += whole
        return [line for line in data[:whole].decode(errors="replace").splitlines() if _NOTABLE.search(line)]

    def last_lines(self, count: int = 15) -> str:
        try:
            text = self.log.read_bytes()[-16384:].decode(errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-count:])

    def _end_leftover(self) -> None:
        """A restart must not find the last one still holding the database or a socket."""
        pid = self.running_pid()
        if pid is None or (self.process and pid == self.process.pid):
            return
        # SIGTERM ends the process only; SIGINT would end people's sessions with it.
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + self.grace
        while self.running_pid() is not None and time.monotonic() < deadline:
            time.sleep(0.05)
        if self.running_pid() is not None:
            os.kill(pid, signal.SIGKILL)

    def running_pid(self) -> int | None:
        """The process that the pid file names, if it still runs and is the one that was meant."""
        try:
            pid, birth = self.pid_file.read_text(encoding="ascii").split()
        except (OSError, ValueError):
            return None
        return int(pid) if _birth(int(pid)) == birth != "" else None


def _birth(pid: int) -> str:
    """When a process began, in the kernel's clock ticks: with the pid it names one process for good. "" if gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
