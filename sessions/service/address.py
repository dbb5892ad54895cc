"""Where the session service listens: known to it and to web, which needs nothing else of it."""

from __future__ import annotations

from pathlib import Path


def socket_path(state: Path) -> Path:
    """The socket of the session service that works on ``state``."""
    return state / "run" / "sessiond.sock"
