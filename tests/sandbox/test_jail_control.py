"""The jail's loop, and the wire spoken on it: a real client, and bytes that are none of the protocol."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.jail.control import Call, Control
from sandbox.jail.loop import Loop
from sandbox.runner import sockets
from sandbox.runner.wire import CallError, Client, encode


@dataclass
class Site:
    """A control socket served in a thread of its own."""

    path: Path
    loop: Loop = field(default_factory=Loop)
    calls: list[Call] = field(default_factory=list)
    taken: list[bool] = field(default_factory=list)
    control: Control = field(init=False)

    def say(self, call: Call, word: str) -> None:
        call.answer({"said": word})

    def refuse(self, call: Call) -> None:
        raise CallError("illegal", "Never.")

    def fail(self, call: Call) -> None:
        raise ZeroDivisionError

    def later(self, call: Call) -> None:
        self.loop.after(0.01, call.answer, {"late": True})

    def open(self, call: Call, records: int = 1, size: int = 5, over: bool = False) -> None:
        self.calls.append(call)  # before the answer: whoever has that looks at it at once
        call.answer({})
        self.taken = [call.record(b"%d" % n + bytes(size)) for n in range(records)]
        if over:
            call.end("done")

    def finish(self, call: Call) -> None:
        call.answer({})
        self.control.finish()


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Site]:
    site = Site(folder / "jail.sock")
    methods = {name: getattr(site, name) for name in ("say", "refuse", "fail", "later", "open", "finish")}
    site.control = Control(site.loop, sockets.listen(site.path), methods)
    thread = threading.Thread(target=site.loop.run)
    thread.start()
    try:
        yield site
    finally:
        async with await Client.connect(site.path) as client:
            await client.call("finish")
        await asyncio.to_thread(thread.join)


async def until(site: Site, condition: str) -> None:
    async with asyncio.timeout(30):
        while not (site.calls and getattr(site.calls[0], condition)):
            await asyncio.sleep(0.005)


async def test_calls_are_answered_refused_and_answered_later(tmp_path: Path):
    async with serving(tmp_path) as site, await Client.connect(site.path) as client:
        assert await client.call("say", word="마당") == {"said": "마당"}
        assert await client.call("later") == {"late": True}
        for method, params, code in (
            ("refuse", {}, "illegal"),
            ("fail", {}, "failed"),
            ("say", {"wrong": 1}, "bad_request"),
            ("nothing", {}, "bad_request"),
        ):
            with pytest.raises(CallError) as refusal:
                await client.call(method, **params)
            assert refusal.value.code == code
        assert await client.call("say", word="still there") == {"said": "still there"}


async def test_a_stream_has_its_records_in_order_and_an_end(tmp_path: Path):
    async with serving(tmp_path) as site, await Client.connect(site.path) as client:
        stream = await client.open("open", records=100, size=0, over=True)
        assert [record async for record in stream] == [(n, b"%d" % n) for n in range(100)]
        assert stream.end == "done"


async def test_who_does_not_read_gets_fewer_records_and_costs_no_memory(tmp_path: Path):
    async with serving(tmp_path) as site:
        with socket.socket(socket.AF_UNIX) as deaf:
            deaf.connect(str(site.path))
            deaf.send(encode({"call": "open", "id": 1, "params": {"records": 1000, "size": 10_000}}))
            await until(site, "_connection")
            assert any(site.taken) and not all(site.taken)
            assert site.calls[0]._connection.waiting < 100_000


async def test_who_leaves_a_stream_or_hangs_up_is_known_to_have_left(tmp_path: Path):
    async with serving(tmp_path) as site:
        async with await Client.connect(site.path) as client:
            stream = await client.open("open")
            assert not site.calls[0].left
            await stream.close()
            await until(site, "left")
        site.calls.clear()
        async with await Client.connect(site.path) as client:
            await client.open("open")
        await until(site, "left")


@settings(max_examples=30)
@given(st.binary(min_size=1, max_size=300))
def test_garbage_closes_its_connection_and_nobody_elses(tmp_path_factory: pytest.TempPathFactory, garbage: bytes):
    async def attack() -> None:
        async with serving(tmp_path_factory.mktemp("control")) as site:
            async with await Client.connect(site.path) as client:
                with socket.socket(socket.AF_UNIX) as hostile:
                    hostile.connect(str(site.path))
                    hostile.send(garbage)
                    assert await client.call("say", word="here") == {"said": "here"}

    asyncio.run(attack())


def test_what_fails_in_a_callback_ends_nothing(capsys: pytest.CaptureFixture[str]):
    loop, done = Loop(), list[object]()
    loop.after(0, lambda: 1 // 0)
    loop.after(0.005, done.append, 1)
    loop.after(0.01, loop.stop)
    loop.run()
    assert done == [1] and "ZeroDivisionError" in capsys.readouterr().err


def test_a_timer_that_is_cancelled_does_not_come_and_one_that_came_can_be_cancelled():
    loop, done = Loop(), list[object]()
    loop.cancel(loop.after(0, done.append, "cancelled"))
    came = loop.after(0, done.append, "came")
    loop.after(0.01, loop.stop)
    loop.run()
    loop.cancel(came)
    assert done == ["came"]


def test_a_descriptor_forgotten_in_the_same_turn_is_not_called():
    loop, called = Loop(), list[int]()
    pairs = [socket.socketpair() for _ in range(2)]

    def hear(index: int) -> None:
        called.append(index)
        loop.forget(pairs[1 - index][0].fileno())

    for index, (ours, theirs) in enumerate(pairs):
        theirs.send(b"x")
        loop.on_readable(ours.fileno(), lambda index=index: hear(index))
    loop.turn(0)
    assert len(called) == 1
    for pair in pairs:
        for end in pair:
            end.close()


def test_a_signal_wakes_the_loop_and_is_heard_between_callbacks():
    loop, before = Loop(), signal.getsignal(signal.SIGUSR1)
    try:
        loop.on_signals((signal.SIGUSR1,), loop.stop)
        loop.after(0.01, os.kill, os.getpid(), signal.SIGUSR1)
        loop.run()
    finally:
        os.close(signal.set_wakeup_fd(-1))
        signal.signal(signal.SIGUSR1, before)
