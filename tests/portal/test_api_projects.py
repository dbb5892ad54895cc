"""``/api/v1/projects``: the list, examples, archives, forks, the archive and the way back."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from portal.models import Project, User
from portal.people import let_in
from portal.projects import create_project
from portal.roles import Role
from tests.portal.conftest import signed_in


def api(browser: Client, method: str, path: str = "", body: Any = None) -> Any:
    text = json.dumps(body) if body is not None else ""
    return browser.generic(method, f"/api/v1/projects{path}", text, content_type="application/json")


def test_the_list(alices: Client, bob: User, project: Project, image: str) -> None:
    theirs = create_project(bob, "Walrus", image)
    let_in(theirs, project.owner, Role.VIEWER)
    api(alices, "PATCH", f"/{project.pk}", {"tags": ["ice", "Birds"]})
    found = {one["name"]: one for one in api(alices, "GET", "?sort=name").json()["items"]}
    assert list(found) == ["Penguins", "Walrus"]
    assert (found["Penguins"]["role"], found["Penguins"]["tags"]) == ("owner", ["birds", "ice"])
    assert (found["Walrus"]["role"], found["Walrus"]["owner"]) == ("viewer", "Bob")
    assert found["Walrus"]["slug"] == theirs.name_for(project.owner)
    assert [one["name"] for one in api(alices, "GET", "?show=shared").json()["items"]] == ["Walrus"]
    assert api(alices, "GET", "?tag=ice&q=PENG").json()["count"] == 1
    for wrong in ("?sort=x", "?show=x", "?limit=0"):
        assert api(alices, "GET", wrong).status_code == 422
    assert api(alices, "GET", "?q=%00").status_code == 200


def test_an_example_and_an_archive(alices: Client, bobs: Client, image: str) -> None:
    known = api(alices, "GET", "/examples").json()
    made = api(alices, "POST", "", {"name": "Mine", "example": known[0]["name"]})
    assert (made.status_code, made.json()["image"]) == (201, known[0]["image"])
    assert api(alices, "POST", "", {"name": "Mine", "example": "none"}).json()["code"] == "unknown_example"
    assert api(alices, "POST", "", {"name": "Mine"}).json()["code"] == "unknown_image"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("main.py", "1")
    file = SimpleUploadedFile("a.zip", out.getvalue())
    answer = alices.post("/api/v1/projects/zip", {"file": file, "image": image, "name": "Zipped"})
    assert (answer.status_code, answer.json()["name"]) == (201, "Zipped")
    id = answer.json()["id"]
    assert api(bobs, "GET", f"/{id}/zip").status_code == 404
    assert api(alices, "GET", f"/{id}/zip")["Content-Type"] == "application/zip"
    bad = SimpleUploadedFile("a.zip", b"no")
    assert alices.post("/api/v1/projects/zip", {"file": bad, "image": image}).json()["code"] == "bad_archive"


def test_fork_archive_delete_restore(alices: Client, project: Project, bob: User, bobs: Client) -> None:
    here = f"/{project.pk}"
    assert api(bobs, "POST", f"{here}/fork", {}).status_code == 404
    let_in(project, bob, Role.VIEWER)
    fork = api(bobs, "POST", f"{here}/fork", {"name": "Fork"}).json()
    assert (fork["origin"], fork["name"], fork["role"]) == (str(project.pk), "Fork", "owner")
    assert api(bobs, "PATCH", here, {"archived": True}).status_code == 403
    assert api(alices, "PATCH", here, {"archived": True}).json()["archived"]
    assert api(alices, "GET").json()["count"] == 0
    assert api(alices, "PATCH", here, {"archived": False}).json()["archived"] is None
    assert api(alices, "DELETE", here).status_code == 204
    assert [one["id"] for one in api(alices, "GET", "/deleted").json()] == [str(project.pk)]
    assert api(bobs, "GET", "/deleted").json() == []
    assert api(bobs, "GET", here).status_code == 404
    assert api(bobs, "POST", f"{here}/restore").status_code == 404
    assert api(alices, "POST", f"{here}/restore").status_code == 200
    assert api(bobs, "GET", here).json()["role"] == "viewer"


@pytest.mark.parametrize("address", ["http://example.org/a", "https://u:p@example.org/a", "x", ""])
def test_addresses_are_judged_before_anything_is_fetched(alices: Client, image: str, address: str) -> None:
    answer = api(alices, "POST", "/import", {"kind": "git", "address": address, "image": image})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_address")
    assert api(alices, "GET", f"/import/{uuid.uuid4()}").status_code == 404


def test_an_import_is_its_owners(alices: Client, bobs: Client, image: str, settings: Any) -> None:
    settings.MADANG_FETCH = "none"
    made = api(alices, "POST", "/import", {"kind": "notebook", "address": "https://example.org/a", "image": image})
    assert made.status_code == 202
    assert api(bobs, "GET", f"/import/{made.json()['id']}").status_code == 404
    assert api(alices, "GET", f"/import/{made.json()['id']}").status_code == 200


def test_the_document_describes_all_of_it() -> None:
    paths = signed_in(None).get("/api/v1/openapi.json").json()["paths"]
    for path in ("", "/{id}/fork", "/{id}/people", "/{id}/secrets/{name}", "/zip", "/import", "/{id}/datasets"):
        assert f"/api/v1/projects{path}" in paths, path


def test_a_nul_is_told_and_breaks_nothing(alices: Client, project: Project, image: str) -> None:
    """PostgreSQL takes none in a text."""
    here = f"/{project.pk}"
    assert api(alices, "PATCH", here, {"name": "a\0b"}).status_code == 422
    assert api(alices, "PATCH", here, {"tags": ["a\0b"]}).status_code == 422
    assert api(alices, "POST", "", {"name": "\0", "image": image}).status_code == 422
    assert api(alices, "DELETE", f"{here}/secrets/a%00b").status_code == 404
    assert api(alices, "PUT", f"{here}/datasets", {"datasets": ["a\0b"]}).json() == {"datasets": []}
    assert alices.post(f"/projects/{project.pk}/datasets", {"dataset": "a\0b"}).status_code == 302
    assert alices.get("/dashboard?q=%00&tag=%00").status_code == 200
