"""The zygote of an image: a Python with the image's modules in memory, from which jails are forked.

Started by the jail driver as ``<image's python> -m sandbox.jail.zygote CONTROL MODULE...`` where
CONTROL is the number of an inherited SOCK_SEQPACKET socket. Each packet is a plan (JSON) with one
descriptor, on which the jail answers. It ends when the other end of CONTROL does; jails go on.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import socket
import sys
import traceback

from sandbox.jail import linux, supervisor
from sandbox.jail.cgroups import ParentGroups, parent_groups
from sandbox.jail.plan import HOME, Plan
from sandbox.jail.shown import host_cpuinfo
from sandbox.policy import policy_names
from sandbox.policy.compile import seccomp_program
from sandbox.runner import ipython

MAX_PLAN = 128 * 1024


def main(control: socket.socket, modules: list[str]) -> None:
    """Import ``modules``, say ``ready``, and fork a jail for each request until the driver is gone."""
    linux.set_name("zygote")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the operator's terminal is the service's to handle
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # jails are not waited for
    for module in modules:
        importlib.import_module(module)
    for policy in policy_names():
        seccomp_program(policy)
    ipython.prepare(HOME)
    groups = parent_groups()
    host_cpuinfo()
    gc.collect()
    gc.freeze()  # what is there now is shared by all forks: the collector must not touch it
    control.send(b"ready")
    while True:
        packet, descriptors, _, _ = socket.recv_fds(control, MAX_PLAN, 1)
        if not packet:
            return
        with socket.socket(fileno=descriptors[0]) as reply:
            _fork_jail(packet.decode(), groups, reply)


def _fork_jail(text: str, groups: ParentGroups, reply: socket.socket) -> None:
    """Fork a jail. Nobody waits for it here: its end is its own affair, and it outlives us."""
    if os.fork():
        return
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        supervisor.supervise(Plan.from_json(text), groups, reply)
    except BaseException:  # the last frame of a process: say it and end
        traceback.print_exc()
    finally:
        os._exit(0)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as inherited:
        main(inherited, sys.argv[2:])
