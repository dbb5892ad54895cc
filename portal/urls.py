"""Every address of the site."""

from __future__ import annotations

from django.urls import include, path

from portal import contents
from portal.api import api
from portal.downloads import download, download_project
from portal.views import dashboard, equipment, keys, landing, new, packages, profile, projects, sessions, sharing, usage

handler400 = "portal.views.errors.bad_request"
handler403 = "portal.views.errors.forbidden"
handler404 = "portal.views.errors.not_found"
handler500 = "portal.views.errors.server_error"

urlpatterns = [
    path("", landing.landing, name="landing"),
    path("language", landing.set_language, name="set_language"),
    path("accounts/profile", profile.profile, name="profile"),
    path("accounts/", include("allauth.urls")),
    path("dashboard", dashboard.dashboard, name="dashboard"),
    path("projects/new", new.new, name="new_project"),
    path("imports/<uuid:id>", new.progress, name="import"),
    path("projects/<uuid:id>/settings", projects.settings, name="project_settings"),
    path("projects/<uuid:id>/image", projects.image, name="project_image"),
    path("projects/<uuid:id>/delete", projects.delete, name="delete_project"),
    path("projects/<uuid:id>/restore", projects.restore, name="restore_project"),
    path("projects/<uuid:id>/datasets", equipment.datasets, name="project_datasets"),
    path("projects/<uuid:id>/secrets", equipment.secrets, name="project_secrets"),
    path("projects/<uuid:id>/packages", packages.packages, name="packages"),
    path("projects/<uuid:id>/archive", projects.archive, name="archive_project"),
    path("projects/<uuid:id>/fork", projects.fork, name="fork_project"),
    path("projects/<uuid:id>/download", download_project, name="download_project"),
    path("projects/<uuid:id>/people", sharing.people, name="people"),
    path("projects/<uuid:id>/people/<int:user>", sharing.member, name="member"),
    path("projects/<uuid:id>/invitations/<uuid:invitation>", sharing.withdraw_invitation, name="withdraw_invitation"),
    path("projects/<uuid:id>/links/<str:role>", sharing.link, name="link"),
    path("projects/<uuid:id>/leave", sharing.leave, name="leave"),
    path("projects/<uuid:id>/give", sharing.give, name="give"),
    path("projects/<uuid:id>/offer", sharing.answer_offer, name="answer_offer"),
    path("join/<str:token>", sharing.join_page, name="join"),
    path("p/<uuid:id>/", projects.workspace, name="workspace"),
    path("keys", keys.keys, name="keys"),
    path("keys/<int:id>/revoke", keys.revoke, name="revoke_key"),
    path("usage", usage.usage, name="usage"),
    path("sessions/<uuid:id>/stop", sessions.stop, name="stop_session"),
    path("sessions/<uuid:id>/ports/<int:port>/", sessions.preview, name="preview"),
    path("api/v1/", api.urls),
    path("jupyter/api/contents", contents.contents),
    path("jupyter/api/contents/", contents.contents),
    path("jupyter/api/contents/<path:path>/checkpoints", contents.all_checkpoints),
    path("jupyter/api/contents/<path:path>/checkpoints/<str:id>", contents.one_checkpoint),
    path("jupyter/api/contents/<path:path>", contents.contents),
    path("jupyter/files/<path:path>", download),
    path("jupyter/", include("sessions.urls")),
]
