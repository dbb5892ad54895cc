"""A server in a real session, seen through its preview: every method, both ways, WebSockets; and by nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from tests.live import Account, Site, client, wait_for
from tests.sessions.test_live import end, run_code, start_kernel

pytestmark = [pytest.mark.jail, pytest.mark.slow]

# Inside the sandbox, by what the image has: a page, an echo, a slow stream, a WebSocket.
SERVER = """
import asyncio, json, tornado.web, tornado.websocket
class Page(tornado.web.RequestHandler):
    def get(self):
        self.set_header("Set-Cookie", "theirs=1; Domain=localhost; Path=/")
        self.write({"headers": dict(self.request.headers), "uri": self.request.uri})
    def echo(self):
        self.set_header("X-Method", self.request.method)
        self.write(self.request.body)
    post = put = patch = delete = echo
class Slow(tornado.web.RequestHandler):
    async def get(self):
        self.write("first")
        await self.flush()
        await go.wait()
        self.write("second")
class Socket(tornado.websocket.WebSocketHandler):
    def select_subprotocol(self, offered): return "yard" if "yard" in offered else None
    def on_message(self, message):
        if message == "end": self.close(4001, "told to")
        else: self.write_message(message, binary=isinstance(message, bytes))
class Big(tornado.web.RequestHandler):
    async def get(self):
        for _ in range(300):
            self.write(bytes(100_000))
            await self.flush()
go = asyncio.Event()
routes = [("/slow", Slow), ("/socket", Socket), ("/big", Big), ("/.*", Page)]
server = tornado.web.Application(routes, websocket_max_message_size=1 << 24).listen(8000, "127.0.0.1")
"""


@dataclass
class Lane:
    """A session with the server in it, and its owner."""

    site: Site
    account: Account
    session: str
    kernel: str
    host: str
    browser: httpx.Client
    cookie: str

    def ask(self, path: str, method: str = "GET", **more: Any) -> httpx.Response:
        headers = {"host": self.host, "cookie": f"madang_preview={self.cookie}", **more.pop("headers", {})}
        return httpx.request(method, self.site.url + path, headers=headers, timeout=30, **more)


def browser_of(site: Site, account: Account) -> httpx.Client:
    """Signed in through the form, as people do."""
    browser = httpx.Client(base_url=site.url, timeout=30)
    page = browser.get("/accounts/login/").text
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token
    form = {"login": account.email, "password": account.password, "csrfmiddlewaretoken": token[1]}
    assert browser.post("/accounts/login/", data=form, headers={"referer": site.url}).status_code == 302
    return browser


def opened(site: Site, browser: httpx.Client, session: str, port: int) -> tuple[str, str]:
    """Follow *Open preview*: the preview's host, and its cookie."""
    answer = browser.get(f"/sessions/{session}/ports/{port}/")
    assert answer.status_code == 302, answer.text
    url = httpx.URL(answer.headers["location"])
    host = url.netloc.decode()
    there = httpx.get(f"{site.url}{url.raw_path.decode()}", headers={"host": host})
    assert (there.status_code, there.headers["location"]) == (302, "/")
    cookie = re.match(r"madang_preview=(\w+); Path=/", there.headers["set-cookie"])
    assert cookie
    return host, cookie[1]


@pytest.fixture(scope="module")
def lane(site: Site) -> Iterator[Lane]:
    account = site.account("preview")
    with client(site, account) as http:
        kernel, session = start_kernel(http)
        asyncio.run(run_code(site, account, kernel, SERVER))
        browser = browser_of(site, account)
        yield Lane(site, account, session, kernel, *_host_first(site, browser, session))
        browser.close()
        end(http, session)


def _host_first(site: Site, browser: httpx.Client, session: str) -> tuple[str, httpx.Client, str]:
    host, cookie = opened(site, browser, session, 8000)
    return host, browser, cookie


def test_pages_come_with_their_headers_and_without_our_secrets(lane: Lane) -> None:
    answer = lane.ask("/a/b%20c?d=e%2F", headers={"x-own": "1", "x-forwarded-for": "6.6.6.6"})
    assert answer.status_code == 200
    assert answer.headers["set-cookie"] == "theirs=1; Path=/"
    seen = answer.json()
    assert seen["uri"] == "/a/b%20c?d=e%2F"
    assert seen["headers"]["Host"] == seen["headers"]["X-Forwarded-Host"] == lane.host
    assert seen["headers"]["X-Own"] == "1"
    assert seen["headers"]["X-Forwarded-For"] == "127.0.0.1"
    assert "Cookie" not in seen["headers"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_bodies_go_in_and_come_back(lane: Lane, method: str) -> None:
    body = bytes(range(256)) * 2000
    answer = lane.ask("/echo", method, content=body)
    assert (answer.headers["x-method"], answer.content) == (method, body)
    assert lane.ask("/echo", method, content=iter([b"in ", b"pieces"])).content == b"in pieces"
    assert lane.ask("/", "HEAD").status_code == 405  # what the program says


def test_an_answer_comes_as_it_is_written(lane: Lane) -> None:
    headers = {"host": lane.host, "cookie": f"madang_preview={lane.cookie}"}
    with httpx.stream("GET", f"{lane.site.url}/slow", headers=headers, timeout=30) as answer:
        pieces = answer.iter_bytes()
        assert next(pieces) == b"first"
        asyncio.run(run_code(lane.site, lane.account, lane.kernel, "go.set()"))
        assert b"".join(pieces) == b"second"
    assert len(lane.ask("/big").content) == 30_000_000


async def test_websockets_both_ways(lane: Lane) -> None:
    headers = {"cookie": f"madang_preview={lane.cookie}"}
    where: dict[str, Any] = {"host": "127.0.0.1", "port": int(lane.host.rpartition(":")[2]), "max_size": None}
    uri, origin = f"ws://{lane.host}/socket", Origin(f"http://{lane.host}")
    offered = [Subprotocol("other"), Subprotocol("yard")]
    async with connect(uri, origin=origin, additional_headers=headers, subprotocols=offered, **where) as socket:
        assert socket.subprotocol == "yard"
        for message in ("hello", "안녕", b"\x00\xff", "x" * 200_000, bytes(900_000)):
            await socket.send(message)
            assert await socket.recv() == message
        await socket.send("end")
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == 4001
    async with connect(f"ws://{lane.host}/", origin=origin, additional_headers=headers, **where) as socket:
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == 4502


def test_nobody_else_gets_in(lane: Lane) -> None:
    assert lane.ask("/", headers={"cookie": ""}).status_code == 403
    bob = lane.site.account("bob")
    with contextlib.closing(browser_of(lane.site, bob)) as bobs:
        assert bobs.get(f"/sessions/{lane.session}/ports/8000/").status_code == 404
        portal = "; ".join(f"{name}={value}" for name, value in bobs.cookies.items())
        assert lane.ask("/", headers={"cookie": portal}).status_code == 403
    other = lane.host.replace("8000-", "8001-")
    assert lane.ask("/", headers={"host": other}).status_code == 403, "the cookie is for one port"


async def test_everybody_gets_in_while_it_is_public_and_not_a_moment_longer(lane: Lane) -> None:
    where: dict[str, Any] = {"host": "127.0.0.1", "port": int(lane.host.rpartition(":")[2])}
    uri, origin = f"ws://{lane.host}/socket", Origin(f"http://{lane.host}")

    def show(**audience: Any) -> None:
        with client(lane.site, lane.account) as http:
            http.put(f"/api/v1/sessions/{lane.session}/ports/8000", json=audience).raise_for_status()

    show(audience="public", seconds=900)
    answer = lane.ask("/a", headers={"cookie": "madang_session=x; csrftoken=y; own=1", "x-forwarded-for": "6.6.6.6"})
    assert (answer.status_code, answer.headers["x-robots-tag"]) == (200, "noindex")
    seen = answer.json()["headers"]
    assert (seen["Cookie"], seen["X-Forwarded-For"]) == ("own=1", "127.0.0.1")
    async with connect(uri, origin=origin, **where) as theirs:
        await theirs.send("hello")
        assert await theirs.recv() == "hello"
        show(audience="private")
        with pytest.raises(ConnectionClosed):
            await theirs.recv()
        assert theirs.close_code == 4403
    assert lane.ask("/", headers={"cookie": ""}).status_code == 403
    assert lane.ask("/").status_code == 200, "who works in the session stays"


def test_a_port_where_nobody_listens_says_so(lane: Lane) -> None:
    host, cookie = opened(lane.site, lane.browser, lane.session, 9999)
    answer = lane.ask("/", headers={"host": host, "cookie": f"madang_preview={cookie}"})
    assert (answer.status_code, answer.text) == (502, "Nothing in the session answers at port 9999.\n")


async def test_ports_are_announced_as_they_come_and_go(lane: Lane) -> None:
    url = lane.site.url.replace("http", "ws", 1) + f"/api/v1/sessions/{lane.session}/events"

    async def until(socket: Any, ports: list[int]) -> None:
        async with asyncio.timeout(20):
            while True:
                event = json.loads(await socket.recv())
                if event["type"] == "ports" and [one["port"] for one in event["ports"]] == ports:
                    return

    async with connect(url, additional_headers=lane.account.headers) as socket:
        await until(socket, [8000])
        await run_code(lane.site, lane.account, lane.kernel, "import socket; s = socket.create_server(('', 5000))")
        await until(socket, [5000, 8000])
        await run_code(lane.site, lane.account, lane.kernel, "s.close()")
        await until(socket, [8000])


def test_it_is_there_again_after_web_is_killed(lane: Lane) -> None:
    lane.site.kill("web")
    assert wait_for(lambda: lane.ask("/").status_code == 200, 20, "the preview")
