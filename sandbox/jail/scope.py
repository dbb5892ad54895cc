"""Control groups for an ordinary user: a scope that systemd delegates (systemd-run(1), ``Delegate=yes``)."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache

_SCOPE = ["systemd-run", "--user", "--scope", "--quiet", "--collect", "-p", "Delegate=yes", "--"]


def delegated(command: list[str]) -> list[str]:
    """``command`` in a scope of its own, where we need one and there is systemd; else as it is.

    That is how an ordinary user may limit memory and CPU. The scope is made, then the command runs in our place.
    """
    return command if os.geteuid() == 0 or not _user_systemd_works() else [*_SCOPE, *command]


@cache
def _user_systemd_works() -> bool:
    if not shutil.which("systemd-run") or not os.environ.get("XDG_RUNTIME_DIR"):
        return False
    try:
        return subprocess.run([*_SCOPE, "true"], capture_output=True, timeout=10, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
