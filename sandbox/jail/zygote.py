"""The zygote of an image: a Python with the image's modules in memory, from which jails are forked.

Started by the jail driver as ``<image's python> -m sandbox.jail.zygote CONTROL MODULE...`` where
CONTROL is the number of an inherited SOCK_SEQPACKET socket. Each packet is a plan (JSON) with one
descriptor, on which the jail answers. It ends when the other end of CONTROL does; jails go on.
"""

from __future__ import annotations

import importlib
import signal
import socket
import sys
from functools import partial

from sandbox.jail import forks, linux, supervisor
from sandbox.jail.cgroups import ParentGroups, parent_groups
from sandbox.jail.making import make
from sandbox.jail.plan import HOME, Plan
from sandbox.policy import policy_names
from sandbox.policy.compile import seccomp_program
from sandbox.runner import ipython


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
    forks.serve(control, partial(_supervise, groups))


def _supervise(groups: ParentGroups, plan: Plan, reply: socket.socket) -> None:
    supervisor.supervise(plan, groups, reply, lambda plan, cgroup, directory, _: make(plan, cgroup, directory))


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as inherited:
        main(inherited, sys.argv[2:])
