"""Roots: images that an operator adds, unpacked to directories that the jail driver gives sandboxes as their root.

Theory of operation
===================

``manage.py images add NAME --from ARCHIVE`` makes ``<state>/roots/<directory>/``:

``root/``
    the image's files, with no device, no setuid bit and nothing that others may write;
``image.toml``
    what it offers: the operator's, the image's own, or one that is made by looking at ``root/``;
``Dockerfile``
    how the docker driver's engine makes a container image of it (``images build``);
``origin.json``
    where it came from, its digest, its size, and the environment that the archive asks for.

It is made beside its final place and renamed into it: what is killed half-way leaves nothing that is offered, and the
next run removes it. An archive is hostile until shown otherwise: it is read once, every digest that it states is
checked, and nothing in it can name a place outside of ``root/``.

Modules, in the order of use: :mod:`blobs` (where an archive's parts lie), :mod:`manifest` (what it says of itself),
:mod:`reading` (digests and decompression), :mod:`paths` (names) and :mod:`layer` (one layer onto a root),
:mod:`unpack`, :mod:`describe` (an ``image.toml``), :mod:`adding`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

GIB = 1 << 30

Echo = Callable[[str], None]
"""Is told each step, a line."""


class RootError(Exception):
    """An image could not be added; the message is for a person."""


@dataclass(frozen=True)
class Bounds:
    """The most that an image may hold: bytes in files, and files, folders and links."""

    size: int = 32 * GIB
    entries: int = 2_000_000


BOUNDS = Bounds()
