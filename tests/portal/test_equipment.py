"""Secrets and datasets: who sets them, what is kept and shown, what a session gets."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from portal.directory import PortalProjects
from portal.models import Dataset, Project, Secret, User
from portal.people import let_in
from portal.projects import fork_project
from portal.roles import Role
from portal.secrets import LONGEST, MOST, opened, set_secret
from sessions.problems import Problem
from tests.portal.conftest import signed_in


def api(browser: Client, method: str, path: str, body: Any = None) -> Any:
    text = json.dumps(body) if body is not None else ""
    return browser.generic(method, f"/api/v1/{path}", text, content_type="application/json")


def test_a_secret_reaches_sessions_and_is_never_shown(alices: Client, project: Project) -> None:
    here = f"/projects/{project.pk}"
    answer = alices.post(f"{here}/secrets", {"name": "API_KEY", "value": "s3cret-마당"}, follow=True)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "API_KEY" in page
    assert "s3cret" not in page
    assert "s3cret" not in Secret.objects.get().sealed
    assert PortalProjects().equipment(project.pk).environment == {"API_KEY": "s3cret-마당"}
    shown = api(alices, "GET", f"projects/{project.pk}/secrets")
    assert [set(one) for one in shown.json()] == [{"name", "changed"}]
    alices.post(f"{here}/secrets", {"remove": "API_KEY"})
    assert PortalProjects().equipment(project.pk).environment == {}


def test_secrets_and_datasets_are_the_managers(project: Project, tmp_path: Path, alices: Client) -> None:
    Dataset.objects.create(name="penguins", folder=str(folder(tmp_path)))
    assert api(alices, "PUT", f"projects/{project.pk}/secrets/KEY", {"value": "x"}).status_code == 204
    for role in (Role.EDITOR, Role.VIEWER):
        user = User.objects.create_user(f"{role}@example.org")
        let_in(project, user, role)
        browser = signed_in(user)
        for method, path, body in (
            ("GET", "secrets", None),
            ("PUT", "secrets/KEY", {"value": "y"}),
            ("DELETE", "secrets/KEY", None),
            ("PUT", "datasets", {"datasets": ["penguins"]}),
        ):
            assert api(browser, method, f"projects/{project.pk}/{path}", body).status_code == 403
        assert browser.post(f"/projects/{project.pk}/secrets", {"name": "A", "value": "b"}).status_code == 403
        assert browser.post(f"/projects/{project.pk}/datasets", {"dataset": "penguins"}).status_code == 403
    assert opened(project.secrets.all()) == {"KEY": "x"}
    assert not project.datasets.exists()


def test_a_fork_gets_the_datasets_and_no_secret(project: Project, bob: User, tmp_path: Path) -> None:
    set_secret(project, "KEY", "x")
    project.datasets.add(Dataset.objects.create(name="penguins", folder=str(folder(tmp_path))))
    fork = fork_project(bob, project)
    assert not fork.secrets.exists()
    assert [one.name for one in fork.datasets.all()] == ["penguins"]


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "É", "PATH", "ld_preload", "PYTHONPATH", "HOME", "a" * 101])
def test_names_that_are_none(project: Project, name: str) -> None:
    with pytest.raises(Problem):
        set_secret(project, name, "x")


@pytest.mark.parametrize("value", ["", "a\0b", "x" * (LONGEST + 1)])
def test_values_that_are_none(project: Project, alices: Client, value: str) -> None:
    with pytest.raises(Problem):
        set_secret(project, "A", value)
    assert api(alices, "PUT", f"projects/{project.pk}/secrets/A", {"value": value}).status_code == 422
    assert not project.secrets.exists()


def test_there_are_not_too_many(project: Project) -> None:
    Secret.objects.bulk_create(Secret(project=project, name=f"A{n}", sealed="") for n in range(MOST))
    with pytest.raises(Problem, match="at most"):
        set_secret(project, "B", "x")
    set_secret(project, "A1", "x")


def test_the_sites_key_may_change(project: Project, settings: Any) -> None:
    set_secret(project, "A", "x")
    old = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [old]
    assert opened(project.secrets.all()) == {"A": "x"}
    settings.SECRET_KEY_FALLBACKS = []
    assert opened(project.secrets.all()) == {}


def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir(exist_ok=True)
    return made


def test_an_operator_offers_a_folder_and_a_project_chooses_it(
    alices: Client, project: Project, tmp_path: Path, settings: Any
) -> None:
    settings.MADANG_STATE = tmp_path / "state"
    made = folder(tmp_path)
    out = StringIO()
    call_command("dataset", "add", "penguins", str(made), "--summary", "Antarctic", stdout=out)
    call_command("dataset", "list", stdout=out)
    assert f"penguins\t{made}\tAntarctic" in out.getvalue()
    assert "penguins" in alices.get(f"/projects/{project.pk}/settings").content.decode()
    alices.post(f"/projects/{project.pk}/datasets", {"dataset": ["penguins", "none"]})
    assert PortalProjects().equipment(project.pk).datasets == {"penguins": made}
    assert api(alices, "GET", "datasets").json() == [{"name": "penguins", "summary": "Antarctic"}]
    made.rmdir()
    assert PortalProjects().equipment(project.pk).datasets == {}
    call_command("dataset", "remove", "penguins")
    assert not project.datasets.exists()


@pytest.mark.parametrize("what", ["state", "above", "root", "file", "none", "name"])
def test_folders_that_are_not_offered(tmp_path: Path, settings: Any, what: str) -> None:
    state = tmp_path / "state"
    (state / "projects").mkdir(parents=True)
    settings.MADANG_STATE = state
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(state / "projects")
    places = {"state": tmp_path / "link", "above": tmp_path, "root": "/", "file": tmp_path / "file",
              "none": tmp_path / "none", "name": "/usr"}  # fmt: skip
    with pytest.raises(CommandError):
        call_command("dataset", "add", "../x" if what == "name" else "x", str(places[what]))


@pytest.mark.django_db
def test_removing_what_is_not_there() -> None:
    with pytest.raises(CommandError):
        call_command("dataset", "remove", "none")
    assert not Dataset.objects.exists()
