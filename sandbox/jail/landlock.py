"""Landlock: the files of a sandbox once more, by a mechanism that knows nothing of mounts. See landlock(7).

Everything may be read and executed; only what the plan makes writable may be written.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable

from sandbox.jail import linux

_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
_READ = _EXECUTE | _READ_FILE | _READ_DIR
# What a version of the interface can handle: all rights up to a bit. The first version is not used: it
# refuses every rename from one folder to another.
_RIGHTS = {2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
_NEWEST = (1 << 16) - 1
_ONLY_ON_FOLDERS = ~(_EXECUTE | _READ_FILE | 1 << 1 | 1 << 14 | 1 << 15)
USABLE = 2
"""The oldest version that is used."""


def restrict(writable: Iterable[str | int]) -> bool:
    """Restrict this process, for good, to writing beneath ``writable`` (paths, or descriptors of folders).

    Returns whether the kernel has Landlock; needs no-new-privileges.

    Raises:
        OSError: the kernel has it and refuses.
    """
    version = linux.landlock_abi()
    if version < USABLE:
        return False
    rights = _RIGHTS.get(version, _NEWEST)
    ruleset = linux.landlock_create_ruleset(struct.pack("Q", rights))
    try:
        _allow(ruleset, "/", rights & _READ)
        for place in writable:
            _allow(ruleset, place, rights)
        linux.landlock_restrict_self(ruleset)
    finally:
        os.close(ruleset)
    return True


def _allow(ruleset: int, place: str | int, rights: int) -> None:
    descriptor = os.dup(place) if isinstance(place, int) else os.open(place, os.O_PATH | os.O_CLOEXEC)
    try:
        if not os.path.isdir(f"/proc/self/fd/{descriptor}"):
            rights &= ~_ONLY_ON_FOLDERS
        linux.landlock_add_rule(ruleset, struct.pack("=Qi", rights, descriptor))
    finally:
        os.close(descriptor)
