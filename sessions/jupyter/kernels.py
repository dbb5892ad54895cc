"""``/jupyter/api/kernels``: the kernels of all the user's live sessions."""

from __future__ import annotations

import asyncio
from itertools import groupby
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from sessions import runner
from sessions.access import kernel_of
from sessions.jupyter.start import KERNEL_SECONDS, start_kernel
from sessions.jupyter.views import body_of, created, empty, ok, text_of
from sessions.models import Kernel
from sessions.problems import Problem, not_found
from sessions.represent import timestamp

LIST_SECONDS = 5.0
Model = dict[str, Any]


async def list_kernels(request: HttpRequest, user: Any) -> HttpResponse:
    return ok([model for _, model in await kernels_with_models(user)])


async def post_kernel(request: HttpRequest, user: Any) -> HttpResponse:
    body = body_of(request)
    kernel, told = await start_kernel(user, text_of(body, "name", 100), text_of(body, "path", 1024))
    return created(describe(kernel, told), location(kernel.pk))


async def get_kernel(request: HttpRequest, user: Any, id: UUID) -> HttpResponse:
    return ok(await model_of(await kernel_of(user, id)))


async def delete_kernel(request: HttpRequest, user: Any, id: UUID) -> HttpResponse:
    await stop_kernel(await kernel_of(user, id))
    return empty()


async def interrupt(request: HttpRequest, user: Any, id: UUID) -> HttpResponse:
    await _call(await kernel_of(user, id), "kernel.interrupt")
    return empty()


async def restart(request: HttpRequest, user: Any, id: UUID) -> HttpResponse:
    kernel = await kernel_of(user, id)
    await _call(kernel, "kernel.restart", KERNEL_SECONDS)
    return ok(await model_of(kernel))


async def stop_kernel(kernel: Kernel) -> None:
    """Stop it and forget it; one that has ended by itself is only forgotten."""
    try:
        await _call(kernel, "kernel.stop")
    except Problem as problem:
        if problem.status != 404:
            raise
    await kernel.adelete()


async def model_of(kernel: Kernel) -> Model:
    """The kernel as its runner describes it.

    Raises:
        Problem: 404, it has ended by itself.
    """
    models = await _models_in(str(kernel.session_id), [kernel])
    if str(kernel.pk) not in models:
        await kernel.adelete()
        raise not_found("kernel")
    return models[str(kernel.pk)]


async def kernels_with_models(user: Any, **only: Any) -> list[tuple[Kernel, Model]]:
    """The user's kernels as their runners describe them, those that have ended by themselves forgotten."""
    rows = [
        kernel
        async for kernel in Kernel.objects.open_to(user)
        .filter(**only)
        .select_related("session")
        .order_by("session_id", "created")
    ]
    groups = [list(group) for _, group in groupby(rows, lambda kernel: kernel.session_id)]
    answers = await asyncio.gather(*(_models_in(str(group[0].session_id), group) for group in groups))
    models = {id: model for answer in answers for id, model in answer.items()}
    if ended := [kernel.pk for kernel in rows if str(kernel.pk) not in models]:
        await Kernel.objects.filter(pk__in=ended).adelete()
    return [(kernel, models[str(kernel.pk)]) for kernel in rows if str(kernel.pk) in models]


def location(id: UUID) -> str:
    return f"/jupyter/api/kernels/{id}"


async def _models_in(session: str, kernels: list[Kernel]) -> dict[str, Model]:
    """Models by id of those of ``kernels`` that exist. A runner that does not answer says nothing about them."""
    try:
        listed = await runner.call(session, "kernel.list", LIST_SECONDS)
    except Problem as problem:
        if problem.code in ("not_found", "not_running"):  # the session has just ended
            return {}
        return {str(kernel.pk): _unknown(kernel) for kernel in kernels}
    told = {str(model.get("id")): model for model in listed if isinstance(model, dict)}
    return {id: describe(kernel, told[id]) for kernel in kernels if (id := str(kernel.pk)) in told}


def describe(kernel: Kernel, told: Model) -> Model:
    """What the runner tells, which is hostile until proved otherwise: texts and numbers only."""
    connections = told.get("connections")
    return {
        "id": str(kernel.pk),
        "name": kernel.name,
        "execution_state": str(told.get("execution_state"))[:40],
        "last_activity": str(told.get("last_activity"))[:40],
        "connections": connections if isinstance(connections, int) else 0,
    }


def _unknown(kernel: Kernel) -> Model:
    return describe(kernel, {"execution_state": "unknown", "last_activity": timestamp(kernel.created)})


async def _call(kernel: Kernel, method: str, seconds: float = 30.0) -> None:
    await runner.call(str(kernel.session_id), method, seconds, id=str(kernel.pk))
