"""The channels between runner and kernel: messages survive however they are cut, and sizes are bounded."""

from __future__ import annotations

import asyncio
import json
import struct

from hypothesis import given
from hypothesis import strategies as st

from sandbox.runner import channels, messages


@given(st.lists(st.binary(max_size=40), max_size=6), st.integers(1, 9))
def test_messages_survive_however_their_bytes_are_cut(sent: list[bytes], size: int):
    stream = b"".join(map(channels.frame, sent))
    parser = channels.Parser()
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert [message for piece in pieces for message in parser.feed(piece)] == sent


async def test_messages_go_both_ways_and_the_end_is_told():
    ours, theirs = channels.pairs()
    ends = channels.Channels(ours)
    await ends.open()
    await ends.write("shell", b"hello")
    assert theirs["shell"].recv(100) == channels.frame(b"hello")
    theirs["iopub"].sendall(channels.frame(b"one") + channels.frame(b"two"))
    assert [await ends.read(), await ends.read()] == [b"one", b"two"]
    theirs["iopub"].sendall(b"\0\0\0\x09cut")
    for end in theirs.values():
        end.close()
    assert await ends.read() is None
    ends.close()


async def test_what_is_too_large_is_left_out_and_told_and_the_next_message_comes():
    ours, theirs = channels.pairs()
    ends = channels.Channels(ours)
    await ends.open()
    length = 3 * messages.MAX_MESSAGE

    def flood() -> None:
        theirs["iopub"].sendall(struct.pack(">I", length))
        for _ in range(0, length, 1 << 20):
            theirs["iopub"].sendall(b"x" * min(1 << 20, length - _))
        theirs["iopub"].sendall(channels.frame(b"after"))

    flooding = asyncio.create_task(asyncio.to_thread(flood))
    note = await ends.read()
    assert note is not None
    channel, parts = messages.unpack(note)
    assert channel == "iopub"
    assert "cut: this output has 50 MB" in json.loads(parts[3])["text"]
    assert await ends.read() == b"after"
    await flooding
    for end in theirs.values():
        end.close()
    ends.close()
