"""Unix sockets at paths of any length.

``sun_path`` holds 108 bytes (unix(7)), less than many checkouts' paths. A long path is
reached through ``/proc/self/fd/<directory>/<name>``, which is short.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

_SUN_PATH = 100

Accept = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.contextmanager
def short_path(path: Path | str) -> Iterator[str]:
    """Yield a name for ``path`` that fits in ``sun_path``, valid inside the block."""
    path = Path(path)
    if len(os.fsencode(path)) <= _SUN_PATH:
        yield str(path)
        return
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)


def listen(path: Path | str, backlog: int = 128, mode: int = 0o600) -> socket.socket:
    """Return a listening socket at ``path``, replacing a stale one.

    Raises:
        OSError: the directory is missing or not writable.
    """
    Path(path).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with short_path(path) as name:
        listener.bind(name)
        os.chmod(path, mode)
    listener.listen(backlog)
    listener.setblocking(False)
    return listener


async def serve(accept: Accept, listener: socket.socket, limit: int = 1 << 20) -> asyncio.Server:
    """Call ``accept`` with the reader and the writer of each connection to ``listener``.

    Not by :func:`asyncio.start_unix_server`: from Python 3.13 on that asks for the file behind the socket's name, to
    remove it at the end, and the name that a long path has been given is not valid any more.
    """
    return await asyncio.start_server(accept, sock=listener, limit=limit)


async def open_unix_connection(
    path: Path | str, limit: int = 1 << 20
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the socket at ``path``; at most twice ``limit`` bytes wait unread.

    Raises:
        OSError: nobody listens there.
    """
    with short_path(path) as name:
        return await asyncio.open_unix_connection(name, limit=limit)
