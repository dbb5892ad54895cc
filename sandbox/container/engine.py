"""The Docker Engine: the few things that the docker driver asks of it, by its API (docker-py)."""

from __future__ import annotations

import io
import math
import os
import tarfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError, DockerException, NotFound
from docker.types import DeviceRequest, LogConfig, Mount

from sandbox.container import CODE, MEETING_FOLDER
from sandbox.container.plan import GUEST, PREFIX
from sandbox.container.profile import profile_text
from sandbox.drivers import SandboxError
from sandbox.images import Image, described
from sandbox.jail.plan import HOME, Plan
from sandbox.jail.root import HIDDEN, READ_ONLY
from sandbox.runner.children import RESERVED_TASKS

SITE, SANDBOX = "madang.site", "madang.sandbox"
"""Labels of our containers: whose they are, and which sandbox's."""
RUNTIMES = ("runc", "crun", "nvidia")
"""Those that start a container as processes of this kernel, which the jail can furnish."""
_SANDBOX_PACKAGE = Path(__file__).resolve().parents[1]
_TIMEOUT = 60
_GONE_SECONDS = 30
_PERIOD_US = 100_000
_HIDDEN_BESIDES = ("/proc/acpi", "/proc/asound", "/proc/scsi", "/proc/timer_stats", "/proc/interrupts")
_HIDDEN_OF_SYS = ("/sys/firmware", "/sys/devices/virtual/powercap")


@dataclass(frozen=True)
class Facts:
    """What the engine says of itself."""

    version: str
    cgroup_driver: str
    runtimes: tuple[str, ...]
    storage: str


class Engine:
    """The engine that ``DOCKER_HOST`` names, or this host's. Every method may raise :class:`SandboxError`.

    ``runtime`` is what containers are started with, as the engine calls it.
    """

    def __init__(self, runtime: str = "") -> None:
        self.runtime = runtime or os.environ.get("MADANG_DOCKER_RUNTIME", "") or "runc"
        try:
            self._api: Any = docker.APIClient(base_url=os.environ.get("DOCKER_HOST"), version="auto", timeout=_TIMEOUT)
        except DockerException as error:
            raise _failed("engine_unreachable", "The Docker Engine cannot be reached", error) from error

    def close(self) -> None:
        self._api.close()

    def facts(self) -> Facts:
        try:
            info = self._api.info()
        except (DockerException, OSError) as error:
            raise _failed("engine_unreachable", "The Docker Engine does not answer", error) from error
        runtimes = tuple(sorted(info.get("Runtimes") or ()))
        return Facts(info["ServerVersion"], info.get("CgroupDriver", ""), runtimes, info.get("Driver", ""))

    # Images

    def image_names(self) -> set[str]:
        """The images of ours that are built, by directory."""
        try:
            tags = (tag for image in self._api.images() for tag in image.get("RepoTags") or ())
            return {tag.removeprefix("madang/").removesuffix(":latest") for tag in tags if tag.startswith("madang/")}
        except (DockerException, OSError) as error:
            raise _failed("engine_unreachable", "The Docker Engine does not list its images", error) from error

    def build(self, image: Image, network: str = "default") -> Iterator[str]:
        """Build ``image`` from its Dockerfile; yields the lines of progress.

        Raises:
            SandboxError: a step failed; the message is what the engine said.
        """
        try:
            told = self._api.build(
                path=str(image.directory), tag=tag_of(image), rm=True, forcerm=True, decode=True, network_mode=network
            )
            for step in told:
                if "error" in step:
                    raise SandboxError("not_built", f"{image.name} could not be built: {step['error'].strip()}")
                yield from (line for line in step.get("stream", "").splitlines() if line.strip())
        except (DockerException, OSError, TypeError) as error:
            raise _failed("not_built", f"{image.name} could not be built", error) from error

    def image_id(self, image: Image) -> str:
        """Of what is built for ``image`` now; another build has another one."""
        try:
            return str(self._api.inspect_image(tag_of(image))["Id"])
        except NotFound as error:
            raise _not_built(image) from error
        except (DockerException, OSError) as error:
            raise _failed("image_missing", f"The image {image.name} cannot be looked at", error) from error

    def python_settings(self, image: Image) -> str:
        """The text of the image's ``pyvenv.cfg``; looked at in a container that is never started.

        "" of an image that was added: its runner's Python is no environment of its programs.
        """
        try:
            if image.root is not None:
                self.image_id(image)
                return ""
            id = self._api.create_container(tag_of(image), command=["true"], network_disabled=True)["Id"]
            try:
                chunks, _ = self._api.get_archive(id, f"{PREFIX}/pyvenv.cfg")
                with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
                    member = archive.extractfile("pyvenv.cfg")
                    return member.read().decode() if member else ""
            finally:
                self._api.remove_container(id, force=True)
        except NotFound as error:
            raise _not_built(image) from error
        except (DockerException, OSError) as error:
            raise _failed("image_missing", f"The image {image.name} cannot be looked at", error) from error

    # Containers

    def start(self, image: Image, preload: tuple[str, ...], plan: Plan, group: str, meeting: Path, site: str) -> None:
        """Start the container of ``plan`` beneath the control group ``group``; its runner comes to ``meeting``."""
        try:
            id = self._api.create_container(
                tag_of(image),
                name=name_of(plan.id),
                command=[*_python(image), "-P", "-m", "sandbox.container.inside", *preload],
                entrypoint="",
                user=f"{plan.host_id}:{plan.host_id}",
                hostname=plan.hostname,
                working_dir="/",
                environment=_environment(image),
                labels={SITE: site, SANDBOX: plan.id},
                host_config=self._host_config(plan, group, meeting),
                stop_signal="SIGKILL",
            )["Id"]
            self._api.start(id)
        except NotFound as error:
            raise _not_built(image) from error
        except (DockerException, OSError) as error:
            self.remove(plan.id)
            raise _failed("not_started", "The container could not be started", error) from error

    def remove(self, sandbox: str) -> None:
        """Remove the container that was made for ``sandbox``, whatever it does; returns when it is gone. Idempotent."""
        until = time.monotonic() + _GONE_SECONDS
        while True:
            try:
                self._api.remove_container(name_of(sandbox), force=True, v=True)
            except NotFound:
                return
            except APIError as error:
                if error.status_code != 409 or time.monotonic() > until:  # 409: the engine removes it already
                    raise _failed("not_removed", "The container could not be removed", error) from error
            except (DockerException, OSError) as error:
                raise _failed("engine_unreachable", "The container could not be removed", error) from error
            time.sleep(0.02)

    def sandboxes(self, site: str) -> set[str]:
        """For which sandboxes of ``site`` there are containers, whatever they do."""
        try:
            found = self._api.containers(all=True, filters={"label": f"{SITE}={site}"})
        except (DockerException, OSError) as error:
            raise _failed("engine_unreachable", "The Docker Engine does not list its containers", error) from error
        return {container["Labels"][SANDBOX] for container in found}

    def _host_config(self, plan: Plan, group: str, meeting: Path) -> dict[str, Any]:
        config: dict[str, Any] = self._api.create_host_config(
            auto_remove=True,
            read_only=True,
            network_mode="none",
            ipc_mode="private",
            cap_drop=["ALL"],
            security_opt=["no-new-privileges", f"seccomp={profile_text(plan.policy)}"],
            runtime=self.runtime,
            cgroup_parent=group,
            mem_limit=plan.slots.memory,
            memswap_limit=plan.slots.memory,
            cpu_period=_PERIOD_US,
            cpu_quota=max(1000, math.floor(plan.slots.cpu * _PERIOD_US)),
            pids_limit=plan.slots.processes + RESERVED_TASKS,
            shm_size=plan.space,
            tmpfs={"/tmp": "size=16m,mode=1777"},  # noqa: S108 - until it is furnished
            mounts=[
                Mount(f"{CODE}/sandbox", str(_SANDBOX_PACKAGE), "bind", read_only=True),
                Mount(MEETING_FOLDER, str(meeting), "bind", read_only=True),
            ],
            log_config=LogConfig(type="none"),
            device_requests=_device_requests(plan),
        )
        hidden = [*(f"/proc/{name}" for name in HIDDEN), *_HIDDEN_BESIDES, *_HIDDEN_OF_SYS]
        return {**config, "MaskedPaths": hidden, "ReadonlyPaths": [f"/proc/{name}" for name in READ_ONLY]}


def build_order(names: Sequence[str]) -> list[Image]:
    """The images called ``names`` (by name or directory; all where there are none) and their bases, bases first.

    Raises:
        SandboxError: there is no such image, or it has no Dockerfile.
    """
    by_name = {name: image for image in described() for name in (image.name, image.directory.name)}
    if unknown := [name for name in names if name not in by_name]:
        raise SandboxError("unknown_image", f"There is no image called {', '.join(unknown)}.")
    wanted = {by_name[name].directory.name for name in names} or {image.directory.name for image in described()}
    wanted |= {by_name[name].base for name in wanted if by_name[name].base}
    order = [image for image in described() if image.directory.name in wanted]  # bases come first there
    if lacking := [image.name for image in order if not (image.directory / "Dockerfile").exists()]:
        raise SandboxError("unknown_image", f"There is no Dockerfile for {', '.join(lacking)}.")
    return order


def _device_requests(plan: Plan) -> list[DeviceRequest]:
    """Have the engine put in the devices that were granted, and the driver's libraries (NVIDIA's container toolkit)."""
    uuids = [share.uuid for share in plan.gpus]
    return [DeviceRequest(device_ids=uuids, capabilities=[["gpu"]])] if uuids else []


def tag_of(image: Image) -> str:
    return f"madang/{image.directory.name}:latest"


def name_of(sandbox: str) -> str:
    return f"madang-{sandbox}"


def _python(image: Image) -> list[str]:
    """How the runner's Python is started. That of an added image brings its loader and libraries (guest.Dockerfile)."""
    if image.root is None:
        return [f"{PREFIX}/bin/python"]
    return [f"{GUEST}/lib/loader", "--library-path", f"{GUEST}/lib", f"{GUEST}/bin/python"]


def _environment(image: Image) -> dict[str, str]:
    """For loading the image's modules; what a session has is the plan's."""
    if image.root is not None:
        paths = {"PYTHONHOME": GUEST, "PYTHONPATH": f"{CODE}:{GUEST}/packages", "MPLCONFIGDIR": f"{GUEST}/matplotlib"}
        return {**paths, "LANG": "C.UTF-8", "HOME": HOME, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    single = dict.fromkeys(image.thread_variables, "1")  # a fork cannot inherit threads
    ours = {"PATH": f"{PREFIX}/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONPATH": CODE, "HOME": HOME}
    return {**ours, "MPLCONFIGDIR": f"{PREFIX}/matplotlib", **single, **image.environment}


def _not_built(image: Image) -> SandboxError:
    command = f"manage.py images build {image.directory.name}"
    return SandboxError("image_missing", f"The image {image.name} is not built: {command}")


def _failed(code: str, what: str, error: Exception) -> SandboxError:
    return SandboxError(code, f"{what}: {getattr(error, 'explanation', None) or error}")
