"""The scripts that a page is going to need, so that it can ask for all of them at once.

A module names what it imports only once it is here, and what that imports once that is here: on a cold cache each
level is a journey to the server. The front end's build knows all levels.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from portal.documents import kinds

BUILD = Path(__file__).parent / "static" / "build"


def scripts_for(path: str, texts: Sequence[str]) -> list[str]:
    """Those of the workspace, and of what opens the file ``path`` ("" for none), by their names in static files.

    ``texts`` are the endings of files that are surely opened as text. Empty where the front end is not built.
    """
    parts = ["workspace"]
    if kinds.kind_of(path) == kinds.NOTEBOOK:
        parts.append("notebook")
    elif path.endswith(tuple(texts)):
        parts.append("text")
    try:
        known = json.loads((BUILD / "scripts.json").read_text())
    except FileNotFoundError:
        return []
    return list(dict.fromkeys(f"build/{script}" for part in parts for script in known[part]))
