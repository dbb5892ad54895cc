"""A place of the user's own for Python packages: a virtual environment stacked on the image's read-only one.

``pip install`` writes there, whichever ``python`` or ``pip`` is called. What is there comes before the
image's packages, so a newer version of one of them wins, and goes with the session.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Space:
    """What to put into a sandbox: links and files by their paths inside, environment variables."""

    links: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)


def python_space(prefix: Path, own: str, settings: str = "") -> Space:
    """The space at ``own`` over the virtual environment ``prefix``; an empty one where that is none.

    ``settings`` is its ``pyvenv.cfg`` where it does not lie on this host.
    """
    try:
        settings = settings or (prefix / "pyvenv.cfg").read_text()
        base = dict(line.split(" = ", 1) for line in settings.splitlines())
        home, version = base["home"], ".".join(base["version"].split(".")[:2])
    except (OSError, ValueError, KeyError):
        return Space()
    packages = f"lib/python{version}/site-packages"
    python = f"{home}/python{version}"
    return Space(
        links={f"{own}/bin/{name}": python for name in ("python", "python3", f"python{version}")},
        files={
            f"{own}/pyvenv.cfg": f"home = {home}\ninclude-system-site-packages = false\nversion = {base['version']}\n",
            f"{own}/{packages}/_image.pth": f"{prefix}/{packages}\n",
        },
        # pip(1): whichever pip is called works on this Python.
        environment={"VIRTUAL_ENV": own, "PIP_PYTHON": f"{own}/bin/python"},
    )
