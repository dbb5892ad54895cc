"""Adding, listing and removing images under ``<state>/roots/``."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.images import PROGRAMS, ImageError, described
from sandbox.images.added import FOLDER, ORIGIN, directory_name, read_added
from sandbox.roots import BOUNDS, Bounds, Echo, RootError
from sandbox.roots.describe import describe
from sandbox.roots.manifest import Manifest
from sandbox.roots.unpack import unpack

_DOCKERFILE = Path(__file__).parents[1] / "container" / "guest.Dockerfile"
_WORD = r"[a-z0-9]+([._-][a-z0-9]+)*"
_NAME = re.compile(rf"(?=.{{1,80}}\Z){_WORD}(:{_WORD})?")  # what may be a container image's too
# What an image may not decide: who somebody is inside, and how programs are loaded.
_NOT_ITS = re.compile(r"(HOME|USER|LOGNAME|SHELL|TERM|PWD|LD_.*|.*_proxy|.*_PROXY)")


def add(
    state: Path,
    name: str,
    source: Path,
    *,
    toml: Path | None = None,
    bounds: Bounds = BOUNDS,
    echo: Echo = print,
    architecture: str = "",
) -> Path:
    """Add the image at ``source`` as ``name``; returns its directory. ``toml`` describes it, if nothing in it does.

    Raises:
        RootError: it could not be added, and nothing of it is left; the message says why.
    """
    if not _NAME.fullmatch(name):
        raise RootError(
            "An image's name is of small letters and digits, with single . _ or - between, such as tools or tools:2."
        )
    beside = source.parent / f"{source.name.split('.tar')[0]}.toml"
    toml = toml or (beside if source.is_file() and beside.is_file() else None)
    roots = state / FOLDER
    roots.mkdir(mode=0o755, parents=True, exist_ok=True)
    target = roots / directory_name(name)
    with _alone(roots):
        if target.exists() or name in {image.name for image in described()}:
            raise RootError(f"There is an image called {name} already. Take another name, or remove that one first.")
        aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-new-", dir=roots))
        try:
            _fill(aside, name, source, toml, bounds, echo, architecture)
            aside.rename(target)
        except OSError as error:
            raise RootError(f"{name} could not be added: {error}.") from error
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return target


def listed(state: Path) -> list[dict[str, Any]]:
    """What is known of each added image: its ``name``, and what ``origin.json`` says."""
    files = sorted((state / FOLDER).glob(f"[!.]*/{ORIGIN}"))
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


def remove(state: Path, name: str) -> None:
    """Remove the added image ``name``. Sessions that run on it lose its files.

    Raises:
        RootError: there is none.
    """
    roots = state / FOLDER
    target = roots / directory_name(name)
    if not target.is_dir() or not _NAME.fullmatch(name):
        raise RootError(f"No image called {name} has been added.")
    with _alone(roots):
        away = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=roots))
        target.rename(away / "image")
        shutil.rmtree(away)


@contextlib.contextmanager
def _alone(roots: Path) -> Iterator[None]:
    """One at a time, after what a killed one left is gone; the kernel frees the lock if we are killed."""
    with open(roots / ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in (*roots.glob(".*-new-*"), *roots.glob(".*-old-*")):
            shutil.rmtree(left, ignore_errors=True)
        yield


def _fill(
    aside: Path, name: str, source: Path, toml: Path | None, bounds: Bounds, echo: Echo, architecture: str
) -> None:
    aside.chmod(0o755)  # web reads its image.toml as another user
    root = aside / "root"
    root.mkdir(mode=0o755)
    manifest, tree = unpack(source, root, bounds, echo, architecture)
    root.chmod(0o755)
    environment = {key: value for key, value in manifest.environment.items() if not _NOT_ITS.fullmatch(key)}
    origin = {
        "name": name,
        "source": str(source),
        "digest": manifest.digest,
        "added": datetime.now(UTC).isoformat(timespec="seconds"),
        "bytes": tree.size,
        "entries": tree.entries,
        "environment": environment,
        "described": "",
    }
    _write(aside / ORIGIN, origin)
    origin["described"] = _describe(aside, name, toml, manifest, environment.get("PATH", PROGRAMS))
    _write(aside / ORIGIN, origin)
    if tree.skipped:
        echo(f"left out {tree.skipped:,} devices, sockets and the like")
    shutil.copyfile(_DOCKERFILE, aside / "Dockerfile")
    _sync(aside)


def _describe(aside: Path, name: str, toml: Path | None, manifest: Manifest, search: str) -> str:
    told = describe(aside, directory_name(name), name, toml, manifest.labels, search)
    try:
        image = read_added(aside)
    except ImageError as error:
        raise RootError(f"The image's image.toml is wrong: {str(error).rpartition('image.toml: ')[2]}") from error
    if image.missing:
        raise RootError(f"The image lacks what its image.toml requires: {', '.join(p.program for p in image.missing)}.")
    taken = {kernel.name for other in described() for kernel in other.kernels}
    if twice := [kernel.name for kernel in image.kernels if kernel.name in taken]:
        raise RootError(f"Another image has a kernel of that name already: {', '.join(twice)}.")
    return told


def _write(file: Path, value: dict[str, Any]) -> None:
    file.write_text(json.dumps(value, indent=1), encoding="utf-8")


def _sync(folder: Path) -> None:
    """All of it on the disk before it bears its name: a machine that stops leaves a whole image or none."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.sync()
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
