"""The keeper: forks a jail for each sandbox in a container. A zygote without an image.

Started by the docker driver as ``python -m sandbox.container.keeper CONTROL``.
"""

from __future__ import annotations

import signal
import socket
import sys
from functools import partial

from sandbox.container.making import make
from sandbox.jail import forks, linux
from sandbox.jail.cgroups import ParentGroups, parent_groups
from sandbox.jail.plan import Plan
from sandbox.jail.supervisor import supervise
from sandbox.policy import load_policy, policy_names


def main(control: socket.socket) -> None:
    linux.set_name("keeper")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the operator's terminal is the service's to handle
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # jails are not waited for
    for policy in policy_names():  # before any jail joins a container: what it imported there would be the image's
        load_policy(policy)
    forks.serve(control, partial(_supervise, parent_groups(at_top=True)))


def _supervise(groups: ParentGroups, plan: Plan, reply: socket.socket) -> None:
    supervise(plan, groups, reply, make, nested=True)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as inherited:
        main(inherited)
