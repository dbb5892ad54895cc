"""Jupyter's contents API, as its clients use it."""

from __future__ import annotations

import base64
import json

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from portal.models import Project
from portal.projects import create_project

BASE = "/jupyter/api/contents"


def put(client: Client, path: str, /, **body: object):
    return client.put(f"{BASE}/{path}", json.dumps(body), content_type="application/json")


def post(client: Client, path: str, /, **body: object):
    return client.post(f"{BASE}/{path}", json.dumps(body), content_type="application/json")


def patch(client: Client, path: str, /, **body: object):
    return client.patch(f"{BASE}/{path}", json.dumps(body), content_type="application/json")


def test_the_top_lists_the_projects(alices: Client, project: Project) -> None:
    for path in (BASE, f"{BASE}/"):
        model = alices.get(path).json()
        assert model["type"] == "directory"
        assert [(item["name"], item["path"], item["type"]) for item in model["content"]] == [
            ("penguins", "penguins", "directory")
        ]


def test_the_top_without_content(alices: Client, project: Project) -> None:
    model = alices.get(f"{BASE}?content=0").json()
    assert (model["content"], model["format"]) == (None, None)


def test_a_project_lists_its_files(alices: Client, project: Project) -> None:
    (project.directory / "data").mkdir()
    (project.directory / "eda.ipynb").write_text("{}")
    model = alices.get(f"{BASE}/penguins").json()
    assert [(item["path"], item["type"], item["content"]) for item in model["content"]] == [
        ("penguins/data", "directory", None),
        ("penguins/eda.ipynb", "notebook", None),
        ("penguins/main.py", "file", None),
    ]


def test_text_is_saved_and_read(alices: Client, project: Project) -> None:
    saved = put(alices, "penguins/한글 파일.txt", type="file", format="text", content="안녕\n")
    assert saved.status_code == 201
    assert saved["Location"] == f"{BASE}/penguins/%ED%95%9C%EA%B8%80%20%ED%8C%8C%EC%9D%BC.txt"
    assert (saved.json()["content"], saved.json()["size"]) == (None, 7)
    model = alices.get(f"{BASE}/penguins/한글 파일.txt").json()
    assert (model["content"], model["format"], model["mimetype"]) == ("안녕\n", "text", "text/plain")
    assert put(alices, "penguins/한글 파일.txt", type="file", format="text", content="").status_code == 200


def test_line_ends_and_nuls_round_trip(alices: Client, project: Project) -> None:
    text = "a\r\nb\rc\n\0\N{LINE SEPARATOR}"
    put(alices, "penguins/ends.txt", type="file", format="text", content=text)
    assert (project.directory / "ends.txt").read_bytes() == text.encode()
    assert alices.get(f"{BASE}/penguins/ends.txt").json()["content"] == text


def test_bytes_round_trip(alices: Client, project: Project) -> None:
    data = bytes(range(256)) * 10
    put(alices, "penguins/x.bin", type="file", format="base64", content=base64.encodebytes(data).decode())
    assert (project.directory / "x.bin").read_bytes() == data
    model = alices.get(f"{BASE}/penguins/x.bin").json()
    assert model["format"] == "base64"
    assert base64.decodebytes(model["content"].encode()) == data


def test_a_file_that_is_not_utf8_says_so(alices: Client, project: Project) -> None:
    (project.directory / "old.txt").write_bytes("옛날".encode("cp949"))
    answer = alices.get(f"{BASE}/penguins/old.txt?format=text")
    assert answer.status_code == 400
    assert answer.json()["code"] == "not_utf8"
    assert "UTF-8" in answer.json()["message"]
    assert alices.get(f"{BASE}/penguins/old.txt").json()["format"] == "base64"


def test_a_notebook_round_trips_untouched(alices: Client, project: Project) -> None:
    notebook = {"cells": [{"cell_type": "code", "source": "1", "x": [None, 0.1]}], "metadata": {"ü": 1}, "nbformat": 4}
    put(alices, "penguins/a.ipynb", type="notebook", format="json", content=notebook)
    assert (project.directory / "a.ipynb").read_text() == json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"
    model = alices.get(f"{BASE}/penguins/a.ipynb").json()
    assert (model["type"], model["format"], model["content"]) == ("notebook", "json", notebook)
    as_file = alices.get(f"{BASE}/penguins/a.ipynb?type=file&format=text").json()
    assert (as_file["type"], json.loads(as_file["content"])) == ("file", notebook)


def test_a_broken_notebook_says_so_and_opens_as_text(alices: Client, project: Project) -> None:
    (project.directory / "broken.ipynb").write_text("{not json")
    answer = alices.get(f"{BASE}/penguins/broken.ipynb")
    assert (answer.status_code, answer.json()["code"]) == (400, "not_a_notebook")
    assert alices.get(f"{BASE}/penguins/broken.ipynb?type=file").json()["content"] == "{not json"


def test_untitled_names_count_up(alices: Client, project: Project) -> None:
    names = [post(alices, "penguins", type="file", ext=".py").json()["name"] for _ in range(2)]
    names += [post(alices, "penguins", type="notebook").json()["name"] for _ in range(2)]
    names += [post(alices, "penguins", type="directory").json()["name"] for _ in range(2)]
    assert names == [
        "untitled.py", "untitled1.py", "Untitled.ipynb", "Untitled1.ipynb", "Untitled Folder", "Untitled Folder 1",
    ]  # fmt: skip
    notebook = alices.get(f"{BASE}/penguins/Untitled.ipynb").json()["content"]
    assert notebook["nbformat"] == 4


def test_a_copy_leaves_the_original(alices: Client, project: Project) -> None:
    names = [post(alices, "penguins", copy_from="penguins/main.py").json()["path"] for _ in range(2)]
    assert names == ["penguins/main-Copy1.py", "penguins/main-Copy2.py"]
    assert (project.directory / "main-Copy1.py").read_bytes() == (project.directory / "main.py").read_bytes()


def test_a_copy_from_another_own_project(alices: Client, project: Project, alice, image: str) -> None:
    create_project(alice, "Other", image)
    put(alices, "other/notes.md", type="file", format="text", content="hi")
    assert post(alices, "penguins", copy_from="other/notes.md").status_code == 201
    assert (project.directory / "notes-Copy1.md").read_text() == "hi"


def test_a_rename_moves_across_folders(alices: Client, project: Project) -> None:
    put(alices, "penguins/src", type="directory")
    answer = patch(alices, "penguins/main.py", path="penguins/src/app.py")
    assert (answer.status_code, answer.json()["path"]) == (200, "penguins/src/app.py")
    assert (project.directory / "src" / "app.py").exists()
    assert not (project.directory / "main.py").exists()


def test_a_rename_onto_a_file_is_refused(alices: Client, project: Project) -> None:
    put(alices, "penguins/other.py", type="file", format="text", content="mine")
    assert patch(alices, "penguins/main.py", path="penguins/other.py").status_code == 409
    assert (project.directory / "other.py").read_text() == "mine"


def test_files_and_folders_are_deleted(alices: Client, project: Project) -> None:
    put(alices, "penguins/src", type="directory")
    put(alices, "penguins/src/a.py", type="file", format="text", content="")
    assert alices.delete(f"{BASE}/penguins/src").status_code == 204
    assert alices.delete(f"{BASE}/penguins/main.py").status_code == 204
    assert list(project.directory.iterdir()) == []
    assert alices.delete(f"{BASE}/penguins/main.py").status_code == 404


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_projects_themselves_are_the_dashboards(alices: Client, project: Project, method: str) -> None:
    answer = getattr(alices, method)(f"{BASE}/penguins", "{}", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "projects_elsewhere")
    assert project.directory.exists()


def test_pieces_of_a_large_file(alices: Client, project: Project) -> None:
    pieces = [b"x" * 700, b"y" * 700, b"z" * 10]
    for number, piece in zip((1, 2, -1), pieces, strict=True):
        content = base64.b64encode(piece).decode()
        answer = put(alices, "penguins/big.bin", type="file", format="base64", content=content, chunk=number)
        assert answer.status_code in {200, 201}
    assert answer.json()["size"] == 1410
    assert (project.directory / "big.bin").read_bytes() == b"".join(pieces)


def test_an_upload_beyond_the_limit(alices: Client, project: Project, settings) -> None:
    settings.MADANG_UPLOAD_LIMIT = 1000
    whole = put(alices, "penguins/big.txt", type="file", format="text", content="x" * 1001)
    assert (whole.status_code, whole.json()["code"]) == (413, "too_large")
    put(alices, "penguins/big.txt", type="file", format="text", content="x" * 600, chunk=1)
    piece = put(alices, "penguins/big.txt", type="file", format="text", content="x" * 600, chunk=-1)
    assert piece.status_code == 413
    assert not (project.directory / "big.txt").exists()


def test_a_request_beyond_the_limit(alices: Client, project: Project, settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = put(alices, "penguins/big.txt", type="file", format="text", content="x" * 2000)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("penguins/a", b"not json"),
        ("penguins/a", b"[]"),
        ("penguins/a", b'"text"'),
        ("penguins/a", b"[" * 100_000),
        ("penguins/a", b'{"type":"file","format":"text","content":5}'),
        ("penguins/a", b'{"type":"file","format":"base64","content":"***"}'),
        ("penguins/a", b'{"type":"file","format":"text","content":"\\ud800"}'),
        ("penguins/a", b'{"type":"notebook","content":"text"}'),
        ("penguins/a", b'{"type":"file","format":"text","content":"x","chunk":0}'),
        ("penguins/a", b'{"type":"file","format":"text","content":"x","chunk":true}'),
        ("penguins/a", b'{"type":"file","format":"text","content":"x","chunk":"1"}'),
        ("penguins/../x", b'{"type":"file","format":"text","content":"x"}'),
        ("penguins/%2e%2e/x", b'{"type":"file","format":"text","content":"x"}'),
    ],
)
def test_bad_saves_are_told_and_write_nothing(alices: Client, project: Project, path: str, body: bytes) -> None:
    answer = alices.put(f"{BASE}/{path}", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["message"] == answer.json()["detail"]
    assert [item.name for item in project.directory.iterdir()] == ["main.py"]


@pytest.mark.parametrize("query", ["type=directory", "type=nonsense", "format=nonsense"])
def test_bad_questions_are_told(alices: Client, project: Project, query: str) -> None:
    assert alices.get(f"{BASE}/penguins/main.py?{query}").status_code == 400


def test_a_folder_asked_for_as_file(alices: Client, project: Project) -> None:
    assert alices.get(f"{BASE}/penguins?type=file").status_code == 400


@pytest.mark.parametrize(
    "path", ["penguins/none.py", "penguins/none/a.py", "penguins/main.py/x", "nothing", "nothing/a"]
)
def test_what_is_not_there(alices: Client, project: Project, path: str) -> None:
    answer = alices.get(f"{BASE}/{path}")
    assert answer.status_code == 404
    assert answer.json()["message"]


def test_a_link_is_shown_and_not_followed(alices: Client, project: Project) -> None:
    (project.directory / "passwd").symlink_to("/etc/passwd")
    listed = {item["name"]: item for item in alices.get(f"{BASE}/penguins").json()["content"]}
    assert (listed["passwd"]["writable"], listed["passwd"]["size"]) == (False, None)
    answer = alices.get(f"{BASE}/penguins/passwd")
    assert (answer.status_code, answer.json()["code"]) == (400, "not_a_file")


def test_the_scratch_project_is_there_without_asking(alices: Client, image: str) -> None:
    assert put(alices, "scratch/a.py", type="file", format="text", content="1").status_code == 201
    assert alices.get(f"{BASE}/scratch/a.py").json()["content"] == "1"
    assert Project.objects.filter(slug="scratch").count() == 1


def test_checkpoints_bring_a_file_back(alices: Client, project: Project) -> None:
    path = f"{BASE}/penguins/main.py/checkpoints"
    assert alices.get(path).json() == []
    made = alices.post(path)
    assert made.status_code == 201
    assert alices.get(path).json() == [made.json()]
    put(alices, "penguins/main.py", type="file", format="text", content="broken")
    assert alices.post(f"{path}/{made.json()['id']}").status_code == 204
    assert "Hello" in (project.directory / "main.py").read_text()
    assert alices.delete(f"{path}/{made.json()['id']}").status_code == 204
    assert alices.get(path).json() == []
    assert alices.post(f"{path}/{made.json()['id']}").status_code == 404


def test_a_renamed_file_keeps_its_checkpoint(alices: Client, project: Project) -> None:
    alices.post(f"{BASE}/penguins/main.py/checkpoints")
    patch(alices, "penguins/main.py", path="penguins/app.py")
    assert len(alices.get(f"{BASE}/penguins/app.py/checkpoints").json()) == 1
    assert alices.get(f"{BASE}/penguins/main.py/checkpoints").json() == []


def test_a_download_is_an_attachment(alices: Client, project: Project) -> None:
    (project.directory / "evil.html").write_text("<script>alert(1)</script>")
    answer = alices.get("/jupyter/files/penguins/evil.html")
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Security-Policy"].startswith("sandbox")
    assert body_of(answer) == b"<script>alert(1)</script>"


def body_of(answer) -> bytes:
    async def gather() -> bytes:
        return b"".join([block async for block in answer.streaming_content])

    return async_to_sync(gather)()


EVERY_WAY = [
    ("get", "penguins", None),
    ("get", "penguins/main.py", None),
    ("get", "penguins/main.py/checkpoints", None),
    ("post", "penguins/main.py/checkpoints", {}),
    ("post", "penguins/main.py/checkpoints/checkpoint", {}),
    ("delete", "penguins/main.py/checkpoints/checkpoint", {}),
    ("post", "penguins", {"type": "file"}),
    ("put", "penguins/main.py", {"type": "file", "format": "text", "content": "stolen"}),
    ("put", "penguins/main.py", {"type": "file", "format": "text", "content": "stolen", "chunk": 1}),
    ("patch", "penguins/main.py", {"path": "penguins/x.py"}),
    ("delete", "penguins/main.py", {}),
]


@pytest.mark.parametrize(("method", "path", "body"), EVERY_WAY)
def test_another_users_files_do_not_exist(alices, bobs, charlies, project: Project, method, path, body) -> None:
    alices.post(f"{BASE}/penguins/main.py/checkpoints")
    before = {item.name: item.read_bytes() for item in project.directory.iterdir()}
    for client, status in ((bobs, 404), (charlies, 401)):
        data = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        answer = getattr(client, method)(f"{BASE}/{path}", **data)
        assert answer.status_code == status
        assert answer.json()["detail"]
    assert {item.name: item.read_bytes() for item in project.directory.iterdir()} == before


def test_bob_cannot_copy_or_move_from_alice(bobs: Client, project: Project, bob, image: str) -> None:
    create_project(bob, "Mine", image)
    assert post(bobs, "mine", copy_from="penguins/main.py").status_code == 404
    assert patch(bobs, "mine/main.py", path="penguins/main.py").status_code == 404


def test_bob_cannot_download_from_alice(bobs: Client, charlies: Client, project: Project) -> None:
    assert bobs.get("/jupyter/files/penguins/main.py").status_code == 404
    assert charlies.get("/jupyter/files/penguins/main.py").status_code == 401


def test_two_people_may_use_the_same_slug(alices: Client, bobs: Client, project: Project, bob, image: str) -> None:
    theirs = create_project(bob, "Penguins", image)
    assert theirs.slug == project.slug
    put(bobs, "penguins/main.py", type="file", format="text", content="bob's")
    assert "Hello" in alices.get(f"{BASE}/penguins/main.py").json()["content"]
