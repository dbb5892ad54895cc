"""The scripts that a workspace's page asks for before its modules name them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.test import Client

from portal import scripts
from portal.models import Project, User

KNOWN = {
    "workspace": ["madang.js", "chunks/a.js"],
    "notebook": ["chunks/a.js", "chunks/notebook.js"],
    "text": ["chunks/editor.js"],
}


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "scripts.json").write_text(json.dumps(KNOWN))
    monkeypatch.setattr(scripts, "BUILD", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("", []),
        ("data/a.IPYNB", ["build/chunks/notebook.js"]),
        ("main.py", ["build/chunks/editor.js"]),
        ("picture.png", []),
    ],
)
def test_what_opens_the_file_comes_with_the_workspace(build: Path, path: str, more: list[str]) -> None:
    assert scripts.scripts_for(path, [".py"]) == ["build/madang.js", "build/chunks/a.js", *more]


def test_a_page_without_a_build_asks_for_nothing(build: Path) -> None:
    (build / "scripts.json").unlink()
    assert scripts.scripts_for("main.py", [".py"]) == []


def test_the_page_asks_for_them(build: Path, client: Client, alice: User, project: Project) -> None:
    client.force_login(alice)
    page = client.get(f"/p/{project.pk}/", {"file": "a.ipynb"}).content.decode()
    assert '<link rel="modulepreload" href="/static/build/chunks/notebook.js">' in page
    strange = client.get(f"/p/{project.pk}/", {"file": '"><script>'}).content.decode()
    assert "<script>" not in strange
