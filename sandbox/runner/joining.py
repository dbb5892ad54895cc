"""A stream of the wire and a connection inside, joined: bytes both ways, an empty record ends a direction."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sandbox.runner.wire import Peer

CHUNK = 64 * 1024

Write = Callable[[bytes], Awaitable[None]]


@dataclass
class Meeting:
    """The outside's end: ``write`` sends to it; ``inwards`` is given what comes, at its end ``b""``."""

    write: Write
    inwards: asyncio.Future[Write]
    over: asyncio.Event


def offer(peer: Peer, call: int) -> Meeting:
    """Make stream ``call`` of ``peer`` one end of a connection; the other end comes with :func:`join`."""
    numbers = itertools.count()

    async def write(data: bytes) -> None:
        await peer.send({"stream": call, "seq": next(numbers)}, data)

    meeting = Meeting(write, asyncio.get_running_loop().create_future(), asyncio.Event())

    async def take(data: bytes) -> None:
        await (await meeting.inwards)(data)

    async def live() -> None:
        try:
            await meeting.over.wait()
            await peer.send({"stream": call, "end": None})
        finally:
            meeting.over.set()

    peer.on_write(call, take)
    peer.spawn(call, live())
    return meeting


async def join(
    meeting: Meeting,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    head: bytes = b"",
    filter: Callable[[bytes], bytes] = bytes,
) -> None:
    """Relay until both ends are done or one has left. ``head`` goes out first, ``filter`` sees what comes."""
    ended = asyncio.Event()

    async def inwards(data: bytes) -> None:
        try:
            writer.write(filter(data))
            await writer.drain()
            if not data:
                writer.write_eof()
                ended.set()
        except OSError:
            meeting.over.set()  # the program has left

    async def outwards() -> None:
        data = head or await reader.read(CHUNK)
        while data:
            await meeting.write(data)
            data = await reader.read(CHUNK)
        await meeting.write(b"")
        await ended.wait()

    meeting.inwards.set_result(inwards)
    both = [asyncio.ensure_future(work) for work in (outwards(), meeting.over.wait())]
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        meeting.over.set()
        for work in both:
            work.cancel()
        await asyncio.gather(*both, return_exceptions=True)
