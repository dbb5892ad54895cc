"""The framing of language servers, against pieces, garbage and lies."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.runner.framing import MAX_HEADER, MAX_MESSAGE, FramingError, Unframer, frame, parse

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
messages = st.lists(st.dictionaries(st.text(), values, max_size=4), max_size=6)


@given(messages, st.lists(st.integers(1, 40), min_size=1))
def test_messages_come_whole_however_they_are_cut(sent, cuts):
    data, unframer, came, at, turn = b"".join(map(frame, sent)), Unframer(), [], 0, 0
    while at < len(data):
        came += unframer.feed(data[at : at + cuts[turn % len(cuts)]])
        at, turn = at + cuts[turn % len(cuts)], turn + 1
    assert came == sent


@given(st.lists(st.binary(max_size=200)))
def test_garbage_is_refused_or_waited_for_and_never_kept_without_bound(pieces):
    unframer = Unframer()
    try:
        for piece in pieces:
            unframer.feed(piece)
    except FramingError:
        return
    assert unframer._length is not None or len(unframer._data) < MAX_HEADER + 200


@pytest.mark.parametrize(
    "data",
    [
        b"Content-Length: %d\r\n\r\n" % (MAX_MESSAGE + 1),
        b"Content-Length: 999999999999\r\n\r\n",
        b"Content-Length: 99999999999999999999\r\n\r\n",
        b"Content-Length: -5\r\n\r\n",
        b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
        b"Content-Type: x\r\n\r\n{}",
        b"\r\n\r\n{}",
        b"x" * MAX_HEADER,
        b"Content-Length: 2\r\n\r\n[]",
        b"Content-Length: 4\r\n\r\n\xff\xfe\xfd\xfc",
        b"Content-Length: 100000\r\n\r\n" + b"[" * 100_000,
    ],
)
def test_what_is_no_message_is_refused(data):
    with pytest.raises(FramingError):
        Unframer().feed(data)


def test_a_giant_length_reserves_nothing():
    unframer = Unframer()
    assert unframer.feed(b"Content-Length: %d\r\n\r\n{" % MAX_MESSAGE) == []
    assert len(unframer._data) == 1


def test_other_headers_and_cases_are_understood():
    assert Unframer().feed(b"content-length:2\r\nContent-Type: application/vscode-jsonrpc\r\n\r\n{}") == [{}]


def test_a_message_of_a_page_is_bounded():
    with pytest.raises(FramingError):
        parse(json.dumps({"a": "x" * MAX_MESSAGE}).encode())
