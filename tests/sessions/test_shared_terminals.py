"""Several people at one terminal: one screen, one size, and who is there."""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any

import pytest

from sessions.projects import ProjectRef, Right
from sessions.terminals import checked
from tests.sessions.web import Browser, Projects, Socket

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def demo(projects: Projects, alice: Any, bob: Any) -> ProjectRef:
    project = projects.add(alice, "demo")
    projects.share(project, bob, Right.VIEW, Right.EDIT, Right.RUN)
    return project


def size(rows: int, columns: int) -> bytes:
    return struct.pack(">BHH", 1, rows, columns)


async def until(socket: Socket, wanted: bytes) -> list[Any]:
    """What is shown until ``wanted`` is: texts, and sizes as pairs."""
    seen: list[Any] = [b""]
    async with asyncio.timeout(20):
        while not (isinstance(seen[-1], bytes) and wanted in seen[-1]):
            frame = await socket.next()
            if frame[0] == 4:
                seen += [struct.unpack(">HH", frame[1:]), b""]
            elif frame[0] == 0:
                seen[-1] += frame[9:]
                await socket.send(struct.pack(">BQ", 2, struct.unpack_from(">Q", frame, 1)[0] + 1))
    return seen


async def people(socket: Socket, terminal: str, wanted: list[str]) -> None:
    async with asyncio.timeout(20):
        while True:
            said = json.loads(await socket.next())
            if {"name": terminal, "people": wanted} in said["terminals"]:
                return


async def test_two_see_one_screen_and_the_size_is_that_of_who_typed_last(
    service: Any, demo: ProjectRef, alice: Any, bob: Any
) -> None:
    id = (await Browser(alice)("POST", "/api/v1/sessions", {"project": str(demo.id)}, 201))["id"]
    path = f"/api/v1/sessions/{id}/terminals/main"
    async with Socket(alice, path) as hers, Socket(bob, path) as his:
        await hers.send(size(30, 100))
        await hers.send(b"\x00echo a$((40+2)) $(stty size)\n")
        assert (30, 100) in await until(hers, b"a42 30 100")
        await his.send(size(20, 60))
        await until(his, b"a42 30 100")
        await his.send(b"\x00echo b$((40+3)) $(stty size)\n")
        assert (20, 60) in await until(his, b"b43 20 60")
        assert (20, 60) in await until(hers, b"b43 20 60"), "both have the size of who typed last"
        await his.send(size(0, 0))  # out of sight
        await hers.send(b"\x00echo c$((40+4)) $(stty size)\n")
        assert (30, 100) in await until(his, b"c44 30 100")
    async with Socket(bob, path + "?since=0") as again:
        sizes = [one for one in await until(again, b"c44 30 100") if isinstance(one, tuple)]
        assert sizes[-3:] == [(30, 100), (20, 60), (30, 100)], "each part is replayed at its own size"


async def test_the_others_at_a_terminal_are_told_by_name(service: Any, demo: ProjectRef, alice: Any, bob: Any) -> None:
    id = (await Browser(alice)("POST", "/api/v1/sessions", {"project": str(demo.id)}, 201))["id"]
    company = f"/api/v1/sessions/{id}/terminals"
    async with Socket(alice, company) as hers, Socket(bob, company) as his:
        assert json.loads(await hers.next())["terminals"] == []
        async with Socket(bob, f"{company}/main") as terminal:
            await people(hers, "main", [])
            await terminal.send(size(24, 80))
            await people(hers, "main", [str(bob)])
            await people(his, "main", [])
            await terminal.send(size(0, 0))
            await people(hers, "main", [])
            await terminal.send(size(24, 80))
            await people(hers, "main", [str(bob)])
        await people(hers, "main", [])


@pytest.mark.parametrize(
    "said",
    [b"", b"{}", b"1", b"[1]", b"[{}]", b"\xff", b"[" * 99_999, b'[{"name": "../x", "people": []}]', b'[{"name": "1"}]',
     b'[{"name": "1", "people": [1]}]', b'[{"name": "1", "people": [{}]}]', b'[{"name": "1", "people": 3}]'],
)  # fmt: skip
def test_what_a_hostile_runner_says_of_its_terminals_is_refused(said: bytes) -> None:
    with pytest.raises((ValueError, TypeError, LookupError, RecursionError)):
        checked(said, "1")


def test_names_are_shown_without_what_could_hide_or_turn_them() -> None:
    who = [{"id": "2", "name": "Jun\u202e\x1b[31m" + "x" * 500}, {"id": "1", "name": "me"}]
    (one,) = checked(json.dumps([{"name": "1", "people": who}]).encode(), "1")
    (name,) = one["people"]
    assert name.startswith("Jun[31m")
    assert len(name) <= 80
