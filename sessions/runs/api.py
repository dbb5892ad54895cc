"""Runs over REST, mounted at ``/api/v1/runs`` by the portal."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Router, Schema, Status
from pydantic import ConfigDict

from sessions.access import signed_in
from sessions.models import Run
from sessions.represent import timestamp
from sessions.runs import execute
from sessions.runs.answer import Verdict
from sessions.runs.order import MOST_COMMAND, MOST_FILES, make_order
from sessions.schemas import Money, Refusal, UsageOut

router = Router()

Wait = Annotated[float, Field(ge=0, le=120, description="Seconds to wait for the end, at most.")]


class LimitsIn(Schema):
    """What is not given is the site's (times, output) or the image's (memory, processes)."""

    model_config = ConfigDict(extra="forbid")
    time_s: float | None = Field(None, description="Seconds by the clock, for each step.")
    cpu_s: float | None = Field(None, description="Seconds of a core, for each step; whole ones count.")
    memory_mib: int | None = Field(None, description="Of all processes and temporary files together.")
    output_kib: int | None = Field(None, description="Standard output and error together, for each step.")
    processes: int | None = Field(None, description="Processes and threads at the same time.")


class RunIn(Schema):
    model_config = ConfigDict(extra="forbid")
    image: str = Field(max_length=100)
    files: dict[str, str] = Field({}, max_length=MOST_FILES, description="Text by path, such as “src/main.py”.")
    language: str | None = Field(
        None, max_length=40, description="One of the image's; by default that of the first file's ending."
    )
    build: str | None = Field(
        None,
        max_length=MOST_COMMAND,
        description="By default “make” with a Makefile, else the language's; “” for none.",
    )
    command: str | None = Field(
        None, max_length=MOST_COMMAND, description="By default the Makefile's target “run”, else the language's."
    )
    stdin: str = ""
    interactive: bool = Field(False, description="More input comes by the WebSocket /api/v1/runs/{id}/stream.")
    limits: LimitsIn | None = None


class StepOut(Schema):
    name: Literal["build", "run"]
    exit_code: int | None = Field(description="None where a signal ended it.")
    signal: str | None
    cpu_ms: int
    wall_ms: int
    peak_kib: int = Field(description="The most memory that one of its processes had.")
    stdout: str
    stderr: str
    truncated: bool = Field(description="Whether it wrote more than it may.")


class FileOut(Schema):
    path: str
    text: str | None = None
    base64: str | None = Field(None, description="Of a file that is not UTF-8 text.")


class RunOut(Schema):
    id: UUID
    status: Literal["queued", "running", "done"]
    verdict: Verdict | None = Field(description="None until it is done.")
    detail: str = Field(description="A sentence for a person, or nothing.")
    image: str
    language: str
    session: UUID | None
    created: str
    steps: list[StepOut]
    files: list[FileOut] = Field(description="What the program made or changed, the small ones.")
    usage: UsageOut | None = Field(description="Exactly what the whole run used, its sandbox included.")
    cost: Money | None = Field(description="Of that use; None where this site is free, and until it is done.")
    refusals: list[Refusal]


@router.post("", response={200: RunOut, 202: RunOut}, summary="Run a program")
async def create_run(request: HttpRequest, body: RunIn, response: HttpResponse, wait: Wait = 60) -> Any:
    """Build and run a program, and answer with what came of it; 202 where it takes longer than ``wait``."""
    user = await signed_in(request)
    limits = body.limits.dict(exclude_none=True) if body.limits else {}
    said = body.image, body.files, body.language, body.build, body.command, body.stdin
    order = make_order(*said, limits, body.interactive)
    run = await execute.run(user, order, wait)
    response["Location"] = f"/api/v1/runs/{run.pk}"
    return Status(200 if run.status == "done" else 202, run_json(run))


@router.get("/{uuid:id}", response=RunOut, summary="Look at a run")
async def get_run(request: HttpRequest, id: UUID) -> Any:
    """What came of it, for a day; before the end, how far it is."""
    return run_json(await execute.look_up(await signed_in(request), id))


@router.delete("/{uuid:id}", response=RunOut, summary="Cancel a run")
async def cancel_run(request: HttpRequest, id: UUID) -> Any:
    """End it. One that is over stays as it is."""
    run = await execute.look_up(await signed_in(request), id)
    await execute.cancel(run)
    return run_json(run)


def run_json(run: Run) -> dict[str, Any]:
    empty: dict[str, Any] = {"verdict": None, "detail": "", "steps": [], "files": [], "refusals": []}
    answer = {**empty, "usage": None, "cost": None, "detail": run.place, **execute.answer_of(run)}
    return {
        "id": run.pk,
        "status": run.status,
        "image": run.image,
        "language": run.language,
        "session": run.session_id,
        "created": timestamp(run.created),
        **answer,
        "usage": answer["usage"] or None,
    }
