"""Ports that programs inside listen on: seen, and reached."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.runner.egress import PORT
from sandbox.runner.ports import MOST, listening
from sandbox.runner.wire import CallError, Stream
from tests.sandbox.conftest import Lab

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def line(port: int, state: str = "0A", inode: int = 7, address: str = "0100007F") -> str:
    return (
        f"   0: {address}:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  1000 0 {inode} 1\n"
    )


def test_what_listens_is_found_in_both_tables_and_named_once() -> None:
    first = HEAD + line(8000, inode=1) + line(22, state="01") + line(80, inode=2)
    second = HEAD + line(8000, inode=3, address="0" * 32) + line(5000, inode=4, address="0" * 24 + "01000000")
    assert listening([first, second]) == {80: 2, 5000: 4, 8000: 1}
    assert listening([]) == {}


@given(st.lists(st.integers(1, 65535), max_size=200))
def test_ports_are_in_order_and_bounded(ports: list[int]) -> None:
    found = listening([HEAD + "".join(map(line, ports))])
    assert list(found) == sorted(set(ports))[:MOST]


async def until(watch: Stream, condition: Any) -> list[dict[str, Any]]:
    async with asyncio.timeout(20):
        async for _, payload in watch:
            if condition(ports := json.loads(payload)):
                return list(ports)
    raise AssertionError("the stream ended")


@pytest.mark.jail
@pytest.mark.asyncio(loop_scope="module")
async def test_a_server_is_seen_reached_and_gone(lab: Lab) -> None:
    id = await lab.start()
    inside, client = await lab.kernel(id), await lab.client(id)
    watch = await client.open("ports.watch")
    assert await until(watch, lambda ports: True) == []
    await inside.run(
        "import socket, threading\n"
        "def serve(server):\n"
        "    while True:\n"
        "        try: connection, _ = server.accept()\n"
        "        except OSError: return\n"
        "        with connection: connection.sendall(b'got ' + connection.recv(100)); connection.recv(1)\n"
        "four = socket.create_server(('127.0.0.1', 8000)); six = socket.create_server(('::1', 8001), family=10)\n"
        "for one in four, six: threading.Thread(target=serve, args=(one,), daemon=True).start()"
    )
    ports = await until(watch, lambda ports: len(ports) == 2)
    assert [port["port"] for port in ports] == [8000, 8001]
    assert {port["program"] for port in ports} == {"kernel"}
    for port in (8000, 8001):
        stream = await (await lab.client(id)).open("port.connect", port=port)
        await stream.write(b"this")
        await stream.write(b"")
        assert b"".join([payload async for _, payload in stream]) == b"got this"
    await inside.run("four.shutdown(2); four.close(); six.shutdown(2); six.close()")
    assert await until(watch, lambda ports: not ports) == []


@pytest.mark.jail
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("port", "code"),
    [(8000, "not_found"), (PORT, "bad_request"), (0, "bad_request"), (65536, "bad_request"), ("80", "bad_request"),
     (True, "bad_request"), (None, "bad_request"), ([80], "bad_request")],
)  # fmt: skip
async def test_nothing_but_a_port_of_the_users_programs_is_reached(lab: Lab, port: Any, code: str) -> None:
    client = await lab.client(await lab.start())
    with pytest.raises(CallError) as refused:
        await client.open("port.connect", port=port)
    assert refused.value.code == code
