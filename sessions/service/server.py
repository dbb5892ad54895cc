"""The process of the session service: one per state folder, its socket, its signals."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
from pathlib import Path

from django.conf import settings

from sandbox.drivers import Driver
from sandbox.images import selftest
from sandbox.runner import sockets
from sandbox.runner.wire import Peer
from sessions.service.address import socket_path
from sessions.service.keeper import Keeper
from sessions.service.methods import Methods
from sessions.service.network import Egress, indexes_known

__all__ = ["AlreadyRunning", "Lock", "listen_for", "serve", "socket_path"]

log = logging.getLogger(__name__)

STOP_SECONDS = 25.0


class AlreadyRunning(Exception):
    """Another session service works on this state folder."""


class Lock:
    """Held for as long as the process lives, however it ends."""

    def __init__(self, file: Path) -> None:
        """Take it.

        Raises:
            AlreadyRunning: another process holds it.
        """
        self._descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._descriptor)
            raise AlreadyRunning(f"Another session service runs on {file.parent.parent}.") from error

    def release(self) -> None:
        os.close(self._descriptor)


async def serve(driver: Driver, state: Path) -> None:
    """Be the session service until SIGTERM (sandboxes stay) or SIGINT (all sessions stop).

    Raises:
        AlreadyRunning: another one works on ``state``.
        SandboxError: the driver cannot work on this host.
    """
    path = socket_path(state)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = Lock(path.with_suffix(".lock"))
    asked: asyncio.Future[signal.Signals] = asyncio.get_running_loop().create_future()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _ask, asked, number)
    keeper = Keeper(driver)
    egress: Egress | None = None
    testing: asyncio.Task[None] | None = None
    try:
        await keeper.open()
        egress = Egress(state / "sandboxes")
        asking = asyncio.create_task(indexes_known())  # before the first session needs to know
        server = await listen_for(keeper, path)
        testing = asyncio.create_task(_test_images(driver, state))
        log.info("the session service listens, %d sessions live", len(keeper.sessions))
        if await asked is signal.SIGINT:
            log.info("stopping all sessions")
            if not await keeper.stop_all("shutdown", "The site was shut down.", STOP_SECONDS):
                log.warning("some sessions did not end in time; the next start finds them")
        server.close()
        path.unlink(missing_ok=True)
    finally:
        if testing is not None:
            testing.cancel()
            await asyncio.gather(testing, return_exceptions=True)
        if egress is not None:
            asking.cancel()
            await egress.close()
        await keeper.close()
        lock.release()


async def _test_images(driver: Driver, state: Path) -> None:
    """In the background: an image is offered until its self-test has failed."""
    if settings.MADANG_SELFTESTS:
        try:
            await selftest.test_all(driver, state)
        except Exception:
            log.exception("the self-tests of the images broke off")


async def listen_for(keeper: Keeper, path: Path) -> asyncio.Server:
    """Answer calls for ``keeper`` on the socket at ``path``."""
    table = Methods(keeper).table()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # we end: asyncio would log that as an error
            await Peer(reader, writer, table).serve()

    return await sockets.serve(accept, sockets.listen(path))


def _ask(asked: asyncio.Future[signal.Signals], number: signal.Signals) -> None:
    if not asked.done():
        asked.set_result(number)
