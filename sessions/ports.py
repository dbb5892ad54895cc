"""The ports that a session's programs listen on, for those who watch its events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from sandbox.runner.wire import CallError, WireError
from sessions.problems import Problem
from sessions.runner import connect

RETRY_SECONDS = 1.0
ANSWER_SECONDS = 3.0
MOST = 64

Tell = Callable[[dict[str, Any]], Awaitable[None]]


async def watch_ports(session: str, tell: Tell) -> None:
    """Tell of the session's ports as they come and go, until cancelled: ``{"type": "ports", "ports": [...]}``."""
    while True:
        try:
            async with await connect(session, max_frame=64 * 1024) as client:
                ports = await client.open("ports.watch")
                ports.by_hand = True
                async for _, payload in ports:
                    await tell({"type": "ports", "ports": checked(payload)})
        except (Problem, CallError, WireError, OSError, ValueError, TypeError, RecursionError):
            pass  # it is starting, paused, ending, or lies: the next round sees
        await asyncio.sleep(RETRY_SECONDS)


async def current_ports(session: str) -> list[dict[str, Any]]:
    """The session's ports now; none where nobody inside answers."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS), await connect(session, max_frame=64 * 1024) as client:
            async for _, payload in await client.open("ports.watch"):
                return checked(payload)
    except (Problem, CallError, WireError, OSError, ValueError, TypeError, RecursionError):
        return []  # it is starting, paused, ending, or lies; TimeoutError is an OSError
    return []


def checked(payload: bytes) -> list[dict[str, Any]]:
    """What a runner says its ports are, as far as it can be true; it is inside, and hostile.

    Raises:
        ValueError: it is no list of ports.
    """
    said = json.loads(payload)
    if not isinstance(said, list):
        raise ValueError("no list")
    ports = []
    for one in said[:MOST]:
        if not isinstance(one, dict) or type(port := one.get("port")) is not int or not 0 < port < 1 << 16:
            raise ValueError("no port")
        program = "".join(char for char in str(one.get("program", ""))[:40] if char.isprintable())
        ports.append({"port": port, "program": program})
    return ports
