"""What the docker driver needs of a Docker Engine, looked at now: its part of ``manage.py doctor``."""

from __future__ import annotations

import os

from sandbox.container.engine import RUNTIMES, Engine, Facts
from sandbox.drivers import SandboxError
from sandbox.images import Image, images
from sandbox.layers import Finding


def findings() -> list[Finding]:
    """What lacks an engine lacks all the rest, which is not looked at then."""
    try:
        engine = Engine()
    except SandboxError as error:
        return [_unreachable(error)]
    try:
        facts, built = engine.facts(), engine.image_names()
    except SandboxError as error:
        return [_unreachable(error)]
    finally:
        engine.close()
    found = Finding("Docker Engine", "found", f"{facts.version}, keeps images with {facts.storage}")
    return [found, privileges(), cgroup_driver(facts), runtime(engine.runtime, facts), *_images(built)]


def require_essentials() -> None:
    """Refuse to run where containers could not be furnished.

    Raises:
        SandboxError: something is missing; the message says what and how to get it.
    """
    missing = [finding for finding in findings() if finding.state == "missing"]
    if missing:
        text = " ".join(f"{finding.name}: {finding.detail} {finding.mend}".strip() for finding in missing)
        raise SandboxError("host_unfit", f"The docker driver lacks what it needs. {text}")


def _unreachable(error: SandboxError) -> Finding:
    mend = "Start it (systemctl start docker), or say where it listens: DOCKER_HOST=unix:///path/to/docker.sock"
    return Finding("Docker Engine", "missing", str(error), mend)


def privileges() -> Finding:
    if os.geteuid() == 0:
        return Finding("Root", "found", "containers are furnished from outside")
    detail = "Mounting a project into a container that runs takes privileges."
    return Finding("Root", "missing", detail, "Run the session service as root.")


def cgroup_driver(facts: Facts) -> Finding:
    if facts.cgroup_driver == "cgroupfs":
        return Finding("Cgroup driver", "found", "containers are under control groups of ours, whose accounts stay")
    detail = f"The engine's is {facts.cgroup_driver}, which would remove a sandbox's accounts together with it."
    mend = 'Put "exec-opts": ["native.cgroupdriver=cgroupfs"] into /etc/docker/daemon.json and restart the engine.'
    return Finding("Cgroup driver", "missing", detail, mend)


def runtime(name: str, facts: Facts) -> Finding:
    """``name`` is what MADANG_DOCKER_RUNTIME says."""
    if name not in facts.runtimes:
        detail = f"The engine has no runtime {name}; it has: {', '.join(facts.runtimes)}."
        return Finding(
            "Runtime", "missing", detail, "Set MADANG_DOCKER_RUNTIME to one of them, or add it to daemon.json."
        )
    if name not in RUNTIMES:
        detail = f"{name} keeps containers out of this kernel's namespaces, where sandboxes are furnished."
        return Finding("Runtime", "missing", detail, f"Set MADANG_DOCKER_RUNTIME to one of {', '.join(RUNTIMES)}.")
    return Finding("Runtime", "found", name)


def _images(built: set[str]) -> list[Finding]:
    return [_image(image, image.directory.name in built) for image in images().values()]


def _image(image: Image, built: bool) -> Finding:
    if built:
        return Finding(f"Image {image.name}", "found", f"built as madang/{image.directory.name}")
    mend = f"python manage.py images build {image.directory.name}"
    return Finding(f"Image {image.name}", "optional", "Not built: no session of it can start.", mend)
