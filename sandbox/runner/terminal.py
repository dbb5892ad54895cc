"""A terminal: a shell on a pty, and the numbered log of its output.

Output goes into the log as it is, bytes and all. While a reader lags behind the pty is not read, which
stops the program (:mod:`sandbox.runner.pace`); input still goes in, so that Ctrl-C overtakes a flood.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pty
import pwd
import signal
import struct
import termios
from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.runner.activity import Activity
from sandbox.runner.children import Children, clean_child, signal_group
from sandbox.runner.company import Company, Size, Sizes, clamped
from sandbox.runner.log import Log
from sandbox.runner.modes import RESET, Modes

_CHUNK = 32 * 1024
_TYPED_AHEAD = 1024 * 1024
"""Bytes of input that wait for the program. Beyond it the sender is not read, its acknowledgements included."""


class Terminal:
    """One terminal. ``on_end`` is called when its shell has ended."""

    def __init__(self, name: str, log: Log, children: Children, activity: Activity) -> None:
        self.name, self.log = name, log
        self.company = Company()
        self.sizes = Sizes((24, 80))
        self.command = ""
        self.on_end: Callable[[], None] = lambda: None
        self._children, self._activity = children, activity
        self._master = -1
        self._pid = 0
        self._waiting = False
        self._holding: asyncio.Future[None] | None = None
        self._written = asyncio.Event()
        self._unwritten = bytearray()
        self._last = datetime.now(UTC)

    def describe(self) -> dict[str, Any]:
        return {"name": self.name, "last_activity": self._last.isoformat().replace("+00:00", "Z")}

    def start(self, cwd: Path, rows: int, columns: int, command: str = "") -> None:
        """Start a shell in ``cwd``, one that ends with ``command`` where there is any."""
        self.command = command
        self._pid, self._master = pty.fork()
        if self._pid == 0:
            _become_shell(cwd, command)
        os.set_blocking(self._master, False)
        self.sizes = Sizes(clamped(rows, columns))
        self._set_size()
        self._children.watch(self._pid, self._on_exit)
        asyncio.get_running_loop().add_reader(self._master, self._read)

    def wish(self, key: Hashable, rows: int, columns: int) -> None:
        """The window of ``key`` has this size; of who is not in the company it counts at once."""
        if key in self.company:
            self.company.wish(key, rows, columns)
            self._settle()
        elif rows > 0 and columns > 0:
            self._resize(clamped(rows, columns))

    def typed(self, key: Hashable) -> None:
        """``key`` is about to type: what it sees is the right size for it."""
        self.company.typed(key)
        self._settle()

    def leave(self, key: Hashable) -> None:
        self.company.leave(key)
        self._settle()

    def _settle(self) -> None:
        if size := self.company.size:
            self._resize(size)

    def _resize(self, size: Size) -> None:
        """Tell the shell, and with an empty record all readers: those behind find it where it belongs."""
        if size != self.sizes.now and self._master >= 0:
            self.sizes.change(self.log.append(b""), size, self.log.first)
            self._set_size()

    def _set_size(self) -> None:
        rows, columns = self.sizes.now
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    async def write(self, payload: bytes) -> None:
        """Type ``payload``."""
        self._activity.input()
        self._last = datetime.now(UTC)
        if self._master < 0:
            return
        idle = not self._unwritten
        self._unwritten += payload
        if idle:
            self._flush()
        while self._crowded:  # a program that does not read: hold the sender back
            self._let_go()
            self._written.clear()
            await self._written.wait()

    def stop(self) -> None:
        """Hang up: the shell and what runs in it get SIGHUP, then SIGKILL."""
        if self._pid:
            signal_group(self._pid, signal.SIGHUP)
            signal_group(self._pid, signal.SIGCONT)
            asyncio.get_running_loop().call_later(0.5, self._kill, self._pid)

    def _kill(self, pid: int) -> None:
        if pid == self._pid:
            signal_group(pid, signal.SIGKILL)

    def restored(self, seq: int) -> bytes:
        """What brings a reader's terminal into the state before record ``seq``, the first that it gets.

        A program that has the whole screen is asked to draw it again.
        """
        modes = self.log.trace_before(seq)
        if not isinstance(modes, Modes):
            return RESET
        if modes.alternate and self._master >= 0:
            with contextlib.suppress(OSError):  # its foreground group has just ended
                os.killpg(os.tcgetpgrp(self._master), signal.SIGWINCH)
        return modes.restore()

    def _read(self) -> None:
        data, over = self._take()
        if data:
            self._last = datetime.now(UTC)
            self.log.append(data)
        if over:
            self._hang_up()
        elif self.log.full() and not self._crowded:
            asyncio.get_running_loop().remove_reader(self._master)
            self._holding = asyncio.ensure_future(self._read_when_room())

    def _take(self) -> tuple[bytes, bool]:
        """What the pty has now, at most a record's worth, and whether nothing will follow."""
        pieces: list[bytes] = []
        size = 0
        while size < _CHUNK:  # a pty gives four thousand bytes at a time
            try:
                piece = os.read(self._master, _CHUNK - size)
            except BlockingIOError:
                return b"".join(pieces), False
            except OSError:  # EIO: the last process with the pty open is gone
                piece = b""
            if not piece:
                return b"".join(pieces), True
            pieces.append(piece)
            size += len(piece)
        return b"".join(pieces), False

    @property
    def _crowded(self) -> bool:
        """Whether so much is typed ahead that its sender waits, and with it the acknowledgements behind."""
        return len(self._unwritten) > _TYPED_AHEAD

    async def _read_when_room(self) -> None:
        await self.log.room()
        if self._master >= 0:
            asyncio.get_running_loop().add_reader(self._master, self._read)

    def _let_go(self) -> None:
        """Hold the program back no longer: it may wait for room for its output before it reads more input."""
        if self._holding is not None and self._holding.cancel() and self._master >= 0:
            asyncio.get_running_loop().add_reader(self._master, self._read)

    def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            del self._unwritten[: os.write(self._master, self._unwritten)]
        except BlockingIOError:
            pass  # the pty is full: the loop calls again when it is not
        except OSError:
            self._unwritten.clear()
        self._written.set()
        if self._unwritten and not self._waiting:
            self._waiting = True
            loop.add_writer(self._master, self._flush)
        elif not self._unwritten and self._waiting:
            self._waiting = False
            loop.remove_writer(self._master)

    def _on_exit(self, code: int) -> None:
        self._pid = 0
        if self._master >= 0:
            self._drain()
        self._hang_up()
        self.log.end(f"exited with status {code}" if code >= 0 else f"ended by signal {-code}")
        self.on_end()

    def _drain(self) -> None:
        """What the shell said last is still in the pty, at most what it holds: others may write on for ever."""
        data, _ = self._take()
        if data:
            self.log.append(data)

    def _hang_up(self) -> None:
        if self._master < 0:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._master)
        if self._waiting:
            loop.remove_writer(self._master)
        os.close(self._master)
        self._master = -1
        self._unwritten.clear()
        self._written.set()


def _become_shell(cwd: Path, command: str) -> None:
    """In the forked child, whose terminal is the pty: never returns."""
    try:
        clean_child()
        os.chdir(cwd if cwd.is_dir() else Path.home())
        shell = next((path for path in ("/bin/bash", "/usr/bin/bash") if os.access(path, os.X_OK)), "/bin/sh")
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "SHELL": shell}
        environment.setdefault("USER", pwd.getpwuid(os.getuid()).pw_name)
        os.execve(shell, [shell, "-c", command] if command else [shell, "-i"], environment)  # noqa: S606 - a list, no shell in between
    finally:
        os._exit(127)
