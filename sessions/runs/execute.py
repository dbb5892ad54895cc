"""Carries runs out: a session for each, its runner does it, and the exact usage is read when it is over.

A run lives as long as the process that began it (web, or ``manage.py run``): if that ends, its connection to the
runner does, the program with it, and the session idles out. Whoever asks later is told (:func:`look_up`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from sandbox.runner.run import pack_file
from sandbox.runner.wire import CallError, Client, Stream, WireError
from sessions import client as service
from sessions import runner
from sessions.lifecycle import FINAL
from sessions.models import Run, Session
from sessions.problems import Problem, not_found
from sessions.runs.answer import Said, Tally, judge
from sessions.runs.order import Order

QUEUE_SECONDS = 900.0
IDLE_SECONDS = 60
KEPT, KEPT_PER_USER = timedelta(days=1), 200
_SPARE_SECONDS = 30.0  # on top of a run's own limits, to begin and to send what it made
_END_SECONDS = 20.0
_PIECE = 256 * 1024

log = logging.getLogger(__name__)
_under_way: dict[UUID, asyncio.Task[Run]] = {}


async def begin(user: Any, order: Order) -> Run:
    """Ask for the session of a run.

    Raises:
        Problem: the session service refuses it, or is away.
    """
    await _forget_old(user)
    session = await service.call(
        "session.create",
        user=user.pk,
        image=order.image,
        slots=order.slots,
        idle_timeout=IDLE_SECONDS,
        hostname="run",
    )
    most = timedelta(seconds=QUEUE_SECONDS + 2 * order.time_s + _SPARE_SECONDS + _END_SECONDS)
    return await Run.objects.acreate(
        user=user,
        session_id=session["id"],
        image=order.image,
        language=order.language,
        last=timezone.now() + most,
    )


def start(run: Run, order: Order) -> asyncio.Task[Run]:
    """:func:`carry_out` as a task that goes on when whoever waits for it has left."""
    task = asyncio.create_task(carry_out(run, order))
    _under_way[run.pk] = task
    task.add_done_callback(lambda _: _under_way.pop(run.pk, None))
    return task


async def carry_out(run: Run, order: Order, said: Said | None = None) -> Run:
    """Run it to its end and write the answer down; ``said`` hears of output as it comes."""
    tally, failed = Tally(order.output, said), "It was given up."
    try:
        failed = await _in_session(run, order, tally)
    except Problem as problem:
        failed = problem.detail
    except (CallError, ConnectionError, WireError) as error:
        failed = f"Its sandbox broke off: {error}."
    except TimeoutError:
        failed = "Its sandbox did not answer in time."
    except ValueError:
        failed = "Its sandbox said something that makes no sense."
    except Exception:
        log.exception("run %s failed", run.pk)
        failed = "That went wrong; the operator finds the cause in the log."
    finally:
        session = await _end_session(str(run.session_id))
        await run.arefresh_from_db()
        await _finish(run, _answer(run, tally, session, failed))
    return run


async def look_up(user: Any, id: UUID) -> Run:
    """The user's run ``id``. One whose process is gone is settled here.

    Raises:
        Problem: 404.
    """
    run = await Run.objects.of(user).filter(pk=id).select_related("session").afirst()
    if run is None:
        raise not_found("run")
    if run.status != "done" and id not in _under_way and _lost(run):
        verdict = "cancelled" if run.cancelled else "internal_error"
        await _finish(run, {"verdict": verdict, "detail": "The site was restarted while it ran.", "steps": []})
    return run


async def wait(run: Run, seconds: float) -> bool:
    """Whether it is done within ``seconds``, where this process carries it out."""
    if (task := _under_way.get(run.pk)) is None:
        return run.status == "done"
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if done:
        await run.arefresh_from_db()
    return bool(done)


async def cancel(run: Run) -> None:
    """End it; one that is over stays as it is.

    Raises:
        Problem: the session service is away.
    """
    if not await Run.objects.filter(pk=run.pk).exclude(status="done").aupdate(cancelled=True):
        return
    await _stop(str(run.session_id))
    await wait(run, _END_SECONDS)
    await run.arefresh_from_db()


def answer_of(run: Run) -> dict[str, Any]:
    """What came of it; nothing while it is not done."""
    answer: dict[str, Any] = json.loads(run.answer or "{}")
    return answer


async def purge() -> int:
    """Forget answers that are older than a day; returns how many."""
    return (await Run.objects.filter(created__lt=timezone.now() - KEPT).adelete())[0]


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


async def _in_session(run: Run, order: Order, tally: Tally) -> str:
    """Let the session's runner do it; returns why it could not, or ""."""
    async with asyncio.timeout(QUEUE_SECONDS):
        client = await reach(str(run.session_id))
    async with client, asyncio.timeout(2 * order.time_s + _SPARE_SECONDS):
        await Run.objects.filter(pk=run.pk).aupdate(status="running")
        limits = {"time_s": order.time_s, "cpu_s": order.cpu_s, "output": order.output}
        stream = await client.open("run.start", build=order.build, command=order.command, **limits)
        feeding = asyncio.create_task(_feed(stream, order))  # a program may write before it has read everything
        try:
            async for _, record in stream:
                tally.take(record)
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
        return stream.end if isinstance(stream.end, str) else "Its sandbox ended before it did."


async def _feed(stream: Stream, order: Order) -> None:
    for path, data in order.files.items():
        await stream.write(pack_file(path, data))
    await stream.write(b"g")
    for start in range(0, len(order.stdin), _PIECE):
        await stream.write(b"i" + order.stdin[start : start + _PIECE])
    if not order.interactive:
        await stream.write(b"e")


async def _stop(session: str) -> None:
    try:
        await service.call("session.stop", id=session, reason="run_over")
    except Problem as problem:
        if problem.code not in ("not_found", "illegal"):
            raise


async def _end_session(id: str) -> Session | None:
    """Stop it and wait for its last account."""
    with contextlib.suppress(Problem, ConnectionError, TimeoutError):
        async with asyncio.timeout(_END_SECONDS):
            await _stop(id)
            async with await service.connect() as client:
                async for _ in await service.watch(client, id):
                    continue
    return await Session.objects.filter(pk=id).afirst()


def _answer(run: Run, tally: Tally, session: Session | None, failed: str) -> dict[str, Any]:
    refusals = session.refusals if session else []
    verdict = judge(tally.steps, tally.causes, [refusal["reason"] for refusal in refusals], failed)
    if session and session.reason == "out_of_memory":
        verdict, failed = "memory_limit", session.detail
    if run.cancelled:
        verdict, failed = "cancelled", ""
    elif verdict == "internal_error" and session and session.detail:
        failed = session.detail  # why the sandbox did not start, or ended
    usage = session.usage if session else {}
    return {
        "verdict": verdict,
        "detail": failed,
        "steps": tally.steps,
        "files": tally.files,
        "usage": usage,
        "refusals": refusals,
    }


async def _finish(run: Run, answer: dict[str, Any]) -> None:
    run.status, run.answer = "done", json.dumps(answer)
    await Run.objects.filter(pk=run.pk).aupdate(status=run.status, answer=run.answer)


def _lost(run: Run) -> bool:
    now = timezone.now()
    session = run.session
    ended = session is None or (session.state in FINAL and session.ended and session.ended < now - timedelta(minutes=1))
    return bool(ended) or now > run.last


async def _forget_old(user: Any) -> None:
    own = Run.objects.of(user)
    await own.filter(created__lt=timezone.now() - KEPT).adelete()
    surplus = [pk async for pk in own.filter(status="done").values_list("pk", flat=True)[KEPT_PER_USER:]]
    if surplus:
        await own.filter(pk__in=surplus).adelete()
