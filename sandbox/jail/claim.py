"""Claiming a spare sandbox: what a session adds to one that was built before anybody asked.

The jail does it from outside, in a thread of its own that joins the sandbox's mount and uts namespaces
(setns(2)): the sandboxed processes have no capability to do it themselves, and never get one. It needs
privileges over the sandbox's namespaces, so it is done by root only.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sandbox.jail import linux, root
from sandbox.jail.plan import PROJECT, Plan

ROOT_FILES = ("/etc/hostname", "/etc/hosts")  # what bears the hostname and lies on the root itself
FILES = "files"
"""In the directory of a sandbox whose root nobody can write to: files that are bound into it from there, one by one."""

_FIXED = (
    "image",
    "root",
    "kernels",
    "programs",
    "host_id",
    "slots",
    "cores",
    "policy",
    "links",
    "tmpfs",
    "shared",
    "space",
)


def differences(spare: Plan, plan: Plan) -> Plan:
    """Of ``plan``, what ``spare`` has not got yet.

    Raises:
        ValueError: they differ in what is fixed once a sandbox is built.
    """
    for name in _FIXED:
        if getattr(spare, name) != getattr(plan, name):
            raise ValueError(f"a spare sandbox cannot change its {name}")
    binds = [bind for bind in plan.binds if bind not in spare.binds]
    if any(bind.target not in spare.folders for bind in binds):
        raise ValueError("a spare sandbox has no place for more than a project")
    return replace(
        plan,
        root="",
        binds=binds,
        files={name: plan.files[name] for name in ROOT_FILES},
    )


def root_of(plan: Plan) -> str:
    """Where a session of ``plan`` begins to work."""
    return PROJECT if plan.project else plan.environment["HOME"]


def write_outside(folder: Path, files: dict[str, str]) -> None:
    """Write ``files`` under ``folder``, from where they are bound; in place, where they are bound already."""
    for name, text in files.items():
        path = folder / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def enter(pid: int, more: Plan, trees: list[tuple[int, str]]) -> None:
    """Mount ``trees`` in the sandbox of process ``pid`` and give it its hostname; returns when it is done.

    Nothing may be imported meanwhile: where the root is an image's, so would be the module.

    Raises:
        OSError: the kernel refused a step; the message names it.
    """
    within(pid, lambda: _enter(more, trees))


def within(pid: int, action: Callable[[], None]) -> None:
    """Do ``action`` in the mount and uts namespaces of process ``pid``; returns when it is done.

    What ``action`` raises, this does.

    Raises:
        OSError: the namespaces could not be joined.
    """
    failure: list[BaseException] = []

    def work() -> None:
        try:
            linux.unshare(linux.CLONE_FS)
            pidfd = os.pidfd_open(pid)
            try:
                linux.setns(pidfd, linux.CLONE_NEWNS | linux.CLONE_NEWUTS)
            finally:
                os.close(pidfd)
            action()
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=work)  # what joins namespaces is this thread, not the jail
    thread.start()
    thread.join()
    if failure:
        raise failure[0]


def _enter(more: Plan, trees: list[tuple[int, str]]) -> None:
    socket.sethostname(more.hostname)
    if more.files:
        _write_on_root(more.files)
    for tree, target in trees:
        linux.move_mount(tree, target)
        os.close(tree)


def _write_on_root(files: dict[str, str]) -> None:
    top = linux.open_tree("/", recursive=False)
    linux.mount_setattr("", 0, top, clear=linux.MOUNT_ATTR_RDONLY)  # a copy of the mount: inside it stays read-only
    for name, text in files.items():
        _write(top, name, text)
    os.close(top)


def _write(top: int, name: str, text: str) -> None:
    file = os.open(name.lstrip("/"), os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW, dir_fd=top)
    try:
        os.write(file, text.encode())
    finally:
        os.close(file)


class IdMaps:
    """User namespaces for idmapped mounts. The one that is needed most often is made ahead: it takes a fork."""

    def __init__(self, host_id: int) -> None:
        self._host_id = host_id
        self._made: dict[tuple[int, int], int] = {}
        self._of((os.geteuid(), os.getegid()))

    def sources(self, more: Plan) -> list[tuple[int, str]]:
        """Detached mounts of what is to be added, as the builder makes them."""
        owners = {bind.owner for bind in more.binds if bind.owner}
        return root.open_sources(more, {owner: self._of(owner) for owner in owners})

    def close(self) -> None:
        for namespace in self._made.values():
            os.close(namespace)
        self._made.clear()

    def _of(self, owner: tuple[int, int]) -> int:
        if owner not in self._made:
            self._made[owner] = root.idmap_namespace(owner, self._host_id)
        return self._made[owner]
