"""Forking jails on request: what a zygote and the containers' keeper have in common."""

from __future__ import annotations

import os
import signal
import socket
import traceback
from collections.abc import Callable

from sandbox.jail import immortal
from sandbox.jail.plan import Plan
from sandbox.jail.shown import host_cpuinfo
from sandbox.runner.forking import fork

MAX_PLAN = 128 * 1024

Supervise = Callable[[Plan, socket.socket], None]
"""Is the jail of a plan, answers on the socket, and never returns."""


def serve(control: socket.socket, supervise: Supervise) -> None:
    """Say ``ready``, and fork a jail for each request until the driver is gone; in the fork ``supervise`` is called."""
    host_cpuinfo()
    immortal.settle()
    control.send(b"ready")
    while True:
        packet, descriptors, _, _ = socket.recv_fds(control, MAX_PLAN, 1)
        if not packet:
            return
        with socket.socket(fileno=descriptors[0]) as reply:
            _fork_jail(packet.decode(), supervise, reply)


def _fork_jail(text: str, supervise: Supervise, reply: socket.socket) -> None:
    """Fork a jail. Nobody waits for it here: its end is its own affair, and it outlives us."""
    if fork():
        return
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        supervise(Plan.from_json(text), reply)
    except BaseException:  # the last frame of a process: say it and end
        traceback.print_exc()
    finally:
        os._exit(0)
