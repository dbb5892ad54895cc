"""Who may open a WebSocket, before any consumer is asked."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.conf import settings as django_settings
from django.db import connections
from django.test import Client
from django.urls import re_path
from django.utils import timezone

from portal.keys import create_key
from portal.models import ApiKey, User
from portal.websockets import NoSuchStream, WebSocketAuthentication, origin_allowed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
async def _own_thread_leaves_no_connection():
    """What asynchronous code reads, it reads in a thread of its own, whose connection nobody else closes."""
    yield
    await sync_to_async(connections.close_all)()


class WhoAmI(AsyncJsonWebsocketConsumer):
    channel_layer_alias = "none"  # a read of Redis that is cancelled may go on waiting

    async def connect(self) -> None:
        await self.accept()
        await self.send_json({"user": str(self.scope["user"]), "by_key": self.scope["api_key"] is not None})


APPLICATION = WebSocketAuthentication(
    URLRouter([re_path(r"^(api|jupyter)/who$", WhoAmI.as_asgi()), NoSuchStream.route()])
)


async def answer(path: str, **headers: str) -> Any:
    """What the server says first: the JSON it sends, or the code it closes with."""
    sent = [(name.encode(), value.encode()) for name, value in {"host": "testserver", **headers}.items()]
    socket = WebsocketCommunicator(APPLICATION, path, headers=sent)
    accepted, _protocol = await socket.connect(timeout=5)
    assert accepted
    said = await socket.receive_output(timeout=5)
    if said["type"] == "websocket.close":
        return said["code"]
    await socket.disconnect()
    return said["text"]


@pytest.fixture
def user() -> User:
    return User.objects.create_user("alice@example.org", name="Alice")


@pytest.fixture
def cookie(user: User) -> str:
    client = Client()
    client.force_login(user)
    return f"{django_settings.SESSION_COOKIE_NAME}={client.cookies[django_settings.SESSION_COOKIE_NAME].value}"


@pytest.fixture
def text(user: User) -> str:
    return create_key(user, "test")[1]


async def test_a_cookie_from_our_own_page(cookie: str) -> None:
    assert '"Alice"' in await answer("/api/who", cookie=cookie, origin="http://testserver")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "", "http://testserver.evil.example", "file://"])
async def test_a_cookie_from_elsewhere(cookie: str, origin: str) -> None:
    assert await answer("/api/who", cookie=cookie, origin=origin) == 4403


async def test_a_cookie_without_origin(cookie: str) -> None:
    assert await answer("/api/who", cookie=cookie) == 4403


async def test_an_origin_that_the_operator_names(cookie: str, settings) -> None:
    settings.MADANG_ORIGINS = ["https://ide.example.org"]
    assert '"Alice"' in await answer("/api/who", cookie=cookie, origin="https://ide.example.org")


async def test_nobody_is_anonymous_to_the_consumer() -> None:
    assert '"AnonymousUser"' in await answer("/api/who", origin="http://testserver")


async def test_a_key_needs_no_origin(text: str) -> None:
    assert '"by_key": true' in await answer("/api/who", authorization=f"Bearer {text}")
    assert '"by_key": true' in await answer(f"/jupyter/who?token={text}")
    assert '"by_key": true' in await answer("/jupyter/who", authorization=f"token {text}", origin="http://evil.example")


async def test_a_wrong_key_is_refused_even_with_a_cookie(cookie: str) -> None:
    assert await answer("/api/who", cookie=cookie, origin="http://testserver", authorization="Bearer wrong") == 4401
    assert await answer("/jupyter/who?token=wrong", cookie=cookie, origin="http://testserver") == 4401


async def test_jupyters_token_does_not_open_the_api(text: str) -> None:
    assert await answer(f"/api/who?token={text}") == 4403


async def test_a_revoked_key(text: str) -> None:
    await database_sync_to_async(ApiKey.objects.update)(revoked_at=timezone.now())
    assert await answer("/api/who", authorization=f"Bearer {text}") == 4401


async def test_an_unknown_path_says_so(cookie: str) -> None:
    assert await answer("/api/none", cookie=cookie, origin="http://testserver") == 4404


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        ("http://a.example", "a.example", True),
        ("https://a.example:8443", "A.example:8443", True),
        ("http://a.example:8000", "a.example", False),
        ("ftp://a.example", "a.example", False),
        ("http://", "", False),
    ],
)
def test_origins(origin: str, host: str, allowed: bool) -> None:
    assert origin_allowed(origin, host) is allowed
