"""Who waits for input: the kernel tells in which system call a thread sleeps, and on which descriptors.

``/proc/<pid>/task/<tid>/syscall`` has the number of the call and its arguments (proc(5)), of a thread that sleeps in
one. A process may read those of its descendants, unless Yama's ``ptrace_scope`` is 2 or more.
"""

from __future__ import annotations

import os
import platform
import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

_MOST_POLLED = 1024
_POLLFD = struct.Struct("=ihh")
_INPUT = 1  # POLLIN, and EPOLLIN


def can_know() -> bool:
    """Whether this machine tells."""
    try:
        scope = int(Path("/proc/sys/kernel/yama/ptrace_scope").read_text())
    except (OSError, ValueError):
        scope = 0
    return scope < 2 and os.path.exists("/proc/self/syscall") and platform.machine() in _CALLS


def somebody_reads(pipe: os.stat_result) -> bool:
    """Whether a thread of another process sleeps until ``pipe`` has something to read."""
    own = os.getpid()
    return any(
        _waits(f"/proc/{pid}", f"/proc/{pid}/task/{thread}", pipe)
        for pid in _numbers("/proc")
        if pid != own
        for thread in _numbers(f"/proc/{pid}/task")
    )


def _numbers(folder: str) -> Iterator[int]:
    try:
        names = os.listdir(folder)
    except OSError:  # it has ended
        return
    yield from (int(name) for name in names if name.isdigit())


def _waits(process: str, thread: str, pipe: os.stat_result) -> bool:
    try:
        number, *rest = Path(f"{thread}/syscall").read_text().split()
        waited_on = _CALLS[platform.machine()].get(int(number)) if rest else None  # else it is running
        if waited_on is None:
            return False
        arguments = [int(word, 16) for word in rest]
        return any(_is(process, fd, pipe) for fd in waited_on(process, arguments))
    except (OSError, ValueError):  # it is not ours to look at, has ended, or goes on this very moment
        return False


def _is(process: str, fd: int, pipe: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(f"{process}/fd/{fd}"), pipe)
    except OSError:
        return False


# What each call waits on: of the process and the arguments, the descriptors that are to become readable.


def _read(_: str, arguments: list[int]) -> Iterable[int]:
    return [arguments[0]]


def _poll(process: str, arguments: list[int]) -> Iterable[int]:
    count = min(arguments[1], _MOST_POLLED)
    asked = _POLLFD.iter_unpack(_memory(process, arguments[0], count * _POLLFD.size))
    return [fd for fd, events, _ in asked if events & _INPUT]


def _select(process: str, arguments: list[int]) -> Iterable[int]:
    count, readable = min(arguments[0], _MOST_POLLED), arguments[1]
    bits = int.from_bytes(_memory(process, readable, (count + 7) // 8), "little") if readable else 0
    return [fd for fd in range(count) if bits >> fd & 1]


def _epoll(process: str, arguments: list[int]) -> Iterable[int]:
    """The set's own account (proc(5)): lines ``tfd: 5 events: 19 data: ...``, the events in hexadecimal."""
    lines = Path(f"{process}/fdinfo/{arguments[0]}").read_text().splitlines()
    sets = (line.split() for line in lines if line.startswith("tfd:"))
    return [int(words[1]) for words in sets if int(words[3], 16) & _INPUT]


def _memory(process: str, address: int, size: int) -> bytes:
    with open(f"{process}/mem", "rb", buffering=0) as memory:
        return os.pread(memory.fileno(), size, address)


_CALLS: dict[str, dict[int, Callable[[str, list[int]], Iterable[int]]]] = {
    # read, readv, splice; poll, ppoll; select, pselect6; epoll_wait, epoll_pwait, epoll_pwait2
    "x86_64": {
        **dict.fromkeys((0, 19, 275), _read),
        **dict.fromkeys((7, 271), _poll),
        **dict.fromkeys((23, 270), _select),
        **dict.fromkeys((232, 281, 441), _epoll),
    },
    "aarch64": {
        **dict.fromkeys((63, 65, 76), _read),
        73: _poll,
        72: _select,
        **dict.fromkeys((22, 441), _epoll),
    },
}
