"""Who may see a port of a session: private, its project's, everybody's for a time; on each request, and no longer."""

from __future__ import annotations

import asyncio
import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import HttpCommunicator, WebsocketCommunicator
from django.conf import settings as django_settings
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from portal.asgi import application
from portal.models import Project, User
from portal.people import let_in, put_out
from portal.preview import app, gate, http, throttle
from portal.preview.app import COOKIE, local_path
from portal.preview.hosts import Preview, frame_ancestors, frame_source
from portal.roles import Role
from sessions.changes import tell_changed
from sessions.models import PortShare, Session
from sessions.port_shares import Audience, allowed_for, share_port, subject, watch_shares

pytestmark = pytest.mark.django_db(transaction=True)

ID = uuid.UUID("00112233445566778899aabbccddeeff")
PORT = 8000
WANTED = Preview(ID, PORT)
HOST = f"{PORT}-{ID.hex}.localhost:8000"
PATH = f"/api/v1/sessions/{ID}/ports/{PORT}"


@pytest.fixture
def session(alice: User, project: Project) -> Session:
    ordinary = {"image": project.image, "slots": {}, "state": "running", "idle_timeout": 60}
    return Session.objects.create(pk=ID, user=alice, project=project.pk, **ordinary)


@pytest.fixture(autouse=True)
def _no_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is inside is not these tests' matter: a port 9000 listens, and every request is answered."""

    async def ports(session: str) -> list[dict[str, Any]]:
        return [{"port": 9000, "program": "flask"}]

    async def answer(preview: Preview, scope: Any, receive: Any, send: Any, cookie: str, more: Any) -> None:
        await http.say(send, 200, "inside", more)

    monkeypatch.setattr("portal.preview.api.current_ports", ports)
    monkeypatch.setattr(app, "relay_http", answer)


def put(client: Client, body: dict[str, Any], path: str = PATH) -> tuple[int, Any]:
    answer = client.put(path, json.dumps(body), "application/json", headers={"host": "127.0.0.1:8000"})
    return answer.status_code, answer.json()


async def visit(path: str = "/", **headers: str) -> tuple[int, dict[bytes, bytes], bytes]:
    given = [
        (b"host", HOST.encode()),
        *((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()),
    ]
    asked = HttpCommunicator(application, "GET", path, headers=given)
    answer = await asked.get_response(timeout=10)
    return answer["status"], {name.lower(): value for name, value in answer["headers"]}, answer["body"]


async def public(user: User, session: Session, seconds: int = 900) -> None:
    await sync_to_async(share_port)(user, session, PORT, Audience.PUBLIC, seconds)


async def end_its_time() -> None:
    await PortShare.objects.aupdate(until=timezone.now() - timedelta(seconds=1))


# Over REST


def test_the_owner_shares_a_port_and_takes_it_back(session: Session, alices: Client) -> None:
    status, port = put(alices, {"audience": "project"})
    assert (status, port["audience"], port["until"], port["listening"]) == (200, "project", None, False)
    assert port["url"] == f"http://127.0.0.1:8000/sessions/{ID}/ports/{PORT}/"
    status, port = put(alices, {"audience": "public", "seconds": 900})
    assert (status, port["audience"], port["url"]) == (200, "public", f"http://{HOST}/")
    until = PortShare.objects.get().until
    assert until is not None
    assert timedelta(seconds=800) < until - timezone.now() <= timedelta(seconds=900)
    listed = alices.get(f"/api/v1/sessions/{ID}/ports").json()
    assert listed["terms"] == [900, 3600, 28800]
    assert [(one["port"], one["audience"], one["listening"]) for one in listed["items"]] == [
        (PORT, "public", False), (9000, "private", True),
    ]  # fmt: skip
    status, port = put(alices, {"audience": "private"})
    assert (status, port["audience"], port["until"]) == (200, "private", None)
    assert not PortShare.objects.exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [({"audience": "public"}, 422), ({"audience": "public", "seconds": 10**9}, 422), ({"audience": "all"}, 422),
     ({}, 422), ({"audience": "public", "seconds": -1}, 422), ({"audience": "private", "more": 1}, 422)],
)  # fmt: skip
def test_nonsense_is_refused(session: Session, alices: Client, body: dict[str, Any], status: int) -> None:
    assert put(alices, body)[0] == status
    assert not PortShare.objects.exists()


@pytest.mark.parametrize("port", [0, 65536, 10**30])
def test_what_is_no_port_is_refused(session: Session, alices: Client, port: int) -> None:
    assert put(alices, {"audience": "project"}, f"/api/v1/sessions/{ID}/ports/{port}")[0] == 422


def test_others_may_not_share_it(
    session: Session, project: Project, alices: Client, bobs: Client, bob: User, charlies: Client
) -> None:
    wanted = {"audience": "public", "seconds": 900}
    assert put(bobs, wanted)[0] == 404, "a stranger with an account"
    assert bobs.get(f"/api/v1/sessions/{ID}/ports").status_code == 404
    assert put(charlies, wanted)[0] == 401, "nobody"
    let_in(project, bob, Role.VIEWER)
    assert put(bobs, wanted)[0] == put(bobs, {"audience": "private"})[0] == 403, "a viewer"
    assert bobs.get(f"/api/v1/sessions/{ID}/ports").status_code == 200
    put_out(project, bob)
    let_in(project, bob, Role.EDITOR)
    assert put(bobs, wanted)[0] == put(bobs, {"audience": "project"})[0] == 403, "an editor"
    assert put(alices, wanted)[0] == 200
    assert put(bobs, {"audience": "private"})[0] == 200, "an editor may close it"
    assert put(alices, wanted, f"/api/v1/sessions/{uuid.uuid4()}/ports/{PORT}")[0] == 404


def test_a_session_that_is_over_shares_nothing(session: Session, alices: Client) -> None:
    Session.objects.update(state="stopped", ended=timezone.now())
    assert put(alices, {"audience": "project"})[0] == 409
    assert alices.get(f"/api/v1/sessions/{ID}/ports").json()["items"] == []


def test_the_operator_forbids_public_ports(session: Session, alice: User, alices: Client, settings: Any) -> None:
    share_port(alice, session, PORT, Audience.PUBLIC, 900)
    settings.MADANG_PUBLIC_PORTS = False
    assert not allowed_for(None, ID, PORT), "what was public is not any more"
    listed = alices.get(f"/api/v1/sessions/{ID}/ports").json()
    assert (listed["terms"], [one["port"] for one in listed["items"]]) == ([], [9000])
    status, problem = put(alices, {"audience": "public", "seconds": 900})
    assert (status, problem["code"]) == (403, "no_public_ports")
    assert put(alices, {"audience": "project"})[0] == 200


def test_the_database_knows_what_a_share_is(session: Session, alice: User) -> None:
    for fields in ({"audience": "public"}, {"audience": "project", "until": timezone.now()}, {"audience": "x"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            PortShare.objects.create(session=session, port=1, by=alice, **fields)


# At the gate


def test_a_viewer_sees_what_is_shared_and_nothing_else(
    session: Session, project: Project, alice: User, bob: User
) -> None:
    let_in(project, bob, Role.VIEWER)
    assert not allowed_for(bob, ID, PORT)
    share_port(alice, session, PORT, Audience.PROJECT, None)
    assert allowed_for(bob, ID, PORT)
    assert not allowed_for(bob, ID, PORT + 1), "another port"
    assert not allowed_for(bob, uuid.uuid4(), PORT), "another session"
    assert not allowed_for(None, ID, PORT), "the project's is not everybody's"
    put_out(project, bob)
    assert not allowed_for(bob, ID, PORT)
    Session.objects.update(state="stopped", ended=timezone.now())
    assert not allowed_for(alice, ID, PORT)


def test_a_port_of_a_session_without_a_project_is_its_users(session: Session, alice: User, bob: User) -> None:
    Session.objects.update(project=None)
    assert allowed_for(alice, ID, PORT)
    session.refresh_from_db()
    share_port(alice, session, PORT, Audience.PROJECT, None)
    assert not allowed_for(bob, ID, PORT)


def test_viewers_get_tickets_for_what_is_shared(
    session: Session, project: Project, alice: User, bob: User, bobs: Client
) -> None:
    let_in(project, bob, Role.VIEWER)
    where = f"/sessions/{ID}/ports/{PORT}/"
    assert bobs.get(where).status_code == 404
    framed = bobs.get(f"{where}?framed=1")
    assert (framed.status_code, framed["Content-Type"]) == (404, "text/plain; charset=utf-8")
    share_port(alice, session, PORT, Audience.PROJECT, None)
    assert bobs.get(where, headers={"host": "127.0.0.1:8000"}).status_code == 302
    assert Client().get(f"{where}?framed=1").status_code == 401, "a frame gets no page to sign in"


async def test_a_public_port_is_open_until_its_time_is_over(session: Session, alice: User) -> None:
    assert (await visit())[0] == 403
    await public(alice, session)
    status, headers, body = await visit()
    assert (status, body, headers[b"x-robots-tag"]) == (200, b"inside\n", b"noindex")
    assert b"set-cookie" not in headers
    await end_its_time()
    assert (await visit())[0] == 403
    await public(alice, session)
    assert (await visit())[0] == 200
    await sync_to_async(share_port)(alice, session, PORT, Audience.PRIVATE, None)
    assert (await visit())[0] == 403


async def test_a_public_port_ends_with_its_session(session: Session, alice: User) -> None:
    await public(alice, session)
    await Session.objects.aupdate(state="stopped", ended=timezone.now())
    assert (await visit())[0] == 403


@pytest.mark.parametrize("how", ["revoked", "its time is over"])
async def test_what_a_visitor_has_open_is_closed(session: Session, alice: User, how: str) -> None:
    await public(alice, session)
    begun, cut = asyncio.Event(), asyncio.Event()

    async def relay() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cut.set()

    if how == "its time is over":
        await PortShare.objects.aupdate(until=timezone.now() + timedelta(seconds=0.3))
    watching = asyncio.create_task(gate.while_allowed(None, WANTED, relay()))
    async with asyncio.timeout(10):
        await begun.wait()
        if how == "revoked":
            await sync_to_async(share_port)(alice, session, PORT, Audience.PRIVATE, None)
        assert not await watching
    assert cut.is_set()


async def test_a_visitors_websocket_is_closed_when_the_port_is_private_again(
    session: Session, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def relay(preview: Preview, scope: Any, receive: Any, send: Any, cookie: str) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await asyncio.Event().wait()

    monkeypatch.setattr(app, "relay_websocket", relay)
    await public(alice, session)
    socket = WebsocketCommunicator(
        application, "/", headers=[(b"host", HOST.encode()), (b"origin", f"http://{HOST}".encode())]
    )
    assert (await socket.connect(timeout=10))[0]
    await sync_to_async(share_port)(alice, session, PORT, Audience.PROJECT, None)
    assert await socket.receive_output(timeout=10) == {"type": "websocket.close", "code": 4403}
    await socket.disconnect()


# What a hostile visitor sends


async def test_a_visitor_cannot_say_who_they_are(session: Session, alices: Client, bobs: Client) -> None:
    key = str((await sync_to_async(lambda: alices.session)()).session_key)
    own = str((await sync_to_async(lambda: bobs.session)()).session_key)
    for cookie in (f"{COOKIE}={key}", f"{COOKIE}=%00", f"{COOKIE}=", f"{django_settings.SESSION_COOKIE_NAME}={key}",
                   f"{COOKIE}=a; {COOKIE}=b; {COOKIE}={own}", "=;;=", COOKIE):  # fmt: skip
        assert (await visit(cookie=cookie))[0] == 403
    assert (await visit(authorization="Bearer x", x_forwarded_user="alice", x_forwarded_host="localhost"))[0] == 403


async def test_of_two_cookies_either_opens(session: Session, alices: Client) -> None:
    key = str((await sync_to_async(lambda: alices.session)()).session_key)
    good = await gate.redeem(await sync_to_async(gate.issue)(key, WANTED), WANTED)
    for cookie in (f"{COOKIE}={good}; {COOKIE}=old", f"{COOKIE}=old; {COOKIE}={good}"):
        assert (await visit(cookie=cookie))[0] == 200


async def test_visitors_are_counted_by_their_own_address(session: Session, alice: User, settings: Any) -> None:
    settings.MADANG_PUBLIC_PORT_RATE = 3
    await public(alice, session)
    statuses = [(await visit(x_forwarded_for=f"192.0.2.{n}"))[0] for n in range(5)]
    assert statuses == [200, 200, 200, 429, 429], "another address is only said"
    status, headers, _ = await visit()
    assert (status, 0 < int(headers[b"retry-after"]) <= 60) == (429, True)


@pytest.mark.parametrize(
    ("proxies", "said", "address"),
    [(0, "192.0.2.1", "10.0.0.1"), (1, "6.6.6.6, 192.0.2.1", "192.0.2.1"), (2, "192.0.2.1", "10.0.0.1"),
     (1, "2001:db8::1", "2001:db8::1"), (1, "x:y\r\n" + "9" * 1000, ":" + "9" * 40), (1, "", "10.0.0.1")],
)  # fmt: skip
def test_only_trusted_proxies_tell_addresses(settings: Any, proxies: int, said: str, address: str) -> None:
    settings.MADANG_PROXIES = proxies
    scope = {"client": ["10.0.0.1", 1], "headers": [(b"x-forwarded-for", said.encode())]}
    assert throttle.address_of(scope) == address


async def test_so_many_at_once_and_no_more(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MOST_AT_ONCE", 1)
    scope = {"client": ["10.0.0.1", 1], "headers": []}
    async with throttle.turn(WANTED, scope) as first:
        async with throttle.turn(WANTED, scope) as second, throttle.turn(Preview(ID, 1), scope) as elsewhere:
            assert (first, second > 0, elsewhere) == (0, True, 0)
    async with throttle.turn(WANTED, scope) as again:
        assert again == 0


# In a frame of the workspace


async def test_a_frames_cookie_is_kept_for_the_site_alone(session: Session, alices: Client) -> None:
    key = str((await sync_to_async(lambda: alices.session)()).session_key)
    path = f"/.madang/open?to=/a%3Fb%3Dc&ticket={await sync_to_async(gate.issue)(key, WANTED)}"
    status, headers, _ = await visit(path, sec_fetch_dest="iframe")
    assert (status, headers[b"location"]) == (302, b"/a?b=c")
    assert headers[b"set-cookie"].endswith(b"HttpOnly; SameSite=None; Secure; Partitioned")
    path = f"/.madang/open?framed=1&ticket={await sync_to_async(gate.issue)(key, WANTED)}"
    assert (await visit(path, sec_fetch_dest="document"))[1][b"set-cookie"].endswith(b"HttpOnly; SameSite=Lax")


@pytest.mark.parametrize(
    ("said", "there"),
    [("/a?b=c#d", "/a?b=c#d"), ("//evil.example", "/"), ("https://evil.example", "/"), ("/\\evil.example", "/"),
     ("/a\r\nSet-Cookie: x", "/a%0D%0ASet-Cookie:%20x"), ("", "/"), ("a", "/"), ("/한", "/%ED%95%9C")],
)  # fmt: skip
def test_a_ticket_leads_nowhere_else(said: str, there: str) -> None:
    assert local_path(said) == there


def test_who_may_frame_whom() -> None:
    assert frame_source("", False) == "http://*.localhost:*"
    assert frame_source("preview.example.org", True) == "https://*.preview.example.org"
    assert frame_ancestors(["https://a.example"], ["a.example"], True) == "'self' https://a.example"
    assert frame_ancestors([], ["localhost", "[::1]", ".a.example", "*"], False) == (
        "'self' http://localhost:* http://*.a.example:*"
    )


async def test_no_other_site_frames_a_preview(session: Session, alice: User) -> None:
    await public(alice, session)
    assert (await visit())[1][b"content-security-policy"].startswith(b"frame-ancestors 'self' ")


# The news


async def test_pages_learn_who_sees_a_port(session: Session, alice: User) -> None:
    told: asyncio.Queue[Any] = asyncio.Queue()
    watching = asyncio.create_task(watch_shares(session, told.put))
    async with asyncio.timeout(10):
        assert (await told.get())["shares"] == []
        await sync_to_async(share_port)(alice, session, PORT, Audience.PROJECT, None)
        assert (await told.get())["shares"] == [{"port": PORT, "audience": "project", "until": None}]
        await public(alice, session)
        assert (await told.get())["shares"][0]["until"]
        await PortShare.objects.aupdate(until=timezone.now() + timedelta(seconds=0.3))
        await sync_to_async(tell_changed)(subject(session))
        assert len((await told.get())["shares"]) == 1
        assert (await told.get())["shares"] == [], "its end is told as it comes"
    watching.cancel()
