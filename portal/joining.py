"""Ways into a project: invitations by mail, which open once, and links, which open until they are revoked.

What stands in an address is the row's key, signed for its purpose: without the site's secret nobody makes one,
and a row that is gone opens nothing. Nothing here says whether an address has an account, except to who invites it.
"""

from __future__ import annotations

from datetime import timedelta
from smtplib import SMTPException
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.core.mail import send_mail
from django.db import transaction
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from portal.authentication import SignedInRequest
from portal.models import Invitation, JoinLink, Project, User
from portal.people import let_in
from portal.roles import Role
from sessions.problems import Problem

PER_DAY = 100
_KINDS: dict[str, type[Invitation] | type[JoinLink]] = {"i": Invitation, "l": JoinLink}


def invite(request: SignedInRequest, project: Project, email: str, role: Role) -> Invitation | None:
    """Let the account of ``email`` in, or mail an invitation to it; the invitation, None where there is an account.

    Somebody who is invited again gets a new link, and the earlier one is worth nothing.

    Raises:
        Problem: too many invitations, or no mail can be sent.
    """
    inviter, email = request.user, email.strip().lower()
    sent = Invitation.objects.filter(inviter_id=inviter.pk, created__gt=timezone.now() - timedelta(days=1)).count()
    if sent >= PER_DAY:
        raise Problem(429, "too_many", _("Too many invitations"), _("You can invite %d people a day.") % PER_DAY)
    person = User.objects.filter(email=email, is_active=True).first()
    if person is not None:
        if let_in(project, person, role):
            _mail(
                "added", person.email, person.language, request, project, role, _page(request, "workspace", project.pk)
            )
        return None
    with transaction.atomic():
        project.invitations.filter(email=email, ended_at=None).update(ended_at=timezone.now())
        row = Invitation.objects.create(project=project, email=email, role=role, inviter_id=inviter.pk)
    try:
        _mail("invitation", email, "", request, project, role, _page(request, "join", token_of(row)))
    except Problem:
        withdraw(row)
        raise
    return row


def withdraw(invitation: Invitation) -> None:
    """End an invitation that nobody followed."""
    Invitation.objects.filter(pk=invitation.pk, ended_at=None).update(ended_at=timezone.now())


def make_link(project: Project, role: Role) -> JoinLink:
    """The link that lets people join in ``role``; made when there is none."""
    return JoinLink.objects.get_or_create(project=project, role=role)[0]


def revoke_link(project: Project, role: Role) -> None:
    """End the link. Who has joined by it stays, until they are put out."""
    JoinLink.objects.filter(project=project, role=role).delete()


def link_address(request: HttpRequest, link: JoinLink) -> str:
    return _page(request, "join", token_of(link))


def token_of(row: Invitation | JoinLink) -> str:
    """What stands in the address that ``row`` opens by."""
    return _signer().sign(f"{'i' if isinstance(row, Invitation) else 'l'}{row.pk.hex}")


def open_way(token: str) -> Invitation | JoinLink | None:
    """What ``token`` opens now; None where it is forged, revoked, used or too old."""
    try:
        text = _signer().unsign(token)
        kind, id = _KINDS[text[:1]], UUID(text[1:])
    except (signing.BadSignature, KeyError, ValueError):
        return None
    row = kind._default_manager.select_related("project__owner").filter(pk=id, project__deleted_at=None).first()
    return None if row is None or (isinstance(row, Invitation) and not row.is_open) else row


@transaction.atomic
def join(user: User, way: Invitation | JoinLink) -> bool:
    """Let ``user`` in by ``way``; False where an invitation was used by another in the meantime."""
    if isinstance(way, Invitation):
        if not Invitation.objects.filter(pk=way.pk, ended_at=None).update(ended_at=timezone.now()):
            return False
    elif not JoinLink.objects.filter(pk=way.pk).exists():
        return False
    let_in(way.project, user, Role(way.role))
    return True


def _signer() -> signing.Signer:
    return signing.Signer(salt="madang.join", sep=".")


def _page(request: HttpRequest, name: str, argument: object) -> str:
    return request.build_absolute_uri(reverse(name, args=[argument]))


def _mail(
    template: str, to: str, language: str, request: SignedInRequest, project: Project, role: Role, address: str
) -> None:
    """Mail ``template``, in the language of who gets it where that is known; its first line is the subject.

    Raises:
        Problem: 502, the mail was not taken.
    """
    with translation.override(language or translation.get_language()):
        context = {"person": request.user, "project": project, "role": role_word(role), "address": address}
        text = render_to_string(f"mail/{template}.txt", context)
    subject, _newline, body = text.strip().partition("\n")
    try:
        send_mail(" ".join(subject.split()), body.strip() + "\n", settings.DEFAULT_FROM_EMAIL, [to])
    except (OSError, SMTPException) as error:
        raise Problem(
            502, "mail", _("The mail was not sent"), _("The site could not send a mail to that address."),
            _("Check the address, or give them a link."),
        ) from error  # fmt: skip


def role_word(role: Role) -> str:
    """The role in the reader's language."""
    return {Role.OWNER: _("owner"), Role.EDITOR: _("editor"), Role.VIEWER: _("viewer")}[role]
