"""What a project asks for at the start of its sessions: a command in a terminal that everybody in it sees."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from sandbox.runner.wire import CallError, Client, WireError

_SECONDS = 60.0

log = logging.getLogger(__name__)


async def set_up(runner: Path, terminal: str, command: str) -> None:
    """Type ``command`` in a new terminal, once its shell asks for one. That it fails ends nothing: it is seen there."""
    try:
        async with asyncio.timeout(_SECONDS), await Client.connect(runner) as client:
            await client.call("terminal.start", name=terminal)
            stream = await client.open("terminal.attach", name=terminal, since=0)
            async for _ in stream:  # its prompt
                break
            await stream.write(f"{command}\n".encode())
            await client.call("hello")  # what was written before has been read
    except (OSError, WireError, CallError, TimeoutError) as error:
        log.warning("a session could not begin with what its project asks for: %r", error)
