"""The door's languages: HTTP's proxy requests and SOCKS5."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.runner.proxying import BadRequest, LastResponse, Request, error_page, parse_request, socks_host


def test_connect_names_a_host_and_a_port() -> None:
    assert parse_request(b"CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n") == Request("example.org", 443)
    assert parse_request(b"CONNECT [::1]:443 HTTP/1.1\r\n\r\n") == Request("[::1]", 443)


def test_a_plain_request_is_sent_on_in_the_form_of_its_server() -> None:
    head = (
        b"POST http://me:pw@example.org:8080/a?b=1 HTTP/1.1\r\nHost: elsewhere\r\nProxy-Authorization: Basic x\r\n"
        b"Connection: keep-alive\r\nContent-Length: 2\r\nX-Own: yes\r\n\r\n"
    )
    request = parse_request(head)
    assert (request.host, request.port) == ("example.org", 8080)
    kept = b"Content-Length: 2\r\nX-Own: yes\r\nConnection: close\r\n\r\n"
    assert request.head == b"POST /a?b=1 HTTP/1.1\r\nHost: example.org:8080\r\n" + kept
    bare = parse_request(b"GET http://example.org HTTP/1.1\r\n\r\n").head
    assert bare == b"GET / HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1", b"GET https://a/ HTTP/1.1", b"CONNECT a HTTP/1.1", b"CONNECT a:b HTTP/1.1",
        b"CONNECT :1 HTTP/1.1", b"GET http:// HTTP/1.1", b"GET http://a:x/ HTTP/1.1", b"GET http://[a/ HTTP/1.1",
        b"nonsense", b"\xff\xfe",
    ],
)  # fmt: skip
def test_what_is_no_proxy_request_is_refused(head: bytes) -> None:
    with pytest.raises(BadRequest):
        parse_request(head + b"\r\n\r\n")


@given(st.binary(max_size=200))
def test_whatever_comes_is_a_request_or_refused(data: bytes) -> None:
    try:
        request = parse_request(data + b"\r\n\r\n")
    except BadRequest:
        return
    assert request.host
    assert 0 <= request.port < 100_000


RESPONSE = b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\nX: 1\r\n\r\nbody\r\n\r\nmore"
CLOSING = b"HTTP/1.1 200 OK\r\nX: 1\r\nConnection: close\r\n\r\nbody\r\n\r\nmore"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@given(st.lists(st.integers(1, 30), max_size=20), st.booleans())
def test_a_response_is_the_last_of_its_connection_however_it_is_cut(cuts: list[int], interim: bool) -> None:
    rest, response, passed = (CONTINUE if interim else b"") + RESPONSE, LastResponse(), b""
    for cut in cuts:
        if not rest:
            break
        passed += response.feed(rest[:cut])
        rest = rest[cut:]
    if rest:
        passed += response.feed(rest)
    passed += response.feed(b"")
    if interim:
        assert passed.startswith(b"HTTP/1.1 100 Continue\r\n")
        passed = passed[passed.index(b"\r\n\r\n") + 4 :]
    assert passed == CLOSING


@given(st.binary(max_size=300))
def test_what_is_no_response_comes_through_as_it_is(data: bytes) -> None:
    response = LastResponse()
    passed = response.feed(data) + response.feed(b"")
    if b"\r\n\r\n" not in data:
        assert passed == data


def test_the_reason_is_on_the_line_that_tools_show() -> None:
    page = error_page(403, "Madang: no\r\nSet-Cookie: x=1 안녕")
    line, _, rest = page.partition(b"\r\n")
    assert line == b"HTTP/1.1 403 Madang: no Set-Cookie: x=1 ??"
    head, _, body = rest.partition(b"\r\n\r\n")
    assert b"Set-Cookie" not in head
    assert f"Content-Length: {len(body)}".encode() in head


def test_socks_addresses() -> None:
    assert socks_host(1, bytes((10, 0, 0, 1))) == "10.0.0.1"
    assert socks_host(3, b"example.org") == "example.org"
    assert socks_host(4, bytes(15) + b"\1") == "::1"
