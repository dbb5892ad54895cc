"""A program of a kernel: started in its process group, heard as it prints, waited for to the last word."""

from __future__ import annotations

import asyncio
import codecs
import signal
from collections.abc import Callable, Collection

from sandbox.runner.pipes import Pipe

Said = Callable[[str], None]


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
    async def start(cls, command: list[str], stdin: int, out: Said, err: Said, keep: Collection[int] = ()) -> Child:
        """Start ``command``, which reads from ``stdin``; it keeps the descriptors ``keep``.

        Raises:
            OSError: it could not be started.
        """
        pipes = Pipe(spoken(out)), Pipe(spoken(err))
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=stdin,
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
