"""The kernel of a notebook: found where one runs, else started in the project's session."""

from __future__ import annotations

import uuid
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from pycrdt import Map

from portal.documents.models import Document, Execution
from portal.documents.replica import Replica
from sandbox.images import images
from sessions.jupyter.kernels import model_of
from sessions.jupyter.start import start_kernel
from sessions.models import Kernel
from sessions.problems import Problem


async def kernel_of_notebook(user: Any, document: Document, replica: Replica) -> UUID:
    """The id of the notebook's kernel, which runs; the executor's row names it.

    Raises:
        Problem: the session does not start.
    """
    execution = await Execution.objects.filter(document=document).afirst()
    if execution is not None and await _lives(execution.kernel):
        return execution.kernel
    kernel = await _open(user, document) or await _start(user, document, replica)
    fields = {"user": user, "session": kernel.session_id, "kernel": kernel.pk}
    afresh = {**fields, "sequence": None, "current": None, "queue": [], "asked": {}, "captures": ""}
    _, made = await Execution.objects.aget_or_create(document=document, defaults=afresh)
    if not made:  # another request may have been faster: what waits for the same kernel already goes on waiting
        await Execution.objects.filter(document=document).exclude(kernel=kernel.pk).aupdate(**afresh)
    return kernel.pk


async def _lives(id: UUID) -> bool:
    kernel = await Kernel.objects.select_related("session").filter(pk=id).afirst()
    if kernel is None or not kernel.session.live:
        return False
    try:
        await model_of(kernel)
    except Problem as problem:
        if problem.status != 404:
            raise
        return False
    return True


async def _open(user: Any, document: Document) -> Kernel | None:
    """The kernel that a Jupyter client has opened for the same notebook."""
    found = Kernel.objects.open_to(user).filter(session__project=document.project_id, document__isnull=False)
    kernel: Kernel | None = await found.filter(path=document.path).select_related("session").afirst()
    return kernel if kernel is not None and await _lives(kernel.pk) else None


async def _start(user: Any, document: Document, replica: Replica) -> Kernel:
    name, path = wanted_kernel(document, replica), f"{document.project.name_for(user)}/{document.path}"
    fields = {"document": uuid.uuid4(), "kind": "notebook", "label": document.path.rpartition("/")[2][:255]}
    try:
        kernel, _told = await start_kernel(user, name, path, **fields)
    except IntegrityError:
        found = await _open(user, document)  # another request was faster
        if found is None:
            raise
        return found
    return kernel


def wanted_kernel(document: Document, replica: Replica) -> str:
    """The kernel that the notebook names, where the project's image has it; "" for the image's own."""
    metadata = replica.doc.get("meta", type=Map).get("metadata")
    spec = metadata.get("kernelspec") if isinstance(metadata, Map) else None
    name = spec.get("name") if isinstance(spec, dict | Map) else None
    image = images().get(document.project.image)
    known = {kernel.name for kernel in image.kernels} if image is not None else set()
    return name if isinstance(name, str) and name in known else ""
