"""What a session may reach: the site's rule, narrowed by its image and policy; and the process that lets it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from functools import cache
from pathlib import Path

from django.conf import settings

from sandbox.egress.indexes import Indexes, package_indexes
from sandbox.egress.rules import Network, narrowest
from sandbox.images import Image
from sandbox.policy import load_policy

RESTART_SECONDS = 1.0
LEAVE_SECONDS = 2.0

log = logging.getLogger(__name__)


@cache
def indexes() -> Indexes:
    """Where packages come from, asked of this machine's tools once."""
    return package_indexes() if settings.MADANG_NETWORK == "packages" else Indexes()


async def indexes_known() -> None:
    """Returns once :func:`indexes` answers at once."""
    if not indexes.cache_info().currsize:
        await asyncio.to_thread(indexes)


def network_for(image: Image, policy: str) -> Network:
    """The rule for a session of ``image`` under ``policy``.

    Raises:
        LookupError: there is no such policy.
    """
    mode = narrowest(settings.MADANG_NETWORK, image.network, load_policy(policy).network)
    hosts = dict.fromkeys((*indexes().hosts, *settings.MADANG_PACKAGE_HOSTS))
    return Network(mode, tuple(hosts) if mode == "packages" else ())


class Egress:
    """The egress proxy's process, started anew when it dies. It leaves by itself when we do."""

    def __init__(self, sandboxes: Path) -> None:
        sandboxes.mkdir(parents=True, exist_ok=True, mode=0o700)  # before the first driver needs it
        self._sandboxes = sandboxes
        self._process: asyncio.subprocess.Process | None = None
        self._keeping = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Let it go, and wait a little: without a connection to end it leaves at once."""
        self._keeping.cancel()
        await asyncio.gather(self._keeping, return_exceptions=True)
        if self._process is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LEAVE_SECONDS):
                    await self._process.wait()

    async def _keep(self) -> None:
        while True:
            try:
                process = self._process = await self._start()
                try:
                    status = await process.wait()
                finally:
                    if process.stdin is not None:
                        process.stdin.close()
            except OSError:
                log.exception("the egress proxy could not be started")
            else:
                log.error("the egress proxy ended with status %d; starting it again", status)
            await asyncio.sleep(RESTART_SECONDS)

    async def _start(self) -> asyncio.subprocess.Process:
        """Its standard input is a pipe that nothing is written to: it ends when this process does, however."""
        allowed = [part for entry in settings.MADANG_EGRESS_ALLOW for part in ("--allow", entry)]
        command = [sys.executable, "-m", "sandbox.egress", str(self._sandboxes), *allowed]
        if os.geteuid() == 0:
            given_up = ["-m", "sandbox.unprivileged", "--writable", str(self._sandboxes), "--"]
            command = [sys.executable, *given_up, *command]
        environment = {name: value for name in ("PATH", "LANG") if (value := os.environ.get(name))}
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            cwd=settings.BASE_DIR,
            env={**environment, "PYTHONPATH": str(settings.BASE_DIR)},
            start_new_session=True,
        )
