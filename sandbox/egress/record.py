"""What lies on disk for a sandbox's way out: its rule, where its runner listens, its account.

``<sandbox's directory>/network.json`` is written before the sandbox starts and read by egress, which may
be another process by then.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.egress import account
from sandbox.egress.rules import Network

NAME = "network.json"


@dataclass(frozen=True)
class Record:
    """``runner`` is the runner's socket."""

    network: Network
    runner: Path


def prepare(directory: Path, network: Network, runner: Path) -> None:
    """Make the new sandbox known to egress, with nothing received and nothing sent."""
    account.create(directory)
    aside = directory / f"{NAME}.new"
    aside.write_text(json.dumps({**network.as_dict(), "runner": str(runner)}))
    aside.replace(directory / NAME)


def read(directory: Path) -> Record | None:
    """The record of the sandbox in ``directory``, or None where there is none (it has just gone, or never had one)."""
    try:
        data: dict[str, Any] = json.loads((directory / NAME).read_text())
        return Record(Network.from_dict(data), Path(data["runner"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
