"""The state of a terminal behind what was cut: however it is cut, what is replayed looks the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.runner.modes import RESET, Modes

PIECES = [
    b"plain text\r\n", "한글 마당".encode(), b"\xff\xfe", b"\x1b[31m", b"\x1b[0;1;38;5;200m", b"\x1b[m", b"\x1b[?1049h",
    b"\x1b[?1049l", b"\x1b[?25l", b"\x1b[?1;2004h", b"\x1b[4h", b"\x1b[2;20r", b"\x1b(0", b"\x0e", b"\x0f", b"\x1b=",
    b"\x1b[3 q", b"\x1b]0;a title\x07", b"\x1b]2;another\x1b\\", b"\x1bP1$r0m\x1b\\", b"\x1b[!p", b"\x1bc", b"\x1b[2J",
    b"\x1b[?1000h\x1b[?1006h", b"\x1b]8;;http://example.org\x07link\x1b]8;;\x07", b"\x1b[10;5H",
]  # fmt: skip
outputs = st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)


@given(outputs, st.data())
def test_it_does_not_matter_where_it_is_cut(data: bytes, draw: st.DataObject):
    at = draw.draw(st.integers(0, len(data)))
    whole, cut = Modes().after(data), Modes().after(data[:at]).after(data[at:])
    assert cut == whole


@given(outputs, st.data())
def test_what_is_restored_and_the_rest_lead_to_the_same_state(data: bytes, draw: st.DataObject):
    at = draw.draw(st.integers(0, len(data)))
    before = Modes().after(data[:at])
    again = Modes().after(b"\x1b[7m\x1b[?1049h\x1b]0;half" + before.restore() + data[at:])
    assert again == Modes().after(data)


@given(st.binary(max_size=300))
def test_garbage_is_no_harm(data: bytes):
    assert Modes().after(data).restore().startswith(RESET)


@pytest.mark.parametrize("begun", [b"\x1b]0;", b"\x1bP", b"\x1b_"])
def test_a_string_without_end_is_not_kept_but_its_rest_is_still_swallowed(begun: bytes):
    state = Modes().after(begun + b"x" * 100_000)
    assert len(state.restore()) < 100
    assert state.after(b"y" * 10 + b"\x1b\\\x1b[?25l").private == {b"25": b"l"}


def test_it_stays_small():
    state = Modes().after(b"".join(b"\x1b[?%dh\x1b[%dm\x1b[%dh" % (n, n, n) for n in range(100_000)))
    assert len(state.restore()) < 4000


def test_who_has_the_whole_screen():
    assert Modes().after(b"\x1b[?1049h").alternate
    assert Modes().after(b"\x1b[?47h").alternate
    assert not Modes().after(b"\x1b[?1049h\x1b[?1049l").alternate
