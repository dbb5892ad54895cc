"""What the outside must know to tell idle from busy: the last input, and whether something computes."""

from __future__ import annotations

import time
from collections.abc import Callable


class Activity:
    """``changed`` is called with the new report at each change, inputs at most twice a second."""

    def __init__(self, changed: Callable[[dict[str, object]], None]) -> None:
        self._changed = changed
        self._busy: set[object] = set()
        self._input = time.monotonic()
        self._told = 0.0

    def input(self) -> None:
        """A person or a client has just sent something."""
        self._input = time.monotonic()
        if self._input - self._told > 0.5:
            self._tell()

    def busy(self, who: object, busy: bool) -> None:
        """``who`` computes, or no longer does."""
        if busy != (who in self._busy):
            (self._busy.add if busy else self._busy.discard)(who)
            if not busy:
                self._input = time.monotonic()  # being done is activity: the countdown begins here
            self._tell()

    def _tell(self) -> None:
        self._told = time.monotonic()
        self._changed({"busy": bool(self._busy), "input_ms": int(self._input * 1000)})
