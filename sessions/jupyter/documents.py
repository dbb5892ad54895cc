"""``/jupyter/api/sessions``: Jupyter's sessions, which are open documents, each with a kernel.

In this code such a thing is a *document*, since a session is something else here. It is kept as
fields of its kernel's row.
"""

from __future__ import annotations

import uuid
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse

from sessions.access import kernel_of, project_at, project_of
from sessions.jupyter.kernels import describe, kernels_with_models, model_of, stop_kernel
from sessions.jupyter.start import start_in_session, start_kernel
from sessions.jupyter.views import body_of, created, empty, ok, text_of
from sessions.models import Kernel
from sessions.problems import Problem, bad_request, not_found
from sessions.projects import Right

PATH, KIND, LABEL, NAME = 1024, 40, 255, 100
Model = dict[str, Any]


async def list_documents(request: HttpRequest, user: Any) -> HttpResponse:
    found = await kernels_with_models(user, document__isnull=False)
    return ok([await document_model(user, kernel, model) for kernel, model in found])


async def post_document(request: HttpRequest, user: Any) -> HttpResponse:
    body = body_of(request)
    fields = {
        "path": text_of(body, "path", PATH),
        "kind": text_of(body, "type", KIND, "notebook"),
        "label": text_of(body, "name", LABEL),
    }
    kernel = _kernel_in(body)
    row, model = await _existing(user, fields["path"]) or await _open(user, kernel, fields)
    return created(await document_model(user, row, model), f"/jupyter/api/sessions/{row.document}")


async def get_document(request: HttpRequest, user: Any, id: UUID) -> HttpResponse:
    row = await _document(user, id)
    return ok(await document_model(user, row, await model_of(row)))


async def patch_document(request: HttpRequest, user: Any, id: UUID) -> HttpResponse:
    row, body = await _document(user, id), body_of(request)
    if path := text_of(body, "path", PATH):
        row.path = await _within(user, row, path)
    row.kind = text_of(body, "type", KIND, row.kind)
    row.label = text_of(body, "name", LABEL, row.label)
    wanted = _kernel_in(body)
    other = text_of(wanted, "id", 40)
    name = text_of(wanted, "name", NAME)
    if other and other != str(row.pk):
        row = await _move(row, await kernel_of(user, _uuid(other)))
    elif name and not other and name != row.name:
        row = await _move(row, await _another(row, name))
    else:
        await _save(row)
    return ok(await document_model(user, row, await model_of(row)))


async def delete_document(request: HttpRequest, user: Any, id: UUID) -> HttpResponse:
    await stop_kernel(await _document(user, id))
    return empty()


async def document_model(user: Any, row: Kernel, kernel: Model) -> Model:
    """The document as ``user`` sees it: members know a project by names of their own."""
    path = row.path
    if path and row.session.project is not None:
        path = f"{(await project_of(user, row.session.project, Right.RUN)).slug}/{path}"
    model = {"id": str(row.document), "path": path, "name": row.label, "type": row.kind, "kernel": kernel}
    return {**model, "notebook": {"path": path, "name": row.label}} if row.kind == "notebook" else model


async def _within(user: Any, row: Kernel, path: str) -> str:
    """``path`` (slug first) within the project of ``row``'s session.

    Raises:
        Problem: it leads into another project, or into none.
    """
    project, rest = await project_at(user, path, Right.RUN)
    if row.session.project != project.id:
        raise bad_request("The kernel runs in another project.", "Start a kernel for this path.")
    return rest


def _kernel_in(body: dict[str, Any]) -> dict[str, Any]:
    kernel = body.get("kernel") or {}
    if not isinstance(kernel, dict):
        raise bad_request("“kernel” is an object with an “id” or a “name”.")
    return kernel


async def _open(user: Any, kernel: dict[str, Any], fields: dict[str, str]) -> tuple[Kernel, Model]:
    document = uuid.uuid4()
    if id := text_of(kernel, "id", 40):
        row = await kernel_of(user, _uuid(id))
        if fields["path"]:
            fields["path"] = await _within(user, row, fields["path"])
        row = await _attach(row, document, fields)
        return row, await model_of(row)
    path = fields.pop("path")
    try:
        row, told = await start_kernel(user, text_of(kernel, "name", NAME), path, document=document, **fields)
    except IntegrityError:
        found = await _existing(user, path)  # another tab was faster
        if found is None:
            raise
        return found
    return row, describe(row, told)


async def _attach(row: Kernel, document: UUID, fields: dict[str, str]) -> Kernel:
    """Make ``row``'s kernel the one of a document; a kernel has at most one."""
    if row.document is None:
        row.document = document
    row.path, row.kind, row.label = fields["path"], fields["kind"], fields["label"]
    await _save(row)
    return row


async def _another(row: Kernel, name: str) -> Kernel:
    """Another kernel in the same session, next to ``row``'s document."""
    session = row.session
    cwd = str(PurePosixPath(row.path).parent)
    id = await start_in_session(str(session.pk), session.image, name, cwd)
    return await Kernel.objects.acreate(id=id, session=session, name=name)


async def _move(row: Kernel, target: Kernel) -> Kernel:
    """Give ``row``'s document to ``target`` and stop the kernel it had."""
    if target.session.project != row.session.project:
        raise bad_request("The kernel runs in another project.", "Choose a kernel of this project.")
    document, fields = row.document, {"path": row.path, "kind": row.kind, "label": row.label}
    await stop_kernel(row)
    target.document = document
    target.path, target.kind, target.label = fields["path"], fields["kind"], fields["label"]
    await _save(target)
    return target


@database_sync_to_async
def _save(row: Kernel) -> None:
    try:
        row.save(update_fields=["document", "path", "kind", "label"])
    except IntegrityError as error:
        raise Problem(
            409, "exists", "It is open already", "There is a Jupyter session for this path already.", "Use that one."
        ) from error


async def _existing(user: Any, path: str) -> tuple[Kernel, Model] | None:
    """The user's document for ``path`` if its kernel still lives."""
    if not path:
        return None
    project, rest = await project_at(user, path, Right.RUN)
    if not rest:
        return None
    found = await kernels_with_models(user, document__isnull=False, session__project=project.id, path=rest)
    return found[0] if found else None


async def _document(user: Any, id: UUID) -> Kernel:
    row = await Kernel.objects.open_to(user).filter(document=id).select_related("session").afirst()
    if row is None:
        raise not_found("Jupyter session")
    return row


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise not_found("kernel") from error
