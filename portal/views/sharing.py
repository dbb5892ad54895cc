"""Who is in a project: the page of its people, what its owner does there, and the ways in and out."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from portal.authentication import SignedInRequest
from portal.forms import InviteForm
from portal.joining import invite, join, link_address, make_link, open_way, revoke_link, role_word, withdraw
from portal.models import Invitation, Project, User
from portal.people import NoSuchMember, offer, put_out, set_role, take_over
from portal.roles import Role, role_of
from portal.views.projects import project_with
from sessions.problems import Problem
from sessions.projects import Right

GIVEN = (Role.VIEWER, Role.EDITOR)


@login_required
def people(request: SignedInRequest, id: UUID) -> HttpResponse:
    """Everybody in a project, for everybody in it; its owner invites here."""
    project = project_with(request, id, Right.VIEW if request.method in ("GET", "HEAD") else Right.MANAGE)
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _invite(request, project, form):
        return redirect("people", project.pk)
    role = role_of(request.user, project)
    links = {link.role: link_address(request, link) for link in project.links.all()}
    context = {
        "project": project,
        "role": role,
        "form": form,
        "roles": [(one.value, role_word(one)) for one in GIVEN],
        "members": project.memberships.select_related("user"),
        "invitations": [one for one in project.invitations.filter(ended_at=None) if one.is_open],
        "links": [(one, links.get(one, "")) for one in GIVEN],
    }
    return render(request, "pages/people.html", context, status=400 if form.errors else 200)


def _invite(request: SignedInRequest, project: Project, form: InviteForm) -> bool:
    email = form.cleaned_data["email"]
    try:
        invitation = invite(request, project, email, Role(form.cleaned_data["role"]))
    except Problem as problem:
        form.add_error("email", f"{problem.detail} {problem.hint}")
        return False
    text = _("An invitation is on its way to %s.") if invitation else _("%s is in the project.")
    messages.success(request, text % email)
    return True


@login_required
@require_POST
def member(request: SignedInRequest, id: UUID, user: int) -> HttpResponse:
    """Give a member the role that is sent, or put them out (``role`` is empty)."""
    project, person = project_with(request, id, Right.MANAGE), _person(user)
    wanted = request.POST.get("role", "")
    try:
        if wanted in GIVEN:
            set_role(project, person, Role(wanted))
            messages.success(request, _("%(name)s: %(role)s.") % _named(person, Role(wanted)))
        elif not wanted:
            put_out(project, person)
            messages.success(request, _("%s is out of the project.") % person.display_name)
    except NoSuchMember as error:
        raise Http404 from error
    return redirect("people", project.pk)


def _named(person: User, role: Role) -> dict[str, str]:
    return {"name": person.display_name, "role": role_word(role)}


def _person(pk: int) -> User:
    return get_object_or_404(User, pk=pk)


@login_required
@require_POST
def withdraw_invitation(request: SignedInRequest, id: UUID, invitation: UUID) -> HttpResponse:
    project = project_with(request, id, Right.MANAGE)
    withdraw(get_object_or_404(Invitation, project=project, pk=invitation))
    return redirect("people", project.pk)


@login_required
@require_POST
def link(request: SignedInRequest, id: UUID, role: str) -> HttpResponse:
    """Make the link for ``role``, or revoke it (``revoke``)."""
    project = project_with(request, id, Right.MANAGE)
    if role not in GIVEN:
        raise Http404
    if "revoke" in request.POST:
        revoke_link(project, Role(role))
        messages.success(request, _("The link opens nothing any more. Who joined by it stays until you remove them."))
    else:
        make_link(project, Role(role))
    return redirect("people", project.pk)


@login_required
@require_POST
def leave(request: SignedInRequest, id: UUID) -> HttpResponse:
    project = project_with(request, id, Right.VIEW)
    try:
        put_out(project, request.user)
    except NoSuchMember:
        messages.error(request, _("You own this project: give it to somebody first, or delete it."))
        return redirect("people", project.pk)
    messages.success(request, _("You left “%s”.") % project.name)
    return redirect("dashboard")


@login_required
@require_POST
def give(request: SignedInRequest, id: UUID) -> HttpResponse:
    """Offer the project to a member, or take the offer back (no ``user``)."""
    project = project_with(request, id, Right.MANAGE)
    user = request.POST.get("user", "")
    try:
        offer(project, _person(int(user)) if user.isascii() and user.isdigit() and len(user) < 19 else None)
    except NoSuchMember as error:
        raise Http404 from error
    return redirect("people", project.pk)


@login_required
@require_POST
def answer_offer(request: SignedInRequest, id: UUID) -> HttpResponse:
    """Take over a project that was offered (``accept``), or decline."""
    project = project_with(request, id, Right.VIEW)
    if project.offered_to_id != request.user.pk:
        raise Http404
    if "accept" not in request.POST:
        offer(project, None)
    elif take_over(project, request.user):
        messages.success(request, _("“%s” is yours now.") % project.name)
    else:
        messages.error(request, _("It is no longer offered to you."))
    return redirect("people", project.pk)


@login_required
@sensitive_variables("token")
def join_page(request: SignedInRequest, token: str) -> HttpResponse:
    """Where invitations and links lead: what it is, and a button; nobody joins by merely looking."""
    way = open_way(token)
    if way is None:
        raise Problem(
            404, "no_way_in", _("This link does not open anything"),
            _("It was used, revoked, or is too old; or the project is gone."), _("Ask who sent it for a new one."),
        )  # fmt: skip
    role, now = Role(way.role), role_of(request.user, way.project)
    if request.method == "POST" and join(request.user, way):
        return redirect("workspace", way.project.pk)
    if request.method == "POST":
        return redirect(request.path)
    if now is not None and now.rights >= role.rights:
        return redirect("workspace", way.project.pk)
    return render(request, "pages/join.html", {"project": way.project, "role": role, "role_word": role_word(role)})
