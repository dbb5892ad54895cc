"""The first process of a container: loads the image's modules, goes to the meeting, and becomes the runner.

``python -m sandbox.container.inside MODULE...`` with the engine's user, no capability and the outer seccomp profile.
"""

from __future__ import annotations

import importlib
import os
import signal
import socket
import sys
import traceback

from sandbox.container import MEETING
from sandbox.jail import builder, immortal, linux
from sandbox.jail.plan import HOME, Plan
from sandbox.policy.compile import seccomp_program
from sandbox.runner import ipython

_NAMESPACES = linux.CLONE_NEWUSER | linux.CLONE_NEWCGROUP | linux.CLONE_NEWTIME


def main(modules: list[str]) -> None:
    """Never returns. What goes wrong is said at the meeting, and ends the container."""
    linux.set_name("runner")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    meeting = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        meeting.connect(MEETING)
        _load(modules)
        plan, descriptors = _meet(meeting)
        program = seccomp_program(plan.policy)
        os.sched_setaffinity(0, plan.cores)
        listener, lifeline, spill = descriptors
        builder.serve(plan, listener, lifeline, spill, program)
    except BaseException:
        meeting.sendall(traceback.format_exc().encode())
    finally:
        os._exit(1)


def _load(modules: list[str]) -> None:
    """What takes long and is the same for all."""
    for module in modules:
        importlib.import_module(module)
    ipython.prepare(HOME)
    immortal.settle()


def _meet(meeting: socket.socket) -> tuple[Plan, list[int]]:
    """Leave the engine's user namespace; returns what the jail hands over once it has furnished the container."""
    linux.unshare(_NAMESPACES)
    meeting.sendall(b"here")
    first, descriptors, _, _ = socket.recv_fds(meeting, 1, 3)
    if not first:
        raise ConnectionError("the jail has left")
    text = b"".join(iter(lambda: meeting.recv(65536), b""))
    return Plan.from_json(text.decode()), descriptors


if __name__ == "__main__":
    main(sys.argv[1:])
