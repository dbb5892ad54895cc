"""Bytes that a sandbox received and sent, counted in a file that outlives who counts.

The file is mapped into memory: what was added is there for every reader at once, and stays when the
process is killed in the same instant. It has several slots, because an egress that ends may still carry
a download while its successor counts in another; a slot belongs to whoever holds its lock, which the
kernel frees with the process. The sum of the slots is the account.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
from dataclasses import replace
from pathlib import Path

from sandbox.usage import Usage

NAME = "network.account"
SLOTS = 16
_SLOT = struct.Struct("=QQ")


class NoAccount(Exception):
    """There is no account to count in: the sandbox is gone, or all of its slots are taken."""


def create(directory: Path) -> None:
    """A new account, all zero."""
    (directory / NAME).write_bytes(bytes(_SLOT.size * SLOTS))


def read(directory: Path) -> dict[str, int]:
    """``bytes_received`` and ``bytes_sent`` so far; zero where there is no account."""
    try:
        data = (directory / NAME).read_bytes()
    except OSError:
        data = b""
    whole = len(data) - len(data) % _SLOT.size
    slots = list(_SLOT.iter_unpack(data[:whole]))
    return {"bytes_received": sum(slot[0] for slot in slots), "bytes_sent": sum(slot[1] for slot in slots)}


def added(usage: Usage, before: Usage, directory: Path) -> Usage:
    """``usage`` with the bytes of the account in ``directory``; totals never fall below those of ``before``."""
    return replace(usage, **{name: max(value, getattr(before, name)) for name, value in read(directory).items()})


class Account:
    """One slot of a sandbox's account, ours until :meth:`close`. One per process and sandbox (fcntl(2) locks)."""

    def __init__(self, directory: Path) -> None:
        """Take a slot.

        Raises:
            NoAccount: see there.
        """
        try:
            self._file = os.open(directory / NAME, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError as error:
            raise NoAccount(str(directory)) from error
        try:
            self._first = 2 * self._take()
            self._map = mmap.mmap(self._file, _SLOT.size * SLOTS)
        except BaseException:
            os.close(self._file)
            raise
        self._counters = memoryview(self._map).cast("Q")  # each is stored at once: no reader sees half of one

    def received(self, count: int) -> None:
        """``count`` more bytes came from the network."""
        self._counters[self._first] += count

    def sent(self, count: int) -> None:
        """``count`` more bytes went to the network."""
        self._counters[self._first + 1] += count

    def close(self) -> None:
        self._counters.release()
        self._map.close()
        os.close(self._file)

    def _take(self) -> int:
        for slot in range(SLOTS):
            try:
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, _SLOT.size, slot * _SLOT.size)
            except OSError:
                continue  # another process counts there
            return slot
        raise NoAccount("every slot is taken")
