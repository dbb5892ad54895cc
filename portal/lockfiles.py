"""Lock files: exact packages with their digests, in the format that pip and uv read (``--require-hashes``). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

MOST_PACKAGES = 1000
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?", re.ASCII)
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]{0,99}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PINNED = re.compile(r"(?P<name>[^\s=]+)==(?P<version>[^\s\\]+)\s*(?P<hashes>((\\\s*)?--hash=sha256:[0-9a-f]{64}\s*)+)")


class NoLock(ValueError):
    """It is no lock file, or nothing that one could be made of."""


@dataclass(frozen=True, order=True)
class Pinned:
    """One package in one version, and what a file of it may be: SHA-256, as hexadecimal digits."""

    name: str
    version: str
    hashes: tuple[str, ...]

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or not _VERSION.fullmatch(self.version):
            raise NoLock(f"no package is called {self.name[:60]!r}")
        if not self.hashes or not all(_SHA256.fullmatch(digest) for digest in self.hashes):
            raise NoLock(f"{self.name} has no digest")


def pinned_of(told: Any) -> list[Pinned]:
    """The packages that ``portal/inside/freeze.py`` told. It comes from a sandbox: anything may be in it.

    Raises:
        NoLock: it makes no sense, or there are too many.
    """
    packages = told.get("packages") if isinstance(told, dict) else None
    if not isinstance(packages, list) or len(packages) > MOST_PACKAGES:
        raise NoLock("the session did not say which packages it has")
    try:
        return sorted(Pinned(str(one["name"]), str(one["version"]), (str(one["sha256"]),)) for one in packages)
    except (TypeError, KeyError) as error:
        raise NoLock("the session said something that is no list of packages") from error


def left_out(told: Any) -> list[str]:
    """What cannot be had again from an index, as far as the session said: names, for a person."""
    names = told.get("left_out") if isinstance(told, dict) else None
    return [str(name)[:100] for name in names[:MOST_PACKAGES]] if isinstance(names, list) else []


def lock_text(packages: Iterable[Pinned], heading: str) -> str:
    """The file for ``packages``, under a line of comment."""
    lines = [f"# {' '.join(heading.split())}"]
    for one in sorted(packages):
        lines.append(" \\\n".join([f"{one.name}=={one.version}", *(f"    --hash=sha256:{h}" for h in one.hashes)]))
    return "\n".join(lines) + "\n"


def read_lock(text: str) -> list[Pinned]:
    """The packages of a lock file: ours, or one that ``pip-compile`` or ``uv`` wrote with digests.

    Raises:
        NoLock: something in it is no package with version and digests.
    """
    rest = re.sub(r"^\s*#.*$|\s#.*$", "", text, flags=re.MULTILINE)
    found: list[Pinned] = []
    while rest := rest.strip():
        match = _PINNED.match(rest)
        if match is None or len(found) >= MOST_PACKAGES:
            raise NoLock(f"no package with a version and digests: {rest.splitlines()[0][:80]!r}")
        digests = tuple(re.findall(r"[0-9a-f]{64}", match["hashes"]))
        found.append(Pinned(match["name"], match["version"], digests))
        rest = rest[match.end() :]
    return found
