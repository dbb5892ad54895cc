"""Documents over their WebSocket: people, tabs, the file, rights, garbage."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.db import OperationalError, connections
from pycrdt import Doc, Text

from portal.documents import consumer, log, replica, wire
from portal.documents.models import Document, Update
from portal.models import Project, User
from portal.roles import Role
from sessions.changes import tell_changed
from tests.portal.documents_client import Tab
from tests.sessions.conftest import until_alone

pytestmark = pytest.mark.django_db(transaction=True)
FILE = "notes.txt"


@pytest.fixture(autouse=True)
async def _nothing_stays(transactional_db: None) -> AsyncIterator[None]:
    """What works on for a document ends with its last page, and the loop not before that."""
    yield
    gc.collect()  # a tab that connected anew has left its former connection behind, as a lost page does
    await until_alone()
    await sync_to_async(connections.close_all)()


@pytest.fixture
def file(project) -> Path:
    path: Path = project.directory / FILE
    path.write_text("one\ntwo\nthree\n")
    return path


async def test_what_two_people_write_is_in_both_and_in_the_file(alice, project, file) -> None:
    async with Tab(alice, project, FILE) as a, Tab(alice, project, FILE) as b:
        assert str(a.source) == str(b.source) == "one\ntwo\nthree\n"
        await asyncio.gather(a.write("A", 0), b.write("B"))
        await a.all_taken()
        await b.all_taken()
        await a.until(lambda: str(a.source) == str(b.source) == "Aone\ntwo\nthree\nB")
        await a.all_saved()
        assert file.read_text() == "Aone\ntwo\nthree\nB"


async def test_a_lost_connection_loses_and_doubles_nothing(alice, project, file) -> None:
    tab, other = Tab(alice, project, FILE), Tab(alice, project, FILE)
    await tab.connect()
    await tab.write("before ", 0)
    await tab.close()  # nobody knows whether that arrived
    tab.source.insert(0, "offline ")
    async with other:
        await other.write("other ", 0)
        await other.all_taken()
    async with tab:
        await tab.all_saved()
        text = str(tab.source)
    assert sorted(text.split()) == sorted(["offline", "before", "other", "one", "two", "three"])
    assert file.read_text() == text


async def test_a_replica_that_cannot_write_the_log_is_thrown_away(alice, project, file, monkeypatch) -> None:
    def full(*arguments: object) -> list[int]:
        raise OSError("the disk is full")

    async with Tab(alice, project, FILE) as tab, Tab(alice, project, FILE) as other:
        with monkeypatch.context() as patch:
            patch.setattr(log, "append", full)
            await tab.write("kept ", 0)
            assert await tab.closed() == 4503
        assert tab.taken < tab.sent
        await other.until(lambda: other.code == 4503)
        assert "kept" not in str(other.source), "told of what is not in the log"
        await tab.connect()
        await tab.all_saved()
    assert file.read_text() == "kept one\ntwo\nthree\n"


async def test_a_program_writes_the_file(alice, project, file) -> None:
    async with Tab(alice, project, FILE) as tab:
        file.write_text("one\n2\nthree\nfour\n")
        await tab.until(lambda: str(tab.source) == "one\n2\nthree\nfour\n")
        await tab.write("zero\n", 0)
        await tab.all_saved()
        assert file.read_text() == "zero\none\n2\nthree\nfour\n"
    origins = [update.origin async for update in Update.objects.order_by("number")]
    assert origins == ["disk", "disk", "edit"]


async def test_a_program_and_a_person_write_at_the_same_time(alice, project, file) -> None:
    async with Tab(alice, project, FILE) as tab:
        await tab.write("person\n", 0)
        file.write_text("one\ntwo\nthree\nprogram\n")
        await tab.until(lambda: str(tab.source) == "person\none\ntwo\nthree\nprogram\n")
        await tab.all_saved()
        await tab.until(lambda: file.read_text() == str(tab.source))


async def test_a_file_that_is_removed_comes_back_when_asked(alice, project, file) -> None:
    async with Tab(alice, project, FILE) as tab:
        file.unlink()
        await tab.until(lambda: tab.said[-1]["type"] == "gone")
        await tab.write("still ", 0)
        await tab.all_taken()
        assert not file.exists()
        await tab.send(json.dumps({"type": "save"}))
        await tab.until(file.exists)
        assert file.read_text() == "still one\ntwo\nthree\n"


async def test_a_file_that_is_its_document_is_not_written_anew(alice, project, file, monkeypatch) -> None:
    async with Tab(alice, project, FILE) as tab:
        await tab.write("zero\n", 0)
        await tab.all_saved()
    rendered: list[str] = []
    monkeypatch.setattr("portal.documents.disk.kinds.render", lambda doc, kind, *rest: rendered.append(kind))
    async with Tab(alice, project, FILE) as tab:
        assert str(tab.source) == "zero\none\ntwo\nthree\n"
    assert rendered == []


async def test_while_one_types_the_file_waits_for_a_pause(alice, project, file, monkeypatch) -> None:
    async with Tab(alice, project, FILE) as tab:
        await tab.write("a")
        await tab.all_saved()
        monkeypatch.setattr("portal.documents.replica.PAUSE_SECONDS", 3600.0)
        monkeypatch.setattr("portal.documents.replica.LONGEST_SECONDS", 3600.0)
        for _ in range(30):  # each is looked at: the file was written so short a time ago that it could be a program's
            await tab.write("b")
            await tab.all_taken()
        assert file.read_text() == "one\ntwo\nthree\na"
        file.write_text("zero\none\ntwo\nthree\na")
        await tab.until(lambda: str(tab.source) == f"zero\none\ntwo\nthree\na{'b' * 30}")


async def test_line_ends_stay_as_they_were(alice, project, file) -> None:
    file.write_bytes(b"one\r\ntwo\r\n")
    async with Tab(alice, project, FILE) as tab:
        assert str(tab.source) == "one\ntwo\n"
        await tab.write("three\n")
        await tab.all_saved()
    assert file.read_bytes() == b"one\r\ntwo\r\nthree\r\n"


@pytest.mark.parametrize(("data", "code"), [(b"\xff\xfe", 4415), (b"a\r\nb\n", 4415), (b"x" * (2 << 20) + b"y", 4413)])
async def test_what_is_no_document(alice, project, file, data: bytes, code: int) -> None:
    file.write_bytes(data)
    async with Tab(alice, project, FILE) as tab:
        assert tab.code == code
    assert file.read_bytes() == data


async def test_nobody_else_gets_in(alice, bob, project, file) -> None:
    async with Tab(bob, project, FILE) as tab:
        assert tab.code == 4403
    async with Tab(alice, project, "../secret") as tab:
        assert tab.code == 4400
    async with Tab(alice, project, "missing.txt") as tab:
        assert tab.code == 4404
    (project.directory / "link.txt").symlink_to("/etc/passwd")
    async with Tab(alice, project, "link.txt") as tab:
        assert tab.code == 4400


@database_sync_to_async
def become(user: User, project: Project, role: Role | None) -> None:
    project.memberships.filter(user=user).delete()
    if role is not None:
        project.memberships.create(user=user, role=role)
    tell_changed(project.pk)


async def test_rights_are_looked_at_again_at_once(alice, bob, project, file) -> None:
    await become(bob, project, Role.EDITOR)
    tab = Tab(bob, project, FILE)
    async with tab, Tab(alice, project, FILE) as owner:
        assert tab.hello["role"] == "editor"
        await become(bob, project, Role.VIEWER)
        await tab.until(lambda: tab.said[-1] == {"type": "role", "role": "viewer"})
        await owner.write("seen ", 0)
        await tab.until(lambda: str(tab.source).startswith("seen"))
        await tab.write("refused", 0)
        assert await tab.closed() == 4403
        await tab.connect()
        assert tab.code == 4403, "what was refused comes again with the state"
        async with Tab(bob, project, FILE) as viewer:
            assert viewer.hello["role"] == "viewer"
            await viewer.close()
            await viewer.connect()
            assert viewer.code is None, "a viewer who knows nothing new may come back"
            await become(bob, project, None)
            assert await viewer.closed() == 4403
        assert "refused" not in str(owner.source)


async def test_rights_are_looked_at_again_though_one_look_failed(bob, project, file, monkeypatch) -> None:
    looks = 0
    look_up = consumer._role_now

    async def at_first_away(user: Any, id: Any) -> Role | None:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise OperationalError("the database is away")
        return await look_up(user, id)

    monkeypatch.setattr(consumer, "_role_now", at_first_away)
    await become(bob, project, Role.EDITOR)
    async with Tab(bob, project, FILE) as tab:
        await tab.until(lambda: looks)
        await become(bob, project, None)
        assert await tab.closed() == 4403


async def test_another_document_is_not_merged(alice, project, file) -> None:
    async with Tab(alice, project, FILE) as tab:
        await tab.write("x")
        await tab.all_taken()
    await database_sync_to_async(Document.objects.all().delete)()
    async with tab:
        assert tab.code == 4409


async def test_who_is_cut_off_in_the_midst_of_a_frame_leaves_nothing_behind(alice, project, file, monkeypatch) -> None:
    taking = asyncio.Event()

    async def for_ever(*_: object) -> None:
        taking.set()
        await asyncio.Event().wait()

    tab = await Tab(alice, project, FILE).connect()
    monkeypatch.setattr("portal.documents.consumer.DocumentSocket._take", for_ever)
    await tab.write("x")
    await taking.wait()
    await tab.cut()
    assert consumer._open == {}
    assert replica._replicas == {}


async def test_who_leaves_while_the_layer_is_away_leaves_nothing_behind(alice, project, file, monkeypatch) -> None:
    async def away(*_: object) -> None:
        raise ConnectionError("nobody can be told of it")

    tab = await Tab(alice, project, FILE).connect()
    monkeypatch.setattr("portal.documents.consumer.Speaker.leave", lambda speaker: b"gone")
    monkeypatch.setattr(replica.Replica, "show_presence", lambda self, message, but: away())
    await tab.cut()
    assert replica._replicas == {}


async def test_a_document_goes_on_while_the_layer_is_away(alice, project, file, monkeypatch) -> None:
    async def away(group: str, message: Any) -> None:
        raise ConnectionError("nobody answers")

    async with Tab(alice, project, FILE) as tab, Tab(alice, project, FILE) as other:
        with monkeypatch.context() as patch:
            patch.setattr(get_channel_layer(), "group_send", away)
            await tab.write("kept ", 0)
            await tab.all_saved()
            await other.until(lambda: str(other.source).startswith("kept"))
        await other.write("and told ", 0)
        await other.all_saved()
        assert (tab.code, other.code) == (None, None)
    assert file.read_text() == "and told kept one\ntwo\nthree\n"


async def test_who_leaves_takes_the_replica_along_though_its_cancellation_is_lost(
    alice, project, file, monkeypatch
) -> None:
    telling = asyncio.Event()
    tell = replica.Replica._say

    async def losing(self: replica.Replica, message: dict[str, Any]) -> None:
        """As redis-py does on Python 3.11 with a cancellation that comes as the answer is there."""
        if message["type"] == "document.saved" and not telling.is_set():
            telling.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        await tell(self, message)

    monkeypatch.setattr(replica.Replica, "_say", losing)
    async with Tab(alice, project, FILE) as tab:
        await tab.write("kept ", 0)
        await telling.wait()
    assert replica._replicas == {}
    assert file.read_text() == "kept one\ntwo\nthree\n"


@pytest.mark.parametrize(
    "frame",
    [
        b"\x00",
        b"\x07abc",
        b"\x00\x02\x05ab",
        b"\x00\x02\x02\xff\xff",
        b"\x01\x07\x01\x05\x01\x03NaN",
        b"\x01\x02\x01\x05",
        "{",
        "[]",
        b"\x00" * 9,
    ],
)
async def test_garbage_closes_with_a_code(alice, project, file, frame: str | bytes) -> None:
    async with Tab(alice, project, FILE) as tab:
        await tab.send(frame)
        assert await tab.closed() == 4400
    assert await Update.objects.acount() == 1


async def test_an_update_that_builds_on_nothing_is_refused(alice, project, file) -> None:
    stranger: Doc[Any] = Doc()
    text = stranger.get("source", type=Text)
    text += "a"
    state = stranger.get_state()
    text += "b"
    async with Tab(alice, project, FILE) as tab:
        await tab.send(wire.sync(wire.UPDATE, stranger.get_update(state)))
        assert await tab.closed() == 4400
    assert await Update.objects.acount() == 1


async def test_a_flood_is_ended(alice, project, file) -> None:
    async with Tab(alice, project, FILE) as tab:
        for _ in range(2000):
            await tab.send(b"\x03")
        assert await tab.closed() == 4429


async def test_presence_in_ones_own_name_only(alice, bob, project, file, monkeypatch) -> None:
    monkeypatch.setattr("portal.documents.consumer.role_of", lambda user, project: Role.EDITOR)
    async with Tab(alice, project, FILE) as a, Tab(bob, project, FILE) as b:
        await a.send(wire.presences([wire.Presence(7, 1, {"user": {"name": "Bob"}, "cursor": 3})]))
        await b.until(lambda: any(one for one in b.presences if one))
        (told,) = b.presences[-1]
        assert told.state is not None
        assert told.state["cursor"] == 3
        assert (told.state["user"]["id"], told.state["user"]["name"]) == (alice.pk, "Alice")
        await b.send(wire.presences([wire.Presence(8, 1, {"cursor": 1}), wire.Presence(7, 5, {"cursor": 9})]))
        assert await b.closed() == 4400
        await a.close()
        async with Tab(bob, project, FILE) as c:
            await c.until(lambda: c.presences)
            assert c.presences[-1] == [], "who has left is told no more"
