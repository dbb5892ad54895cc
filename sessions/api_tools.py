"""What the editor does in a session besides streams, over REST: run a command, run a file."""

from __future__ import annotations

import secrets
import shlex
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Field, Router, Schema, Status
from pydantic import ConfigDict

from sandbox.images import Language, images
from sessions import runner
from sessions.access import session_of, signed_in
from sessions.commands import run_command
from sessions.models import Session
from sessions.problems import Problem, invalid
from sessions.projects import Right

router = Router(tags=["sessions"])

_MOST_WORDS, _MOST_COMMAND, _MOST_INPUT = 1000, 32 * 1024, 4 * 1024 * 1024
_PATH = 1024


class CommandIn(Schema):
    """A program and its arguments; no shell reads them."""

    model_config = ConfigDict(extra="forbid")

    command: list[str] = Field(min_length=1, max_length=_MOST_WORDS)
    folder: str = Field("", max_length=_PATH, description="Where to run it, below the project's folder.")
    stdin: str = Field("", max_length=_MOST_INPUT)
    time_s: float = Field(30.0, gt=0, le=120, description="Seconds after which it is ended.")
    output: int = Field(1 << 20, ge=1, le=8 << 20, description="Bytes that it may print.")


class CommandOut(Schema):
    exit_code: int | None
    signal: str | None
    stdout: str
    stderr: str
    cause: str = Field(description="The limit that ended it: time_limit, output_limit, memory_limit, or “”.")
    truncated: bool


class ProgramIn(Schema):
    model_config = ConfigDict(extra="forbid")

    path: str = Field(min_length=1, max_length=_PATH, description="A file of the project.")


class ProgramOut(Schema):
    name: str = Field(description="Of the terminal in which it runs.")
    command: str
    folder: str


@router.post("/sessions/{uuid:id}/commands", response=CommandOut, summary="Run a command in a session")
async def run(request: HttpRequest, id: UUID, body: CommandIn) -> Any:
    """In the project's folder, to its end. For what is long or asks questions open a terminal."""
    if sum(len(word.encode("utf-8", "replace")) for word in body.command) > _MOST_COMMAND:
        raise invalid(_("The command is too long."), _("Send what is long as “stdin”, or as a file of the project."))
    if any("\0" in word for word in [*body.command, body.folder]):
        raise invalid(_("A command has no NUL characters."), _("Correct the command."))
    session = await _workplace(request, id)
    return await run_command(str(session.pk), body.command, body.folder, body.stdin, body.time_s, body.output)


@router.post("/sessions/{uuid:id}/programs", response={201: ProgramOut}, summary="Run a file in a terminal")
async def run_file(request: HttpRequest, id: UUID, body: ProgramIn) -> Any:
    """With its language's command, in the file's folder. Its terminal stays after its end, until it is deleted."""
    session = await _workplace(request, id)
    path = PurePosixPath(body.path)
    if path.is_absolute() or ".." in path.parts or "\0" in body.path or not path.name:
        raise invalid(_("This is not a path of the project."), _("Send the path of a file, such as “src/main.py”."))
    command = command_for(session.image, path)
    name = f"run-{secrets.token_hex(6)}"
    folder = "" if str(path.parent) == "." else str(path.parent)
    await runner.call(str(session.pk), "terminal.start", name=name, cwd=folder, command=command)
    return Status(201, {"name": name, "command": command, "folder": folder})


@router.delete("/sessions/{uuid:id}/programs/{name}", response={204: None}, summary="End a running file")
async def end_file(request: HttpRequest, id: UUID, name: str) -> Any:
    """End it if it runs, and forget what it printed."""
    session = await _workplace(request, id)
    try:
        await runner.call(str(session.pk), "terminal.stop", name=name)
    except Problem as problem:
        if problem.code != "not_found":
            raise
    return HttpResponse(status=204)


def command_for(image: str, path: PurePosixPath) -> str:
    """The shell command that builds and runs the file ``path`` of a session of ``image``, in the file's folder.

    Raises:
        Problem: 422, none of the image's languages has such files.
    """
    found = images().get(image)
    language = next((one for one in found.languages if path.suffix in one.extensions), None) if found else None
    if language is None:
        raise invalid(
            _("This session's image cannot run “%s”.") % path.name[:80],
            _("Run it in a terminal, or choose another image."),
        )
    return _line(language, path.name)


def _line(language: Language, name: str) -> str:
    main = shlex.quote(f"./{name}" if name.startswith("-") else name)
    steps = [step.replace("{main}", main) for step in (language.build, language.run) if step]
    return " && ".join(steps)


async def _workplace(request: HttpRequest, id: UUID) -> Session:
    session = await session_of(await signed_in(request), id, Right.RUN)
    if not session.live:
        raise Problem(409, "ended", _("The session has ended"), _("This session is over."), _("Start a new one."))
    return session
