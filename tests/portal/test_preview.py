"""Previews: their names, their gate, the two protocols; and that they and the site never meet."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Generator
from functools import partial
from typing import Any

import h11
import pytest
from asgiref.sync import sync_to_async
from channels.testing import HttpCommunicator, WebsocketCommunicator
from django.conf import settings as django_settings
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from portal.asgi import application
from portal.models import Project, User
from portal.people import let_in, put_out
from portal.preview import frames, gate
from portal.preview.app import COOKIE
from portal.preview.frames import BadFrame, Message, Reader
from portal.preview.hosts import Preview, find_preview, preview_host
from portal.preview.http import forwarded, returned
from portal.preview.http1 import BadResponse, Response, chunk
from portal.roles import Role
from sessions.models import Session

ID = uuid.UUID("00112233445566778899aabbccddeeff")
WANTED = Preview(ID, 8000)
HOST = f"8000-{ID.hex}.localhost:8000"


# Names


@given(st.uuids(), st.integers(1, 65535), st.sampled_from(["", "preview.example.org", "preview.example.org:8443"]))
def test_a_preview_is_found_under_the_name_it_was_given(id: uuid.UUID, port: int, suffix: str) -> None:
    host = preview_host(Preview(id, port), suffix, "127.0.0.1:8000")
    assert host is not None
    assert find_preview(host, suffix) == Preview(id, port)
    assert find_preview(host.upper(), suffix) == Preview(id, port)
    assert max(map(len, host.split("."))) <= 63


@pytest.mark.parametrize(
    "host",
    ["", "localhost", "127.0.0.1:8000", "[::1]:8000", "madang.example.org", f"8000-{ID.hex}", f"8000-{ID}.localhost",
     f"0-{ID.hex}.localhost", f"70000-{ID.hex}.localhost", f"8000-{ID.hex}.evil.org", f"x.8000-{ID.hex}.localhost",
     f"8000-{ID.hex}.localhost.evil.org", f"08000-{ID.hex}.localhost", f"8000-{ID.hex}x.localhost"],
)  # fmt: skip
def test_other_names_are_the_sites(host: str) -> None:
    assert find_preview(host, "") is None


def test_without_a_host_for_them_previews_are_for_this_machine() -> None:
    assert preview_host(WANTED, "", "madang.example.org") is None
    assert preview_host(WANTED, "", "localhost") == f"8000-{ID.hex}.localhost"


# The gate


@pytest.fixture
def session(alice: User, image: str) -> Session:
    ordinary = {"image": image, "slots": {}, "state": "running", "idle_timeout": 60}
    return Session.objects.create(pk=ID, user=alice, **ordinary)


@pytest.fixture
def alices_key(alices: Client) -> str:
    return str(alices.session.session_key)


async def visit(path: str = "/", host: str = HOST, **headers: str) -> tuple[int, dict[bytes, bytes], bytes]:
    """A request to the whole site; status, headers and body."""
    given = [(b"host", host.encode()), *((name.encode(), value.encode()) for name, value in headers.items())]
    asked = HttpCommunicator(application, "GET", path, headers=given)
    answer = await asked.get_response(timeout=10)
    return answer["status"], {name.lower(): value for name, value in answer["headers"]}, answer["body"]


@pytest.mark.django_db(transaction=True)
async def test_a_ticket_opens_once_and_for_its_own_preview_only(session: Session, alices_key: str) -> None:
    assert await gate.redeem(await sync_to_async(gate.issue)(alices_key, WANTED), Preview(ID, 8001)) is None
    assert await gate.redeem(await sync_to_async(gate.issue)(alices_key, WANTED), Preview(uuid.uuid4(), 8000)) is None
    ticket = await sync_to_async(gate.issue)(alices_key, WANTED)
    status, headers, _ = await visit(f"/.madang/open?ticket={ticket}")
    assert (status, headers[b"location"]) == (302, b"/")
    flags = headers[b"set-cookie"].decode()
    assert "HttpOnly" in flags
    assert "SameSite=Lax" in flags
    assert "domain" not in flags.lower()
    status, headers, body = await visit(f"/.madang/open?ticket={ticket}")
    assert (status, b"set-cookie" in headers) == (403, False)
    assert b"has been used" in body
    for wrong in ("", "x", "%00", "a" * 10_000):
        assert (await visit(f"/.madang/open?ticket={wrong}"))[0] == 403


async def cookie_for(key: str, preview: Preview = WANTED) -> str:
    cookie = await gate.redeem(await sync_to_async(gate.issue)(key, preview), preview)
    assert cookie
    return cookie


@pytest.mark.django_db(transaction=True)
async def test_only_the_owner_sees_it_and_only_while_signed_in(
    session: Session, alices_key: str, alices: Client, bobs: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "RECHECK_SECONDS", 0)
    cookie = await cookie_for(alices_key)
    assert await gate.visitor(cookie, WANTED)
    assert not await gate.visitor(cookie, Preview(ID, 8001)), "another port"
    assert not await gate.visitor(cookie, Preview(uuid.uuid4(), 8000)), "another session"
    assert not await gate.visitor(alices_key, WANTED), "the site's own cookie"
    assert not await gate.visitor("../../etc", WANTED)
    bobs_key = str((await sync_to_async(lambda: bobs.session)()).session_key)
    assert not await gate.visitor(await cookie_for(bobs_key), WANTED), "somebody else's"
    await sync_to_async(alices.logout)()
    assert not await gate.visitor(cookie, WANTED), "signed out on the site"


@pytest.mark.django_db(transaction=True)
async def test_a_preview_ends_with_its_session(session: Session, alices_key: str) -> None:
    cookie = await cookie_for(alices_key)
    await Session.objects.filter(pk=ID).aupdate(state="stopped", ended=session.created)
    assert not await gate.visitor(cookie, WANTED)


def test_the_site_gives_tickets_to_owners_of_live_sessions(session: Session, alices: Client, bobs: Client) -> None:
    path = f"/sessions/{ID}/ports/8000/"
    answer = alices.get(path, headers={"host": "127.0.0.1:8000"})
    assert answer.status_code == 302
    assert answer["Location"].startswith(f"http://{HOST}/.madang/open?ticket=")
    assert bobs.get(path).status_code == 404
    assert alices.get(f"/sessions/{ID}/ports/0/").status_code == 404
    assert alices.get(f"/sessions/{ID}/ports/65536/").status_code == 404
    assert alices.get(f"/sessions/{uuid.uuid4()}/ports/8000/").status_code == 404
    assert "/accounts/login/" in Client().get(path)["Location"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/", "/dashboard", "/api/v1/images", "/static/portal/site.css", "/accounts/login/"])
async def test_the_sites_pages_are_not_under_a_previews_host(session: Session, alices_key: str, path: str) -> None:
    cookie = f"{django_settings.SESSION_COOKIE_NAME}={alices_key}"
    status, _, body = await visit(path, cookie=cookie)
    assert (status, body) == (403, b"This is a private preview. Open it from its project's page.\n")


@pytest.mark.django_db(transaction=True)
async def test_a_previews_cookie_is_nobody_on_the_site(session: Session, alices_key: str) -> None:
    cookie = await cookie_for(alices_key)
    status, headers, _ = await visit(
        "/dashboard", "localhost", cookie=f"{django_settings.SESSION_COOKIE_NAME}={cookie}; {COOKIE}={cookie}"
    )
    assert status == 302
    assert b"/accounts/login/" in headers[b"location"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("origin", "signed_in", "code"),
    [("http://evil.example", True, 4403), ("http://127.0.0.1:8000", True, 4403), (f"http://{HOST}", False, 4401)],
)
async def test_a_websocket_is_refused_to_others(
    session: Session, alices_key: str, origin: str, signed_in: bool, code: int
) -> None:
    cookie = f"{COOKIE}={await cookie_for(alices_key)}" if signed_in else ""
    headers = [(b"host", HOST.encode()), (b"origin", origin.encode()), (b"cookie", cookie.encode())]
    socket = WebsocketCommunicator(application, "/", headers=headers)
    assert (await socket.connect())[0]
    assert (await socket.receive_output())["code"] == code
    await socket.disconnect()


# Headers


def test_the_program_inside_learns_where_it_is_seen_and_none_of_our_secrets() -> None:
    scope = {
        "client": ["192.0.2.7", 1], "headers": [
            (b"host", HOST.encode()), (b"cookie", f"a=1; {COOKIE}=s; madang_session=s; csrftoken=s; b=2".encode()),
            (b"connection", b"keep-alive, X-Hop"), (b"x-hop", b"1"), (b"x-forwarded-for", b"6.6.6.6"),
            (b"forwarded", b"for=6.6.6.6"), (b"accept", b"*/*"), (b"upgrade", b"h2c"), (b"te", b"trailers"),
        ],
    }  # fmt: skip
    assert sorted(forwarded(scope, COOKIE)) == [
        (b"accept", b"*/*"), (b"cookie", b"a=1; b=2"), (b"host", HOST.encode()), (b"x-forwarded-for", b"192.0.2.7"),
        (b"x-forwarded-host", HOST.encode()), (b"x-forwarded-proto", b"http"),
    ]  # fmt: skip


def test_what_the_program_sets_stays_on_its_own_host() -> None:
    headers = [
        (b"set-cookie", b"a=1; Domain=localhost; Path=/"), (b"set-cookie", b"b=2;DOMAIN = .example.org ;HttpOnly"),
        (b"set-cookie", b"madang_preview=x"), (b"set-cookie", b"__Host-madang_preview=x"), (b"x-own", b"1"),
        (b"strict-transport-security", b"max-age=1; includeSubDomains"), (b"transfer-encoding", b"chunked"),
    ]  # fmt: skip
    assert returned(headers) == [
        (b"set-cookie", b"a=1; Path=/"), (b"set-cookie", b"b=2;HttpOnly"), (b"x-own", b"1"),
    ]  # fmt: skip


# The protocols


def read(response: Response, data: bytes, cuts: list[int]) -> bytes:
    body = b""
    for cut in cuts:
        body += response.feed(data[:cut]) if data[:cut] else b""
        data = data[cut:]
    body += response.feed(data) if data else b""
    return body + (b"" if response.done else response.feed(b""))


@given(st.lists(st.binary(max_size=50), max_size=5), st.lists(st.integers(1, 40), max_size=20), st.integers(0, 3))
def test_a_body_comes_whole_however_it_is_framed_and_cut(parts: list[bytes], cuts: list[int], how: int) -> None:
    body = b"".join(parts)
    server = h11.Connection(h11.SERVER)
    server.receive_data(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    while server.next_event() is not h11.PAUSED and server.our_state is h11.IDLE:
        continue
    framing = [[("Content-Length", str(len(body)))], [("Transfer-Encoding", "chunked")], [], []][how]
    data = b"" if how != 3 else b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    if how < 2:
        data += server.send(h11.Response(status_code=200, headers=[("X-A", "1"), *framing])) or b""
        for part in parts:
            data += server.send(h11.Data(data=part)) or b""
        data += server.send(h11.EndOfMessage()) or b""
    else:
        data += b"HTTP/1.0 200 OK\r\nX-A: 1\r\n\r\n" + body
    response = Response("GET")
    assert read(response, data, cuts) == body
    assert response.head is not None
    assert (response.head.status, response.head.get(b"x-a")) == (200, b"1")


@given(st.binary(max_size=300), st.lists(st.integers(1, 40), max_size=8))
def test_no_answer_does_more_than_be_refused(data: bytes, cuts: list[int]) -> None:
    try:
        read(Response("GET"), b"HTTP/1.1 200 OK\r\n" + data, cuts)
    except BadResponse:
        return


@pytest.mark.parametrize(
    "data",
    [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 20\r\n\r\n", b"HTTP/1.1 200 OK\r\nA\r\n\r\n", b"HTTP/1.1 999 OK\r\n\r\n",
     b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nshor", b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
     b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n123456", b"HTTP/1.1 200 OK\r\nA: \0\r\n\r\n",
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxx\r\n",
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n", b"A" * 70_000],
)  # fmt: skip
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    with pytest.raises(BadResponse):
        read(Response("GET"), data, [])


def test_a_chunk_is_framed() -> None:
    assert chunk(b"hello") + chunk(b"") == b"5\r\nhello\r\n0\r\n\r\n"


messages = st.tuples(st.sampled_from([frames.TEXT, frames.BINARY]), st.binary(max_size=300))


@given(st.lists(messages, max_size=5), st.lists(st.integers(1, 40), max_size=20), st.booleans())
def test_messages_come_whole_however_they_are_cut(
    sent: list[tuple[int, bytes]], cuts: list[int], fragmented: bool
) -> None:
    data = b""
    for kind, body in sent:
        if fragmented:
            data += Frame(Opcode(kind), body[:7], fin=False).serialize(mask=False)
            data += Frame(Opcode.PING, b"p").serialize(mask=False)
            data += Frame(Opcode.CONT, body[7:]).serialize(mask=False)
        else:
            data += Frame(Opcode(kind), body).serialize(mask=False)
    reader, found = Reader(), []
    for cut in [*cuts, len(data)]:
        found += reader.feed(data[:cut])
        data = data[cut:]
    assert [(one.kind, one.data) for one in found if one.kind < frames.CLOSE] == sent
    pings = [one for one in found if one.kind == frames.PING]
    assert pings == [Message(frames.PING, b"p")] * (len(sent) if fragmented else 0)


@given(st.binary(max_size=70_000))
def test_our_frames_are_masked_and_read_by_another_implementation(body: bytes) -> None:
    data = frames.encode(frames.BINARY, body)
    assert data[1] & 0x80

    parse = Frame.parse(partial(_take, [data]), mask=True)
    with pytest.raises(StopIteration) as done:
        next(parse)
    assert (done.value.value.opcode, bytes(done.value.value.data)) == (Opcode.BINARY, body)


def _take(left: list[bytes], count: int) -> Generator[None, None, bytes]:
    taken, left[0] = left[0][:count], left[0][count:]
    yield from ()
    return taken


@pytest.mark.parametrize(
    "data",
    [b"\xc1\x00", b"\x81\x80", b"\x83\x00", b"\x09\x00", b"\x89\x7e\x00\x80", b"\x80\x00", b"\x01\x00\x01\x00",
     b"\x82\x7f" + (1 << 40).to_bytes(8, "big")],
)  # fmt: skip
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    with pytest.raises(BadFrame):
        Reader().feed(data)


def test_the_handshake_is_that_of_the_standard() -> None:
    assert frames.accept_of(b"dGhlIHNhbXBsZSBub25jZQ==") == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.django_db(transaction=True)
async def test_who_loses_the_right_loses_the_open_preview(session: Session, project: Project, bob: User) -> None:
    await sync_to_async(let_in)(project, bob, Role.EDITOR)
    await Session.objects.filter(pk=session.pk).aupdate(project=project.pk)
    begun, cut = asyncio.Event(), asyncio.Event()

    async def relay() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cut.set()

    seeing = asyncio.create_task(gate.while_allowed(bob, WANTED, relay()))
    await begun.wait()
    await sync_to_async(put_out)(project, bob)
    assert await seeing is False
    assert cut.is_set()


@pytest.mark.django_db(transaction=True)
async def test_what_ends_by_itself_ends_as_it_did(session: Session, project: Project, alice: User) -> None:
    async def relay() -> None:
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        await gate.while_allowed(alice, WANTED, relay())
