"""The wire: any frame survives, and no bytes of a hostile peer do harm."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.runner import messages, sockets
from sandbox.runner.wire import (
    MAX_FRAME,
    MAX_HEADER,
    CallError,
    Client,
    Method,
    Peer,
    WireError,
    decode,
    encode,
    read_frame,
)

headers = st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=8) | st.none(), max_size=4)


@given(headers, st.binary(max_size=200))
def test_a_frame_survives(header: dict[str, object], payload: bytes):
    assert decode(encode(header, payload)[4:]) == (header, payload)


@given(st.binary(max_size=100))
def test_garbage_is_a_wire_error_or_a_frame(body: bytes):
    try:
        header, _ = decode(body)
        assert isinstance(header, dict)
    except WireError:
        pass


async def test_an_oversized_frame_is_refused_before_it_is_read():
    reader = asyncio.StreamReader()
    reader.feed_data((MAX_FRAME + 1).to_bytes(4, "big"))
    with pytest.raises(WireError, match="over the limit"):
        await read_frame(reader)


@given(st.sampled_from(sorted(messages.CHANNELS)), st.lists(st.binary(max_size=50), min_size=4, max_size=8))
def test_a_kernel_message_survives(channel: str, parts: list[bytes]):
    assert messages.unpack(messages.pack(channel, parts)) == (channel, parts)


@given(st.binary(max_size=120))
def test_garbage_is_no_kernel_message(data: bytes):
    try:
        messages.unpack(data)
    except messages.MessageError:
        pass


class Echo:
    """A server of one stream and one call, for the client to meet."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "echo.sock"

    async def __aenter__(self) -> Echo:
        async def add(peer: Peer, call: int, a: int, b: int) -> int:
            return a + b

        async def fail(peer: Peer, call: int) -> None:
            raise CallError("sorry", "It cannot be.")

        async def stumble(peer: Peer, call: int) -> None:
            raise FileNotFoundError(2, "No such file", "/secret/place")

        async def flood(peer: Peer, call: int) -> str:
            return "x" * MAX_HEADER

        async def count(peer: Peer, call: int, to: int) -> str:
            """As many records as a stream's window holds and more must not hold the answer up."""

            async def pump() -> None:
                for number in range(to):
                    await peer.send({"stream": call, "seq": number}, b"x" * 1000)
                await peer.send({"stream": call, "end": "done"})

            peer.spawn(call, pump())
            return "counting"

        methods: dict[str, Method] = {"add": add, "fail": fail, "count": count, "stumble": stumble, "flood": flood}
        listener = sockets.listen(self.path)
        self.server = await sockets.serve(lambda r, w: Peer(r, w, methods).serve(), listener)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.server.close()


@pytest.mark.parametrize("method", ["stumble", "flood"])
async def test_what_goes_wrong_unforeseen_is_answered_and_gives_nothing_away(tmp_path: Path, method: str):
    async with Echo(tmp_path) as echo, await Client.connect(echo.path) as client:
        with pytest.raises(CallError) as error:
            await asyncio.wait_for(client.call(method), 60)
        assert error.value.code == "failed"
        assert "secret" not in error.value.message
        assert await client.call("add", a=1, b=1) == 2


async def test_calls_errors_and_streams(tmp_path: Path):
    async with Echo(tmp_path) as echo, await Client.connect(echo.path) as client:
        assert await asyncio.gather(*(client.call("add", a=n, b=1) for n in range(50))) == list(range(1, 51))
        with pytest.raises(CallError) as error:
            await client.call("fail")
        assert (error.value.code, error.value.message) == ("sorry", "It cannot be.")
        for wrong in (client.call("nonsense"), client.call("add", a=1), client.call("add", a=1, b=2, c=3)):
            with pytest.raises(CallError) as error:
                await wrong
            assert error.value.code == "bad_request"
        stream = await client.open("count", to=500)
        assert stream.result == "counting"
        assert [seq async for seq, _ in stream] == list(range(500))
        assert stream.end == "done"


async def test_a_peer_that_breaks_the_protocol_is_disconnected_and_others_are_not(tmp_path: Path):
    async with Echo(tmp_path) as echo:
        reader, writer = await sockets.open_unix_connection(echo.path)
        writer.write(b"\xff" * 64)
        assert await reader.read() == b""
        writer.close()
        async with await Client.connect(echo.path) as client:
            assert await client.call("add", a=1, b=1) == 2


async def test_paths_longer_than_sun_path(tmp_path: Path):
    folder = tmp_path / ("d" * 80) / ("e" * 80)
    folder.mkdir(parents=True)
    async with Echo(folder) as echo, await Client.connect(echo.path) as client:
        assert await client.call("add", a=2, b=2) == 4
    assert isinstance(sockets.listen(folder / "again.sock"), socket.socket)


async def test_a_call_begins_before_what_is_sent_after_it(tmp_path: Path):
    heard: list[str] = []

    async def open_(peer: Peer, call: int) -> None:
        async def write(payload: bytes) -> None:
            heard.append("write")

        peer.on_write(call, write)

    async def resize(peer: Peer, call: int) -> None:
        heard.append("resize")

    methods: dict[str, Method] = {"open": open_, "resize": resize}
    server = await sockets.serve(lambda r, w: Peer(r, w, methods).serve(), sockets.listen(tmp_path / "s"))
    async with await Client.connect(tmp_path / "s") as client:
        stream = await client.open("open")
        calls = []
        for _ in range(20):  # both frames in one segment, most times
            calls.append(asyncio.ensure_future(client.call("resize")))
            await asyncio.sleep(0)
            await stream.write(b"x")
        await asyncio.gather(*calls, client.call("resize"))
    server.close()
    assert heard[:40] == ["resize", "write"] * 20


async def test_a_peer_that_never_reads_is_left(tmp_path: Path):
    sent = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.read(1000)  # the call, and nothing after it
        writer.write(encode({"id": 1, "result": None}))
        try:
            while sent < 1_000_000:
                writer.write(encode({"stream": 1, "seq": sent}, b"x"))
                sent += 1
                await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()

    server = await sockets.serve(serve, sockets.listen(tmp_path / "s"))
    async with await Client.connect(tmp_path / "s") as client:
        stream = await client.open("flood")
        async for seq, _ in stream:
            stream.acknowledge(seq + 1)
        assert "lost" in stream.end
    server.close()
    assert sent < 1_000_000


async def test_a_peer_that_reads_slowly_is_not_left_for_what_is_pasted_into_it(tmp_path: Path):
    heard = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal heard
        await reader.read(1000)  # the call; the paste waits until all records are out
        writer.write(encode({"id": 1, "result": None}))
        for seq in range(100):
            writer.write(encode({"stream": 1, "seq": seq}, b"x"))
            await writer.drain()
        while heard < 4_000_000:
            heard += len(await reader.read(1 << 20))
        writer.write(encode({"stream": 1, "end": "done"}))
        writer.close()

    server = await sockets.serve(serve, sockets.listen(tmp_path / "s"))
    async with await Client.connect(tmp_path / "s") as client:
        stream = await client.open("cat")
        pasting = asyncio.create_task(stream.write(b"y" * 4_000_000))
        await asyncio.sleep(0)  # it has begun
        seqs = []
        async for seq, _ in stream:
            seqs.append(seq)
            stream.acknowledge(seq + 1)
        await pasting
        assert seqs == list(range(100)) and stream.end == "done"
    server.close()


async def test_who_leaves_says_what_they_have_taken_though_more_is_here_already(tmp_path: Path):
    heard: list[dict[str, object]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_frame(reader)
        frames: list[dict[str, Any]] = [{"id": 1, "result": None}, *({"stream": 1, "seq": seq} for seq in range(9))]
        writer.write(b"".join(encode(frame) for frame in frames))
        while (frame := await read_frame(reader)) is not None:
            heard.append(frame[0])
        writer.close()

    server = await sockets.serve(serve, sockets.listen(tmp_path / "s"))
    async with await Client.connect(tmp_path / "s") as client:
        stream = await client.open("log")
        async for seq, _ in stream:
            if seq == 3:
                break
        await stream.close()
        async with asyncio.timeout(10):
            while not heard or "end" not in heard[-1]:
                await asyncio.sleep(0.01)
    assert heard[-2:] == [{"stream": 1, "ack": 3}, {"stream": 1, "end": None}]  # 3 itself was only looked at
    server.close()
