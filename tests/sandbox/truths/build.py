"""What the policy for builds answers besides."""

from __future__ import annotations

from tests.sandbox.truths import Truth

TRUTHS = [
    Truth("socket", (2, 1, 0), "allow"),
    Truth("socket", (2, 3, 1), "EPERM", "sockets"),
    Truth("socket", (17, 3, 0), "EAFNOSUPPORT", "sockets"),
    Truth("personality", (0xFFFFFFFF,), "allow"),
    Truth("personality", (0x0040000,), "allow"),  # ADDR_NO_RANDOMIZE
    Truth("personality", (0x0400000,), "EPERM"),  # READ_IMPLIES_EXEC
    Truth("personality", (0x0100000,), "EPERM"),  # MMAP_PAGE_ZERO
    Truth("init_module", (), "EPERM", "kernel"),
    Truth("memfd_create", (0, 1), "allow", kernel="EFAULT"),
    Truth("execveat", (0xFFFFFF9C, 0, 0, 0, 0), "allow", kernel="EFAULT"),
    Truth("inotify_init1", (0,), "allow"),
]
