"""New projects: from examples, archives, repositories and notebooks; and what is refused."""

from __future__ import annotations

import contextlib
import io
import json
import os
import socket
import ssl
import subprocess
import threading
import time
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from portal.beginnings import FOLDER, all_examples, examples
from portal.door import Door
from portal.fetching import check_address, clone, fetch_notebook
from portal.filling import Filling
from portal.models import Project, User
from sandbox.egress.rules import Network
from sandbox.images import images
from sessions.problems import Problem

NOTEBOOK = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def zipped(**files: str) -> SimpleUploadedFile:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/"), text)
    return SimpleUploadedFile("homework.zip", out.getvalue())


@pytest.mark.parametrize("example", list(all_examples()))
@pytest.mark.parametrize("language", ["en", "ko"])
def test_an_example_is_whole_in_both_languages(tmp_path: Path, example: str, language: str) -> None:
    one = all_examples()[example]
    one.fill(Filling(tmp_path, 1_000_000), language)
    assert (tmp_path / one.first).is_file()
    assert set(one.titles) == set(one.summaries) == {"en", "ko"}
    assert any((FOLDER / example / language).iterdir())
    for notebook in tmp_path.glob("*.ipynb"):
        assert json.loads(notebook.read_text())["nbformat"] == 4
    for source in tmp_path.rglob("*.py"):
        compile(source.read_text(), str(source), "exec")


def test_a_project_begins_as_an_example(alices: Client, alice: User) -> None:
    one = next(one for one in examples() if one.language == "python")
    page = alices.get("/projects/new?from=example", headers={"Accept-Language": "ko"}).content.decode()
    assert one.titles["ko"] in page
    answer = alices.post("/projects/new?from=example", {"example": one.name}, headers={"Accept-Language": "ko"})
    made = Project.objects.get(owner=alice)
    assert answer["Location"] == f"/p/{made.pk}/?file={one.first}"
    assert (made.name, made.image) == (one.titles["ko"], next(iter(images())))
    assert (made.directory / one.first).is_file()
    assert alices.post("/projects/new?from=example", {"example": "../x"}).status_code == 400


def test_an_archive_becomes_a_project(alices: Client, alice: User, image: str) -> None:
    form = {"image": image, "file": zipped(homework__a__main_py="1", homework__b="2")}
    answer = alices.post("/projects/new?from=zip", form)
    made = Project.objects.get(owner=alice)
    assert (answer["Location"], made.name) == (f"/p/{made.pk}/", "homework")
    assert (made.directory / "a" / "main_py").read_text() == "1"


@pytest.mark.parametrize("data", [b"", b"PK", b"no zip at all"])
def test_what_is_no_archive_is_told_and_leaves_nothing(alices: Client, alice: User, image: str, data: bytes) -> None:
    form = {"image": image, "file": SimpleUploadedFile("x.zip", data)}
    assert alices.post("/projects/new?from=zip", form).status_code == 400
    assert not Project.objects.filter(owner=alice).exists()


def test_an_archive_that_leads_out_is_told(alices: Client, image: str, settings: Any) -> None:
    answer = alices.post("/projects/new?from=zip", {"image": image, "file": zipped(**{"..__..__x": ""})})
    assert answer.status_code == 400
    assert "leads out" in answer.content.decode()
    assert not list((settings.MADANG_STATE / "projects").iterdir())


def test_an_archive_that_is_too_large(alices: Client, image: str, settings: Any) -> None:
    settings.MADANG_UPLOAD_LIMIT = 10
    assert alices.post("/projects/new?from=zip", {"image": image, "file": zipped(a="1")}).status_code == 400


@pytest.mark.parametrize(
    "address",
    ["", "x", "http://example.org/a", "file:///etc/passwd", "ssh://git@example.org/a", "ext::sh -c id", "-u", "https://",
     "https://user:secret@example.org/a", "https://token@example.org/a", "https://example.org:99999/a",
     "https://0x7f000001/a", "https://example.org/a b", "https://example.org/\na",
     "https://[::1", "https://" + "a" * 600],
)  # fmt: skip
def test_addresses_that_are_not_fetched(alices: Client, image: str, address: str) -> None:
    with pytest.raises(Problem):
        check_address(address)
    form = {"address": address, "image": image}
    assert alices.post("/projects/new?from=notebook", form).status_code == 400


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "169.254.169.254",
        "10.0.0.1",
        "192.168.1.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[fd00::1]",
    ],
)
def test_nothing_private_is_fetched(tmp_path: Path, host: str) -> None:
    for fetch in (
        lambda filling: clone(f"https://{host}:1/a", filling, 1000, lambda step: None),
        lambda filling: fetch_notebook(f"https://{host}:1/a.ipynb", filling),
    ):
        with pytest.raises(Problem, match=r"may reach|not the name|no address"):
            fetch(Filling(tmp_path, 1000))


# A server of our own, with a certificate of its own authority, which the operator would have allowed by name.


class Answers(SimpleHTTPRequestHandler):
    """Files of a folder; ``/to/…`` redirects to what follows."""

    def do_GET(self) -> None:
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
            return
        if self.path.startswith("/git/"):
            git_answer(self, Path(self.directory))
            return
        super().do_GET()

    def do_POST(self) -> None:
        git_answer(self, Path(self.directory))

    def log_message(self, *args: Any) -> None:
        """Quiet."""


def git_answer(handler: BaseHTTPRequestHandler, root: Path) -> None:
    """What ``git http-backend`` says."""
    path, _, query = handler.path.partition("?")
    body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    environment = {
        "GIT_PROJECT_ROOT": str(root), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path, "QUERY_STRING": query,
        "REQUEST_METHOD": handler.command, "CONTENT_TYPE": handler.headers.get("Content-Type") or "",
        "CONTENT_LENGTH": str(len(body)), "GIT_PROTOCOL": handler.headers.get("Git-Protocol") or "",
        "HTTP_CONTENT_ENCODING": handler.headers.get("Content-Encoding") or "", "PATH": "/usr/bin:/bin",
        "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
    }  # fmt: skip
    out = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=True).stdout
    head, _, rest = out.partition(b"\r\n\r\n")
    fields = [line.decode().split(": ", 1) for line in head.split(b"\r\n")]
    handler.send_response(int(next((value.split()[0] for name, value in fields if name == "Status"), "200")))
    for name, value in fields:
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(rest)))
    handler.end_headers()
    handler.wfile.write(rest)


@pytest.fixture
def server(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Path]]:
    """Its address, and the folder that it serves."""
    root, key, certificate = tmp_path / "www", tmp_path / "key.pem", tmp_path / "certificate.pem"
    (root / "git").mkdir(parents=True)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    served = ThreadingHTTPServer(("127.0.0.1", 0), lambda *args: Answers(*args, directory=str(root)))
    served.socket = context.wrap_socket(served.socket, server_side=True)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    port = served.server_address[1]
    settings.MADANG_EGRESS_ALLOW = [f"localhost:{port}"]
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("GIT_SSL_CAINFO", str(certificate))
    yield f"https://localhost:{port}", root
    served.shutdown()
    served.server_close()


def repository(root: Path, **files: bytes) -> None:
    def git(*words: str, at: Path) -> None:
        who = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "init.defaultBranch=main"]
        subprocess.run(["git", *who, *words], cwd=at, check=True, capture_output=True)

    work = root.parent / "work"
    work.mkdir()
    git("init", at=work)
    for name, data in files.items():
        (work / name).write_bytes(data)
    (work / "link").symlink_to("/etc/passwd")
    for text in ("one", "two"):
        (work / "README.md").write_text(text)
        git("add", ".", at=work)
        git("commit", "-m", text, at=work)
    git("clone", "--bare", str(work), str(root / "git" / "demo.git"), at=root)


def test_a_repository_becomes_a_project(
    server: tuple[str, Path], alices: Client, alice: User, bobs: Client, image: str, transactional_db: None
) -> None:
    address, root = server
    repository(root, **{"main.py": b"print(1)"})
    answer = alices.post("/projects/new?from=git", {"address": f"{address}/git/demo.git", "image": image})
    assert answer.status_code == 302
    page = answer["Location"]
    assert bobs.get(page).status_code == 404, "an import is its owner's"
    wait_for(lambda: alices.get(page).status_code == 302 or b"did not come" in alices.get(page).content)
    made = Project.objects.get(owner=alice)
    assert alices.get(page)["Location"] == f"/p/{made.pk}/"
    assert made.name == "demo"
    assert (made.directory / "README.md").read_text() == "two"
    assert not (made.directory / "link").is_symlink()
    assert (made.directory / ".git").is_dir()


def wait_for(condition: Any, seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.05)


def test_a_repository_that_is_too_large_or_not_there(server: tuple[str, Path], tmp_path: Path) -> None:
    address, root = server
    repository(root, big=os.urandom(3_000_000))
    steps: list[str] = []
    for path, room, status in (("demo", 1_000_000, 507), ("none", 10_000_000, 502), ("demo", 20_000_000, 0)):
        folder = tmp_path / f"{path}-{room}"
        folder.mkdir()
        failing = pytest.raises(Problem) if status else contextlib.nullcontext()
        with failing as problem:
            clone(f"{address}/git/{path}.git", Filling(folder, room), room, steps.append)
        if status:
            assert problem is not None
            assert problem.value.status == status
    assert any("objects" in step for step in steps), steps


def test_a_redirect_into_the_house_is_not_followed(server: tuple[str, Path], tmp_path: Path) -> None:
    address, _root = server
    for target in (
        "https://127.0.0.1:1/x.ipynb",
        "http://localhost/x.ipynb",
        "file:///etc/passwd",
        "https://169.254.169.254/x",
    ):
        with pytest.raises(Problem):
            fetch_notebook(f"{address}/to/{target}", Filling(tmp_path / "none", 1000))


def test_a_notebook_is_fetched(server: tuple[str, Path], tmp_path: Path) -> None:
    address, root = server
    (root / "my lesson.ipynb").write_text(json.dumps(NOTEBOOK))
    (root / "page.ipynb").write_text("<html>")
    folder = tmp_path / "new"
    folder.mkdir()
    fetch_notebook(f"{address}/to/{address}/my%20lesson.ipynb", Filling(folder, 10_000))
    assert [json.loads(path.read_text()) for path in folder.glob("*.ipynb")] == [NOTEBOOK]
    with pytest.raises(Problem, match="not a Jupyter notebook"):
        fetch_notebook(f"{address}/page.ipynb", Filling(folder, 10_000))
    with pytest.raises(Problem):
        fetch_notebook(f"{address}/none.ipynb", Filling(folder, 10_000))


def test_a_site_that_fetches_nothing(alices: Client, settings: Any, tmp_path: Path) -> None:
    settings.MADANG_FETCH = "none"
    page = alices.get("/projects/new").content.decode()
    assert "from=git" not in page
    assert "from=notebook" not in page
    with pytest.raises(Problem, match="fetches nothing"):
        fetch_notebook("https://example.org/a.ipynb", Filling(tmp_path, 1000))


@pytest.mark.parametrize(
    "head", [b"GET / HTTP/1.1\r\n\r\n", b"CONNECT x HTTP/1.1\r\n\r\n", b"\0" * 100_000, b"CONNECT"]
)
def test_the_door_takes_nothing_else(head: bytes) -> None:
    with Door(Network("public"), ()) as door:
        host, port = door.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(head)
                connection.shutdown(socket.SHUT_WR)
                assert not connection.recv(1000).startswith(b"HTTP/1.1 200")
