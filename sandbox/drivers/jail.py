"""The jail driver: sandboxes on this Linux host, forked from a zygote. See :mod:`sandbox.jail`."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

from sandbox import doctor
from sandbox.drivers import SandboxSpec
from sandbox.drivers.pool import MOST
from sandbox.drivers.supervised import SupervisedDriver
from sandbox.drivers.zygotes import image_zygote
from sandbox.images import Image, installed
from sandbox.jail.plan import Plan, make_plan


def create(state: Path, spares: int) -> JailDriver:
    return JailDriver(state, spares)


class JailDriver(SupervisedDriver):
    """See :class:`SupervisedDriver`; the images' environments are under ``<state>/images/``."""

    def __init__(self, state: Path, spares: int = MOST) -> None:
        offered = installed().values()
        super().__init__(state, spares, offered)
        # Where they really are: the first lines of their scripts say so.
        self._prefixes = {i.name: (state / "images" / i.environment_name).resolve() for i in offered}
        bases = {i.directory.name: image_zygote(i, self._prefixes[i.name]) for i in offered if not i.base}
        self._zygotes = {i.name: bases[i.environment_name] for i in offered}
        self._warming: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        doctor.require_essentials()
        await super().open()
        self._warming = [asyncio.create_task(zygote.warm()) for zygote in set(self._zygotes.values())]
        for pool in self._pools.values() if os.geteuid() == 0 else ():  # claiming takes privileges
            pool.open()

    async def close(self) -> None:
        await asyncio.gather(*self._warming, return_exceptions=True)
        await super().close()
        for zygote in set(self._zygotes.values()):
            await asyncio.to_thread(zygote.close)

    def _make_plan(
        self, spec: SandboxSpec, directory: Path, host_id: int | None, cores: list[int], spare: bool
    ) -> Plan:
        return make_plan(spec, directory, self._prefixes[spec.image.name], host_id, cores, spare=spare)

    async def _launch(self, image: Image, plan: Plan) -> socket.socket:
        """Let the image's zygote fork the jail."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                await self._zygotes[image.name].send(plan.to_json(), theirs)
            except BaseException:
                ours.close()
                raise
        return ours
