"""Every address of the site."""

from __future__ import annotations

from django.urls import include, path

from portal import contents
from portal.api import api
from portal.downloads import download
from portal.views import dashboard, keys, landing, profile, projects, sessions, usage

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
    path("projects/new", projects.new, name="new_project"),
    path("projects/<uuid:id>/settings", projects.settings, name="project_settings"),
    path("projects/<uuid:id>/delete", projects.delete, name="delete_project"),
    path("projects/<uuid:id>/restore", projects.restore, name="restore_project"),
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
