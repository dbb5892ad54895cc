"""TCP ports that programs inside listen on: which there are (proc(5), ``net/tcp``), and connections to them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

from sandbox.runner.joining import CHUNK, Meeting, join, offer
from sandbox.runner.wire import CallError, Peer

LOOK_SECONDS = 0.5
MOST = 64
_LISTEN = "0A"
TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
"""Where the kernel lists the sockets of this network namespace."""
_HOSTS = ("127.0.0.1", "::1")


def listening(tables: Iterable[str]) -> dict[int, int]:
    """Each port that something listens on, with its socket's inode; the lowest ports first. Pure."""
    found: dict[int, int] = {}
    for table in tables:
        for line in table.splitlines()[1:]:
            words = line.split()
            if len(words) > 9 and words[3] == _LISTEN:
                found.setdefault(int(words[1].rpartition(":")[2], 16), int(words[9]))
    return dict(sorted(found.items())[:MOST])


class Ports:
    """Answers ``ports.watch`` and ``port.connect``. ``door`` is the runner's own port, which is nobody's business."""

    def __init__(self, door: int) -> None:
        self._door = door
        self._joined: set[asyncio.Task[None]] = set()
        self.methods = {"ports.watch": self.watch, "port.connect": self.connect}

    async def watch(self, peer: Peer, call: int) -> dict[str, Any]:
        """Opens a stream: the list of ``{"port", "program"}`` now, and again whenever it has changed."""

        async def pump() -> None:
            known: dict[int, int] | None = None
            numbers = count()
            while True:
                found = self._listening()
                if found != known:
                    known, names = found, _programs(set(found.values()))
                    ports = [{"port": port, "program": names.get(inode, "")} for port, inode in found.items()]
                    await peer.send({"stream": call, "seq": next(numbers)}, json.dumps(ports).encode())
                await asyncio.sleep(LOOK_SECONDS)

        peer.spawn(call, pump())
        return {}

    async def connect(self, peer: Peer, call: int, port: int) -> dict[str, Any]:
        """Opens a stream that is a connection to ``port`` of loopback."""
        if type(port) is not int or not 0 < port < 1 << 16 or port == self._door:
            raise CallError("bad_request", "That is no port of the session's programs.")
        for host in _HOSTS:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection(host, port, limit=CHUNK)
                break
        else:
            raise CallError("not_found", f"Nothing in the session answers at port {port}.")
        work = asyncio.ensure_future(_carry(offer(peer, call), reader, writer))
        self._joined.add(work)
        work.add_done_callback(self._joined.discard)
        return {}

    def _listening(self) -> dict[int, int]:
        return {port: inode for port, inode in listening(_texts()).items() if port != self._door}


async def _carry(meeting: Meeting, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.closing(writer):
        await join(meeting, reader, writer)


def _texts() -> Iterator[str]:
    for table in TABLES:
        with contextlib.suppress(OSError):  # without IPv6 there is no second one
            yield Path(table).read_text()


def _programs(inodes: set[int]) -> dict[int, str]:
    """The names of the programs that hold the sockets ``inodes``, as far as they can be seen."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    found: dict[int, str] = {}
    for process in Path("/proc").glob("[0-9]*") if wanted else ():
        with contextlib.suppress(OSError):  # it has just ended, or is the runner
            for descriptor in os.listdir(process / "fd"):
                if inode := wanted.get(os.readlink(process / "fd" / descriptor)):
                    name = (process / "comm").read_text().strip()
                    found.setdefault(inode, "kernel" if name == "runner" else name)  # forks of the runner are kernels
    return found
