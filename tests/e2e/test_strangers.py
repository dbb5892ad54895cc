"""Strangers: another origin, another user, nobody. Each is refused at each entrance."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.e2e.pages import Workspace, sign_in
from tests.live import Account, Site, client

Open = Callable[..., Page]


@pytest.fixture(scope="package")
def stranger(site: Site) -> Account:
    return site.account("stranger")


def session_of(site: Site, account: Account, project: str) -> str:
    with client(site, account) as http:
        return str(http.get("/api/v1/sessions", params={"project": project}).json()["items"][0]["id"])


def refusal(url: str, headers: dict[str, str]) -> int:
    """The status or close code with which a WebSocket is refused; 0 if it is let in and stays open."""
    try:
        with connect(url.replace("http", "ws", 1), additional_headers=headers, open_timeout=20, proxy=None) as socket:
            try:
                socket.recv(20.0)  # who is let in hears something at once, who is not a close code
            except TimeoutError:
                return 0
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else 1006
            return 0
    except InvalidStatus as refused:
        return refused.response.status_code


def test_a_websocket_from_a_foreign_origin_is_refused(
    workspace: Workspace, site: Site, account: Account, project: str
) -> None:
    cookies = {cookie["name"]: cookie["value"] for cookie in workspace.page.context.cookies()}
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    url = f"{site.url}/api/v1/sessions/{session_of(site, account, project)}/events"
    assert refusal(url, {"Cookie": cookie, "Origin": site.url}) == 0
    assert refusal(url, {"Cookie": cookie, "Origin": "https://evil.example"}) in {403, 4403}
    assert refusal(url, {"Cookie": cookie}) in {403, 4403}


def test_another_users_session_cannot_be_seen_or_touched(
    workspace: Workspace, site: Site, account: Account, project: str, stranger: Account
) -> None:
    session = session_of(site, account, project)
    with client(site, stranger) as http:
        assert http.get(f"/api/v1/sessions/{session}").status_code == 404
        assert http.delete(f"/api/v1/sessions/{session}").status_code == 404
        assert http.get(f"/p/{project}/").status_code in {302, 404}
        assert http.post("/api/v1/sessions", json={"project": project}).status_code == 404
    for path in ("events", "terminals/1"):
        url = f"{site.url}/api/v1/sessions/{session}/{path}"
        assert refusal(url, stranger.headers) in {403, 404, 4403, 4404}
    workspace.expect_output("print('mine')", "mine")


def test_another_users_kernel_cannot_be_used(
    workspace: Workspace, site: Site, account: Account, stranger: Account
) -> None:
    with client(site, account) as http:
        kernel = http.get("/jupyter/api/kernels").json()[0]["id"]
    with client(site, stranger) as http:
        assert http.get("/jupyter/api/kernels").json() == []
        for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/interrupt"), ("POST", "/restart")):
            assert http.request(method, f"/jupyter/api/kernels/{kernel}{path}").status_code == 404, (method, path)
    url = f"{site.url}/jupyter/api/kernels/{kernel}/channels"
    assert refusal(url, stranger.headers) in {403, 404, 4403, 4404}
    workspace.expect_output("print('mine')", "mine")


def test_another_users_project_is_not_found_in_the_browser(
    page: Page, site: Site, project: str, stranger: Account
) -> None:
    sign_in(page, site, stranger)
    answer = page.goto(f"{site.url}/p/{project}/")
    assert answer is not None
    assert answer.status == 404


@pytest.mark.parametrize("path", ["/dashboard", "/keys", "/projects/new"])
def test_nobody_is_asked_to_sign_in(path: str, site: Site) -> None:
    answer = httpx.get(site.url + path)
    assert answer.status_code == 302
    assert "/accounts/login/" in answer.headers["location"]
