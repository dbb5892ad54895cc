"""What the shipped policies have in common: the calls of ordinary programs, and the doors that stay shut."""

from __future__ import annotations

import errno
import socket

from sandbox.policy import Case
from sandbox.policy.rules import ALLOWED, NAMESPACES, Call, Rule, Verdict, as_granted, refuse, spare_the_runner
from sandbox.policy.values import Match, has_any, is_none_of, is_one_of

_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_SOCK_TYPE, _SOCK_PACKET = 0xF, 10
_NETLINK_ROUTE = 0
_ITSELF, _RUNNER = 0, 1
_PRIO_USER, _IOPRIO_WHO_USER = 2, 3


def words(text: str) -> list[str]:
    return text.split()


FILES = """access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2
fadvise64 fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock
fremovexattr fsetxattr fstat fstatfs fsync ftruncate futimesat getcwd getdents getdents64 getxattr inotify_add_watch
inotify_init inotify_init1 inotify_rm_watch lchown lgetxattr link linkat listxattr llistxattr lremovexattr lseek
lsetxattr lstat mkdir mkdirat mknod mknodat newfstatat open openat openat2 pread64 preadv preadv2 pwrite64 pwritev
pwritev2 read readahead readlink readlinkat readv removexattr rename renameat renameat2 rmdir sendfile setxattr splice
stat statfs statx symlink symlinkat sync sync_file_range syncfs tee truncate umask unlink unlinkat utime utimensat
utimes vmsplice write writev"""
MEMORY = """brk get_mempolicy madvise mbind membarrier mincore mlock mlock2 mlockall mmap mprotect mremap
msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect set_mempolicy map_shadow_stack mseal"""
PROCESSES = """arch_prctl capget execve exit exit_group fork getegid geteuid getgid getgroups getpgid getpgrp
getpid getppid getpriority getresgid getresuid getrlimit getrusage getsid gettid getuid pidfd_open
restart_syscall rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait
sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
sched_rr_get_interval sched_yield set_robust_list get_robust_list set_tid_address setfsgid
setfsuid setgid setgroups setpgid setregid setresgid setresuid setreuid setrlimit setsid setuid
sigaltstack time times uname vfork wait4 waitid prctl getcpu alarm pause capset ioprio_get process_madvise"""
TIME = """clock_getres clock_gettime clock_nanosleep getitimer gettimeofday nanosleep setitimer timer_create
timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime"""
WAITING = """epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2
futex futex_waitv futex_wait futex_wake futex_requeue io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit
pipe pipe2 poll ppoll pselect6 select signalfd signalfd4 getrandom"""
SOCKETS = """accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg sendmmsg
sendmsg sendto setsockopt shutdown"""
IPC = """mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink msgctl msgget msgrcv msgsnd semctl
semget semop semtimedop shmat shmctl shmdt shmget landlock_create_ruleset landlock_add_rule landlock_restrict_self
seccomp"""
MADE_IN_MEMORY = frozenset(("memfd_create", "execveat"))
"""A program that is a file nowhere. Where files of one's own may be executed it is nothing more."""

ORDINARY = frozenset(words(" ".join((FILES, MEMORY, PROCESSES, TIME, WAITING, SOCKETS, IPC))))

# Refused by the filter alone: nobody needs to hear of them.
_SILENT = """acct fanotify_init fanotify_mark lookup_dcookie move_pages name_to_handle_at nfsservctl personality
quotactl quotactl_fd setdomainname sethostname syslog vhangup"""
QUIET = {
    **dict.fromkeys(words(_SILENT), errno.EPERM),
    "pidfd_send_signal": errno.ENOSYS,
    # It takes gigabytes of a disk in a moment, sooner than the disk limit is looked at; programs write instead.
    "fallocate": errno.EOPNOTSUPP,
}

_WORTH_TELLING = {
    "namespaces": "unshare setns",
    "mounts": """mount umount2 pivot_root chroot mount_setattr move_mount open_tree fsopen fsconfig fsmount fspick
    open_by_handle_at swapon swapoff""",
    "tracing": "ptrace process_vm_readv process_vm_writev pidfd_getfd kcmp",
    "kernel": """bpf perf_event_open io_uring_setup io_uring_enter io_uring_register userfaultfd init_module
    finit_module delete_module kexec_load kexec_file_load""",
    "keys": "add_key request_key keyctl",
    "clock": "clock_settime clock_adjtime settimeofday reboot",
}
REFUSED: dict[str, Rule] = {call: refuse(reason) for reason, calls in _WORTH_TELLING.items() for call in words(calls)}
"""Asked only to be refused, so that they are counted and the owner hears of them."""
ASKED: dict[str, Rule] = {**REFUSED, "sysinfo": as_granted}


def route_netlink(call: Call, protocol: int) -> Verdict:
    """Of the kernel's own sockets only the one that lists network interfaces."""
    return ALLOWED if protocol == _NETLINK_ROUTE else Verdict(errno=errno.EPROTONOSUPPORT, reason="sockets")


CLONE = {"clone": (Case(has_any("flags", NAMESPACES), refuse("namespaces")),)}
"""Asked for new namespaces only. (``clone3`` hides its flags in memory: no policy knows it, and the C library falls
back to ``clone``.) How many processes and threads there are, the cgroup counts."""


_AT_THE_RUNNER = (Case(is_one_of("pid", _RUNNER), spare_the_runner),)
_AT_ANOTHER = (Case(is_none_of("pid", _ITSELF), spare_the_runner),)

# The kernel already drops what programs send to pid 1 of their namespace; this is the second wall, and it counts.
# A signal by descriptor (pidfd_send_signal) names nobody by value: see QUIET.
SIGNALS = dict.fromkeys(words("kill tgkill tkill rt_sigqueueinfo rt_tgsigqueueinfo"), _AT_THE_RUNNER)
# What starves or hampers the runner without a signal, and is allowed among processes of one user otherwise.
ATTRIBUTES = {
    **dict.fromkeys(words("prlimit64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler"), _AT_ANOTHER),
    "setpriority": (Case(is_one_of("which", _PRIO_USER), errno.EPERM), *_AT_ANOTHER),
    "ioprio_set": (Case(is_one_of("which", _IOPRIO_WHO_USER), errno.EPERM), *_AT_ANOTHER),
}
TERMINALS = {"ioctl": (Case(is_one_of("request", _TIOCSTI, _TIOCLINUX), refuse("typing")),)}
PAIRS = {"socketpair": (Case(is_none_of("family", socket.AF_UNIX), errno.EAFNOSUPPORT),)}


def sockets(*families: int) -> dict[str, tuple[Case, ...]]:
    """Those of ``families``, not raw; and the one that lists network interfaces."""
    return {
        "socket": (
            Case(is_one_of("family", socket.AF_NETLINK), route_netlink),
            Case(is_none_of("family", *families), refuse("sockets", errno.EAFNOSUPPORT)),
            Case(Match("kind", _SOCK_TYPE, (socket.SOCK_RAW, _SOCK_PACKET), True), refuse("sockets")),
        )
    }


LOCAL_AND_INTERNET = sockets(socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)

SHUT = {**CLONE, **SIGNALS, **ATTRIBUTES, **TERMINALS, **PAIRS}
"""The cases that every policy has."""
