"""What is deleted can be had back, whatever it was and whoever asks."""

from __future__ import annotations

import json
import os
import socket
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from portal import trash
from portal.files import Files
from portal.models import GRACE, Project
from portal.walk import MOST_LEVELS
from sessions.problems import Problem

LIMIT = 1 << 30


def at(project: Project, rest: str) -> str:
    return f"/api/v1/projects/{project.pk}/{rest}"


def send(client: Client, method: str, path: str, body: object = None):
    client.handler.enforce_csrf_checks = False
    return client.generic(method, path, json.dumps(body), content_type="application/json")


def throw(project: Project, path: str, limit: int = LIMIT) -> trash.Thrown:
    with Files(project.directory) as files:
        return trash.throw(project, files, path, limit)


def test_a_file_goes_and_comes_back(alices: Client, project: Project) -> None:
    text = (project.directory / "main.py").read_text()
    (thrown,) = send(alices, "POST", at(project, "trash"), {"paths": ["main.py"]}).json()
    assert (thrown["path"], thrown["kind"]) == ("main.py", "file")
    assert not (project.directory / "main.py").exists()
    assert [one["id"] for one in alices.get(at(project, "trash")).json()] == [thrown["id"]]
    back = send(alices, "POST", at(project, f"trash/{thrown['id']}/restore"))
    assert back.json() == {"path": "main.py"}
    assert (project.directory / "main.py").read_text() == text
    assert alices.get(at(project, "trash")).json() == []


def test_a_folder_comes_back_whole_with_what_forbids_to_be_read(project: Project) -> None:
    folder = project.directory / "a"
    (folder / "b").mkdir(parents=True)
    (folder / "b" / "x.txt").write_text("x")
    (folder / "link").symlink_to("/etc/passwd")
    os.chmod(folder / "b", 0)
    thrown = throw(project, "a")
    with Files(project.directory, LIMIT) as files:
        assert trash.put_back(project, files, thrown.id) == "a"
    assert (folder / "b" / "x.txt").read_text() == "x"
    assert os.readlink(folder / "link") == "/etc/passwd"


def test_who_stands_in_a_deleted_folder_cannot_go_on_writing_there(project: Project) -> None:
    folder = project.directory / "a"
    folder.mkdir()
    (folder / "x").write_text("x")
    inside = os.open(folder, os.O_RDONLY)
    try:
        throw(project, "a")
        with pytest.raises(FileNotFoundError):
            os.open("more", os.O_CREAT | os.O_WRONLY, dir_fd=inside)
    finally:
        os.close(inside)


def test_it_does_not_replace_what_took_its_place(project: Project) -> None:
    thrown = throw(project, "main.py")
    (project.directory / "main.py").write_text("new")
    with Files(project.directory, LIMIT) as files:
        assert trash.put_back(project, files, thrown.id) == "main (2).py"
    assert (project.directory / "main.py").read_text() == "new"


def test_its_folder_is_made_again(project: Project) -> None:
    (project.directory / "a" / "b").mkdir(parents=True)
    (project.directory / "a" / "b" / "x").write_text("x")
    thrown = throw(project, "a/b/x")
    throw(project, "a")
    with Files(project.directory, LIMIT) as files:
        trash.put_back(project, files, thrown.id)
    assert (project.directory / "a" / "b" / "x").read_text() == "x"


def test_the_oldest_leave_where_it_would_be_too_much(project: Project) -> None:
    ids = []
    for name in "abc":
        (project.directory / name).write_bytes(b"x" * 1000)
        ids.append(throw(project, name, 2500).id)
    assert [one.id for one in trash.listed(project)] == [ids[2], ids[1]]


def test_special_files_are_kept_and_trees_too_deep_are_not_taken(project: Project) -> None:
    os.mkfifo(project.directory / "pipe")
    assert throw(project, "pipe").kind == "special"
    listening = socket.socket(socket.AF_UNIX)
    fd = os.open(project.directory, os.O_RDONLY)
    listening.bind(f"/proc/self/fd/{fd}/socket")
    os.close(fd)
    throw(project, "socket")
    listening.close()
    deep = project.directory / "deep" / "/".join("d" * (MOST_LEVELS + 3))
    deep.mkdir(parents=True)
    (deep / "kept").write_text("x")
    with pytest.raises(Problem) as refused:
        throw(project, "deep")
    assert refused.value.code == "too_much"
    assert (deep / "kept").exists()


def test_a_note_without_its_item_is_nothing(project: Project) -> None:
    place = trash.folder_of(project) / ("0" * 16)
    place.mkdir(parents=True)
    trash.write_note(place, {"id": "0" * 16, "path": "x", "kind": "file", "size": 1, "entries": 1, "at": "2026-01-01"})
    assert trash.listed(project) == []


def test_it_is_emptied_by_hand_and_by_time(alices: Client, project: Project) -> None:
    (project.directory / "b").write_text("b")
    first, second = throw(project, "main.py"), throw(project, "b")
    assert send(alices, "DELETE", at(project, f"trash/{first.id}")).status_code == 204
    place = trash.folder_of(project) / second.id
    old = place.stat().st_mtime - (GRACE + timedelta(hours=1)).total_seconds()
    os.utime(place, (old, old))
    call_command("purge", verbosity=0)
    assert trash.listed(project) == []
    throw_again = project.directory / "c"
    throw_again.write_text("c")
    throw(project, "c")
    assert send(alices, "DELETE", at(project, "trash")).status_code == 204
    assert trash.listed(project) == []


@pytest.mark.parametrize("id", ["../../x", "0" * 16, "zz"])
def test_what_is_not_there_is_not_found(alices: Client, project: Project, id: str) -> None:
    assert send(alices, "POST", at(project, f"trash/{id}/restore")).status_code in {404, 422}
    assert send(alices, "DELETE", at(project, f"trash/{id}")).status_code in {404, 422}


def test_bob_reaches_nothing_of_it(alices: Client, bobs: Client, charlies: Client, project: Project) -> None:
    thrown = throw(project, "main.py")
    for client, status in ((bobs, 404), (charlies, 401)):
        assert client.get(at(project, "trash")).status_code == status
        assert send(client, "POST", at(project, "trash"), {"paths": ["x"]}).status_code == status
        assert send(client, "POST", at(project, f"trash/{thrown.id}/restore")).status_code == status
        assert send(client, "DELETE", at(project, f"trash/{thrown.id}")).status_code == status
        assert send(client, "DELETE", at(project, "trash")).status_code == status
    assert len(trash.listed(project)) == 1


@pytest.mark.parametrize("path", ["..", "../x", "", "/", "a/../b", ".~madang-x", "nothing"])
def test_a_bad_path_is_refused(alices: Client, project: Project, path: str) -> None:
    assert send(alices, "POST", at(project, "trash"), {"paths": ["main.py", path]}).status_code in {400, 404, 422}
    assert Path(project.directory, "main.py").exists()
