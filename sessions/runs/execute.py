"""Web's side of runs: the session service carries them out, and goes on when whoever asked has left.

A run that the service no longer knows, though it never ended, is settled by whoever asks next (:func:`look_up`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from sandbox.runner.run import pack_file
from sandbox.runner.wire import CallError, Client, Stream
from sessions import client as service
from sessions import runner
from sessions.lifecycle import FINAL
from sessions.models import Run
from sessions.problems import Problem, not_found, service_away
from sessions.runs.order import Order
from sessions.service.store import RUNS_KEPT

Said = Callable[[int, bytes], None]

RECORDED_SECONDS = 1.0
"""Whoever waits for less may ask for it by its id before it is over."""
_PIECE = 256 * 1024


async def run(user: Any, order: Order, seconds: float | None, said: Said | None = None) -> Run:
    """Have ``order`` carried out, and return what came of it, or how far it is after ``seconds``.

    ``said`` hears of output as it comes.

    Raises:
        Problem: the session service refuses it, or is away.
    """
    soon = seconds is not None and seconds < RECORDED_SECONDS
    asked = {"image": order.image, "language": order.language, "slots": order.slots, "terms": order.terms()}
    try:
        client = await service.shared()
        stream = await client.open("run.start", user=user.pk, **asked, record=soon, live=said is not None)
        begun = _begun(user, order, stream.result)
        try:
            await _feed(stream, order)
            answer = await _heard(stream, seconds, said)
        finally:
            await stream.close()
    except CallError as error:
        raise service.refusal(error) from error
    except ConnectionError as error:
        raise service_away() from error
    if answer:
        begun.status, begun.answer = "done", answer.decode()
        return begun
    return await look_up(user, begun.pk)


async def look_up(user: Any, id: UUID) -> Run:
    """The user's run ``id``, as far as it is. One that nobody carries out any more is settled here.

    Raises:
        Problem: 404.
    """
    own = Run.objects.of(user).filter(pk=id).select_related("session")
    run = await own.afirst()
    if run is None:
        raise not_found("run")
    if run.status != "done" and not await _ask_how_far(run):
        run = await own.afirst() or run  # it may just have ended
        if run.status != "done" and _lost(run):
            await _settle(run)
    return run


async def wait(run: Run, seconds: float) -> bool:
    """Whether it is done within ``seconds``; then it has its answer.

    Raises:
        Problem: the session service is away.
    """
    try:
        await service.call("run.wait", id=str(run.pk), seconds=seconds)
    except Problem as problem:
        if problem.code != "not_found":
            raise
    await run.arefresh_from_db()
    return run.status == "done"


async def cancel(run: Run) -> None:
    """End it; one that is over stays as it is.

    Raises:
        Problem: the session service is away.
    """
    if run.status == "done":
        return
    try:
        await service.call("run.cancel", id=str(run.pk))
    except Problem as problem:
        if problem.code != "not_found":
            raise
    await run.arefresh_from_db()


def answer_of(run: Run) -> dict[str, Any]:
    """What came of it; nothing while it is not done."""
    answer: dict[str, Any] = json.loads(run.answer or "{}")
    return answer


async def purge() -> int:
    """Forget answers that are older than a day; returns how many."""
    return (await Run.objects.filter(created__lt=timezone.now() - RUNS_KEPT).adelete())[0]


async def reach(session: str) -> Client:
    """A connection to the session's runner, once there is room for it.

    Raises:
        Problem: the session is over, or the session service is away.
    """
    while True:
        try:
            return await runner.connect(session, max_frame=1 << 21)
        except Problem as problem:
            if problem.code != "not_running":
                raise
            state = (await service.call("session.get", id=session))["state"]
            if state not in ("pending", "preparing"):
                raise


# Inside


def _begun(user: Any, order: Order, told: dict[str, str]) -> Run:
    """The run that the service tells of: its row may not be written yet."""
    created = datetime.fromisoformat(told["created"])
    what = {"image": order.image, "language": order.language, "created": created}
    return Run(id=UUID(told["id"]), user_id=user.pk, session_id=UUID(told["session"]), last=created, **what)


async def _feed(stream: Stream, order: Order) -> None:
    pieces = range(0, len(order.stdin), _PIECE)
    given = [b"i" + order.stdin[start : start + _PIECE] for start in pieces]
    end = [] if order.interactive else [b"e"]
    await stream.write(*(pack_file(path, data) for path, data in order.files.items()), b"g", *given, *end)


async def _heard(stream: Stream, seconds: float | None, said: Said | None) -> bytes:
    """Its answer; nothing where it did not come in time, or is too long to be told."""
    try:
        async with asyncio.timeout(seconds):
            async for _, record in stream:
                if record[:1] == b"a":
                    return record[1:]
                if said:
                    said(int(record[:1]), record[1:])
    except TimeoutError:
        return b""
    raise ConnectionError("the session service left in the middle")


async def _ask_how_far(run: Run) -> bool:
    """Whether it is under way, or nobody can tell."""
    try:
        told = await service.call("run.get", id=str(run.pk))
    except Problem as problem:
        return problem.code != "not_found"
    run.status, run.place = told["status"], told["detail"]
    return True


def _lost(run: Run) -> bool:
    now = timezone.now()
    session = run.session
    ended = session is None or (session.state in FINAL and session.ended and session.ended < now - timedelta(minutes=1))
    return bool(ended) or now > run.last


async def _settle(run: Run) -> None:
    verdict = "cancelled" if run.cancelled else "internal_error"
    run.status = "done"
    run.answer = json.dumps({"verdict": verdict, "detail": "The site was restarted while it ran.", "steps": []})
    await Run.objects.filter(pk=run.pk).exclude(status="done").aupdate(status=run.status, answer=run.answer)
