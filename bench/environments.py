"""The environments of the peers: each has its own, made from pinned requirements when these changed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bin.lib.layout import ROOT, digest_files, is_fresh, write_stamp

PEERS = ROOT / "bench" / "peers"
PROXY = PEERS / "proxy"


def jupyter_server(state: Path) -> Path:
    """A virtual environment with jupyter_server, JupyterLab and ipykernel."""
    requirements = PEERS / "jupyter_server.txt"
    return _made(state, "jupyter_server", [requirements], lambda place: _python(place, requirements))


def jupyterhub(state: Path) -> Path:
    """The same with JupyterHub, and its proxy in ``proxy/node_modules``."""
    requirements = PEERS / "jupyterhub.txt"
    files = [requirements, PEERS / "jupyter_server.txt", *PROXY.glob("*.json")]

    def make(place: Path) -> None:
        _python(place, requirements)
        shutil.copytree(PROXY, place / "proxy")
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=place / "proxy", check=True)

    return _made(state, "jupyterhub", files, make)


def _made(state: Path, name: str, files: list[Path], make: Callable[[Path], None]) -> Path:
    place = state / "bench" / name
    stamp = digest_files(files) + sys.version
    if not is_fresh(place, stamp):
        print(f"Installing {name} into {place} …", file=sys.stderr, flush=True)
        make(place)
        write_stamp(place, stamp)
    return place


def _python(place: Path, requirements: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(place)], check=True)
    pip = [str(place / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(requirements)], check=True)
