"""The jail's loop: calls back when a descriptor is ready or a time has come.

The standard library's :mod:`selectors` and :mod:`sched`, put together. There is one jail for each sandbox,
forked from a process that shares its memory with it; asyncio's loop would make each of them write to two
megabytes of that, which then are its own.
"""

from __future__ import annotations

import contextlib
import sched
import selectors
import signal
import socket
import time
import traceback
from collections.abc import Callable
from typing import Any

Callback = Callable[..., object]
Timer = sched.Event

_LEAST_SECONDS = 0.001  # a callback that asks to be called again lets others go first


class Loop:
    """What a callback raises is logged, and the loop goes on."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers = sched.scheduler(time.monotonic, lambda seconds: None)  # which never waits: select does
        self._over = False

    def on_readable(self, descriptor: int, call: Callback) -> None:
        """Call ``call`` while there is something to read (or the other end is gone), until :meth:`forget`."""
        self._watch(descriptor, selectors.EVENT_READ, call)

    def on_writable(self, descriptor: int, call: Callback) -> None:
        """Call ``call`` while there is room to write, and no more when there is something to read."""
        self._watch(descriptor, selectors.EVENT_WRITE, call)

    def forget(self, descriptor: int) -> None:
        """Watch ``descriptor`` no more. One that is not watched is no error."""
        if descriptor in self._selector.get_map():
            self._selector.unregister(descriptor)

    def after(self, seconds: float, call: Callback, *arguments: Any) -> Timer:
        """Call ``call`` once, in ``seconds`` or soon after."""
        return self._timers.enter(max(_LEAST_SECONDS, seconds), 0, _guarded, (call, *arguments))

    def cancel(self, timer: Timer) -> None:
        """Do not call it. One that was called already is no error."""
        with contextlib.suppress(ValueError):
            self._timers.cancel(timer)

    def on_signals(self, numbers: tuple[signal.Signals, ...], call: Callback) -> None:
        """Call ``call`` when one of these signals has come: between other callbacks, not amid one."""
        heard, woken = socket.socketpair()
        heard.setblocking(False)
        woken.setblocking(False)
        for number in numbers:
            signal.signal(number, lambda number, frame: None)
        signal.set_wakeup_fd(woken.detach())

        def hear() -> None:
            if set(heard.recv(256)) & set(numbers):
                call()

        self.on_readable(heard.fileno(), hear)

    def run(self) -> None:
        """Until :meth:`stop`."""
        self._over = False
        while not self._over:
            self.turn()

    def turn(self, most: float = 3600.0) -> None:
        """Wait at most so many seconds for something to be due or ready, and call what is."""
        next_due = self._timers.run(blocking=False)
        wait = 0.0 if self._over else most if next_due is None else min(most, next_due)
        for key, _ in self._selector.select(wait):
            if self._selector.get_map().get(key.fd) is key:  # else it was forgotten a moment ago
                _guarded(key.data)

    def stop(self) -> None:
        """Let :meth:`run` return after this turn."""
        self._over = True

    def _watch(self, descriptor: int, events: int, call: Callback) -> None:
        self.forget(descriptor)
        self._selector.register(descriptor, events, call)


def _guarded(call: Callback, *arguments: Any) -> None:
    try:
        call(*arguments)
    except Exception:  # one thing that went wrong must not end the sandbox
        traceback.print_exc()
