"""Where things are in a checkout, and the stamps that tell what is fresh."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
FRONTEND = ROOT / "frontend"
BUILD = ROOT / "portal" / "static" / "build"
STAMP = ".madang-stamp"


def state() -> Path:
    """The state directory: MADANG_STATE, by default ``var`` in the checkout."""
    return Path(os.environ.get("MADANG_STATE", "").strip() or ROOT / "var").expanduser().resolve()


def digest(parts: Iterable[bytes]) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(hashlib.sha256(part).digest())
    return found.hexdigest()


def digest_files(files: Iterable[Path]) -> str:
    """A digest of names and contents; files that are gone count as empty."""
    parts = []
    for file in sorted(files):
        parts += [str(file).encode(), file.read_bytes() if file.is_file() else b""]
    return digest(parts)


def is_fresh(directory: Path, stamp: str, name: str = STAMP) -> bool:
    """Whether ``directory`` carries exactly this stamp."""
    try:
        return (directory / name).read_text(encoding="ascii") == stamp
    except OSError:
        return False


def write_stamp(directory: Path, stamp: str, name: str = STAMP) -> None:
    (directory / name).write_text(stamp, encoding="ascii")


def is_root() -> bool:
    return os.geteuid() == 0
