"""History over REST, renaming, deleting, and what strangers get."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.db import connections
from django.test import AsyncClient
from django.utils import timezone
from pycrdt import Doc, Text

from portal.documents import disk, history, kinds, log
from portal.documents.models import Document, Snapshot, Update
from portal.documents.replica import replica_of
from portal.projects import delete_project, purge_expired
from tests.portal.conftest import signed_in
from tests.portal.documents_client import Tab

pytestmark = pytest.mark.django_db(transaction=True)
FILE = "notes.txt"


@pytest.fixture(autouse=True)
async def _no_connection_stays(transactional_db: None) -> AsyncIterator[None]:
    yield
    await sync_to_async(connections.close_all)()


@pytest.fixture
def file(project) -> Path:
    path: Path = project.directory / FILE
    path.write_text("one\n")
    return path


@pytest.fixture
def url(project, file) -> str:
    return f"/api/v1/projects/{project.pk}/documents/{FILE}/history"


async def ask(user: Any, method: str, path: str, status: int = 200) -> Any:
    client = AsyncClient()
    if user is not None:
        await client.aforce_login(user)
    response = await client.generic(method, path)
    assert response.status_code == status, response.content
    return response.json()


async def test_states_and_going_back(alice, project, file, url) -> None:
    async with Tab(alice, project, FILE) as tab:
        await tab.write("two\n")
        await tab.all_saved()
        (newest, first) = (await ask(alice, "GET", url))["items"]
        assert (newest["origin"], [author["name"] for author in newest["authors"]]) == ("edit", ["Alice"])
        assert (first["origin"], first["authors"]) == ("disk", [])
        old = await ask(alice, "GET", f"{url}/{first['number']}")
        assert old == {"number": first["number"], "text": "one\n"}
    text = (await ask(alice, "GET", f"{url}/{newest['number']}"))["text"]
    assert text == "one\ntwo\n"


async def test_restoring_is_an_edit(alice, alices_key, project, file, url) -> None:
    async with Tab(alice, project, FILE) as tab:
        await tab.write("two\n")
        await tab.all_saved()
        response = await AsyncClient().post(f"{url}/1/restore", headers={"Authorization": f"Bearer {alices_key}"})
        assert response.status_code == 201
        await tab.until(lambda: str(tab.source) == "one\n")
        await tab.until(lambda: file.read_text() == "one\n")
    items = (await ask(alice, "GET", url))["items"]
    assert [item["origin"] for item in items] == ["restore", "edit", "disk"]


async def test_strangers(bob, project, url) -> None:
    await ask(bob, "GET", url, 404)
    await ask(bob, "GET", f"{url}/1", 404)
    await ask(None, "GET", url, 401)
    notebooks = f"/api/v1/projects/{project.pk}/notebooks/{FILE}"
    for action in ("execute", "interrupt", "restart", "input"):
        await ask(None, "POST", f"{notebooks}/{action}", 401)


async def test_what_is_not_there(alice, project, url) -> None:
    assert (await ask(alice, "GET", f"{url}/99", 404))["code"] == "not_found"
    await ask(alice, "GET", url.replace(FILE, "missing.txt"), 404)
    await ask(alice, "GET", url.replace(FILE, "%2e%2e/x"), 400)
    for page in ("before=0", "before=x", "limit=501"):
        await ask(alice, "GET", f"{url}?{page}", 422)


def keep_log(row: Document, *entries: tuple[float, Any, str]) -> None:
    """A log of such (seconds, author, origin), with nothing in it."""
    begun = timezone.now() - timedelta(days=1)
    made = [
        Update(document=row, number=n, author=author, origin=origin, at=begun + timedelta(seconds=at), data=b"\0\0")
        for n, (at, author, origin) in enumerate(entries, row.number + 1)
    ]
    Update.objects.bulk_create(made)


def seen(page: dict[str, Any]) -> list[tuple[int, list[str], str]]:
    items = page["items"]
    return [(item["number"], [author["name"] for author in item["authors"]], item["origin"]) for item in items]


def test_edits_without_a_pause_are_one_state(alice, bob, project, file, url) -> None:
    row = disk.open_document(project, FILE)
    together = [(n / 2, bob if n % 2 else alice, log.EDIT) for n in range(20)]
    apart = [(20.0, alice, log.EDIT), (79.0, alice, log.EDIT), (80.0, alice, log.KERNEL), (81.0, None, log.DISK)]
    last = [(82.0, alice, log.EDIT), (83.0, alice, log.RESTORE), (84.0, alice, log.EDIT), (143.9, alice, log.EDIT)]
    keep_log(row, *together, *apart, *last, (204.0, alice, log.EDIT))
    states = [*reversed(seen(signed_in(alice).get(url).json()))]
    assert states[1:] == [
        (21, ["Alice", "Bob"], "edit"),
        (24, ["Alice"], "edit"),
        (25, [], "disk"),
        (26, ["Alice"], "edit"),
        (27, ["Alice"], "restore"),
        (29, ["Alice"], "edit"),
        (30, ["Alice"], "edit"),
    ]


def test_a_long_history_comes_in_pages(alice, project, file, url, monkeypatch) -> None:
    monkeypatch.setattr(history, "_MOST_ROWS", 7)
    row = disk.open_document(project, FILE)
    keep_log(row, *((100.0 * (n // 3) + n % 3, alice, log.EDIT) for n in range(60)))
    browser = signed_in(alice)
    whole: list[int] = []
    page = browser.get(url, {"limit": 3}).json()
    while page["next"] is not None:
        whole += [item["number"] for item in page["items"]]
        page = browser.get(url, {"limit": 3, "before": page["next"]}).json()
    whole += [item["number"] for item in page["items"]]
    assert whole == [*range(61, 0, -3)]


async def test_a_renamed_file_is_the_same_document(alice, project, file) -> None:
    async with Tab(alice, project, FILE) as tab:
        await tab.write("two\n")
        await tab.all_taken()
        client = AsyncClient()
        await client.aforce_login(alice)
        target = f"{project.slug}/moved.txt"
        answer = await client.patch(
            f"/jupyter/api/contents/{project.slug}/{FILE}", json.dumps({"path": target}), "application/json"
        )
        assert answer.status_code == 200
        await tab.write("three\n")
        moved = project.directory / "moved.txt"
        await tab.until(lambda: moved.read_text() == "one\ntwo\nthree\n")
        assert not file.exists()
        await tab.close()
        await tab.connect()
        assert tab.hello["path"] == "moved.txt"


@pytest.mark.parametrize("turns", range(5))
async def test_it_is_let_go_of_at_whatever_moment_something_changes(alice, project, file, turns: int) -> None:
    row = await sync_to_async(disk.open_document)(project, FILE)
    async with asyncio.timeout(30):
        async with replica_of(row) as replica:
            await asyncio.sleep(0.1)
            replica.save_now()
            for _ in range(turns):
                await asyncio.sleep(0)
        async with replica_of(row) as again:
            assert again is not replica


async def test_a_deleted_project_closes_what_is_open(alice, project, file) -> None:
    async with Tab(alice, project, FILE) as tab:
        await database_sync_to_async(delete_project)(project)
        assert await tab.closed() == 4403
        await tab.connect()
        assert tab.code == 4404


def test_a_purge_leaves_no_locks(alice, project, file, settings) -> None:
    row = disk.open_document(project, FILE)
    disk.sync(row.pk, [log.at(row.pk, 1).get_update()], 1)
    locks = Path(settings.MADANG_STATE) / "run" / "documents"
    assert [lock.name for lock in locks.iterdir()] == [str(row.pk)]
    delete_project(project)
    type(project).objects.update(deleted_at="2020-01-01T00:00:00Z")
    assert purge_expired() == 1
    assert [*locks.iterdir()] == []
    assert not Document.objects.exists()


def test_a_log_that_is_compacted_says_the_same(alice, bob, project, file, monkeypatch) -> None:
    monkeypatch.setattr(log, "COMPACT_AT", 5)
    row = disk.open_document(project, FILE)
    doc = log.at(row.pk, 1)
    for n in range(20):
        before = doc.get_state()
        doc.get("source", type=Text).insert(0, f"{n} ")
        log.append(row.pk, [log.Change(doc.get_update(before), (alice if n < 12 else bob).pk, log.EDIT)])
    states = [text(log.at(row.pk, n)) for n in (13, 21)]
    Update.objects.update(at="2020-01-01T00:00:00Z")
    disk.sync(row.pk, [], 0)
    log.compact(row.pk)
    assert Snapshot.objects.count() == 1
    assert [*Update.objects.order_by("number").values_list("number", flat=True)] == [1, 13, 21]
    assert [text(log.at(row.pk, n)) for n in (13, 21)] == states
    assert text(kinds.load(*log.newest(row.pk)[1])) == states[1] == file.read_text()
    assert len(signed_in(alice).get(f"/api/v1/projects/{project.pk}/documents/{FILE}/history").json()["items"]) == 2


def text(doc: Doc[Any]) -> str:
    return kinds.render(doc, "text", "\n", b"").decode()
