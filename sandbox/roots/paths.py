"""Names in an archive, and where they lead beneath a root: whatever they say, never above it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from sandbox.roots import RootError

_MOST_LINKS = 40  # what path_resolution(7) follows
_LONGEST = 4096
_DEEPEST = 200

Readlink = Callable[[str], str | None]
"""The text of the symbolic link at a path beneath the root; None where there is none, or something else."""


def parts(name: str) -> tuple[str, ...]:
    """The parts of a name as archives have them: ``./usr/bin/x`` and ``/usr/bin/x`` are the same; none for the top.

    Raises:
        RootError: it leads upwards, or is none.
    """
    found = tuple(part for part in name.split("/") if part not in ("", "."))
    if ".." in found or "\0" in name or len(name) > _LONGEST or len(found) > _DEEPEST:
        raise RootError(f"The archive names a place that cannot be: {name[:200]!r}.")
    return found


def resolve(wanted: Sequence[str], readlink: Readlink) -> tuple[str, ...]:
    """Where ``wanted`` leads when every link on the way is followed as if the root were all there is.

    Raises:
        RootError: the links go round in a circle, or it is too deep.
    """
    at: list[str] = []
    waiting, links = list(reversed(wanted)), 0
    while waiting:
        part = waiting.pop()
        if part in ("", "."):
            continue
        if part == "..":
            if at:
                at.pop()
            continue
        target = readlink("/".join([*at, part]))
        if target is None:
            at.append(part)
        else:
            links += 1
        if links > _MOST_LINKS or len(at) > _DEEPEST:
            raise RootError(f"The links at {'/'.join(wanted)[:200]!r} lead round in a circle, or too deep.")
        if target is None:
            continue
        if target.startswith("/"):
            at.clear()
        waiting += reversed(target.split("/"))
    return tuple(at)


def links_beneath(root: str) -> Readlink:
    """Reads links beneath the folder ``root``."""

    def readlink(path: str) -> str | None:
        try:
            return os.readlink(f"{root}/{path}")
        except OSError:
            return None  # no link, or nothing at all

    return readlink


def real(root: str, path: str) -> str:
    """The host's path of what programs whose root is ``root`` know as ``path``.

    Raises:
        RootError: see :func:`resolve`.
    """
    return "/".join([root.rstrip("/"), *resolve(path.split("/"), links_beneath(root))])


def program_in(root: Path, program: str, search: str) -> str:
    """Where programs inside ``root`` find ``program`` in the folders of ``search``; "" where they do not."""
    for folder in search.split(":"):
        if folder.startswith("/"):
            path = real(str(root), f"{folder}/{program}")
            if os.path.isfile(path) and os.stat(path).st_mode & 0o001:
                return f"{folder}/{program}"
    return ""
