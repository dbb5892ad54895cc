"""Pipes between the runner's side and a program: what it says is heard as it comes, what it is to read waits for it."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Callable

TYPED_AHEAD = 1 << 20
_PIECE = 64 * 1024


class Pipe:
    """The reading end of a pipe whose other end, ``writer``, a program gets.

    ``heard`` takes what comes, and ``ended`` is called when nobody is left who could write.
    """

    def __init__(self, heard: Callable[[bytes], None], ended: Callable[[], None] = lambda: None) -> None:
        self._reader, self.writer = os.pipe()
        self._heard, self._ended = heard, ended
        os.set_blocking(self._reader, False)
        self._size = fcntl.fcntl(self._reader, fcntl.F_GETPIPE_SZ)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._reader, self._read)

    def handed_over(self) -> None:
        os.close(self.writer)

    def drain(self) -> None:
        """Hear all that was written before now. Who goes on writing is not waited for."""
        heard = 0
        while heard < self._size and (more := self._read()):
            heard += more

    def close(self) -> None:
        if self._reader >= 0:
            self._loop.remove_reader(self._reader)
            os.close(self._reader)
            self._reader = -1

    def _read(self) -> int:
        if self._reader < 0:
            return 0
        try:
            data = os.read(self._reader, _PIECE)
        except BlockingIOError:
            return 0
        if data:
            self._heard(data)
        else:
            self.close()
            self._ended()
        return len(data)


class Input:
    """What a program reads: bytes that wait for it, at most about ``TYPED_AHEAD``, and then their end."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._ended = self._over = False
        self._fd = -1
        self._room = asyncio.Event()

    @property
    def empty(self) -> bool:
        return not self._data

    async def write(self, data: bytes) -> None:
        """Give it ``data``; waits while it has not read what came before."""
        if self._over or self._ended:
            return
        self._data += data
        self._flush()
        while len(self._data) >= TYPED_AHEAD and not self._over:
            self._room.clear()
            await self._room.wait()

    def end(self) -> None:
        self._ended = True
        self._flush()

    def attach(self, fd: int) -> None:
        """From now on it is read from the other end of the pipe ``fd``, which is closed here."""
        os.set_blocking(fd, False)
        self._fd = fd
        asyncio.get_running_loop().add_writer(fd, self._flush)

    def detach(self) -> None:
        """Nobody reads any more."""
        self._over = True
        self._data.clear()
        self._room.set()
        if self._fd >= 0:
            asyncio.get_running_loop().remove_writer(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _flush(self) -> None:
        if self._fd < 0:
            return
        loop = asyncio.get_running_loop()
        try:
            while self._data:
                del self._data[: os.write(self._fd, self._data[:_PIECE])]
        except BlockingIOError:
            loop.add_writer(self._fd, self._flush)
        except OSError:
            self.detach()
            return
        if not self._data:
            loop.remove_writer(self._fd)
            if self._ended:
                self.detach()
        if len(self._data) < TYPED_AHEAD:
            self._room.set()
