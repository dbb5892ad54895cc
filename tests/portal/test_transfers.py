"""Names, zips, parts of files and uploads that go on."""

from __future__ import annotations

import base64
import io
import os
import zipfile

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from portal.downloads import part
from portal.models import Project
from sessions.problems import Problem
from tests.portal.test_contents import body_of, put
from tests.portal.test_trash import at


def test_the_names_of_all_files(alices: Client, project: Project) -> None:
    (project.directory / "a" / "b").mkdir(parents=True)
    (project.directory / "a" / "b" / "c.txt").write_text("")
    (project.directory / "node_modules").mkdir()
    (project.directory / "node_modules" / "x.js").write_text("")
    assert alices.get(at(project, "names")).json() == {"paths": ["main.py", "a/b/c.txt"], "more": False}


def unzipped(response) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(body_of(response)))
    assert archive.testzip() is None
    return archive


def test_a_zip_of_files_and_folders(alices: Client, project: Project) -> None:
    (project.directory / "d" / "한글").mkdir(parents=True)
    (project.directory / "d" / "한글" / "x.bin").write_bytes(os.urandom(3_000_000))
    (project.directory / "d" / "passwd").symlink_to("/etc/passwd")
    os.mkfifo(project.directory / "d" / "pipe")
    response = alices.get(at(project, "files.zip?path=main.py&path=d"))
    assert response["Content-Disposition"] == "attachment; filename*=UTF-8''Penguins.zip"
    archive = unzipped(response)
    assert sorted(archive.namelist()) == ["MISSING.txt", "d/", "d/한글/", "d/한글/x.bin", "main.py"]
    assert archive.read("d/한글/x.bin") == (project.directory / "d" / "한글" / "x.bin").read_bytes()
    assert sorted(archive.read("MISSING.txt").decode().split()) == ["d/passwd", "d/pipe"]


@pytest.mark.parametrize("query", ["", "path=", "path=nothing", "path=..", "path=/"])
def test_a_zip_of_nothing(alices: Client, project: Project, query: str) -> None:
    assert alices.get(at(project, f"files.zip?{query}")).status_code in {400, 404, 422}


def test_a_part_of_a_file(alices: Client, project: Project) -> None:
    (project.directory / "x").write_bytes(bytes(range(100)))
    response = alices.get("/jupyter/files/penguins/x", headers={"range": "bytes=10-19"})
    assert (response.status_code, response["Content-Range"]) == (206, "bytes 10-19/100")
    assert body_of(response) == bytes(range(10, 20))
    assert alices.get("/jupyter/files/penguins/x", headers={"range": "bytes=100-"}).status_code == 416


@given(st.integers(1, 1000), st.integers(0, 2000), st.integers(0, 2000))
def test_a_range_lies_within_the_file(size: int, first: int, last: int) -> None:
    if first >= size and last >= first:
        with pytest.raises(Problem, match="bytes"):
            part(f"bytes={first}-{last}", size)
        return
    begin, count = part(f"bytes={first}-{last}", size)
    data = bytes(i % 251 for i in range(size))
    assert data[begin : begin + count] == (data if last < first else data[first : last + 1])


@pytest.mark.parametrize(
    "header", ["", "bytes=-", "bytes=1-2,4-5", "lines=1-2", "bytes=a-b", "bytes=" + "9" * 30 + "-"]
)
def test_a_strange_range_is_the_whole_file(header: str) -> None:
    assert part(header, 10) == (0, 10)


def test_the_end_of_a_file_can_be_asked_for() -> None:
    assert part("bytes=-4", 10) == (6, 4)
    assert part("bytes=-40", 10) == (0, 10)


def test_an_upload_tells_how_far_it_is(alices: Client, project: Project) -> None:
    def piece(number: int, data: bytes):
        content = base64.b64encode(data).decode()
        return put(alices, "penguins/big", type="file", format="base64", content=content, chunk=number)

    where = at(project, "upload?path=big")
    assert alices.get(where).json() == {"pieces": 0, "size": 0}
    piece(1, b"aaaa")
    piece(2, b"bb")
    assert alices.get(where).json() == {"pieces": 2, "size": 6}
    piece(-1, b"c")
    assert alices.get(where).json() == {"pieces": 0, "size": 0}
    assert (project.directory / "big").read_bytes() == b"aaaabbc"
