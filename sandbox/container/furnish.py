"""Furnishing a container from outside: what a sandbox has that is neither its image's nor the engine's.

A thread joins the container's mount namespace, as for a claim (:mod:`sandbox.jail.claim`): the runner waits, and no
code of a user has run in it.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from sandbox.container.plan import DATASETS, PREFIX
from sandbox.images import DRIVERS
from sandbox.jail import claim, linux, root
from sandbox.jail.bind import Bind
from sandbox.jail.cgroups import Cgroup
from sandbox.jail.plan import HOME, Plan, only_programs
from sandbox.jail.seen import CPU_FOLDER
from sandbox.jail.shown import with_shown
from sandbox.policy import Programs

_ROOM = "/mnt"
_WHOLE = (CPU_FOLDER, DRIVERS)
"""Folders that are bound as one."""

Trees = list[tuple[int, str]]


def sources(plan: Plan, cgroup: Cgroup, directory: Path) -> Trees:
    """Detached mounts of all that comes from the host, and where each belongs."""
    shown = with_shown(plan, cgroup, directory / "shown")
    owners = {bind.owner for bind in plan.binds if bind.owner}
    assert plan.host_id is not None
    spaces = {owner: root.idmap_namespace(owner, plan.host_id) for owner in owners}
    try:
        return root.open_sources(replace(shown, binds=[*shown.binds, *_files(plan, directory / claim.FILES)]), spaces)
    finally:
        for space in spaces.values():
            os.close(space)


def furnish(plan: Plan, programs: Programs, trees: Trees) -> None:
    """In the container's mount namespace: make room to write in, mount ``trees``, leave only ``programs``.

    Nothing may be imported here: it would be the image's.

    Raises:
        OSError: the kernel refused a step, or the image lacks a place; the message names it.
    """
    assert plan.host_id is not None
    root.shared(plan, "", _ROOM)
    linux.mount("devpts", "/dev/pts", "devpts", linux.MS_REMOUNT | linux.MS_NOSUID | linux.MS_NOEXEC, root.TERMINALS)
    _home(plan)
    _give(HOME, plan.host_id)
    if any(target.startswith(f"{DATASETS}/") for _, target in trees):
        linux.mount("tmpfs", DATASETS, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "size=64k,mode=755")
    only = replace(plan, binds=only_programs(programs, PREFIX, plan.needed))
    for tree, target in [*root.open_sources(only, {}), *trees]:
        if target.startswith(f"{DATASETS}/"):
            os.mkdir(target)
        linux.move_mount(tree, target)
        os.close(tree)


def _files(plan: Plan, folder: Path) -> list[Bind]:
    """Write the plan's files outside of home under ``folder``, and say how they are bound."""
    files = {name: text for name, text in plan.files.items() if not name.startswith(f"{HOME}/")}
    claim.write_outside(folder, files)
    targets = [next((whole for whole in _WHOLE if name.startswith(f"{whole}/")), name) for name in files]
    return [Bind(f"{folder}{target}", target) for target in dict.fromkeys(targets)]


def _home(plan: Plan) -> None:
    for folder in plan.folders:
        os.makedirs(folder, exist_ok=True)
    for name, text in plan.files.items():
        if name.startswith(f"{HOME}/"):
            _parent(name)
            Path(name).write_text(text)
    for link, target in plan.links.items():
        _parent(link)
        os.symlink(target, link)


def _parent(name: str) -> None:
    os.makedirs(os.path.dirname(name), exist_ok=True)


def _give(folder: str, owner: int) -> None:
    """All of ``folder`` becomes ``owner``'s."""
    os.lchown(folder, owner, owner)
    for where, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.lchown(os.path.join(where, name), owner, owner)
