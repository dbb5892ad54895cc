"""Back-pressure under Daphne: its transport is found, asked to wait, and let go."""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from typing import Any

from sessions.flow import QUEUED, UNSENT, Flow


class Transport:
    """What Twisted's transport offers, and what was asked of it."""

    connected, disconnecting = True, False

    def __init__(self) -> None:
        self.producer: Any = "the HTTP channel"
        self.reading = True

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        assert self.producer is None, "there can be one"
        assert not streaming, "a pull producer is told each time that all has gone out"
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def pauseProducing(self) -> None:
        self.reading = False

    def resumeProducing(self) -> None:
        self.reading = True


class Protocol:
    onPong: Any = None

    def __init__(self) -> None:
        self.transport = Transport()
        self.pings: list[bytes] = []

    def sendPing(self, payload: bytes) -> None:
        self.pings.append(payload)


class Wrapper:
    """As channels.sessions wraps ``send``."""

    def __init__(self, real_send: Any) -> None:
        self.real_send = real_send

    async def send(self, message: Any) -> None:
        await self.real_send(message)


async def reply(protocol: Protocol, message: Any) -> None: ...


async def test_it_takes_the_transports_place_and_waits_for_it() -> None:
    protocol, gone = Protocol(), []
    flow = Flow(Wrapper(partial(reply, protocol)).send, lambda: gone.append(True))
    assert protocol.transport.producer is flow
    flow.sending(QUEUED - 1)
    await asyncio.wait_for(flow.drained(), 1)
    assert not gone
    flow.sending(1)
    waiting = asyncio.create_task(flow.drained())
    await asyncio.wait({waiting}, timeout=0.05)
    assert not waiting.done()
    flow.resumeProducing()
    await asyncio.wait_for(waiting, 1)
    assert gone == [True]


async def test_the_kernel_queues_little_for_a_slow_client() -> None:
    ours, theirs = socket.socket(), socket.socket()
    with ours, theirs:
        protocol = Protocol()
        protocol.transport.getHandle = lambda: ours  # type: ignore[attr-defined]
        Flow(partial(reply, protocol))
        assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT) == UNSENT


async def test_the_client_is_not_read_while_nothing_takes_its_frames() -> None:
    protocol = Protocol()
    flow = Flow(partial(reply, protocol))
    flow.pause_reading()
    assert not protocol.transport.reading
    flow.resume_reading()
    assert protocol.transport.reading


async def test_pings_go_out_and_pongs_come_in_until_it_is_let_go() -> None:
    protocol, pongs = Protocol(), list[bytes]()
    flow = Flow(partial(reply, protocol))
    assert flow.on_pong(pongs.append)
    flow.ping(b"one")
    protocol.onPong(b"one")
    flow.release()
    flow.ping(b"two")
    assert (protocol.pings, pongs) == ([b"one"], [b"one"])


async def test_letting_go_frees_whoever_waits() -> None:
    protocol = Protocol()
    flow = Flow(partial(reply, protocol))
    flow.sending(QUEUED)
    flow.release()
    assert protocol.transport.producer is None
    await asyncio.wait_for(flow.drained(), 1)
    flow.release()


async def test_a_lost_connection_frees_whoever_waits() -> None:
    flow = Flow(partial(reply, Protocol()))
    flow.sending(QUEUED)
    flow.stopProducing()
    await asyncio.wait_for(flow.drained(), 1)


async def test_under_another_server_it_does_nothing() -> None:
    async def send(message: Any) -> None: ...

    for other in (send, partial(send), Wrapper(send).send):
        flow = Flow(other)
        await asyncio.wait_for(flow.drained(), 1)
        flow.pause_reading()
        flow.resume_reading()
        assert not flow.on_pong(lambda pong: None)
        flow.ping(b"one")
        flow.release()
