"""The WebSockets of sessions; ``portal/asgi.py`` includes them."""

from __future__ import annotations

from django.urls import path

from sessions.consumers import Events, JupyterTerminal, KernelChannels, Terminal
from sessions.runs.stream import RunStream
from sessions.servers import LanguageServer
from sessions.terminals import Terminals

websocket_urlpatterns = [
    path("jupyter/api/kernels/<uuid:id>/channels", KernelChannels.as_asgi()),
    path("jupyter/terminals/websocket/<str:name>", JupyterTerminal.as_asgi()),
    path("api/v1/sessions/<uuid:id>/terminals", Terminals.as_asgi()),
    path("api/v1/sessions/<uuid:id>/terminals/<str:name>", Terminal.as_asgi()),
    path("api/v1/sessions/<uuid:id>/servers/<str:language>", LanguageServer.as_asgi()),
    path("api/v1/sessions/<uuid:id>/events", Events.as_asgi()),
    path("api/v1/runs/<uuid:id>/stream", RunStream.as_asgi()),
]
