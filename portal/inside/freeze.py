"""Which packages the user of a session has installed, exactly: ``python -c ... --local`` prints JSON.

``packages``: name, version and SHA-256 of what the index has for them now; ``left_out``: what is from no index.
The argument is pip's own for the place where they are (``--local``, ``--user``).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet"]


def main(place: str) -> None:
    listed = subprocess.run([*PIP, "freeze", place], stdout=subprocess.PIPE, text=True, check=True).stdout.split("\n")
    wanted = [line.strip() for line in listed if "==" in line and not line.startswith(("#", "-"))]
    others = [line.partition(" @ ")[0].strip() for line in listed if line.strip() and line.strip() not in wanted]
    json.dump({"packages": _pinned(wanted) if wanted else [], "left_out": others}, sys.stdout)


def _pinned(wanted: list[str]) -> list[dict[str, str]]:
    """What pip would install for exactly these, which it looks up and does not install."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        options = ["--dry-run", "--ignore-installed", "--no-deps", "--report", str(report)]
        subprocess.run([*PIP, "install", *options, *wanted], stdout=sys.stderr, check=True)
        found = json.loads(report.read_text(encoding="utf-8"))["install"]
    return [
        {
            "name": one["metadata"]["name"],
            "version": one["metadata"]["version"],
            "sha256": one["download_info"]["archive_info"]["hashes"]["sha256"],
        }
        for one in found
    ]


if __name__ == "__main__":
    main(sys.argv[1])
