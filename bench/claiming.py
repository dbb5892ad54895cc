"""A sandbox asked for where web asks for it, at the session service: what one costs without a web server in between."""

from __future__ import annotations

import asyncio
import time
import uuid
from pathlib import Path
from typing import Any

from bench.jupyter import PATIENCE, prints, request, unpack
from sandbox.runner.wire import CallError, Client
from sessions.service.address import socket_path


async def first_output(state: Path, **wanted: Any) -> float:
    """Milliseconds from asking for a session (the parameters of ``session.create``) to what its first cell prints.

    The session has ended when this returns.
    """
    async with asyncio.timeout(PATIENCE), await Client.connect(socket_path(state)) as service:
        began = time.perf_counter()
        session = str((await service.call("session.create", wait=True, **wanted))["id"])
        where = await service.call("session.locate", id=session)
        async with await Client.connect(where["socket"]) as runner:
            await _run_a_cell(runner)
            took = time.perf_counter() - began
        await service.call("session.stop", id=session)
        await _wait_for_end(service, session)
    return took * 1000


async def _run_a_cell(runner: Client) -> None:
    kernel = str(uuid.uuid4())
    await runner.call("kernel.start", id=kernel, name="python3", cwd="")
    channels = await runner.open("kernel.attach", id=kernel, session="bench", since=None)
    id, message = request("print(1)")
    await channels.write(message)
    async for _, payload in channels:
        if payload and prints(unpack(payload), id):
            return
    raise ConnectionError("the kernel's channels closed")


async def _wait_for_end(service: Client, session: str) -> None:
    try:
        while True:
            await service.call("session.get", id=session)
            await asyncio.sleep(0.02)
    except CallError as error:
        if error.code != "not_found":
            raise
