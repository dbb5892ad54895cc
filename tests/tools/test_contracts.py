"""The import rule that import-linter does not have, on a small tree of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import grimp
import pytest

from bin.lib.contracts import OnlyImports


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("import json, asyncio.events", True),
        ("import zmq.asyncio", True),
        ("from house.room import chair", True),
        ("import django.conf", False),
        ("from house import kitchen", False),
    ],
)
def test_a_package_imports_only_what_it_may(
    line: str, kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in (
        ("__init__", ""),
        ("kitchen", ""),
        ("room/__init__", ""),
        ("room/chair", ""),
        ("room/table", line),
    ):
        file = tmp_path / "house" / f"{name}.py"
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "house", raising=False)
    graph = grimp.build_graph("house", include_external_packages=True, cache_dir=None)
    options = {"source": "house.room", "allowed": ["zmq"]}
    contract = OnlyImports(name="rule", session_options={}, contract_options=options)
    assert contract.check(graph, verbose=False).kept is kept
