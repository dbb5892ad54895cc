"""``/api/v1/projects/{id}/notebooks`` and ``…/documents``: running cells, and earlier states."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any
from uuid import UUID

from channels.db import database_sync_to_async
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema, Status
from pycrdt import Doc
from pydantic import Field

from portal.documents import disk, history, kinds, log
from portal.documents.aside import aside
from portal.documents.cells import cells
from portal.documents.executor import message_to_kernel, nudge
from portal.documents.kernels import kernel_of_notebook
from portal.documents.models import Document, Execution
from portal.documents.replica import Broken, Replica, replica_of
from portal.models import Project
from portal.roles import require
from sandbox.runner.wire import CallError, WireError
from sessions import runner
from sessions.access import signed_in
from sessions.problems import Problem, not_found
from sessions.projects import Right

router = Router()
MAX_QUEUE = 2000
SETTLE_SECONDS = 5.0


class ExecuteIn(Schema):
    cells: Annotated[list[Annotated[str, Field(max_length=100)]], Field(min_length=1, max_length=MAX_QUEUE)]


class ExecuteOut(Schema):
    queued: list[str]
    kernel: UUID


class InputIn(Schema):
    cell: Annotated[str, Field(max_length=100)]
    value: Annotated[str, Field(max_length=1024 * 1024)]


class Author(Schema):
    id: int
    name: str


class StateOut(Schema):
    number: int
    at: str
    authors: list[Author]
    origin: str


class HistoryOut(Schema):
    items: list[StateOut]
    next: int | None


class TextOut(Schema):
    number: int
    text: str


class NumberOut(Schema):
    number: int


async def find(request: HttpRequest, id: UUID, path: str, right: Right = Right.EDIT) -> Document:
    """The document of a file of a project on which the caller has ``right``.

    Raises:
        Problem: there is none, or their role is not enough.
    """
    user = await signed_in(request)
    return await aside(_find)(user, id, path, right)


def _find(user: Any, id: UUID, path: str, right: Right) -> Document:
    return disk.open_document(require(user, Project.objects.filter(pk=id).first(), right), path)


async def find_notebook(request: HttpRequest, id: UUID, path: str) -> Document:
    """The same of a notebook."""
    row = await find(request, id, path, Right.RUN)
    if row.kind != kinds.NOTEBOOK:
        raise Problem(400, "not_a_notebook", _("Not a notebook"), _("Only cells of a notebook can be run."))
    return row


def replica_for(row: Document) -> AbstractAsyncContextManager[Replica]:
    found: AbstractAsyncContextManager[Replica] = replica_of(row)
    return found


@router.post("/{uuid:id}/notebooks/{path:path}/execute", response={202: ExecuteOut}, summary="Run cells of a notebook")
async def execute(request: HttpRequest, id: UUID, path: str, body: ExecuteIn) -> Status[Any]:
    """They run in this order behind what waits already, whether or not anybody looks; the outputs are the document's.

    Starts the project's session and a kernel where there is none.
    """
    row = await find_notebook(request, id, path)
    async with replica_for(row) as replica:
        wanted = _code_cells(replica.doc, body.cells)
        kernel = await kernel_of_notebook(await signed_in(request), row, replica)

        def change(doc: Doc[Any]) -> None:
            for cell in cells(doc):
                if str(cell.get("id")) in wanted and cell.get("execution_state") == "idle":
                    cell["execution_state"] = "queued"

        def also(document: Document) -> None:
            execution = Execution.objects.get(document=document)
            execution.queue += [cell for cell in body.cells if cell not in execution.queue]
            execution.save(update_fields=["queue"])

        await _edit(replica, change, (await signed_in(request)).pk, log.KERNEL, also)
        nudge(row.pk)
        await replica.say_queue()
    return Status(202, {"queued": body.cells, "kernel": kernel})


async def _edit(replica: Replica, *how: Any) -> int:
    """:meth:`Replica.edit`, committed.

    Raises:
        Problem: 503, it could not be.
    """
    try:
        return await replica.edit(*how)
    except Broken as error:
        hint = _("Try again.")
        raise Problem(503, "not_written", _("Not written"), _("The document could not be written."), hint) from error


def _code_cells(doc: Doc[Any], ids: list[str]) -> set[str]:
    known = {str(cell.get("id")) for cell in cells(doc) if cell.get("cell_type") == "code"}
    for id in ids:
        if id not in known:
            raise not_found("cell")
    return {*ids}


@router.post("/{uuid:id}/notebooks/{path:path}/interrupt", response={204: None}, summary="Interrupt a notebook")
async def interrupt(request: HttpRequest, id: UUID, path: str) -> HttpResponse:
    """What runs is interrupted, and what waits is given up."""
    row = await find_notebook(request, id, path)
    await _call(row, "kernel.interrupt")
    return HttpResponse(status=204)


@router.post("/{uuid:id}/notebooks/{path:path}/restart", response={204: None}, summary="Restart a notebook's kernel")
async def restart(request: HttpRequest, id: UUID, path: str) -> HttpResponse:
    """Its variables are gone, and what waits is given up; outputs stay."""
    row = await find_notebook(request, id, path)
    await _written_down(await _call(row, "kernel.restart"))
    return HttpResponse(status=204)


async def _written_down(execution: Execution) -> None:
    """Wait until the notebook knows of all that its kernel has said: a restart ends what waits, but not what comes."""
    with contextlib.suppress(TimeoutError, CallError, ConnectionError, WireError):  # or has ended once more
        async with asyncio.timeout(SETTLE_SECONDS), await runner.connect(str(execution.session)) as client:
            stream = await client.open("kernel.attach", id=str(execution.kernel), session=uuid.uuid4().hex, since=None)
            behind = Execution.objects.filter(
                pk=execution.pk, kernel=execution.kernel, sequence__lt=int(stream.result["next"])
            )
            while await behind.aexists():  # noqa: ASYNC110 - it may be another process that writes it down
                await asyncio.sleep(0.02)


async def _call(row: Document, method: str) -> Execution:
    execution = await _execution(row)
    await database_sync_to_async(empty_queue)(row.pk)
    nudge(row.pk)
    await runner.call(str(execution.session), method, 60.0, id=str(execution.kernel))
    return execution


async def _execution(row: Document) -> Execution:
    execution = await Execution.objects.filter(document=row).afirst()
    if execution is None:
        raise Problem(409, "no_kernel", _("No kernel"), _("This notebook has no kernel yet."), _("Run a cell."))
    return execution


def empty_queue(document: UUID) -> None:
    """What waits is given up; what is asked for from now on waits for the end of what runs, however that comes."""

    def also(row: Document) -> None:
        execution = Execution.objects.get(document=row)
        execution.queue = []
        if execution.current:
            execution.current["interrupted"] = True
        execution.save(update_fields=["queue", "current"])

    log.append(document, [], also)


@router.post("/{uuid:id}/notebooks/{path:path}/input", response={204: None}, summary="Answer input() of a cell")
async def answer(request: HttpRequest, id: UUID, path: str, body: InputIn) -> HttpResponse:
    row = await find_notebook(request, id, path)
    execution = await _execution(row)
    async with replica_for(row) as replica:
        cell = next((cell for cell in cells(replica.doc) if cell.get("id") == body.cell), None)
        if cell is None or "input_request" not in cell:
            raise Problem(409, "no_input", _("Nothing is asked"), _("This cell does not wait for input."))

        def change(_doc: Doc[Any]) -> None:
            del cell["input_request"]

        await _edit(replica, change, (await signed_in(request)).pk, log.KERNEL)
    await _send_input(execution, body.value)
    return HttpResponse(status=204)


async def _send_input(execution: Execution, value: str) -> None:
    try:
        async with await runner.connect(str(execution.session)) as client:
            name = f"answer-{uuid.uuid4().hex}"
            stream = await client.open("kernel.attach", id=str(execution.kernel), session=name, since=None)
            await stream.write(
                message_to_kernel("input_reply", uuid.uuid4().hex, {"value": value, "status": "ok"}, "stdin")
            )
            await client.call("kernel.list")  # its answer comes once the message is with the kernel
    except CallError as error:
        raise runner.refusal(error) from error
    except (ConnectionError, WireError) as error:
        raise runner.away() from error


# History


@router.get("/{uuid:id}/documents/{path:path}/history", response=HistoryOut, summary="Earlier states of a document")
async def list_history(
    request: HttpRequest,
    id: UUID,
    path: str,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    before: Annotated[int | None, Query(ge=1)] = None,
) -> dict[str, Any]:
    """Who changed it and when, newest first; what was written without a pause is one item.

    The page after this one is that ``before`` what ``next`` says; null where there is none.
    """
    row = await find(request, id, path, Right.VIEW)
    return await database_sync_to_async(history.states)(row, limit, before)


@router.get("/{uuid:id}/documents/{path:path}/history/{int:number}", response=TextOut, summary="An earlier state")
async def get_state(request: HttpRequest, id: UUID, path: str, number: int) -> dict[str, Any]:
    """The file as it was with all changes up to ``number``."""
    row = await find(request, id, path, Right.VIEW)
    return {"number": number, "text": await database_sync_to_async(history.text_at)(row, number)}


@router.post(
    "/{uuid:id}/documents/{path:path}/history/{int:number}/restore",
    response={201: NumberOut},
    summary="Go back to an earlier state",
)
async def restore(request: HttpRequest, id: UUID, path: str, number: int) -> Status[Any]:
    """That state again, as a new edit: nothing of what came after it is lost from the history."""
    row = await find(request, id, path)
    data = (await database_sync_to_async(history.text_at)(row, number)).encode()
    async with replica_for(row) as replica:
        user = await signed_in(request)
        done = await _edit(replica, lambda doc: kinds.merge(doc, row.kind, data), user.pk, log.RESTORE)
    return Status(201, {"number": done})
