"""Sessions, images and usage over REST, mounted at ``/api/v1`` by the portal."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from channels.db import database_sync_to_async
from django.conf import settings
from django.db.models import Max, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Field, Router, Status

from sandbox.images import images
from sessions import client as service
from sessions.access import project_of, session_of, session_to_stop, signed_in
from sessions.jupyter.start import hostname
from sessions.ledger import PEAKS, SUMMED
from sessions.lifecycle import FINAL, State
from sessions.limits import check_idle_timeout, choose_policy, choose_slots, find_image
from sessions.models import Session, UsageLine
from sessions.prices import PRICED
from sessions.problems import Problem, invalid
from sessions.projects import Right
from sessions.represent import money, session_json
from sessions.schemas import ImageOut, PricesOut, SessionDetail, SessionIn, SessionOut, SessionPage, UsagePage
from sessions.walls import wall

router = Router()


Limit = Annotated[int, Field(ge=1, le=200)]
Offset = Annotated[int, Field(ge=0, le=1_000_000_000)]


@router.post("/sessions", response={201: SessionOut, 200: SessionOut}, tags=["sessions"], summary="Start a session")
async def create_session(request: HttpRequest, body: SessionIn, response: HttpResponse) -> Any:
    """Start a session, or return the live one that the project has already (200): who starts it pays for it."""
    user = await signed_in(request)
    project = await project_of(user, body.project, Right.RUN) if body.project else None
    if body.image is None and project is None:
        raise invalid("A session needs an image or a project.", "Send “image”, “project” or both.")
    image = find_image(body.image or (project.image if project else ""))
    wanted = body.slots.dict(exclude_none=True) if body.slots else {}
    slots = choose_slots(image, wanted)
    session = await service.call(
        "session.create",
        user=user.pk,
        project=str(project.id) if project else None,
        directory=str(project.directory) if project else None,
        image=image.name,
        slots=slots.as_dict() if wanted else None,
        idle_timeout=check_idle_timeout(body.idle_timeout),
        hostname=hostname(project.slug if project else ""),
        policy=choose_policy(image, body.policy),
    )
    response["Location"] = f"/api/v1/sessions/{session['id']}"
    return Status(201 if session.pop("new") else 200, session)


@router.get("/sessions", response=SessionPage, tags=["sessions"], summary="List your sessions")
async def list_sessions(
    request: HttpRequest,
    state: State | Literal["live"] | None = None,
    project: UUID | None = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Any:
    """Yours and those of projects you are in, the newest first. ``state=live`` finds all that are not over."""
    sessions = Session.objects.seen_by(await signed_in(request))
    if project is not None:
        sessions = sessions.filter(project=project)
    if state is not None:
        sessions = sessions.live() if state == "live" else sessions.filter(state=state)
    items = [session_json(session) async for session in sessions[offset : offset + limit]]
    return {"items": items, "count": await sessions.acount()}


@router.get("/sessions/{uuid:id}", response=SessionDetail, tags=["sessions"], summary="Look at a session")
async def get_session(request: HttpRequest, id: UUID) -> Any:
    """Its state, how long it was in each, and what it has used so far, to the second while the service answers."""
    session = await session_of(await signed_in(request), id)
    changes = [(change.after, change.at) async for change in session.transitions.order_by("sequence")]
    return {**await _latest(session), "wall": wall(changes, timezone.now())}


async def _latest(session: Session) -> dict[str, Any]:
    if session.live:
        try:
            known: dict[str, Any] = await service.call("session.get", id=str(session.pk))
            return known
        except Problem as problem:
            if problem.code not in ("not_found", "service_away"):
                raise
            await session.arefresh_from_db()
    return session_json(session)


@router.delete("/sessions/{uuid:id}", response=SessionOut, tags=["sessions"], summary="Stop a session")
async def stop_session(request: HttpRequest, id: UUID) -> Any:
    """End it: programs are asked to end and then made to. One that is over stays as it is."""
    session = await session_to_stop(await signed_in(request), id)
    return await _change(session, "session.stop", idempotent=True)


@router.post("/sessions/{uuid:id}/pause", response=SessionOut, tags=["sessions"], summary="Pause a session")
async def pause_session(request: HttpRequest, id: UUID) -> Any:
    """Freeze every process of it. Nothing is lost, and while it is paused it does not idle out."""
    return await _change(await _workplace(request, id), "session.pause")


@router.post("/sessions/{uuid:id}/resume", response=SessionOut, tags=["sessions"], summary="Resume a paused session")
async def resume_session(request: HttpRequest, id: UUID) -> Any:
    return await _change(await _workplace(request, id), "session.resume")


@router.post("/sessions/{uuid:id}/extend", response=SessionOut, tags=["sessions"], summary="Keep an idle session")
async def extend_session(request: HttpRequest, id: UUID) -> Any:
    """Keep it for at least a whole idle timeout from now."""
    return await _change(await _workplace(request, id), "session.extend")


@router.get("/images", response=list[ImageOut], tags=["images"], summary="List the images")
async def list_images(request: HttpRequest) -> Any:
    await signed_in(request)
    return [
        {
            "name": image.name,
            "title": image.title,
            "summary": image.summary,
            "kernels": [kernel.__dict__ for kernel in image.kernels],
            "languages": [language.__dict__ for language in image.languages],
            "servers": [server.__dict__ for server in image.offered_servers],
            "extensions": list(image.extensions),
            "slots": image.slots.as_dict(),
        }
        for image in images().values()
    ]


@router.get("/prices", response=PricesOut, tags=["usage"], summary="What use costs")
async def get_prices(request: HttpRequest) -> Any:
    await signed_in(request)
    micros = settings.MADANG_PRICES.micros
    prices = [{"what": what, "unit": PRICED[what].unit, "micros": price} for what, price in micros.items()]
    return {"currency": settings.MADANG_PRICES.currency, "prices": prices}


@router.get("/usage", response=UsagePage, tags=["usage"], summary="What you have used")
async def get_usage(request: HttpRequest, limit: Limit = 50, offset: Offset = 0) -> Any:
    """From the ledger: what is written, in all and by session, the newest session first."""
    return await _usage(await signed_in(request), limit, offset)


async def _workplace(request: HttpRequest, id: UUID) -> Session:
    return await session_of(await signed_in(request), id, Right.RUN)


async def _change(session: Session, method: str, idempotent: bool = False) -> Any:
    if session.state not in FINAL:
        try:
            return await service.call(method, id=str(session.pk))
        except Problem as problem:
            if problem.code != "not_found":
                raise
            await session.arefresh_from_db()
    if idempotent:
        return session_json(session)
    raise Problem(409, "ended", "The session has ended", "This session is over.", "Start a new one.")


@database_sync_to_async
def _usage(user: Any, limit: int, offset: int) -> dict[str, Any]:
    own = Session.objects.of(user)
    sums = {f"used_{name}": Sum(f"usage_lines__{name}", default=0) for name in SUMMED}
    peaks = {name: Max(f"usage_lines__{name}", default=0) for name in PEAKS}
    rows = own.annotate(**peaks, **sums).values()[offset : offset + limit]
    lines = UsageLine.objects.filter(session__user=user)
    items = [dict(row) for row in rows]
    total = lines.aggregate(**{name: Sum(name, default=0) for name in SUMMED})
    used = [{**row, "session": row["id"], **{name: row[f"used_{name}"] for name in SUMMED}} for row in items]
    priced = [{**sums, "cost": money(sums["cost"])} for sums in (total, *used)]
    return {"total": priced[0], "count": own.count(), "items": priced[1:]}
