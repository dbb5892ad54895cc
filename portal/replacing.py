"""Replace across files, and undo it: what was replaced is kept beside the trash until the next week."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portal.files import Files
from portal.models import Project
from portal.search import Query, replaced, text_of
from portal.trash import folder_of, write_note
from sessions.problems import Problem, not_found

MOST_FILES = 500


@dataclass(frozen=True)
class Outcome:
    """``undo`` is "" where nothing was changed. ``refused`` has a reason for each path: ``changed`` since it was
    looked at, ``unreadable``, or a sentence."""

    undo: str
    files: list[str]
    count: int
    refused: dict[str, str]


def replace_in(project: Project, files: Files, query: Query, seen: dict[str, str]) -> Outcome:
    """Replace every match in the files ``seen`` (path: when it was last modified, as the search said)."""
    id = secrets.token_hex(8)
    place = folder_of(project) / id
    changed: list[str] = []
    refused: dict[str, str] = {}
    total = 0
    for path, modified in seen.items():
        try:
            count = _one(place, files, query, path, modified, refused, len(changed))
        except Problem as problem:
            refused[path] = problem.detail
            continue
        if count:
            changed.append(path)
            total += count
    return Outcome(id if changed else "", changed, total, refused)


def _one(
    place: Path, files: Files, query: Query, path: str, modified: str, refused: dict[str, str], number: int
) -> int:
    if files.entry(path).modified.isoformat() != modified:
        refused[path] = "changed"
        return 0
    text = text_of(files, path)
    if text is None:
        refused[path] = "unreadable"
        return 0
    fresh, count = replaced(text, query)
    if not count:
        return 0
    data = fresh.encode()
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Kept before it is changed: killed in between, there is one copy too many and none too few.
    (place / f"{number}.was").write_bytes(text.encode())
    (place / f"{number}.json").write_text(json.dumps({"path": path, "digest": _digest(data)}), encoding="utf-8")
    write_note(place, {"replaced": number + 1})
    files.write(path, data)
    return count


def undo(project: Project, files: Files, id: str) -> Outcome:
    """Give the files back what a replacement took; one that was changed since stays as it is.

    Raises:
        Problem: there is no such replacement.
    """
    place = folder_of(project) / id
    notes = sorted(place.glob("*.was")) if id.isalnum() else []
    if not notes:
        raise not_found("replacement")
    back: list[str] = []
    refused: dict[str, str] = {}
    for was in notes:
        note: dict[str, Any] = json.loads(was.with_suffix(".json").read_text(encoding="utf-8"))
        path = str(note["path"])
        try:
            now = text_of(files, path)
            if now is None or _digest(now.encode()) != note["digest"]:
                refused[path] = "changed"
                continue
            files.write(path, was.read_bytes())
            back.append(path)
        except Problem as problem:
            refused[path] = problem.detail
    return Outcome("", back, len(back), refused)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
