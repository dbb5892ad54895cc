"""The WebSockets of documents; ``portal/asgi.py`` includes them."""

from __future__ import annotations

from django.urls import path

from portal.documents.consumer import DocumentSocket

websocket_urlpatterns = [path("api/v1/projects/<uuid:id>/documents/<path:path>", DocumentSocket.as_asgi())]
