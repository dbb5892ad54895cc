"""What a person sees while things are set up: one calm line a step, with a mark and how long it took."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from types import TracebackType


class StepFailed(Exception):
    """A step could not be done. ``message`` says what and the next command; ``tail`` is what was printed last."""

    def __init__(self, message: str, tail: str = "") -> None:
        super().__init__(message)
        self.message, self.tail = message, tail


class Console:
    """Prints steps. ``log`` receives everything the commands of the steps print."""

    def __init__(self, log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log = log.open("a", encoding="utf-8", errors="replace")
        self.log_path = log
        self.tty = sys.stdout.isatty() and os.environ.get("TERM", "") != "dumb"
        unicode = "utf" in (sys.stdout.encoding or "").lower()
        self.done_mark, self.wait_mark, self.bad_mark = ("✓", "…", "✗") if unicode else ("ok", "..", "!!")

    def step(self, title: str) -> Step:
        return Step(self, title)

    def say(self, text: str = "") -> None:
        print(text, flush=True)

    def note(self, text: str) -> None:
        """Something worth knowing that stops nothing."""
        self.say("  ! " + text)


class Step:
    """One step, as a context manager: shows its title while it works, then a mark and its duration."""

    def __init__(self, console: Console, title: str) -> None:
        self.console, self.title, self.detail = console, title, ""
        self._ended = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Step:
        self._began = time.monotonic()
        self._draw()
        self._ticker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._ticker.join()
        mark = self.console.done_mark if error is None else self.console.bad_mark
        line = f"  {mark} {self.title:<34} {_duration(time.monotonic() - self._began):>6}"
        if error is None and self.detail:
            line += f"  {self.detail}"
        self.console.say(("\r\033[K" if self.console.tty else "") + line)

    def run(self, command: list[str], env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
        """Run a command of this step; what it prints goes to the log. Returns what it printed.

        Raises:
            StepFailed: it is not installed, or exited with an error.
        """
        self.console.log.write(f"\n$ {' '.join(command)}\n")
        lines: list[str] = []
        tail: deque[str] = deque(maxlen=25)
        try:
            process = subprocess.Popen(
                command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, errors="replace",
            )  # fmt: skip
        except OSError as error:
            raise StepFailed(f"{command[0]} could not be started: {error}") from error
        with process:
            assert process.stdout is not None
            for line in process.stdout:
                self.console.log.write(line)
                lines.append(line)
                tail.append(line)
                self._show(line)
        self.console.log.flush()
        if process.returncode:
            raise StepFailed(f"{self.title} failed (the whole output: {self.console.log_path})", "".join(tail))
        self.detail = ""
        return "".join(lines)

    def _show(self, line: str) -> None:
        if self.console.tty and line.strip():
            self.detail = line.strip()

    def _draw(self) -> None:
        if not self.console.tty:
            return
        seconds = int(time.monotonic() - self._began)
        text = f"  {self.console.wait_mark} {self.title:<34} {seconds:>4} s  {self.detail}"
        print("\r\033[K" + text[: shutil.get_terminal_size().columns - 1], end="", flush=True)

    def _tick(self) -> None:
        """Redraw each second; where there is no terminal to redraw on, say now and then that it goes on."""
        for second in range(1, 1 << 30):
            if self._ended.wait(1.0):
                return
            if self.console.tty:
                self._draw()
            elif second % 20 == 0:
                self.console.say(f"  {self.console.wait_mark} {self.title} ({second} s so far)")


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.1f} min"
