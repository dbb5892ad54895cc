"""Search and replace in files: what is found is what is changed, and it can be undone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from portal.files import Files
from portal.models import Project
from portal.search import MOST_IN_FILE, Query, Search, lines, replaced
from portal.walk import Walk
from sessions.problems import Problem
from tests.portal.test_contents import body_of
from tests.portal.test_trash import at, send


def found(project: Project, query: Query, seconds: float = 10.0) -> list[dict[str, Any]]:
    with Files(project.directory) as files:
        return list(Search(files, query, seconds))


def body(response: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in body_of(response).splitlines()]


def test_a_match_says_where_it_is(project: Project) -> None:
    (project.directory / "data").mkdir()
    (project.directory / "data" / "a.txt").write_text("one\r\n𝄞 Two two\n", newline="")
    first, end = found(project, Query("two"))
    assert first["path"] == "data/a.txt"
    assert [(m["line"], m["column"], m["before"], m["match"], m["after"]) for m in first["matches"]] == [
        (2, 4, "𝄞 ", "Two", " two"),
        (2, 8, "𝄞 Two ", "two", ""),
    ]
    assert (end["type"], end["matches"], end["more"]) == ("end", 2, False)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        (Query("Cat", case=True), 1),
        (Query("cat", word=True), 2),
        (Query(r"c.t\b", regex=True), 3),
        (Query("c.t"), 0),
        (Query("cat", only=("*.md",)), 0),
        (Query("cat", only=("*.md", "*.txt")), 4),
    ],
)
def test_options(project: Project, query: Query, count: int) -> None:
    (project.directory / "a.txt").write_text("Cat cat\nconcat cats")
    assert found(project, query)[-1]["matches"] == count


@pytest.mark.parametrize("pattern", ["(", "a*", "(?=x)", r"\1", "((a{1,900}){1,900})", "^", "x{0}"])
def test_a_bad_pattern_is_refused_before_anything_is_sent(alices: Client, project: Project, pattern: str) -> None:
    response = send(alices, "POST", at(project, "search"), {"text": pattern, "regex": True})
    assert response.status_code == 422
    assert response.json()["detail"]


def test_a_pattern_that_ruins_others_takes_its_time_here(project: Project) -> None:
    (project.directory / "a.txt").write_text("a" * 5000 + "b\n" + "a" * 5000)
    assert found(project, Query("(a+)+$", regex=True))[-1]["matches"] == 1


def test_what_is_no_text_is_passed_over(project: Project) -> None:
    (project.directory / "a.bin").write_bytes(b"needle\0")
    (project.directory / "b.txt").write_bytes(b"needle \xff")
    (project.directory / "c").symlink_to("/etc/passwd")
    (project.directory / ".git").mkdir()
    (project.directory / ".git" / "d").write_text("needle")
    *files, end = found(project, Query("needle"))
    assert (files, end["passed_over"]) == ([], 2)


def test_it_is_bounded(project: Project) -> None:
    (project.directory / "a.txt").write_text("x\n" * (MOST_IN_FILE + 5))
    first, _end = found(project, Query("x", only=("*.txt",)))
    assert len(first["matches"]) == MOST_IN_FILE
    assert found(project, Query("x"), seconds=0)[-1]["more"]
    with Files(project.directory) as files:
        walk = Walk(files, most=1)
        assert len(list(walk)) == 1
        assert walk.more


@pytest.mark.parametrize(
    ("replacement", "result"), [("<$1$$$0>", "<k$k=v>"), ("$2", "v"), ("$7", ""), ("plain \\1", "plain \\1")]
)
def test_groups_in_a_replacement(replacement: str, result: str) -> None:
    assert replaced("k=v", Query("(k)=(v)", regex=True, replacement=replacement)) == (result, 1)


texts = st.text(alphabet=st.sampled_from("ab.é\n\r\u2028 𝄞"), max_size=60)


@given(texts, st.text(alphabet="ab.é", min_size=1, max_size=3), st.text(alphabet="ab$\\1", max_size=4))
def test_replacing_literally_is_what_str_replace_does(text: str, needle: str, replacement: str) -> None:
    assert replaced(text, Query(needle, case=True, replacement=replacement)) == (
        text.replace(needle, replacement),
        text.count(needle),
    )


@given(texts)
def test_lines_end_where_editors_end_them(text: str) -> None:
    assert "\n".join(lines(text)) == text.replace("\r\n", "\n").replace("\r", "\n")


def test_replace_shows_first_then_changes_then_undoes(alices: Client, project: Project) -> None:
    (project.directory / "a.txt").write_text("cat\r\ndog cat\n", newline="")
    (project.directory / "b.txt").write_text("cat")
    wanted = {"text": "cat", "replacement": "한글", "only": ["*.txt"]}
    *files, _end = body(send(alices, "POST", at(project, "search"), wanted))
    assert {m["replaced"] for file in files for m in file["matches"]} == {"한글"}
    seen = {file["path"]: file["modified"] for file in files}
    (project.directory / "b.txt").write_text("cat, changed since")
    outcome = send(alices, "POST", at(project, "replace"), {**wanted, "seen": seen}).json()
    assert (outcome["files"], outcome["count"], outcome["refused"]) == (["a.txt"], 2, {"b.txt": "changed"})
    assert (project.directory / "a.txt").read_bytes() == "한글\r\ndog 한글\n".encode()
    undone = send(alices, "POST", at(project, f"replace/{outcome['undo']}/undo")).json()
    assert undone["files"] == ["a.txt"]
    assert (project.directory / "a.txt").read_bytes() == b"cat\r\ndog cat\n"


def test_undo_leaves_alone_what_was_changed_since(alices: Client, project: Project) -> None:
    (project.directory / "a.txt").write_text("cat")
    with Files(project.directory) as files:
        modified = files.entry("a.txt").modified.isoformat()
    asked = {"text": "cat", "replacement": "dog", "seen": {"a.txt": modified}}
    outcome = send(alices, "POST", at(project, "replace"), asked).json()
    (project.directory / "a.txt").write_text("mine")
    assert send(alices, "POST", at(project, f"replace/{outcome['undo']}/undo")).json()["refused"] == {
        "a.txt": "changed"
    }
    assert (project.directory / "a.txt").read_text() == "mine"


def test_bob_neither_searches_nor_replaces(bobs: Client, charlies: Client, project: Project) -> None:
    for client, status in ((bobs, 404), (charlies, 401)):
        assert send(client, "POST", at(project, "search"), {"text": "x"}).status_code == status
        asked = {"text": "x", "replacement": "y", "seen": {"main.py": ""}}
        assert send(client, "POST", at(project, "replace"), asked).status_code == status
        assert send(client, "POST", at(project, f"replace/{'0' * 16}/undo")).status_code == status
        for path in ("names", "files.zip?path=main.py", "upload?path=main.py"):
            assert client.get(at(project, path)).status_code == status


def test_a_search_needs_a_text(alices: Client, project: Project) -> None:
    for asked in ({}, {"text": ""}, {"text": "x" * 1001}, {"text": "x", "only": ["*"] * 21}):
        assert send(alices, "POST", at(project, "search"), asked).status_code == 422


def test_a_link_is_not_written_through(alices: Client, project: Project, tmp_path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("cat")
    (project.directory / "a").symlink_to(outside)
    with Files(project.directory) as files:
        modified = files.entry("a").modified.isoformat()
    asked = {"text": "cat", "replacement": "dog", "seen": {"a": modified}}
    assert send(alices, "POST", at(project, "replace"), asked).json()["refused"] == {"a": "unreadable"}
    assert outside.read_text() == "cat"


def test_a_query_with_no_pattern_is_a_problem() -> None:
    with pytest.raises(Problem):
        Query("(", regex=True).pattern()
