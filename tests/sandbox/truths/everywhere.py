"""What every policy answers."""

from __future__ import annotations

from tests.sandbox.truths import Truth

_NOBODY = 999_999  # a pid that no process of a sandbox has

TRUTHS = [
    # Ordinary life
    Truth("getpid", (), "allow"),
    Truth("sysinfo", (0,), "allow", kernel="EFAULT"),  # answered in the kernel's place where there is one
    Truth("read", (0xFFFFFFFF, 0, 0), "allow", kernel="EBADF"),
    Truth("openat", (0xFFFFFF9C, 0, 0), "allow", kernel="EFAULT"),
    Truth("execve", (0, 0, 0), "allow", kernel="EFAULT"),
    Truth("clone", (17,), "allow"),  # SIGCHLD: a fork
    Truth("clone", (0x10000,), "allow", kernel="EINVAL"),  # CLONE_THREAD alone makes no sense to the kernel
    Truth("ioctl", (0, 0x5413, 0), "allow", kernel="ENOTTY"),  # TIOCGWINSZ of /dev/null
    Truth("socket", (1, 1, 0), "allow"),  # a Unix socket
    Truth("socketpair", (1, 1, 0, 0), "allow", kernel="EFAULT"),
    Truth("kill", (_NOBODY, 0), "allow", kernel="ESRCH"),
    Truth("prlimit64", (0, 7, 0, 0), "allow"),
    Truth("prlimit64", (_NOBODY, 7, 0, 0), "allow", kernel="ESRCH"),
    Truth("setpriority", (0, 0, 1), "allow"),
    Truth("sched_setaffinity", (0, 0, 0), "allow", kernel="EINVAL"),
    # Namespaces
    Truth("clone", (0x10000011,), "EPERM", "namespaces"),  # CLONE_NEWUSER
    Truth("clone", (0x00020011,), "EPERM", "namespaces"),  # CLONE_NEWNS
    Truth("clone", (0x02000011,), "EPERM", "namespaces"),  # CLONE_NEWCGROUP
    Truth("clone", (0x20000011 | 1 << 40,), "EPERM", "namespaces"),  # the kernel looks at the low half only
    Truth("clone3", (0, 88), "ENOSYS"),
    Truth("unshare", (0x10000000,), "EPERM", "namespaces"),
    Truth("unshare", (0x80,), "EPERM", "namespaces"),  # CLONE_NEWTIME
    Truth("setns", (0, 0), "EPERM", "namespaces"),
    # Mounts
    Truth("mount", (), "EPERM", "mounts"),
    Truth("umount2", (), "EPERM", "mounts"),
    Truth("pivot_root", (), "EPERM", "mounts"),
    Truth("chroot", (), "EPERM", "mounts"),
    Truth("open_tree", (), "EPERM", "mounts"),
    Truth("move_mount", (), "EPERM", "mounts"),
    Truth("fsopen", (), "EPERM", "mounts"),
    Truth("mount_setattr", (), "EPERM", "mounts"),
    Truth("open_by_handle_at", (), "EPERM", "mounts"),
    Truth("name_to_handle_at", (), "EPERM"),
    # Other processes
    Truth("ptrace", (0, 0), "EPERM", "tracing"),  # PTRACE_TRACEME
    Truth("ptrace", (16, 1), "EPERM", "tracing"),  # PTRACE_ATTACH
    Truth("process_vm_readv", (1,), "EPERM", "tracing"),
    Truth("process_vm_writev", (1,), "EPERM", "tracing"),
    Truth("pidfd_getfd", (), "EPERM", "tracing"),
    Truth("kcmp", (1, 1), "EPERM", "tracing"),
    Truth("kill", (1, 9), "EPERM", "runner"),
    Truth("kill", (1, 0), "EPERM", "runner"),
    Truth("kill", (1 | 1 << 32, 9), "EPERM", "runner"),
    Truth("tkill", (1, 19), "EPERM", "runner"),
    Truth("tgkill", (1, 1, 15), "EPERM", "runner"),
    Truth("rt_sigqueueinfo", (1, 17, 0), "EPERM", "runner"),
    Truth("rt_tgsigqueueinfo", (1, 1, 17, 0), "EPERM", "runner"),
    Truth("pidfd_send_signal", (0, 9, 0, 0), "ENOSYS"),
    Truth("prlimit64", (1, 7, 0, 0), "EPERM", "runner"),
    Truth("setpriority", (0, 1, 19), "EPERM", "runner"),
    Truth("setpriority", (2, 0, 19), "EPERM"),  # PRIO_USER: everybody, the runner too
    Truth("sched_setaffinity", (1, 0, 0), "EPERM", "runner"),
    Truth("sched_setscheduler", (1, 5, 0), "EPERM", "runner"),  # SCHED_IDLE
    Truth("sched_setparam", (1, 0), "EPERM", "runner"),
    Truth("sched_setattr", (1, 0, 0), "EPERM", "runner"),
    Truth("ioprio_set", (1, 1, 0), "EPERM", "runner"),
    Truth("ioprio_set", (3, 0, 0), "EPERM"),  # IOPRIO_WHO_USER
    # The kernel's own
    Truth("bpf", (), "EPERM", "kernel"),
    Truth("perf_event_open", (), "EPERM", "kernel"),
    Truth("io_uring_setup", (8, 0), "EPERM", "kernel"),
    Truth("io_uring_enter", (), "EPERM", "kernel"),
    Truth("userfaultfd", (1,), "EPERM", "kernel"),  # UFFD_USER_MODE_ONLY
    Truth("keyctl", (0, 0xFFFFFFFD), "EPERM", "keys"),
    Truth("add_key", (), "EPERM", "keys"),
    Truth("request_key", (), "EPERM", "keys"),
    Truth("clock_settime", (), "EPERM", "clock"),
    Truth("settimeofday", (), "EPERM", "clock"),
    Truth("swapon", (), "EPERM", "mounts"),
    Truth("acct", (), "EPERM"),
    Truth("syslog", (3,), "EPERM"),
    Truth("fallocate", (0, 0, 0, 1), "ENOTSUP"),
    Truth("fanotify_init", (), "EPERM"),
    Truth("memfd_secret", (), "ENOSYS"),
    # Terminals and exotic sockets
    Truth("ioctl", (0, 0x5412, 0), "EPERM", "typing"),  # TIOCSTI
    Truth("ioctl", (0, 0x5412 | 1 << 40, 0), "EPERM", "typing"),
    Truth("ioctl", (0, 0x541C, 0), "EPERM", "typing"),  # TIOCLINUX
    Truth("socketpair", (2, 1, 0, 0), "EAFNOSUPPORT"),
]
