"""``/api/v1/projects/{id}/people``: who is in a project, the ways in, and its next owner."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Router, Schema, Status
from pydantic import AfterValidator, StringConstraints

from portal.api_projects import project_with
from portal.joining import invite, link_address, make_link, revoke_link, withdraw
from portal.models import Invitation, User
from portal.people import NoSuchMember, offer, put_out, set_role, take_over
from portal.roles import Role, role_of
from sessions.problems import Problem, not_found
from sessions.projects import Right

router = Router()


def _address(text: str) -> str:
    try:
        validate_email(text)
    except ValidationError as error:
        raise ValueError("no e-mail address") from error
    return text


Given = Literal["viewer", "editor"]
Address = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254), AfterValidator(_address)]


class Person(Schema):
    """``email`` is told to the owner, and to oneself."""

    id: int
    name: str
    email: str | None
    role: Role


class Invited(Schema):
    id: UUID
    email: str
    role: Given
    created: datetime


class Link(Schema):
    role: Given
    url: str


class People(Schema):
    """``invitations`` and ``links`` are told to the owner alone."""

    people: list[Person]
    invitations: list[Invited]
    links: list[Link]
    offered_to: int | None


class InvitationIn(Schema):
    email: Address
    role: Given = "viewer"


class InvitationOut(Schema):
    """``invitation`` is null where the address has an account, which is in the project now."""

    invitation: Invited | None


class RoleIn(Schema):
    role: Given


class OfferIn(Schema):
    user: int


@router.get("/{uuid:id}/people", response=People, summary="Who is in a project")
def list_people(request: HttpRequest, id: UUID) -> dict[str, Any]:
    project = project_with(request, id, Right.VIEW)
    role = role_of(request.user, project)
    manages = role is not None and role.can_manage
    members = [(one.user, Role(one.role)) for one in project.memberships.select_related("user")]
    return {
        "people": [
            {
                "id": user.pk,
                "name": user.display_name,
                "email": user.email if manages or user.pk == request.user.pk else None,
                "role": part,
            }
            for user, part in [(project.owner, Role.OWNER), *members]
        ],
        "invitations": [one for one in project.invitations.filter(ended_at=None) if one.is_open] if manages else [],
        "links": [_link(request, one) for one in project.links.all()] if manages else [],
        "offered_to": project.offered_to_id,
    }


def _link(request: HttpRequest, link: Any) -> dict[str, str]:
    return {"role": link.role, "url": link_address(request, link)}


@router.post("/{uuid:id}/people", response={201: InvitationOut}, summary="Invite somebody")
def add(request: HttpRequest, id: UUID, body: InvitationIn) -> Status[dict[str, Any]]:
    """An account of that address is in at once and gets a mail; else an invitation is mailed."""
    project = project_with(request, id, Right.MANAGE)
    return Status(201, {"invitation": invite(request, project, body.email, Role(body.role))})  # type: ignore[arg-type]


@router.patch("/{uuid:id}/people/{int:user}", response={204: None}, summary="Give a member another role")
def change(request: HttpRequest, id: UUID, user: int, body: RoleIn) -> HttpResponse:
    """It holds at once: what they have open and may no longer use is closed."""
    project = project_with(request, id, Right.MANAGE)
    return _done(lambda: set_role(project, _person(user), Role(body.role)))


@router.delete("/{uuid:id}/people/me", response={204: None}, summary="Leave a project")
def leave(request: HttpRequest, id: UUID) -> HttpResponse:
    project = project_with(request, id, Right.VIEW)
    if project.owner_id == request.user.pk:
        raise Problem(
            409,
            "owner",
            _("Its owner cannot leave"),
            _("You own this project."),
            _("Give it to somebody, or delete it."),
        )
    return _done(lambda: put_out(project, request.user))  # type: ignore[arg-type]


@router.delete("/{uuid:id}/people/{int:user}", response={204: None}, summary="Put a member out")
def remove(request: HttpRequest, id: UUID, user: int) -> HttpResponse:
    project = project_with(request, id, Right.MANAGE)
    return _done(lambda: put_out(project, _person(user)))


@router.delete("/{uuid:id}/invitations/{uuid:invitation}", response={204: None}, summary="Withdraw an invitation")
def remove_invitation(request: HttpRequest, id: UUID, invitation: UUID) -> HttpResponse:
    found = Invitation.objects.filter(project=project_with(request, id, Right.MANAGE), pk=invitation).first()
    if found is None:
        raise not_found("invitation")
    withdraw(found)
    return HttpResponse(status=204)


@router.put("/{uuid:id}/links/{role}", response=Link, summary="The link by which people join")
def put_link(request: HttpRequest, id: UUID, role: Given) -> dict[str, str]:
    """Made if there is none. It opens until it is revoked."""
    return _link(request, make_link(project_with(request, id, Right.MANAGE), Role(role)))


@router.delete("/{uuid:id}/links/{role}", response={204: None}, summary="Revoke a link")
def remove_link(request: HttpRequest, id: UUID, role: Given) -> HttpResponse:
    """Who has joined by it stays."""
    revoke_link(project_with(request, id, Right.MANAGE), Role(role))
    return HttpResponse(status=204)


@router.put("/{uuid:id}/offer", response={204: None}, summary="Offer a project to a member")
def put_offer(request: HttpRequest, id: UUID, body: OfferIn) -> HttpResponse:
    """They become its owner when they accept."""
    project = project_with(request, id, Right.MANAGE)
    return _done(lambda: offer(project, _person(body.user)))


@router.delete("/{uuid:id}/offer", response={204: None}, summary="Take an offer back, or decline it")
def remove_offer(request: HttpRequest, id: UUID) -> HttpResponse:
    project = project_with(request, id, Right.VIEW)
    if project.offered_to_id != request.user.pk:
        project = project_with(request, id, Right.MANAGE)
    return _done(lambda: offer(project, None))


@router.post("/{uuid:id}/offer/accept", response={204: None}, summary="Take over a project that was offered")
def accept_offer(request: HttpRequest, id: UUID) -> HttpResponse:
    project = project_with(request, id, Right.VIEW)
    if not take_over(project, request.user):  # type: ignore[arg-type]
        raise Problem(409, "no_offer", _("No offer"), _("This project is not offered to you."))
    return HttpResponse(status=204)


def _person(pk: int) -> User:
    found = User.objects.filter(pk=pk).first() if pk < 1 << 63 else None
    if found is None:
        raise not_found("member")
    return found


def _done(what: Any) -> HttpResponse:
    try:
        what()
    except NoSuchMember as error:
        raise not_found("member") from error
    return HttpResponse(status=204)
