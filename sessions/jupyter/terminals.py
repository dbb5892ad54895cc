"""``/jupyter/api/terminals``: the terminals of all the user's live sessions.

A terminal's global name is the first eight hexadecimal digits of its session's id, ``-``, and its
name in that session.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

from django.http import HttpRequest, HttpResponse

from sandbox.runner.wire import CallError
from sessions import runner
from sessions.access import project_at
from sessions.jupyter.start import running_session
from sessions.jupyter.views import body_of, created, empty, ok, text_of
from sessions.models import Session
from sessions.problems import Problem, bad_request, not_found
from sessions.projects import Right

GLOBAL = re.compile(r"(?P<session>[0-9a-f]{8})-(?P<name>[\w-]{1,32})", re.ASCII)
NAME = re.compile(r"[\w-]{1,32}", re.ASCII)
LIST_SECONDS = 5.0
ROWS, COLUMNS = 24, 80
Model = dict[str, Any]


async def list_terminals(request: HttpRequest, user: Any) -> HttpResponse:
    sessions = [session async for session in Session.objects.open_to(user, Right.RUN).live()]
    answers = await asyncio.gather(*(_models_in(session) for session in sessions))
    return ok([model for answer in answers for model in answer])


async def post_terminal(request: HttpRequest, user: Any) -> HttpResponse:
    """Start a terminal in the project that ``cwd`` (slug first) leads into, by default the scratch project."""
    body = body_of(request)
    name = text_of(body, "name", 32)
    if name and not NAME.fullmatch(name):
        raise bad_request("A terminal's name has letters, digits, - and _, at most 32.")
    project, cwd = await project_at(user, text_of(body, "cwd", 1024), Right.RUN)
    session = await running_session(user, project, project.image)
    model = await _start(session, name, cwd)
    return created(model, f"/jupyter/api/terminals/{model['name']}")


async def get_terminal(request: HttpRequest, user: Any, name: str) -> HttpResponse:
    session, _ = await terminal_of(user, name)
    model = next((model for model in await _models_in(session) if model["name"] == name), None)
    if model is None:
        raise not_found("terminal")
    return ok(model)


async def delete_terminal(request: HttpRequest, user: Any, name: str) -> HttpResponse:
    session, local = await terminal_of(user, name)
    await runner.call(str(session.pk), "terminal.stop", name=local)
    return empty()


async def terminal_of(user: Any, name: str) -> tuple[Session, str]:
    """The live session that the global ``name`` leads to, and the terminal's name in it.

    Raises:
        Problem: 404.
    """
    if match := GLOBAL.fullmatch(name):
        async for session in Session.objects.open_to(user, Right.RUN).live():
            if prefix(session) == match["session"]:
                return session, match["name"]
    raise not_found("terminal")


def prefix(session: Session) -> str:
    return session.pk.hex[:8]


async def _start(session: str, name: str, cwd: str) -> Model:
    """Start it under ``name``, or under the first number that is free."""
    async with runner.runner(session) as client:
        taken = {str(terminal.get("name")) for terminal in await client.call("terminal.list")}
        number = 1
        while True:
            chosen = name or str(number)
            number += 1
            if not name and chosen in taken:
                continue
            try:
                told = await client.call("terminal.start", name=chosen, cwd=cwd, rows=ROWS, cols=COLUMNS)
            except CallError as error:
                if error.code == "exists" and not name:  # another tab has just taken the number
                    continue
                raise
            return _model(session.replace("-", "")[:8], told)


async def _models_in(session: Session) -> list[Model]:
    try:
        told = await runner.call(str(session.pk), "terminal.list", LIST_SECONDS)
    except Problem:
        return []  # it is starting, ending or paused: what it has is listed when it answers
    return [_model(prefix(session), terminal) for terminal in told if isinstance(terminal, dict)]


def _model(session: str, told: Model) -> Model:
    return {"name": f"{session}-{str(told.get('name'))[:32]}", "last_activity": str(told.get("last_activity"))[:40]}
