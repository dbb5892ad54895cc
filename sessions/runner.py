"""Web's side of a runner: a connection to the socket that a session's sandbox listens on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sandbox.runner.wire import CallError, Client, WireError
from sessions import client as service
from sessions.problems import Problem

_REFUSALS = {
    "not_found": (404, "Not found", "It may have been closed; look at the list."),
    "exists": (409, "It exists already", "Choose another name."),
    "bad_request": (400, "Bad request", "Correct the request."),
}


async def connect(session: str, **bounds: int) -> Client:
    """A connection to the runner of the live session ``session``; waits while it is starting.

    ``bounds`` are those of :meth:`sandbox.runner.wire.Client.connect`.

    Raises:
        Problem: the session is not running, the session service is away, or nobody listens.
    """
    where = await service.locate(session)
    try:
        return await Client.connect(where, **bounds)
    except OSError as error:
        raise away() from error


@asynccontextmanager
async def runner(session: str, seconds: float = 30.0) -> AsyncIterator[Client]:
    """:func:`connect` for a few calls; refusals, silence and loss become problems.

    Raises:
        Problem: see above.
    """
    try:
        async with await connect(session) as client, asyncio.timeout(seconds):
            yield client
    except CallError as error:
        raise refusal(error) from error
    except (ConnectionError, WireError) as error:
        raise away() from error
    except TimeoutError as error:
        raise Problem(
            503, "runner_silent", "The session does not answer", "The session's runner did not answer in time.",
            "Resume the session if it is paused; else restart it.",
        ) from error  # fmt: skip


def refusal(error: CallError) -> Problem:
    status, title, hint = _REFUSALS.get(error.code, (502, "The session could not do it", "Try again, or restart it."))
    return Problem(status, error.code, title, error.message, hint)


def away() -> Problem:
    return Problem(
        503, "runner_away", "The session is not reachable", "The session's sandbox does not answer; it may be ending.",
        "Look at the session's state, then try again.",
    )  # fmt: skip


async def call(session: str, method: str, seconds: float = 30.0, **params: Any) -> Any:
    """One call to the runner of ``session``, see :func:`runner`."""
    async with runner(session, seconds) as client:
        return await client.call(method, **params)
