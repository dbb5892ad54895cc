"""Saved environments: who saves, chooses and forgets them, and what a session begins with."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from portal import packages
from portal.directory import PortalProjects
from portal.files import Files
from portal.lockfiles import Pinned
from portal.models import Project, User
from portal.packages import choose, environments, remove, save, setup_of
from portal.people import let_in
from portal.projects import fork_project
from portal.roles import Role
from sessions.commands import Finished
from sessions.lifecycle import State
from sessions.models import Session
from sessions.problems import Problem
from tests.portal.conftest import signed_in

YARD = Pinned("yard", "1.0", ("a" * 64,))
TOLD = {"packages": [{"name": "yard", "version": "1.0", "sha256": "a" * 64}], "left_out": ["mine"]}

pytestmark = pytest.mark.django_db(transaction=True)


def api(browser: Client, method: str, path: str, body: Any = None) -> Any:
    text = json.dumps(body) if body is not None else ""
    return browser.generic(method, f"/api/v1/projects/{path}", text, content_type="application/json")


@pytest.fixture
def session(project: Project, alice: User) -> Session:
    return Session.objects.create(
        user=alice, project=project.pk, image=project.image, slots={}, state=State.RUNNING.value, idle_timeout=60
    )


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Finished:
    """What the session's command says, which a test may change."""
    finished = Finished(stdout=json.dumps(TOLD), exit_code=0)

    async def run(*asked: Any) -> Finished:
        return finished

    monkeypatch.setattr(packages, "run_command", run)
    return finished


def test_what_is_installed_is_saved_listed_and_what_sessions_begin_with(
    alices: Client, project: Project, session: Session, said: Finished
):
    assert api(alices, "GET", f"{project.pk}/environments").json() == []
    assert PortalProjects().equipment(project.pk).setup == ("", "")
    answer = api(alices, "POST", f"{project.pk}/environments", {"name": "plots"})
    assert answer.status_code == 201, answer.content
    assert answer.json() | {"changed": ""} == {
        "name": "plots",
        "path": ".madang/environments/plots.lock",
        "changed": "",
        "chosen": True,
        "packages": [{"name": "yard", "version": "1.0"}],
        "left_out": ["mine"],
    }
    (listed,) = api(alices, "GET", f"{project.pk}/environments").json()
    assert (listed["name"], listed["chosen"], listed["packages"]) == ("plots", True, answer.json()["packages"])
    terminal, command = PortalProjects().equipment(project.pk).setup
    assert terminal == "packages"
    assert command.startswith("python -m pip install --no-deps --require-hashes ")
    assert command.endswith("-r .madang/environments/plots.lock")
    text = (project.directory / listed["path"]).read_text()
    assert text.splitlines()[1:] == ["yard==1.0 \\", f"    --hash=sha256:{'a' * 64}"]


def test_one_is_chosen_or_none_and_forgotten(alices: Client, project: Project):
    for name in ("one", "two"):
        save(project, name, project.image, [YARD])
    assert [(one.name, one.chosen) for one in environments(project)] == [("one", False), ("two", True)]
    answer = api(alices, "PUT", f"{project.pk}/environment", {"name": "one"})
    assert [one["chosen"] for one in answer.json()] == [True, False]
    assert api(alices, "PUT", f"{project.pk}/environment", {"name": "three"}).status_code == 404
    assert api(alices, "PUT", f"{project.pk}/environment", {"name": ""}).status_code == 200
    assert setup_of(project) == ("", "")
    choose(project, "two")
    assert api(alices, "DELETE", f"{project.pk}/environments/two").status_code == 204
    assert setup_of(project) == ("", "")
    assert api(alices, "DELETE", f"{project.pk}/environments/two").status_code == 404


def test_a_fork_has_them_without_what_was_downloaded(project: Project, bob: User):
    save(project, "plots", project.image, [YARD])
    (project.directory / ".madang" / "cache").mkdir()
    (project.directory / ".madang" / "cache" / "wheel").write_text("x")
    fork = fork_project(bob, project)
    assert setup_of(fork) == setup_of(project) != ("", "")
    assert not (fork.directory / ".madang" / "cache").exists()


def test_only_who_may_run_saves_and_strangers_learn_nothing(
    project: Project, session: Session, said: Finished, alices: Client, bobs: Client, charlies: Client
):
    save(project, "plots", project.image, [YARD])
    viewer, editor = (User.objects.create_user(f"{role}@example.org") for role in ("viewer", "editor"))
    let_in(project, viewer, Role.VIEWER)
    let_in(project, editor, Role.EDITOR)
    calls = [
        ("POST", "environments", {"name": "mine"}),
        ("PUT", "environment", {"name": ""}),
        ("DELETE", "environments/plots", None),
    ]
    for browser, expected in ((bobs, 404), (charlies, 401), (signed_in(viewer), 403)):
        for method, path, body in calls:
            assert api(browser, method, f"{project.pk}/{path}", body).status_code == expected, (path, expected)
        assert browser.post(f"/projects/{project.pk}/packages", {"name": "mine"}).status_code in (302, 403, 404)
    assert api(bobs, "GET", f"{project.pk}/environments").status_code == 404
    assert api(signed_in(viewer), "GET", f"{project.pk}/environments").status_code == 200
    assert [(one.name, one.chosen) for one in environments(project)] == [("plots", True)]
    assert [api(signed_in(editor), *_of(project, call)).status_code for call in calls] == [201, 200, 204]


def _of(project: Project, call: tuple[str, str, Any]) -> tuple[str, str, Any]:
    method, path, body = call
    return method, f"{project.pk}/{path}", body


@pytest.mark.parametrize("name", ["../../x", "A", "a/b", "", ".x", "x" * 41, "a\n", "ä"])
def test_a_name_is_a_name(name: str, alices: Client, project: Project, session: Session, said: Finished):
    assert api(alices, "POST", f"{project.pk}/environments", {"name": name}).status_code == 422
    assert not (project.directory / ".madang").exists()


@pytest.mark.parametrize(
    ("stdout", "code"),
    [
        ("", "not_saved"),
        ("[]", "not_saved"),
        ('{"packages": []}', "nothing_installed"),
        ('{"packages": [3]}', "not_saved"),
    ],
)
def test_a_session_that_says_nonsense_or_nothing_changes_nothing(
    stdout: str, code: str, alices: Client, project: Project, session: Session, said: Finished
):
    said.stdout = stdout
    answer = api(alices, "POST", f"{project.pk}/environments", {"name": "plots"})
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert environments(project) == []


def test_a_session_that_takes_too_long_is_said_to(alices: Client, project: Project, session: Session, said: Finished):
    said.stdout, said.cause = "", "time_limit"
    answer = api(alices, "POST", f"{project.pk}/environments", {"name": "plots"})
    assert answer.json()["detail"] == "It took more than 300 seconds."


def test_without_a_session_nothing_is_saved(alices: Client, project: Project):
    answer = api(alices, "POST", f"{project.pk}/environments", {"name": "plots"})
    assert (answer.status_code, answer.json()["code"]) == (409, "no_session")


def test_what_programs_do_to_the_files_breaks_no_page(alices: Client, project: Project):
    save(project, "plots", project.image, [YARD])
    folder = project.directory / ".madang"
    (folder / "environments" / "plots.lock").write_bytes(b"\xff\xfe-e .")
    (folder / "environments" / "link.lock").symlink_to("/etc/passwd")
    (folder / "environments" / "bad name.lock").write_text("")
    assert [(one.name, one.packages) for one in environments(project)] == [("plots", None)]
    page = alices.get(f"/projects/{project.pk}/packages")
    assert "is no lock file" in page.content.decode()
    (folder / "environment").unlink()
    (folder / "environment").symlink_to("/etc/passwd")
    assert setup_of(project) == ("", "")
    (folder / "environment").unlink()
    (folder / "environment").write_text("../../../etc/passwd; rm -rf /")
    assert setup_of(project) == ("", "")
    with Files(project.directory) as files:
        files.remove(".madang")
    assert environments(project) == []


def test_a_project_has_so_many_and_no_more(project: Project, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(packages, "MOST", 1)
    save(project, "one", project.image, [YARD])
    save(project, "one", project.image, [YARD])
    with pytest.raises(Problem, match="at most 1"):
        save(project, "two", project.image, [YARD])
    remove(project, "one")
    save(project, "two", project.image, [YARD])


def test_the_page_saves_chooses_and_forgets_in_both_languages(
    alices: Client, project: Project, session: Session, said: Finished
):
    here = f"/projects/{project.pk}/packages"
    page = alices.post(here, {"name": "plots"}, follow=True).content.decode()
    assert "1 packages are saved as plots" in page or "1 package" in page
    assert "yard 1.0" in page
    assert "mine" in page
    assert "in use" in page
    assert "in use" not in alices.post(here, {"choose": ""}, follow=True).content.decode()
    assert alices.post(here, {"name": "Not a name"}).status_code == 400
    korean = alices.get(here, headers={"accept-language": "ko"}).content.decode()
    assert "지금 설치된 패키지 저장" in korean
    alices.post(here, {"remove": "plots"})
    assert environments(project) == []
