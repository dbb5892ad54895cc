"""What the default policy answers besides."""

from __future__ import annotations

from tests.sandbox.truths import Truth

TRUTHS = [
    Truth("socket", (2, 1, 0), "allow"),
    Truth("socket", (10, 2, 0), "allow"),
    Truth("socket", (16, 0x80003, 0), "allow"),  # NETLINK_ROUTE, raw and close-on-exec as the C library opens it
    Truth("socket", (16, 3, 12), "EPROTONOSUPPORT", "sockets"),  # NETLINK_NETFILTER
    Truth("socket", (2, 3, 1), "EPERM", "sockets"),  # a raw socket
    Truth("socket", (2, 0x80003, 1), "EPERM", "sockets"),  # the same, close-on-exec
    Truth("socket", (2, 10, 0), "EPERM", "sockets"),  # SOCK_PACKET
    Truth("socket", (17, 3, 0), "EAFNOSUPPORT", "sockets"),  # AF_PACKET
    Truth("socket", (40, 1, 0), "EAFNOSUPPORT", "sockets"),  # AF_VSOCK
    Truth("socket", (38, 5, 0), "EAFNOSUPPORT", "sockets"),  # AF_ALG
    Truth("personality", (0xFFFFFFFF,), "EPERM"),
    Truth("init_module", (), "EPERM", "kernel"),
    Truth("finit_module", (), "EPERM", "kernel"),
    Truth("delete_module", (), "EPERM", "kernel"),
    Truth("kexec_load", (), "EPERM", "kernel"),
    Truth("reboot", (), "EPERM", "clock"),
    Truth("memfd_create", (0, 1), "allow", kernel="EFAULT"),
    Truth("execveat", (0xFFFFFF9C, 0, 0, 0, 0), "allow", kernel="EFAULT"),
    Truth("inotify_init1", (0,), "allow"),
    Truth("shmget", (0, 4096, 0o1600), "allow"),
    Truth("mq_open", (0, 0, 0, 0), "allow", kernel="EFAULT"),
]
