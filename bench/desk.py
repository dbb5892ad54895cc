"""A person's place in front of a browser, whichever site it shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from playwright.sync_api import Page


@dataclass(frozen=True)
class Desk:
    """``page`` is the address that shows a file, ``enter`` signs the person in.

    ``field`` selects where the text of a file is typed, ``cell`` a cell of a notebook.
    """

    page: Callable[[str], str]
    enter: Callable[[Page], None]
    field: str
    cell: str


class Desks(Protocol):
    """What people use with a browser."""

    def desk(self, files: Mapping[str, str]) -> Desk:
        """A new person's, who has these files, by name."""
