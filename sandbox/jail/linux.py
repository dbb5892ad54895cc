"""System calls that Python's ``os`` does not have. Each raises ``OSError`` and is named as in its man page."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import struct
from typing import NamedTuple

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
CLONE_FS = 0x00000200
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
CLONE_NEWTIME = 0x00000080
ANY_NAMESPACE = 0

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND = 1, 2, 4, 8, 32, 4096
MS_REC, MS_PRIVATE = 16384, 1 << 18
MNT_DETACH = 2

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38
PR_SET_CHILD_SUBREAPER, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 36, 47, 4
PR_SET_NAME = 15

MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV, MOUNT_ATTR_NOEXEC = 1, 2, 4, 8
MOUNT_ATTR_IDMAP = 0x00100000
_OPEN_TREE_CLONE, _AT_RECURSIVE, _AT_EMPTY_PATH = 1, 0x8000, 0x1000
_MOVE_MOUNT_F_EMPTY_PATH = 4
_AT_FDCWD = -100

_SECCOMP = {"x86_64": 317, "aarch64": 277}
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_CAPSET = {"x86_64": 126, "aarch64": 91}
# One number on every architecture since Linux 5.
_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR, _LANDLOCK = 428, 429, 442, 444

_SECCOMP_NEW_LISTENER, _SECCOMP_WAIT_KILLABLE = 1 << 3, 1 << 5
_SECCOMP_IOCTL_NOTIF_RECV, _SECCOMP_IOCTL_NOTIF_SEND = 0xC0502100, 0xC0182101
_SECCOMP_IOCTL_NOTIF_ID_VALID = 0x40082102
_NOTIFICATION = struct.Struct("=QIIiIQ6Q")  # struct seccomp_notif

_libc = ctypes.CDLL(None, use_errno=True)


class SeccompNotification(NamedTuple):
    """An asked call: its cookie, the calling thread, the call's number and its six raw arguments."""

    id: int
    thread: int
    number: int
    arguments: tuple[int, ...]


def _check(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def _long(value: int) -> ctypes.c_long:
    return ctypes.c_long(value)


def unshare(flags: int) -> None:
    _check(_libc.unshare(flags), "unshare")


def setns(descriptor: int, flags: int) -> None:
    """Let the calling thread join namespaces: those of the process that the pidfd ``descriptor`` names (``flags`` says
    which), or the one that it is itself a descriptor of (``flags`` is its kind, or any)."""
    _check(_libc.setns(descriptor, flags), "setns")


def prctl(option: int, argument: int = 0) -> int:
    return _check(_libc.prctl(option, _long(argument), _long(0), _long(0), _long(0)), f"prctl {option}")


def set_name(name: str) -> None:
    """What ``ps`` and ``top`` call this process (15 bytes)."""
    _libc.prctl(PR_SET_NAME, name.encode()[:15], _long(0), _long(0), _long(0))


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    arguments = (source.encode(), target.encode(), kind.encode() or None, ctypes.c_ulong(flags), data.encode() or None)
    _check(_libc.mount(*arguments), f"mount {kind or source} on {target}")


def umount2(target: str, flags: int) -> None:
    _check(_libc.umount2(target.encode(), flags), f"umount {target}")


def pivot_root(new: str, old: str) -> None:
    _check(_libc.syscall(_long(_PIVOT_ROOT[platform.machine()]), new.encode(), old.encode()), "pivot_root")


def open_tree(path: str, recursive: bool = True) -> int:
    """A descriptor of a detached copy of the mount at ``path``, and of those below it."""
    flags = _OPEN_TREE_CLONE | (_AT_RECURSIVE if recursive else 0) | os.O_CLOEXEC
    return _check(_libc.syscall(_long(_OPEN_TREE), _AT_FDCWD, path.encode(), _long(flags)), f"open_tree {path}")


def move_mount(tree: int, target: str) -> None:
    call = (_long(_MOVE_MOUNT), tree, b"", _AT_FDCWD, target.encode(), _long(_MOVE_MOUNT_F_EMPTY_PATH))
    _check(_libc.syscall(*call), f"move_mount on {target}")


def mount_setattr(path: str, attributes: int, tree: int = _AT_FDCWD, userns: int = 0, clear: int = 0) -> None:
    """Set ``attributes`` on the mounts at ``path`` (or of ``tree``) and below, and take those in ``clear`` away.

    ``userns`` is for an idmapped mount.
    """
    attr = struct.pack("QQQQ", attributes, clear, 0, userns)
    flags = _AT_EMPTY_PATH if tree != _AT_FDCWD else 0
    if not attributes & MOUNT_ATTR_IDMAP:
        flags |= _AT_RECURSIVE
    call = (_long(_MOUNT_SETATTR), tree, path.encode(), _long(flags), attr, _long(len(attr)))
    _check(_libc.syscall(*call), f"mount_setattr {path or tree}")


def set_read_only(path: str, read_only: bool) -> None:
    """Make the mount at ``path`` read-only or writable; EBUSY while a file in it is open for writing."""
    bits = (MOUNT_ATTR_RDONLY, 0) if read_only else (0, MOUNT_ATTR_RDONLY)
    attr = struct.pack("QQQQ", *bits, 0, 0)
    call = (_long(_MOUNT_SETATTR), _AT_FDCWD, path.encode(), _long(0), attr, _long(len(attr)))
    _check(_libc.syscall(*call), f"mount_setattr {path}")


def drop_capabilities() -> None:
    """Empty every capability set of this process, for good."""
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    with open("/proc/sys/kernel/cap_last_cap") as file:
        last = int(file.read())
    for capability in range(last + 1):
        prctl(PR_CAPBSET_DROP, capability)
    set_no_capabilities()


def set_no_capabilities() -> None:
    header, data = struct.pack("=Ii", 0x20080522, 0), struct.pack("=6I", *(0,) * 6)
    _check(_libc.syscall(_long(_CAPSET[platform.machine()]), header, data), "capset")


def seccomp_filter(program: bytes) -> int:
    """Install a filter (packed ``struct sock_filter``) on this process; it stays for good.

    Returns the descriptor on which asked calls arrive (seccomp_unotify(2)).
    """
    code = ctypes.create_string_buffer(program, len(program))
    fprog = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    number, killable = _long(_SECCOMP[platform.machine()]), _SECCOMP_WAIT_KILLABLE
    while True:
        listener = _libc.syscall(number, _long(1), _long(_SECCOMP_NEW_LISTENER | killable), fprog)
        if listener >= 0 or not killable or ctypes.get_errno() != errno.EINVAL:
            return _check(listener, "seccomp")
        killable = 0  # before Linux 5.19: a caller that waits can be interrupted, and asks again


def seccomp_receive(listener: int) -> SeccompNotification:
    """The next asked call. ``ENOENT``: its caller has died meanwhile."""
    notification = bytearray(_NOTIFICATION.size)
    fcntl.ioctl(listener, _SECCOMP_IOCTL_NOTIF_RECV, notification)
    id, pid, _, number, _, _, *arguments = _NOTIFICATION.unpack(notification)
    return SeccompNotification(id, pid, number, tuple(arguments))


def seccomp_answer(listener: int, id: int, code: int) -> None:
    """Let the call go on (``code`` 0), or fail with errno ``code``. ``ENOENT``: nobody waits for it any more."""
    fcntl.ioctl(listener, _SECCOMP_IOCTL_NOTIF_SEND, struct.pack("=QqiI", id, 0, -code, 0 if code else 1))


def seccomp_succeed(listener: int, id: int) -> None:
    """Let the call return 0 without being made. ``ENOENT``: nobody waits for it any more."""
    fcntl.ioctl(listener, _SECCOMP_IOCTL_NOTIF_SEND, struct.pack("=QqiI", id, 0, 0, 0))


def seccomp_write(listener: int, asked: SeccompNotification, address: int, data: bytes) -> bool:
    """Write ``data`` into the memory of the caller of ``asked``; whether that could be done."""
    try:
        memory = os.open(f"/proc/{asked.thread}/mem", os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return False  # it has just died, or is not ours to write to
    try:  # what is open is the memory of whoever had that id: only if the caller still waits, that is the caller
        return seccomp_still_waits(listener, asked.id) and os.pwrite(memory, data, address) == len(data)
    except (OSError, OverflowError):
        return False  # no such address
    finally:
        os.close(memory)


def seccomp_still_waits(listener: int, id: int) -> bool:
    """Whether the caller of ``id`` still waits: only then is its pid its own, and nobody else's by now."""
    try:
        fcntl.ioctl(listener, _SECCOMP_IOCTL_NOTIF_ID_VALID, struct.pack("=Q", id))
    except OSError:
        return False
    return True


def landlock_abi() -> int:
    """Landlock's version on this kernel, 0 without it."""
    return max(0, int(_libc.syscall(_long(_LANDLOCK), None, _long(0), _long(1))))


def landlock_create_ruleset(attributes: bytes) -> int:
    """A descriptor of a new ruleset; ``attributes`` is a packed ``struct landlock_ruleset_attr``."""
    call = (_long(_LANDLOCK), attributes, _long(len(attributes)), _long(0))
    return _check(_libc.syscall(*call), "landlock_create_ruleset")


def landlock_add_rule(ruleset: int, path_beneath: bytes) -> None:
    """Add a rule, a packed ``struct landlock_path_beneath_attr``."""
    _check(_libc.syscall(_long(_LANDLOCK + 1), ruleset, _long(1), path_beneath, _long(0)), "landlock_add_rule")


def landlock_restrict_self(ruleset: int) -> None:
    _check(_libc.syscall(_long(_LANDLOCK + 2), ruleset, _long(0)), "landlock_restrict_self")
