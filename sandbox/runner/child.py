"""A program of a kernel: started in its process group, heard as it prints, waited for to the last word."""

from __future__ import annotations

import asyncio
import codecs
import fcntl
import os
import signal
from collections.abc import Callable, Collection

Said = Callable[[str], None]
_PIECE = 32 * 1024


class Pipe:
    """The reading end of a pipe whose other end, ``writer``, a program gets. ``heard`` takes what comes."""

    def __init__(self, heard: Callable[[bytes], None]) -> None:
        self._reader, self.writer = os.pipe()
        self._heard = heard
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
        if not data:
            self.close()
        else:
            self._heard(data)
        return len(data)


def spoken(said: Said) -> Callable[[bytes], None]:
    """Bytes as they come into text, characters whole."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def heard(data: bytes) -> None:
        if text := decoder.decode(data):
            said(text)

    return heard


class Child:
    """One program. What it prints after its end, by children of its own, is heard until :meth:`close`."""

    def __init__(self, process: asyncio.subprocess.Process, pipes: Collection[Pipe]) -> None:
        self._process, self._pipes = process, pipes

    @classmethod
    async def start(cls, command: list[str], out: Said, err: Said, keep: Collection[int] = ()) -> Child:
        """Start ``command``; it keeps the descriptors ``keep``.

        Raises:
            OSError: it could not be started.
        """
        pipes = Pipe(spoken(out)), Pipe(spoken(err))
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=pipes[0].writer,
                stderr=pipes[1].writer,
                pass_fds=tuple(keep),
            )
        except OSError:
            for pipe in pipes:
                pipe.close()
            raise
        finally:
            for pipe in pipes:
                pipe.handed_over()
        return cls(process, pipes)

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def wait(self) -> int:
        """Its exit code once it has ended, negative for a signal; all that it said has been heard."""
        code = await self._process.wait()
        self.drain()
        return code

    def drain(self) -> None:
        for pipe in self._pipes:
            pipe.drain()

    def kill(self) -> None:
        if self.alive:
            self._process.kill()

    def close(self) -> None:
        for pipe in self._pipes:
            pipe.close()


def how_it_ended(code: int) -> str:
    """An exit code in words, after the program's name. A shell tells of a signal by 128 and its number."""
    number = -code if code < 0 else code - 128
    try:
        name = signal.strsignal(number) if number > 0 else None
    except ValueError:
        name = None
    return f"ended by a signal: {name}" if name else f"ended with status {code}"
