"""Standard input of a kernel's programs: a pipe that ends with a cell, and begins again with the next.

All its programs read from one pipe. Its writing end is opened anew for each cell that may ask, so that a program which
reads otherwise finds the end of its input, and one that outlives its cell too.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import termios
from collections.abc import Iterator

from sandbox.runner import waiting
from sandbox.runner.pipes import Input


class Keyboard:
    """What is typed for the cell that runs, from :meth:`begin` to :meth:`end`."""

    def __init__(self) -> None:
        self._end, writer = os.pipe()
        os.close(writer)
        self._input = Input()

    @contextlib.contextmanager
    def reader(self) -> Iterator[int]:
        """A descriptor for a program to read from. It is opened anew: how a program sets it is not for the next."""
        fd = self._again(os.O_RDONLY)
        try:
            yield fd
        finally:
            os.close(fd)

    def begin(self) -> None:
        """A cell begins that may ask."""
        self._input = Input()
        self._input.attach(self._again(os.O_WRONLY))

    async def write(self, text: str) -> None:
        await self._input.write(text.encode(errors="replace"))

    def close(self) -> None:
        """There is no more input: whoever reads finds the end."""
        self._input.end()

    def end(self) -> None:
        """The cell is over. What was typed and not read is nobody's."""
        self._input.detach()
        left = self._again(os.O_RDONLY | os.O_NONBLOCK)
        with contextlib.suppress(BlockingIOError):
            while os.read(left, 65536):
                continue
        os.close(left)

    def waited_for(self) -> bool:
        """Whether a program waits for what is to be typed."""
        (unread,) = struct.unpack("i", fcntl.ioctl(self._end, termios.FIONREAD, bytes(4)))
        return not unread and self._input.empty and waiting.somebody_reads(os.fstat(self._end))

    def _again(self, flags: int) -> int:
        return os.open(f"/proc/self/fd/{self._end}", flags | os.O_CLOEXEC)
