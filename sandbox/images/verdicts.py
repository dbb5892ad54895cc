"""What the self-tests of images have found on this host, kept in ``<state>/selftests.json``.

The session service writes it (:mod:`sandbox.images.selftest`); every process reads it, to offer what works.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

_NAME = "selftests.json"
_state: Path | None = None
_read: tuple[int, dict[str, str]] = (0, {})


@dataclass(frozen=True)
class Verdict:
    """``of`` is the fingerprint of what was tested; ``why`` it failed, a sentence, or ""."""

    of: str
    why: str


def use(state: Path) -> None:
    """The site's state is kept in ``state``: from now on :func:`failed` looks there."""
    global _state, _read
    _state, _read = state, (0, {})


def state() -> Path:
    """Where the site's state is, as far as this process knows."""
    return _state or Path(os.environ.get("MADANG_STATE") or Path(__file__).resolve().parents[2] / "var")


def failed() -> dict[str, str]:
    """Why the self-tests of images failed that did, by the image's name."""
    global _read
    if _state is None:
        return {}
    try:
        changed = os.stat(_state / _NAME).st_mtime_ns
    except OSError:
        return {}
    if changed != _read[0]:
        _read = changed, {name: verdict.why for name, verdict in read(_state).items() if verdict.why}
    return _read[1]


def read(state: Path) -> dict[str, Verdict]:
    """All verdicts; none where there is no file that makes sense: then everything is tested again."""
    try:
        found = json.loads((state / _NAME).read_text(encoding="utf-8"))
        return {str(name): Verdict(str(verdict["of"]), str(verdict["why"])) for name, verdict in found.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {}


def write(state: Path, verdicts: dict[str, Verdict]) -> None:
    text = json.dumps({name: asdict(verdict) for name, verdict in verdicts.items()}, indent=1)
    descriptor, aside = tempfile.mkstemp(prefix=f".{_NAME}-", dir=state)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(aside, 0o644)  # web reads it as another user
    os.replace(aside, state / _NAME)
