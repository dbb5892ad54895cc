"""``/api/v1/sessions/{id}/ports``: what listens in a session, who may see it, and for how long."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from channels.db import database_sync_to_async
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from ninja import Field, Path, Router, Schema
from pydantic import ConfigDict

from portal.preview.hosts import Preview, preview_host
from sessions.access import session_of, signed_in
from sessions.models import Session
from sessions.port_shares import Audience, share_port, shares_of, terms
from sessions.ports import current_ports
from sessions.problems import Problem
from sessions.projects import Right

router = Router(tags=["sessions"])

Port = Annotated[int, Path(ge=1, lt=1 << 16)]


class PortOut(Schema):
    """``program`` is what its process calls itself; "" while nothing listens."""

    port: int
    program: str
    listening: bool
    audience: Audience
    until: datetime | None = Field(description="When a public port is private again.")
    url: str | None = Field(description="Where those who may see it find it; null where this site has no previews.")


class PortsOut(Schema):
    items: list[PortOut]
    terms: list[int] = Field(description="Seconds for which a port may be made public; none where it may not.")


class ShareIn(Schema):
    model_config = ConfigDict(extra="forbid")
    audience: Audience
    seconds: int | None = Field(None, description="For how long it is public; one of “terms”.")


@router.get("/{uuid:id}/ports", response=PortsOut, summary="The ports of a session")
async def list_ports(request: HttpRequest, id: UUID) -> dict[str, Any]:
    """What programs listen on, and what is shared, whether anything listens there or not."""
    session = await session_of(await signed_in(request), id)
    return {"items": await _ports(request, session), "terms": terms()}


@router.put("/{uuid:id}/ports/{port}", response=PortOut, summary="Say who may see a port")
async def put_port(request: HttpRequest, id: UUID, port: Port, body: ShareIn) -> dict[str, Any]:
    """It holds at once: what is open, and may not be any more, is closed.

    Whoever works in the session may make a port private; showing it to others is for the project's owner.
    """
    user = await signed_in(request)
    right = Right.RUN if body.audience is Audience.PRIVATE else Right.MANAGE
    session = await session_of(user, id, right)
    if not session.live:
        raise Problem(409, "ended", _("The session has ended"), _("This session is over."), _("Start a new one."))
    await database_sync_to_async(share_port)(user, session, port, body.audience, body.seconds)
    found = [one for one in await _ports(request, session) if one["port"] == port]
    return found[0] if found else _as_json(request, session, {"port": port})


async def _ports(request: HttpRequest, session: Session) -> list[dict[str, Any]]:
    shares = await database_sync_to_async(shares_of)(session.pk) if session.live else []
    listening = await current_ports(str(session.pk)) if session.live else []
    known: dict[int, dict[str, Any]] = {one["port"]: {**one, "listening": True} for one in listening}
    for share in shares:
        known[share["port"]] = {**known.get(share["port"], {}), **share}
    return [_as_json(request, session, known[port]) for port in sorted(known)]


def _as_json(request: HttpRequest, session: Session, known: dict[str, Any]) -> dict[str, Any]:
    ordinary = {"program": "", "listening": False, "audience": Audience.PRIVATE, "until": None}
    return {**ordinary, **known, "url": _address(request, session, {**ordinary, **known})}


def _address(request: HttpRequest, session: Session, port: dict[str, Any]) -> str | None:
    """A public port's own address; for others the site's, which sees who they are first."""
    host = preview_host(Preview(session.pk, port["port"]), settings.MADANG_PREVIEW_HOST, request.get_host())
    if host is None:
        return None
    if port["audience"] == Audience.PUBLIC:
        return f"{request.scheme}://{host}/"
    return request.build_absolute_uri(reverse("preview", args=[session.pk, port["port"]]))
