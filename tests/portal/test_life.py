"""Forks, archive, download, tags and the list of projects."""

from __future__ import annotations

import io
import os
import uuid
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client
from django.utils import timezone

from portal.listing import Wanted, freshen, last_opened, listed, tags_of
from portal.models import Membership, Project, User
from portal.people import let_in
from portal.projects import (
    STRAY,
    archive_project,
    create_project,
    delete_project,
    fork_project,
    purge_strays,
    set_tags,
    touch_project,
)
from portal.roles import Role
from sandbox.slots import Slots
from sessions.problems import Problem


def names(user: User, **wanted: Any) -> list[str]:
    return [project.name for project in listed(user, Wanted(**wanted))]


def test_a_fork_has_the_files_and_remembers_where_they_are_from(project: Project, bob: User, bobs: Client) -> None:
    folder = project.directory
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "한글.txt").write_text("마당")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "link").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe")
    let_in(project, bob, Role.VIEWER)
    answer = bobs.post(f"/projects/{project.pk}/fork")
    fork = Project.objects.owned_by(bob).get()
    assert answer["Location"] == f"/p/{fork.pk}/"
    assert (fork.origin, fork.image, fork.name) == (project, project.image, project.name)
    assert not fork.memberships.exists()
    copied = {str(path.relative_to(fork.directory)) for path in fork.directory.rglob("*")}
    assert copied == {"main.py", "a", "a/b", "a/b/한글.txt", "run.sh", "link"}
    assert (fork.directory / "run.sh").stat().st_mode & 0o100
    assert os.readlink(fork.directory / "link") == "/etc/passwd"
    (fork.directory / "main.py").write_text("changed")
    assert (folder / "main.py").read_text() != "changed"


def test_a_fork_that_is_too_large_leaves_nothing(project: Project, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    with (project.directory / "sparse").open("wb") as file:
        file.truncate(50_000_000)  # it takes nothing there, and would take all of it here
    monkeypatch.setattr("portal.projects.find_image", lambda name: small(name))
    before = set(os.listdir(project.directory.parent))
    with pytest.raises(Problem) as problem:
        fork_project(bob, project)
    assert problem.value.status == 507
    assert set(os.listdir(project.directory.parent)) == before
    assert not Project.objects.owned_by(bob).exists()


def small(name: str) -> Any:
    from dataclasses import replace

    from sandbox.images import images

    return replace(images()[name], slots=Slots(disk=10_000_000))


def test_what_was_left_by_a_kill_is_removed_once_it_is_old(project: Project) -> None:
    folder = project.directory.parent
    stray, other = folder / str(uuid.uuid4()), folder / "lost+found"
    stray.mkdir()
    other.mkdir()
    assert purge_strays() == 0, "somebody may just be making it"
    old = timezone.now() - STRAY
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("portal.projects.timezone.now", lambda: old + 2 * STRAY)
        assert purge_strays() == 1
    assert set(os.listdir(folder)) == {str(project.pk), "lost+found"}


def test_a_project_is_downloaded_as_a_zip(project: Project, bob: User, bobs: Client) -> None:
    let_in(project, bob, Role.VIEWER)
    answer = bobs.get(f"/projects/{project.pk}/download")
    assert answer["Content-Type"] == "application/zip"
    assert "penguins.zip" in answer["Content-Disposition"]

    async def body() -> bytes:
        return b"".join([piece async for piece in answer.streaming_content])  # type: ignore[attr-defined]

    with zipfile.ZipFile(io.BytesIO(async_to_sync(body)())) as archive:
        assert archive.testzip() is None
        assert archive.read("main.py") == (project.directory / "main.py").read_bytes()


def test_the_list_shows_what_is_wanted(project: Project, alice: User, bob: User, image: str) -> None:
    theirs = create_project(bob, "Walrus", image)
    let_in(theirs, alice, Role.VIEWER)
    kept = create_project(alice, "Kept", image)
    archive_project(kept)
    gone = create_project(alice, "Gone", image)
    delete_project(gone)
    assert set(names(alice)) == {"Penguins", "Walrus"}
    assert names(alice, show="mine") == ["Penguins"]
    assert names(alice, show="shared") == ["Walrus"]
    assert names(alice, show="archived") == ["Kept"]
    assert names(alice, query="peng") == ["Penguins"]
    archive_project(kept, False)
    assert set(names(alice, show="mine")) == {"Penguins", "Kept"}
    assert set(names(bob)) == {"Walrus"}


def test_each_has_their_own_order_of_opening(project: Project, alice: User, bob: User, image: str) -> None:
    other = create_project(alice, "Other", image)
    let_in(project, bob, Role.EDITOR)
    let_in(other, bob, Role.EDITOR)
    hour = timezone.now() - timedelta(hours=1)
    Project.objects.update(last_opened=hour)
    Membership.objects.update(since=hour)
    touch_project(bob, project)
    touch_project(alice, other)
    assert names(bob) == ["Penguins", "Other"]
    assert names(alice) == ["Other", "Penguins"]


def test_the_list_in_other_orders(project: Project, alice: User, image: str) -> None:
    large = create_project(alice, "abc", image)
    (large.directory / "data").write_bytes(bytes(1_000_000))
    freshen([project, large])
    assert names(alice, sort="size") == ["abc", "Penguins"]
    assert names(alice, sort="name") == ["abc", "Penguins"]
    assert names(alice, sort="created") == ["abc", "Penguins"]
    assert Project.objects.get(pk=large.pk).size > 1_000_000


def test_tags(project: Project, alice: User, bob: User, alices: Client) -> None:
    alices.post(f"/projects/{project.pk}/settings", {"name": "Penguins", "tags": " Birds, ice , birds,,   The  South "})
    assert [tag.word for tag in project.tags.all()] == ["birds", "ice", "the south"]
    assert names(alice, tag="ice") == ["Penguins"]
    assert names(alice, tag="fire") == []
    assert tags_of(alice) == ["birds", "ice", "the south"]
    assert tags_of(bob) == []
    set_tags(project, [f"t{n}" for n in range(50)])
    assert project.tags.count() == 10


@pytest.mark.parametrize(
    "query", ["", "show=shared", "show=archived", "show=x&sort=y&tag=z&q=%00&page=x", "tag=none", "sort=size", "q=zzz"]
)
def test_the_dashboard_takes_any_address(alices: Client, project: Project, query: str) -> None:
    assert alices.get(f"/dashboard?{query}").status_code == 200


def test_the_archive_is_the_owners(project: Project, bob: User, bobs: Client, alices: Client) -> None:
    let_in(project, bob, Role.EDITOR)
    assert bobs.post(f"/projects/{project.pk}/archive").status_code == 403
    assert alices.post(f"/projects/{project.pk}/archive").status_code == 302
    assert "Penguins" in alices.get("/dashboard?show=archived").content.decode()
    alices.post(f"/projects/{project.pk}/archive", {"back": "1"})
    assert Project.objects.get().archived_at is None


def test_folders_are_never_followed_out(project: Project, bob: User, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("x")
    (project.directory / "folder").symlink_to(secret)
    fork = fork_project(bob, project)
    assert (fork.directory / "folder").is_symlink()
    assert sorted(path.name for path in fork.directory.iterdir()) == ["folder", "main.py"]


def test_what_was_only_shared_is_not_where_one_was(project: Project, bob: User) -> None:
    let_in(project, bob, Role.VIEWER)
    assert last_opened(bob) is None
    touch_project(bob, project)
    assert last_opened(bob) == project
