"""Put on this host what an image needs: for an image with a ``requirements.txt``, a virtual environment.

``python -m sandbox.images.install`` does it for every image that has no base, of the optional ones for those that are
named or are there; a second run finds all in place and
returns at once. The environment is built beside its final place and then renamed into it, so a set-up that is killed
half-way leaves nothing that looks finished, and sessions that run on an older one keep their files until the
rename. Standard library only: this runs before anything is installed.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from sandbox.images import STAMP, Image, described

Echo = Callable[[str], None]


class InstallError(Exception):
    """An image could not be set up; the message says which, and what the installer printed last."""


def ensure(image: Image, state: Path, echo: Echo) -> Path:
    """Make ``<state>/images/<directory>`` what ``image`` needs and return it. ``echo`` is told each step.

    Raises:
        InstallError: its packages could not be installed; the former environment, if any, is untouched.
    """
    target = state / "images" / image.directory.name
    stamp = stamp_of(image)
    if is_current(image, state):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target.parent / f".{target.name}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one set-up of an image at a time; the kernel frees it if we are killed
        if not is_current(image, state):
            _remove_leftovers(target)
            _build(image, target, stamp, echo)
    return target


def is_current(image: Image, state: Path) -> bool:
    """Whether ``image`` is set up under ``state`` exactly as its files ask."""
    try:
        found = (state / "images" / image.directory.name / STAMP).read_text(encoding="ascii")
    except OSError:
        return False
    return found == stamp_of(image)


def stamp_of(image: Image) -> str:
    """What an environment of ``image`` was made from: its requirements and the interpreter."""
    digest = hashlib.sha256()
    digest.update(sys.version.encode())
    digest.update(os.path.realpath(sys.executable).encode())
    requirements = image.directory / "requirements.txt"
    for line in requirements.read_text(encoding="utf-8").splitlines() if requirements.exists() else ():
        digest.update(f"{line}\n".encode())
        if line.startswith("-r "):
            digest.update((image.directory / line[3:].strip()).read_bytes())
    return digest.hexdigest()


def _build(image: Image, target: Path, stamp: str, echo: Echo) -> None:
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-new-", dir=target.parent))
    try:
        aside.chmod(0o755)  # sandboxes read it as another user
        _fill(image, aside, target, echo)
        (aside / STAMP).write_text(stamp, encoding="ascii")
        _swap(aside, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _fill(image: Image, aside: Path, target: Path, echo: Echo) -> None:
    requirements = image.directory / "requirements.txt"
    if not requirements.exists():
        return
    echo(f"creating an environment for {image.name}")
    _run(image, [sys.executable, "-m", "venv", str(aside)], echo)
    pip = [str(aside / "bin" / "python"), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    _run(image, [*pip, "-r", str(requirements)], echo)
    _relocate(aside, target)


def _run(image: Image, command: list[str], echo: Echo) -> None:
    """Run a step of the set-up, telling ``echo`` each line it prints."""
    lines: list[str] = []
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip())
            echo(lines[-1])
    if process.returncode:
        raise InstallError(f"{image.name} could not be set up:\n" + "\n".join(lines[-15:]))


def _relocate(aside: Path, target: Path) -> None:
    """Make the environment's scripts and settings speak of the place it is renamed to."""
    old, new = str(aside).encode(), str(target.absolute()).encode()
    for file in [*(aside / "bin").iterdir(), aside / "pyvenv.cfg"]:
        if file.is_symlink() or not file.is_file():
            continue
        content = file.read_bytes()
        if old in content and b"\0" not in content:
            file.write_bytes(content.replace(old, new))


def _swap(aside: Path, target: Path) -> None:
    """Rename ``aside`` to ``target``; what was there goes out of the way first, and comes back if that fails."""
    former = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent)) / target.name
    if target.exists():
        target.rename(former)
    try:
        aside.rename(target)
    except OSError:
        if former.exists():
            former.rename(target)
        raise
    shutil.rmtree(former.parent, ignore_errors=True)


def _remove_leftovers(target: Path) -> None:
    """Remove what a killed set-up left beside ``target``; an older environment it had moved aside comes back."""
    for old in target.parent.glob(f".{target.name}-old-*"):
        if not target.exists() and (old / target.name).exists():
            (old / target.name).rename(target)
        shutil.rmtree(old, ignore_errors=True)
    for new in target.parent.glob(f".{target.name}-new-*"):
        shutil.rmtree(new, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Set up what the images need on this host.")
    root = Path(__file__).resolve().parents[2]
    state = os.environ.get("MADANG_STATE") or str(root / "var")
    parser.add_argument("--state", type=Path, default=Path(state), help="state directory (default: %(default)s)")
    parser.add_argument("--check", action="store_true", help="only say what is missing; exit 1 if anything is")
    parser.add_argument("optional", nargs="*", metavar="IMAGE", help="directories of optional images to install too")
    arguments = parser.parse_args()
    own = {image.directory.name: image for image in described() if not image.base}
    if unknown := set(arguments.optional) - set(own):
        parser.error(f"there is no such image: {', '.join(sorted(unknown))}; there are {', '.join(own)}")
    for image in own.values():
        if image.optional and image.directory.name not in arguments.optional and not image.set_up:
            continue
        if arguments.check:
            if not is_current(image, arguments.state):
                print(f"{image.name} is not set up")
                return 1
            continue
        try:
            ensure(image, arguments.state, lambda line: print(line, flush=True))
        except InstallError as error:
            print(error, file=sys.stderr)
            return 1
        print(f"{image.name} is ready")
    return 0


if __name__ == "__main__":
    sys.exit(main())
