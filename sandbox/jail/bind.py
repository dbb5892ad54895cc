"""One thing of the host's that a sandbox is shown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bind:
    """A host path shown at ``target``.

    ``owner`` (uid, gid on disk) makes its files the sandboxed user's, by an idmapped mount. What is not
    ``executable`` can be read, and neither started nor loaded as a library.
    """

    source: str
    target: str
    writable: bool = False
    device: bool = False
    owner: tuple[int, int] | None = None
    executable: bool = True
