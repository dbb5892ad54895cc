"""Sockets at paths that are longer than the kernel takes."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

from sandbox.runner import sockets


async def test_a_long_path_is_served_whatever_has_its_descriptor_by_now(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 25) / ("longer" * 20)
    folder.mkdir(parents=True)
    listener = sockets.listen(folder / "s")
    others = [os.open(os.devnull, os.O_RDONLY) for _ in range(8)]  # what the name speaks of is no folder now

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readline()).upper())
        writer.close()

    server = await sockets.serve(accept, listener)
    reader, writer = await sockets.open_unix_connection(folder / "s")
    writer.write(b"hello\n")
    assert await reader.read() == b"HELLO\n"
    writer.close()
    server.close()
    for other in others:
        os.close(other)


async def test_one_that_was_bound_elsewhere_is_served(tmp_path: Path) -> None:
    """As the runner serves what the jail has bound: inside, there is no such path."""
    folder = tmp_path / "folder"
    folder.mkdir()
    listener = sockets.listen(folder / "s")
    folder.rename(tmp_path / "elsewhere")
    folder.write_text("no folder any more")

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await sockets.serve(accept, listener)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "elsewhere" / "s"))
    server.close()
