"""A root that is an image's own files with the sandbox's furniture over them: overlayfs, and nothing in it to write to.

Both layers are lower ones, so that no copy is ever made of a file of the image. That is also why the furniture is made
whole before: what is missing then can be added beneath a mount only.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from sandbox.jail import linux
from sandbox.jail.plan import Plan

ROOM = "/mnt"
"""A place where something may be mounted for a moment."""
_MOUNTS = ("/dev", "/proc")
_EMPTY = ("/sys", "/mnt", "/opt", "/srv", "/var/log", "/var/cache")

Trees = list[tuple[int, str]]


def over_image(plan: Plan, image: int, trees: Trees, stage: str) -> str:
    """Mount the detached ``image`` under the furniture of ``plan``, with a place for each of ``trees``.

    Returns the folder beneath the tmpfs ``stage`` where both are seen as one.

    Raises:
        OSError: the kernel refused a step; the message names it.
    """
    below, above, both = (f"{stage}/{name}" for name in ("image", "furniture", "root"))
    for folder in (below, above, both):
        os.mkdir(folder, 0o755)
    linux.move_mount(image, below)
    os.close(image)
    mounted = beneath_mounts(plan)
    make(plan, above, lambda name: not mounted(name))
    for folder in (*_MOUNTS, *plan.tmpfs, *plan.shared):
        os.makedirs(above + folder, exist_ok=True)
    for tree, target in trees:
        if not mounted(target):
            place(tree, above + target)
    flags = linux.MS_RDONLY | linux.MS_NOSUID | linux.MS_NODEV
    linux.mount("madang", both, "overlay", flags, f"lowerdir={above}:{below}")
    return both


def beneath_mounts(plan: Plan) -> Callable[[str], bool]:
    """Whether a path of the sandbox is beneath one of the mounts that it has of its own, and so is made after them."""
    folders = tuple(f"{folder}/" for folder in (*_MOUNTS, *plan.tmpfs, *plan.shared))
    return lambda name: name.startswith(folders)


def make(plan: Plan, top: str, wanted: Callable[[str], bool]) -> None:
    """Make the files, links and folders of ``plan`` that are ``wanted`` beneath ``top``."""
    for link, destination in filter(lambda item: wanted(item[0]), plan.links.items()):
        _parent(top + link)
        os.symlink(destination, top + link)
    for name, text in filter(lambda item: wanted(item[0]), plan.files.items()):
        _parent(top + name)
        Path(top + name).write_text(text)
    for empty in filter(wanted, (*plan.folders, *_EMPTY)):
        os.makedirs(top + empty, exist_ok=True)


def place(tree: int, path: str) -> None:
    """A place for the detached ``tree``: a folder or a file, as it is one."""
    if os.path.isdir(f"/proc/self/fd/{tree}"):
        os.makedirs(path, exist_ok=True)
    else:
        _parent(path)
        Path(path).touch()


def _parent(path: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
