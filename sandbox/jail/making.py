"""The jail's part in the making of a sandbox: its cgroup, its sockets, and what the builder may not do by itself."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from pathlib import Path

from sandbox.drivers import SandboxError
from sandbox.jail import builder, claim
from sandbox.jail.beginning import Runner, start_clock, wait_ready, write_id_maps, write_state
from sandbox.jail.bind import Bind
from sandbox.jail.cgroups import Cgroup
from sandbox.jail.disks import disk_of
from sandbox.jail.plan import Plan
from sandbox.jail.shown import with_shown
from sandbox.runner import sockets
from sandbox.runner.forking import fork


def make(plan: Plan, cgroup: Cgroup, directory: Path) -> Runner:
    """Make the sandbox; returns its runner once it is ready."""
    cgroup.create(plan.slots, plan.cores, disk_of(plan.project or plan.directory))
    listener = sockets.listen(directory / "runner.sock")
    lifeline, inside = socket.socketpair()
    spill = directory / "spill"
    spill.mkdir(mode=0o700, exist_ok=True)
    outside = _with_names_outside(plan, directory / claim.FILES) if plan.root else plan
    from_builder, to_jail = os.pipe()
    from_jail, to_builder = os.pipe()
    child = fork()
    if child == 0:
        channels = builder.Channels(listener.fileno(), inside.fileno(), str(spill), to_jail, from_jail)
        for descriptor in (from_builder, to_builder, lifeline.fileno()):
            os.close(descriptor)
        builder.build(with_shown(outside, cgroup, directory / "shown"), cgroup, channels)
    for descriptor in (to_jail, from_jail):
        os.close(descriptor)
    listener.close()
    inside.close()
    pid = _attend_builder(plan, child, from_builder, to_builder)
    write_state(directory, pid, cgroup)
    namespaces = socket.recv_fds(lifeline, 1, 2)[1]
    return Runner(pid, lifeline, namespaces, wait_ready(lifeline), files=claim.FILES if plan.root else "")


def _with_names_outside(plan: Plan, folder: Path) -> Plan:
    """``plan`` with what bears its hostname bound from ``folder``: on an image's root nobody could change it later."""
    names = {name: plan.files[name] for name in claim.ROOT_FILES}
    claim.write_outside(folder, names)
    binds = [Bind(f"{folder}{name}", name, executable=False) for name in names]
    files = {name: text for name, text in plan.files.items() if name not in names}
    return replace(plan, binds=[*plan.binds, *binds], files=files)


def _attend_builder(plan: Plan, child: int, from_builder: int, to_builder: int) -> int:
    """Do for the builder what needs our privileges, until it says which process is the runner."""
    pid = 0
    with os.fdopen(from_builder, "r") as lines, os.fdopen(to_builder, "wb", buffering=0) as answers:
        for line in lines:
            word, _, rest = line.strip().partition(" ")
            if word == "map" and plan.host_id is not None:
                write_id_maps(child, plan.host_id)
                start_clock(child)
                answers.write(b"1")
            elif word == "runner":
                pid = int(rest)
                break
            elif word == "error":
                raise SandboxError("not_built", rest)
    os.waitpid(child, 0)
    if not pid:
        raise SandboxError("not_built", "The sandbox could not be built; its jail.log says more.")
    return pid
