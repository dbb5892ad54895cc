"""Web's side of the session service: one connection per call, problems instead of exceptions of the wire."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings

from sandbox.runner.wire import CallError, Client, Stream
from sessions.problems import Problem, service_away
from sessions.service.address import socket_path

# While the service restarts, callers wait a little; then they are told.
AWAY_SECONDS = 4.0
RETRY_SECONDS = 0.1
CALL_SECONDS = 90.0

_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[Path, Client]] = WeakKeyDictionary()

# What each refusal of the session service is over HTTP: status, title, what to do.
_REFUSALS = {
    "not_found": (404, "Not found", "It may have ended; start it again."),
    "not_running": (409, "The session is not running", "Start it again, or look at its detail."),
    "conflict": (409, "In the way of another session", "Stop the session that runs, then try again."),
    "illegal": (409, "Not in this state", "Look at the session's state first."),
    "too_many": (429, "Too many sessions", "Stop a session you no longer need."),
    "too_large": (422, "Too large", "Ask for fewer cores or less memory."),
    "bad_request": (422, "Invalid request", "Correct the request."),
}


async def call(method: str, **params: Any) -> Any:
    """Call the session service.

    Raises:
        Problem: it refused, failed, or is away (503 ``service_away``).
    """
    try:
        async with await connect() as client, asyncio.timeout(CALL_SECONDS):
            return await client.call(method, **params)
    except CallError as error:
        raise refusal(error) from error
    except (ConnectionError, TimeoutError) as error:
        raise service_away() from error


async def locate(id: str) -> str:
    """Where the runner of the live session ``id`` listens; waits while it is starting. Asked for each stream and call.

    Raises:
        Problem: it is not running, or the service is away.
    """
    try:
        async with asyncio.timeout(CALL_SECONDS):
            try:
                return await _located(id)
            except ConnectionError:  # the service restarts: what was shared is gone
                return await _located(id)
    except CallError as error:
        raise refusal(error) from error
    except (ConnectionError, TimeoutError) as error:
        raise service_away() from error


async def _located(id: str) -> str:
    answer = await (await shared()).call("session.locate", id=id)
    return str(answer["socket"])


async def connect() -> Client:
    """A connection to the session service; waits a little while it restarts.

    Raises:
        Problem: 503 ``service_away``.
    """
    deadline = asyncio.get_running_loop().time() + AWAY_SECONDS
    while True:
        try:
            return await Client.connect(socket_path(settings.MADANG_STATE))
        except OSError as error:
            if asyncio.get_running_loop().time() > deadline:
                raise service_away() from error
            await asyncio.sleep(RETRY_SECONDS)


async def shared() -> Client:
    """The connection that this loop's callers share; it stays open. Who opens a stream on it reads or closes that.

    Raises:
        Problem: 503 ``service_away``.
    """
    if (kept := _kept()) is not None:
        return kept
    client = await connect()
    if (kept := _kept()) is not None:  # somebody else was as quick
        await client.close()
        return kept
    _shared[asyncio.get_running_loop()] = settings.MADANG_STATE, client
    return client


def _kept() -> Client | None:
    """The shared connection, if it is there and leads to this site's service."""
    state, client = _shared.get(asyncio.get_running_loop(), (None, None))
    return None if client is None or client.closed or state != settings.MADANG_STATE else client


async def watch(client: Client, id: str) -> Stream:
    """Open the stream of a session's events on a connection (:func:`connect`).

    Raises:
        Problem: it is not live, or the service is away.
    """
    try:
        return await client.open("session.watch", id=id)
    except CallError as error:
        raise refusal(error) from error
    except ConnectionError as error:
        raise service_away() from error


def refusal(error: CallError) -> Problem:
    """The problem that tells the caller of ``error``."""
    if error.code == "closing":
        return service_away()
    status, title, hint = _REFUSALS.get(error.code, (503, "The session service failed", "Try again in a moment."))
    return Problem(status, error.code, title, error.message, hint)
