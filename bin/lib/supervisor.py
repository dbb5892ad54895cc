"""Keeps the parts of a site running until it is told to stop, and then stops exactly them."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from bin.lib.console import Console, StepFailed
from bin.lib.layout import ROOT
from bin.lib.parts import Part

START_LIMIT = 90.0  # seconds until a part must answer
TICK = 0.1
# A part that ends sooner than this after its start is not restarted at once but with growing pauses.
SHORT_LIFE = 3.0
LONGEST_PAUSE = 10.0


class Supervisor:
    """Starts the parts in their order and restarts one that ends, until SIGINT or SIGTERM."""

    def __init__(self, console: Console, parts: list[Part]) -> None:
        self.console, self.parts = console, parts
        self._asked = 0
        self._pause: dict[str, float] = {}
        self._due: dict[str, float] = {}

    def run(self, ready: Callable[[], None]) -> None:
        """Run until asked to stop. ``ready`` is called once all parts answer.

        Raises:
            StepFailed: a part did not start.
        """
        with self._signals():
            try:
                for part in self.parts:
                    self._start(part)
                if not self._asked:
                    ready()
                while not self._asked:
                    time.sleep(TICK)
                    for part in self.parts:
                        self._look_after(part)
            finally:
                self._stop()

    def _start(self, part: Part) -> None:
        with self.console.step(f"Starting {part.name}"):
            part.start(ROOT)
            while not self._asked and not part.is_ready():
                status = part.exit_status()
                if status is not None:
                    raise StepFailed(f"{part.name} ended with {status} (its log: {part.log})", part.last_lines())
                if time.monotonic() - part.started > START_LIMIT:
                    raise StepFailed(f"{part.name} does not answer (its log: {part.log})", part.last_lines())
                time.sleep(TICK)

    def _look_after(self, part: Part) -> None:
        for line in part.notable_lines():
            self.console.say(f"  {part.name}: {line}")
        status = part.exit_status()
        if status is None:
            return
        now = time.monotonic()
        if part.name not in self._due:
            lived = now - part.started
            pause = 0.0 if lived > SHORT_LIFE else min(LONGEST_PAUSE, 2 * self._pause.get(part.name, 0.25))
            self._pause[part.name] = pause
            self._due[part.name] = now + pause
            what = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with {status}"
            self.console.note(f"{part.name} {what}; starting it again" + (f" in {pause:.1f} s" if pause else ""))
        if now >= self._due[part.name]:
            del self._due[part.name]
            part.start(ROOT)

    def _stop(self) -> None:
        """End the parts, last started first. A second Ctrl-C kills at once."""
        running = [part for part in reversed(self.parts) if part.process]
        asked, began = self._asked, time.monotonic()
        for part in running:
            part.stop()
        for part in running:
            while part.exit_status() is None and self._asked == asked and time.monotonic() < began + part.grace:
                time.sleep(0.02)
            part.finish(time.monotonic())

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def ask(number: int, frame: FrameType | None) -> None:
            self._asked += 1

        former = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)
