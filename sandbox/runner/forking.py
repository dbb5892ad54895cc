"""Forking a process that has one thread, without what Python does around it.

:func:`os.fork` runs the hooks of every module that registered some (:func:`os.register_at_fork`: threading, logging,
random, IPython, Matplotlib). What they set right is wrong only where other threads were left behind, but running them
writes to 600 KiB of pages, which the child then no longer shares.
"""

from __future__ import annotations

import ctypes
import os

_python = ctypes.PyDLL(None, use_errno=True)  # PyDLL: the interpreter's lock is held across the call


def fork() -> int:
    """fork(2): 0 in the child, its pid in the parent. Of the caller's generators none is seeded anew.

    Raises:
        OSError: there is no room for another process.
    """
    pid: int = _python.fork()
    if pid < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return pid
