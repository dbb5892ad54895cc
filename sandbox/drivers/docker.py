"""The docker driver: sandboxes in containers of a Docker Engine on this host. See :mod:`sandbox.container`."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import socket
import sys
from pathlib import Path

from sandbox import doctor
from sandbox.container import checkup
from sandbox.container.engine import Engine
from sandbox.container.making import MEET_SECONDS, MEETING_FOLDER
from sandbox.container.plan import container_plan
from sandbox.drivers import SandboxError, SandboxSpec
from sandbox.drivers.pool import MOST
from sandbox.drivers.supervised import SpareSandbox, SupervisedDriver
from sandbox.drivers.zygotes import Zygote
from sandbox.images import Image, images
from sandbox.jail.plan import Plan

log = logging.getLogger(__name__)


def create(state: Path, spares: int) -> DockerDriver:
    return DockerDriver(state, spares)


class DockerDriver(SupervisedDriver):
    """See :class:`SupervisedDriver`. Beside its own state it has the engine's containers, which bear its label."""

    start_seconds = MEET_SECONDS + SupervisedDriver.start_seconds
    quiet_seconds = 0.25  # a container takes the engine half a second of the processor

    def __init__(self, state: Path, spares: int = MOST) -> None:
        offered = images()
        super().__init__(state, spares, offered.values())
        self._images = offered
        bases = {image.directory.name: image for image in offered.values()}
        self._bases = {image.name: bases.get(image.environment_name, image) for image in offered.values()}
        self._site = hashlib.sha256(str(state.resolve()).encode()).hexdigest()[:16]
        self._keeper = Zygote("containers' keeper", [sys.executable, "-P", "-m", "sandbox.container.keeper"], {})
        self._engine: Engine | None = None
        self._settings: dict[str, str] = {}
        self._built: dict[str, str] = {}

    async def open(self) -> None:
        await asyncio.to_thread(doctor.require_essentials)  # it is the jail's furniture that a container gets
        await asyncio.to_thread(checkup.require_essentials)
        self._engine = await asyncio.to_thread(Engine)
        await super().open()
        await asyncio.to_thread(self._remove_orphans)
        built = await asyncio.to_thread(self._engine.image_names)
        for image in self._images.values():
            if image.directory.name in built:
                self._settings[image.name] = await asyncio.to_thread(self._engine.python_settings, image)
                self._pools[image.name].open()

    async def close(self) -> None:
        await super().close()
        await asyncio.to_thread(self._keeper.close)
        if self._engine:
            await asyncio.to_thread(self._engine.close)

    async def start(self, spec: SandboxSpec) -> None:
        if spec.image.name in self._images:
            await self._look_at(spec.image)
        await super().start(spec)

    async def collect(self, id: str) -> None:
        for made_for in await asyncio.to_thread(self._containers_of, id):
            await asyncio.to_thread(self._there.remove, made_for)
        await super().collect(id)

    @property
    def _there(self) -> Engine:
        if self._engine is None:
            self._engine = Engine()
        return self._engine

    def _version(self, image: Image) -> object:
        return super()._version(image), self._built.get(image.name)

    async def _make_spare(self, image: Image) -> SpareSandbox:
        await self._look_at(image)
        return await super()._make_spare(image)

    async def _look_at(self, image: Image) -> None:
        """See what has been built since we last looked: one that was added is built anew when it is added anew."""
        if image.root is not None:
            self._built[image.name] = await asyncio.to_thread(self._there.image_id, image)
        if image.name not in self._settings:
            self._settings[image.name] = await asyncio.to_thread(self._there.python_settings, image)

    def _make_plan(
        self, spec: SandboxSpec, directory: Path, host_id: int | None, cores: list[int], spare: bool
    ) -> Plan:
        return container_plan(spec, directory, self._settings[spec.image.name], host_id, cores, spare)

    async def _launch(self, image: Image, plan: Plan) -> socket.socket:
        """Let the keeper fork the jail, and once that has made the control group, the engine start the container."""
        directory = Path(plan.directory)
        (directory / "container").write_text(plan.id)
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                await self._keeper.send(plan.to_json(), theirs)
            answer = await self._answer(ours)
            if group := answer.get("group"):
                await self._start(image, plan, group)
                return ours
            raise SandboxError("not_started", f"The sandbox could not be started: {answer.get('error')}")
        except BaseException:
            ours.close()
            raise

    async def _start(self, image: Image, plan: Plan, group: str) -> None:
        """Start the container, or leave none: only when the engine is done may the jail remove the control group."""
        preload, meeting = self._bases[image.name].preload, Path(plan.directory) / MEETING_FOLDER
        order = image, preload, plan, group, meeting, self._site
        starting = asyncio.ensure_future(asyncio.to_thread(self._there.start, *order))
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            await asyncio.wait([starting])
            await asyncio.to_thread(self._there.remove, plan.id)
            raise

    def _containers_of(self, id: str) -> list[str]:
        """For whom the container of sandbox ``id`` was made: as a spare one it had another id."""
        try:
            return [(self._directory(id) / "container").read_text()]
        except OSError:
            return []  # collected already

    def _remove_orphans(self) -> None:
        """Containers that no sandbox of ours has: the last instance ended between making and starting them."""
        files = self._sandboxes.glob("*/container")
        kept = {file.read_text() for file in files}
        for sandbox in self._there.sandboxes(self._site) - kept:
            log.warning("removing the container of the sandbox %s: nobody owns it", sandbox)
            self._there.remove(sandbox)
