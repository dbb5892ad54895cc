"""The runner where the root is another's: a guest there, whose own modules lie in a place that no image has.

The runner is forked from a zygote of this host's Python, all that it needs at once in memory. What is imported later
must not come from the image, which may have another Python or none, so the zygote's modules look where the host's are
bound. Programs of the image do not: their own search path is as ever.
"""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

from sandbox.jail.bind import Bind

PLACE = "/usr/lib/madang"
_STANDARD, _PACKAGES = f"{PLACE}/python", f"{PLACE}/packages"


def binds(prefix: Path) -> list[Bind]:
    """The host's modules, and those of the environment at ``prefix``. No program is among them."""
    return [Bind(sysconfig.get_path("stdlib"), _STANDARD), Bind(str(prefix / "lib"), _PACKAGES)]


def settle() -> None:
    """In a process that was forked from a zygote, and has another root now: import from there."""
    moved = {sysconfig.get_path("stdlib"): _STANDARD, f"{sys.prefix}/lib": _PACKAGES}
    sys.path[:] = [new for entry in sys.path if (new := _moved(entry, moved))]
    sys.path_importer_cache.clear()
    for module in list(sys.modules.values()):
        path = getattr(module, "__path__", None)
        if isinstance(path, list):
            path[:] = [_moved(entry, moved) or entry for entry in path]


def _moved(entry: str, moved: dict[str, str]) -> str:
    """Where ``entry`` is now; "" where it is nowhere."""
    for old, new in moved.items():
        if entry == old or entry.startswith(f"{old}/"):
            return new + entry.removeprefix(old)
    return ""
