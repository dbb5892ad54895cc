"""What an operator gives, whatever its kind, as files beneath a root."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from sandbox.roots import Bounds, Echo, RootError
from sandbox.roots.blobs import Blobs, Folder, Tar, document
from sandbox.roots.layer import Tree
from sandbox.roots.manifest import Manifest, of_docker, of_layout
from sandbox.roots.reading import DAMAGED, Digested, decompressed, is_zstd

_LISTING, _INDEX, _LAYOUT = "manifest.json", "index.json", "oci-layout"


def unpack(source: Path, root: Path, bounds: Bounds, echo: Echo, architecture: str = "") -> tuple[Manifest, Tree]:
    """Unpack ``source`` into the empty folder ``root``: an image (OCI layout, ``docker save``), or files alone.

    An image's manifest comes back, one without layers where there was none, and what is in ``root`` now.

    Raises:
        RootError: it is none of these, damaged, or larger than ``bounds``. What is in ``root`` then is of no use.
    """
    tree = Tree(root, bounds, echo)
    if source.is_dir():
        manifest = _layers(Folder(source), tree, bounds, echo, architecture)
        if manifest is None:
            _from_folder(source, tree, echo)
        return manifest or Manifest(()), tree
    try:
        with source.open("rb") as given, _seekable(given, bounds.size * 2) as file:
            manifest = _layers(Tar(file, bounds.size * 2), tree, bounds, echo, architecture)
            if manifest is None:
                file.seek(0)
                echo("files, without layers")
                tree.apply(decompressed(file), whiteouts=False)
    except OSError as error:
        raise RootError(f"{source} cannot be read: {error.strerror or error}.") from error
    return manifest or Manifest(()), tree


@contextmanager
def _seekable(file: IO[bytes], most: int) -> Iterator[IO[bytes]]:
    """``file``, or what it holds where :mod:`tarfile` cannot seek in that (zstd, before Python 3.14).

    Raises:
        RootError: it is damaged, or holds more than ``most`` bytes.
    """
    if not is_zstd(file):
        yield file
        return
    with tempfile.TemporaryFile() as plain:
        content = Digested(decompressed(file), "", most, "The archive")
        try:
            shutil.copyfileobj(content, plain)
        except DAMAGED as error:
            raise RootError(f"The archive is damaged: {error}.") from error
        plain.seek(0)
        yield plain


def _layers(blobs: Blobs, tree: Tree, bounds: Bounds, echo: Echo, architecture: str) -> Manifest | None:
    """Apply the layers of an image, if ``blobs`` are one, the lowest first."""
    read = partial(document, blobs)
    if blobs.has(_LAYOUT) and blobs.has(_INDEX):
        manifest = of_layout(read(_INDEX), read, architecture)
    elif blobs.has(_LISTING):
        manifest = of_docker(read(_LISTING), read)
    else:
        return None
    for number, layer in enumerate(manifest.layers, 1):
        echo(f"layer {number} of {len(manifest.layers)}")
        what = f"Layer {number}"
        with blobs.open(layer.name) as stored:
            whole = Digested(stored, layer.digest, bounds.size, what)
            content = Digested(decompressed(whole), layer.content, bounds.size * 2, what)
            try:
                tree.apply(content)
                content.finish()
                whole.finish()
            except (OSError, *DAMAGED) as error:  # what is compressed is damaged
                raise RootError(f"{what} is damaged: {error}.") from error
    return manifest


def _from_folder(source: Path, tree: Tree, echo: Echo) -> None:
    """Copy a folder that is a root already; tar(1) reads it, so that both kinds go through the same eye."""
    echo("a folder of files")
    command = ["tar", "--create", "--file=-", "--one-file-system", "--format=pax", f"--directory={source}", "."]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as reading:
        assert reading.stdout is not None
        try:
            tree.apply(reading.stdout, whiteouts=False)
            while reading.stdout.read(1 << 16):
                pass  # what follows the archive's end: tar would die of a pipe that nobody reads
        except BaseException:
            reading.kill()
            raise
    if reading.returncode not in (0, 1):  # 1: a file changed while it was read
        raise RootError(f"{source} could not be read whole; tar says why above.")
