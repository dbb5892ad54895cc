"""How a sandbox begins, as its jail sees it and however it is made: the runner, and what only a jail may do for it."""

from __future__ import annotations

import json
import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.drivers import SandboxError
from sandbox.jail.cgroups import Cgroup
from sandbox.jail.plan import INSIDE_ID

READY_SECONDS = 30


@dataclass(frozen=True)
class Runner:
    """The sandbox's first process, our end of its lifeline, descriptors of the namespaces to enter for its mounts, and
    the descriptor on which asked system calls arrive.

    ``ours``: it is our child. ``files``: the folder in the sandbox's directory from which the files are bound that bear
    its hostname; "" where they are on its own root.
    """

    pid: int
    lifeline: socket.socket
    namespaces: list[int]
    asked: int
    ours: bool = True
    files: str = ""


def write_state(directory: Path, runner: int, cgroup: Cgroup) -> None:
    """Where its processes and its cgroup are, for whoever must clean up after us."""
    paths = {controller: str(path) for controller, path in cgroup.paths.items()}
    state = {"runner": runner, "jail": os.getpid(), "version": cgroup.version, "cgroup": paths, "base": {}}
    write_json(directory / "state.json", state | {"nested": cgroup.nested})


def start_clock(pid: int | str) -> None:
    """In the time namespace that the children of ``pid`` will have, it is as if the machine had just started."""
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    Path(f"/proc/{pid}/timens_offsets").write_text(f"boottime -{int(now)} 0")


def write_id_maps(pid: int, host_id: int) -> None:
    """The jail's part: inside the user namespace of ``pid``, ``INSIDE_ID`` is the host's ``host_id``."""
    for name in ("uid_map", "gid_map"):
        Path(f"/proc/{pid}/{name}").write_text(f"{INSIDE_ID} {host_id} 1")


def wait_ready(lifeline: socket.socket) -> int:
    """Wait until the runner behind ``lifeline`` serves; returns the descriptor on which asked calls arrive."""
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
