"""The jail's part in the making of a sandbox in a container: its cgroup, the meeting, the furniture."""

from __future__ import annotations

import json
import os
import select
import socket
import struct
from functools import partial
from pathlib import Path

from sandbox.container import furnish
from sandbox.drivers import SandboxError
from sandbox.jail import claim, linux
from sandbox.jail.beginning import Runner, start_clock, wait_ready, write_id_maps, write_state
from sandbox.jail.cgroups import ROOT, Cgroup
from sandbox.jail.disks import disk_of
from sandbox.jail.plan import Plan
from sandbox.policy import Programs, load_policy
from sandbox.runner import sockets

MEET_SECONDS = 120
"""What the engine and the image's modules may take: seconds of a processor, of which a busy host gives little."""
MEETING_FOLDER, MEETING_NAME = "meeting", "meeting.sock"
_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid


def make(plan: Plan, cgroup: Cgroup, directory: Path, reply: socket.socket) -> Runner:
    """Make the sandbox, once whoever asked has started its container; returns its runner when it is ready.

    ``reply`` is told under which control group the container belongs.

    Raises:
        SandboxError: its container was not started, or ended; the message says what is known.
        OSError: the kernel refused a step.
    """
    assert plan.host_id is not None
    cgroup.create(plan.slots, plan.cores, disk_of(plan.project or plan.directory))
    listener = sockets.listen(directory / "runner.sock")
    lifeline, inside = socket.socketpair()
    spill = directory / "spill"
    spill.mkdir(mode=0o700, exist_ok=True)
    os.chown(spill, plan.host_id, plan.host_id)
    trees = furnish.sources(plan, cgroup, directory)
    (directory / MEETING_FOLDER).mkdir(mode=0o711, exist_ok=True)
    with sockets.listen(directory / MEETING_FOLDER / MEETING_NAME, backlog=1, mode=0o666) as door:
        reply.sendall(json.dumps({"group": group_path(cgroup)}).encode() + b"\n")
        meeting = _accept(door, reply)
    with meeting:
        pid = _wait_here(meeting, cgroup)
        write_id_maps(pid, plan.host_id)
        start_clock(pid)
        namespace = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        claim.within(pid, partial(_furnish, plan, load_policy(plan.policy).programs, trees))
        write_state(directory, pid, cgroup)
        _hand_over(meeting, plan, [listener.fileno(), inside.fileno(), linux.open_tree(str(spill))])
    listener.close()
    inside.close()
    return Runner(pid, lifeline, [namespace], wait_ready(lifeline), ours=False, files=claim.FILES)


def group_path(cgroup: Cgroup) -> str:
    """The group as the engine takes it: its path below the mount of a hierarchy, the same in all of them."""
    parts = cgroup.paths["memory"].relative_to(ROOT).parts
    return "/" + "/".join(parts if cgroup.version == 2 else parts[1:])


def _accept(door: socket.socket, reply: socket.socket) -> socket.socket:
    """The runner's end of the meeting, unless whoever starts the container leaves first."""
    ready, _, _ = select.select([door, reply], [], [], MEET_SECONDS)
    if door not in ready:
        reason = "could not be started" if ready else f"did not begin within {MEET_SECONDS} s"
        raise SandboxError("not_built", f"Its container {reason}.")
    meeting, _ = door.accept()
    return meeting


def _wait_here(meeting: socket.socket, cgroup: Cgroup) -> int:
    """Wait until it has loaded its modules; returns its pid, as the host numbers it."""
    meeting.settimeout(MEET_SECONDS)
    said = meeting.recv(65536)
    if said != b"here":
        raise SandboxError("not_built", f"Its first process failed: {said.decode(errors='replace')[-2000:]}")
    pid: int = _CREDENTIALS.unpack(meeting.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))[0]
    if pid not in cgroup.processes():
        raise SandboxError("not_built", "Its container is not in the control group that was made for it.")
    return pid


def _furnish(plan: Plan, programs: Programs, trees: furnish.Trees) -> None:
    socket.sethostname(plan.hostname)
    furnish.furnish(plan, programs, trees)


def _hand_over(meeting: socket.socket, plan: Plan, descriptors: list[int]) -> None:
    """The runner's descriptors and its plan. The spill folder is a mount of its own: nothing lies above it."""
    socket.send_fds(meeting, [b"."], descriptors)
    os.close(descriptors[-1])
    meeting.sendall(plan.to_json().encode())
    meeting.shutdown(socket.SHUT_WR)
