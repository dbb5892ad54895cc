"""The jail's part in the making of a sandbox: its cgroup, its sockets, and what the builder may not do by itself."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.drivers import SandboxError
from sandbox.jail import builder
from sandbox.jail.cgroups import Cgroup
from sandbox.jail.disks import disk_of
from sandbox.jail.plan import Plan
from sandbox.jail.shown import with_shown
from sandbox.runner import sockets

READY_SECONDS = 30


@dataclass(frozen=True)
class Runner:
    """The sandbox's first process, our end of its lifeline, descriptors of its user and mount namespace, and the
    descriptor on which asked system calls arrive."""

    pid: int
    lifeline: socket.socket
    namespaces: list[int]
    asked: int


def make(plan: Plan, cgroup: Cgroup, directory: Path) -> Runner:
    """Make the sandbox; returns its runner once it is ready."""
    cgroup.create(plan.slots, plan.cores, disk_of(plan.project or plan.directory))
    listener = sockets.listen(directory / "runner.sock")
    lifeline, inside = socket.socketpair()
    spill = directory / "spill"
    spill.mkdir(mode=0o700, exist_ok=True)
    from_builder, to_jail = os.pipe()
    from_jail, to_builder = os.pipe()
    child = os.fork()
    if child == 0:
        channels = builder.Channels(listener.fileno(), inside.fileno(), str(spill), to_jail, from_jail)
        for descriptor in (from_builder, to_builder, lifeline.fileno()):
            os.close(descriptor)
        builder.build(with_shown(plan, cgroup, directory / "shown"), cgroup, channels)
    for descriptor in (to_jail, from_jail):
        os.close(descriptor)
    listener.close()
    inside.close()
    pid = _attend_builder(plan, child, from_builder, to_builder)
    paths = {controller: str(path) for controller, path in cgroup.paths.items()}
    state = {"runner": pid, "jail": os.getpid(), "version": cgroup.version, "cgroup": paths, "base": {}}
    write_json(directory / "state.json", state)
    namespaces = socket.recv_fds(lifeline, 1, 2)[1]
    return Runner(pid, lifeline, namespaces, _wait_ready(lifeline))


def _attend_builder(plan: Plan, child: int, from_builder: int, to_builder: int) -> int:
    """Do for the builder what needs our privileges, until it says which process is the runner."""
    pid = 0
    with os.fdopen(from_builder, "r") as lines, os.fdopen(to_builder, "wb", buffering=0) as answers:
        for line in lines:
            word, _, rest = line.strip().partition(" ")
            if word == "map" and plan.host_id is not None:
                builder.write_id_maps(child, plan.host_id)
                builder.start_clock(child)
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


def _wait_ready(lifeline: socket.socket) -> int:
    lifeline.settimeout(READY_SECONDS)
    try:
        _, asked, _, _ = socket.recv_fds(lifeline, 1, 1)
        ready = lifeline.recv(4096)
    except TimeoutError as error:
        raise SandboxError("not_ready", f"The sandbox did not answer within {READY_SECONDS} s.") from error
    if not (asked and ready):
        raise SandboxError("not_ready", "The sandbox ended before it was ready; its jail.log says more.")
    lifeline.setblocking(False)
    return asked[0]


def write_json(path: Path, value: Any) -> None:
    """Replace ``path`` at once: a reader sees the old text or the new."""
    aside = path.with_suffix(".new")
    aside.write_text(json.dumps(value))
    aside.replace(path)
