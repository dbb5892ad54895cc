"""What Jupyter's endpoints start: a project's session, and a kernel in it."""

from __future__ import annotations

import re
import uuid
from pathlib import PurePosixPath
from typing import Any

from channels.db import database_sync_to_async
from django.db import DatabaseError

from sandbox.images import Image, image_for_kernel, images
from sessions import client as service
from sessions import runner
from sessions.access import project_at
from sessions.models import Kernel, Session
from sessions.problems import Problem
from sessions.projects import ProjectRef, Right

KERNEL_SECONDS = 90.0


async def running_session(user: Any, project: ProjectRef, image: str) -> str:
    """The id of the project's session, started if there is none; it runs when this returns.

    Raises:
        Problem: it waits for room, failed, or is paused; or the session service is away.
    """
    session = await service.call(
        "session.create",
        user=user.pk,
        project=str(project.id),
        directory=str(project.directory),
        image=image,
        hostname=hostname(project.slug),
        wait=True,
    )
    state, detail = session["state"], session["detail"]
    if state == "running":
        return str(session["id"])
    if state in ("pending", "preparing"):
        detail = detail or "The session is waiting for room."
        raise Problem(503, "no_room", "No room yet", detail, "It starts by itself when there is room; try again then.")
    if state == "paused":
        raise Problem(409, "paused", "The session is paused", "The project's session is paused.", "Resume it first.")
    raise Problem(503, "not_started", "The session did not start", detail or "The session ended while starting.",
                  "Try again; if it fails again, tell the operator.")  # fmt: skip


async def start_kernel(user: Any, name: str, path: str, **document: Any) -> tuple[Kernel, dict[str, Any]]:
    """Start a kernel for ``path`` (project's slug first, "" for scratch) and note where it lives.

    ``document`` holds the fields of a Jupyter session that it belongs to. What the runner tells of the
    kernel comes with it.

    Raises:
        Problem: no such project or kernel, or the session does not run.
        IntegrityError: the project has a Jupyter session for that path already (the kernel is stopped).
    """
    project, rest = await project_at(user, path, Right.RUN)
    image = _image(project, name, scratch=not path.strip("/"))
    name = name or image.kernels[0].name
    session = await running_session(user, project, image.name)
    place = Session(pk=uuid.UUID(session), project=project.id)
    kernel = Kernel(id=uuid.uuid4(), session=place, name=name, path=rest, **document)
    cwd = str(PurePosixPath(rest).parent) if rest else ""
    told = await runner.call(session, "kernel.start", KERNEL_SECONDS, id=str(kernel.pk), name=name, cwd=cwd)
    try:
        await database_sync_to_async(kernel.save)(force_insert=True)
    except DatabaseError:
        await runner.call(session, "kernel.stop", id=str(kernel.pk))
        raise
    return kernel, told if isinstance(told, dict) else {}


async def start_in_session(session: str, image: str, name: str, cwd: str) -> uuid.UUID:
    """Start another kernel in a session that runs, and return its id.

    Raises:
        Problem: its image has no such kernel, or the session does not run.
    """
    if all(name != kernel.name for kernel in images()[image].kernels):
        raise unknown_kernel(name)
    id = uuid.uuid4()
    await runner.call(session, "kernel.start", KERNEL_SECONDS, id=str(id), name=name, cwd=cwd)
    return id


def _image(project: ProjectRef, kernel: str, scratch: bool) -> Image:
    own = images().get(project.image)
    if own is not None and (not kernel or any(kernel == k.name for k in own.kernels)):
        return own
    image = image_for_kernel(kernel) if scratch else None  # the scratch project takes any kernel there is
    if image is None:
        raise unknown_kernel(kernel)
    return image


def unknown_kernel(name: str) -> Problem:
    known = ", ".join(kernel.name for image in images().values() for kernel in image.kernels)
    return Problem(404, "unknown_kernel", "Unknown kernel", f"This project's image has no kernel “{name[:100]}”.",
                   f"Kernels of this site: {known}.")  # fmt: skip


def hostname(slug: str) -> str:
    """What the prompt shows for a project: its slug where a host name can be that, else ``madang``."""
    name = re.sub(r"[^a-z0-9-]+", "-", slug.lower()).strip("-")[:40].strip("-")
    return name or "madang"
