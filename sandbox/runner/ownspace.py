"""The user's own packages (``sandbox.packages``) in a kernel, whose interpreter had started before there was a user."""

from __future__ import annotations

import os
import site
import sys
from pathlib import Path


def enter() -> None:
    """Do what the interpreter of ``$VIRTUAL_ENV`` does at its start: its packages first, then those that are here."""
    own = os.environ.get("VIRTUAL_ENV", "")
    packages = Path(own, "lib", f"python{sys.version_info.major}.{sys.version_info.minor}", "site-packages")
    if not own or not packages.is_dir():
        return
    before = list(sys.path)
    site.addsitedir(str(packages))
    new = [entry for entry in sys.path if entry not in before]
    place = next((index for index, entry in enumerate(before) if entry.endswith("site-packages")), len(before))
    sys.path[:] = [*before[:place], *new, *before[place:]]
    sys.executable = f"{own}/bin/python"
