"""Which arguments of a system call are values, and tests of them.

An argument may be decided on only when it *is* what the kernel will act on. A pointer is not: another
thread rewrites what it points to between the check and the call (seccomp_unotify(2), "time-of-check").
A descriptor is not: another thread can put a different file under its number. Both are therefore not in
the table below, and what is not in the table cannot be named by a policy: :class:`NotAValue` is raised
when its module is imported.

Every argument here is an ``int`` or ``unsigned int`` to the kernel, which looks at the low 32 bits only;
so does the filter, and so do rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_WORD = 0xFFFFFFFF


class NotAValue(LookupError):
    """A policy decides on an argument that is no value of that call."""


@dataclass(frozen=True)
class Argument:
    """Where an argument stands (0 to 5), and whether it is signed."""

    index: int
    signed: bool

    def of(self, arguments: tuple[int, ...]) -> int:
        """Its value, as the kernel reads it, in a call with the raw ``arguments``."""
        word = arguments[self.index] & _WORD
        return word - (1 << 32) if self.signed and word >> 31 else word


# call, then name=index; a trailing s marks a signed argument. The names are those of the man pages, except
# that the process or thread a call is aimed at is always ``pid``. One order on x86_64 and aarch64.
_TABLE = """
add_key           keyring=4s
bpf               command=0
clone             flags=0
clone3
execveat          flags=4
fanotify_init     flags=0
fork
init_module
finit_module
delete_module
io_uring_setup    entries=0
io_uring_enter
io_uring_register
ioctl             request=1
ioprio_set        which=0s pid=1s priority=2s
kcmp              pid=0s other=1s kind=2s
kexec_load
kexec_file_load
keyctl            operation=0
kill              pid=0s signal=1s
memfd_create      flags=1
mount
open_by_handle_at
perf_event_open
personality       persona=0
pivot_root
chroot
prctl             option=0s
prlimit64         pid=0s resource=1
process_vm_readv  pid=0s
process_vm_writev pid=0s
ptrace            request=0s pid=1s
reboot            command=2
request_key       keyring=3s
rt_sigqueueinfo   pid=0s signal=1s
rt_tgsigqueueinfo pid=0s tid=1s signal=2s
sched_setaffinity pid=0s
sched_setattr     pid=0s
sched_setparam    pid=0s
sched_setscheduler pid=0s policy=1s
setns             kind=1s
setpriority       which=0s pid=1s nice=2s
socket            family=0s kind=1s protocol=2s
socketpair        family=0s kind=1s protocol=2s
swapon
swapoff
tgkill            pid=0s tid=1s signal=2s
tkill             pid=0s signal=1s
umount2           flags=1s
unshare           flags=0
userfaultfd       flags=0s
vfork
"""


def _read(table: str) -> dict[str, dict[str, Argument]]:
    calls: dict[str, dict[str, Argument]] = {}
    for call, *arguments in (line.split() for line in table.strip().splitlines()):
        pairs = (argument.split("=") for argument in arguments)
        calls[call] = {name: Argument(int(place.rstrip("s")), place.endswith("s")) for name, place in pairs}
    return calls


VALUES = _read(_TABLE)


def value_arguments(call: str, names: Iterable[str]) -> dict[str, Argument]:
    """Where the arguments ``names`` of ``call`` stand.

    Raises:
        NotAValue: one of them is a pointer or a descriptor, or there is no such argument.
    """
    known = VALUES.get(call, {})
    for name in names:
        if name not in known:
            offered = ", ".join(known) or "none"
            raise NotAValue(
                f"{call}: {name!r} is not an argument that a policy may decide on. Only values are (here: {offered}); "
                "memory behind a pointer and files behind a descriptor can change after the check."
            )
    return {name: known[name] for name in names}


@dataclass(frozen=True)
class Match:
    """Meets a call whose ``argument``, masked, is among ``values`` (or, with ``among`` false, is not)."""

    argument: str
    mask: int
    values: tuple[int, ...]
    among: bool

    def meets(self, word: int) -> bool:
        return ((word & self.mask) in self.values) is self.among


def is_one_of(argument: str, *values: int) -> Match:
    return Match(argument, _WORD, tuple(value & _WORD for value in values), True)


def is_none_of(argument: str, *values: int) -> Match:
    return Match(argument, _WORD, tuple(value & _WORD for value in values), False)


def has_any(argument: str, bits: int) -> Match:
    """Any of ``bits`` is set."""
    return Match(argument, bits, (0,), False)


def has_none(argument: str, bits: int) -> Match:
    """None of ``bits`` is set."""
    return Match(argument, bits, (0,), True)
