"""What the strict policy answers besides."""

from __future__ import annotations

from tests.sandbox.truths import Truth

TRUTHS = [
    Truth("socket", (2, 1, 0), "allow"),  # loopback is all there is
    Truth("socket", (2, 3, 1), "EPERM", "sockets"),
    Truth("socket", (10, 2, 0), "EAFNOSUPPORT", "sockets"),
    Truth("socket", (16, 3, 0), "allow"),  # NETLINK_ROUTE
    Truth("socket", (16, 3, 9), "EPROTONOSUPPORT", "sockets"),  # NETLINK_AUDIT
    Truth("socket", (17, 3, 0), "EAFNOSUPPORT", "sockets"),
    Truth("socket", (40, 1, 0), "EAFNOSUPPORT", "sockets"),
    Truth("init_module", (), "kill", "kernel"),
    Truth("finit_module", (), "kill", "kernel"),
    Truth("delete_module", (), "kill", "kernel"),
    Truth("kexec_load", (), "kill", "kernel"),
    Truth("reboot", (), "kill", "kernel"),
    Truth("memfd_create", (0, 1), "EACCES", "programs"),
    Truth("memfd_create", (0, 8), "allow", kernel="EFAULT|EINVAL"),  # MFD_NOEXEC_SEAL (Linux 6.3): never a program
    Truth("memfd_create", (0, 0x10), "EACCES", "programs"),  # MFD_EXEC
    Truth("execveat", (0xFFFFFF9C, 0, 0, 0, 0), "EACCES", "programs"),
    Truth("execveat", (3, 0, 0, 0, 0x1000), "EACCES", "programs"),  # AT_EMPTY_PATH
    Truth("personality", (0xFFFFFFFF,), "EPERM"),
    Truth("pidfd_open", (1, 0), "EPERM"),
    Truth("inotify_init1", (0,), "EPERM"),
    Truth("io_setup", (1, 0), "EPERM"),
    Truth("shmget", (0, 4096, 0o1600), "EPERM"),
    Truth("mq_open", (0, 0, 0, 0), "EPERM"),
]
