"""The plan of a sandbox in a container: what is not the image's, and not the engine's to make."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sandbox.drivers import SandboxSpec
from sandbox.jail.plan import HOME, PROJECT, Plan, make_plan
from sandbox.slots import MIB

PREFIX = Path("/opt/image")
"""The image's virtual environment, in every image."""
GUEST = "/usr/lib/madang"
"""Where an image that was added has the Python of the runner: it may have none, or another."""
_LOADED = 96 * MIB
"""What the image's modules take of a sandbox's memory: here it shares them with no zygote."""
DATASETS = "/datasets"


def container_plan(
    spec: SandboxSpec, directory: Path, settings: str, host_id: int | None, cores: list[int], spare: bool
) -> Plan:
    """The plan for ``spec``; ``settings`` is the image's ``pyvenv.cfg``. Pure but for looking at the project.

    Raises:
        LookupError: there is no such policy.
    """
    plan = make_plan(spec, directory, PREFIX, host_id, cores, spare=spare, settings=settings)
    return replace(
        plan,
        binds=[bind for bind in plan.binds if bind.target == PROJECT or bind.target.startswith(f"{DATASETS}/")],
        links={link: target for link, target in plan.links.items() if link.startswith(f"{HOME}/")},
        tmpfs={},
        root="",
        folders=[PROJECT],
        space=min(spec.slots.disk, max(spec.slots.memory - _LOADED, spec.slots.memory // 4) // 2),
    )
