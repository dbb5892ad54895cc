"""The web process: static files, pages and APIs over HTTP, streams over WebSocket; before them, previews."""

from __future__ import annotations

import os
import re

from channels.routing import ProtocolTypeRouter, URLRouter

from portal.handler import get_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
pages = get_application()

# These import models, which exist only once Django is set up.
from django.conf import settings  # noqa: E402
from servestatic import ServeStaticASGI  # noqa: E402

from portal.daphne import adapt  # noqa: E402
from portal.documents.background import Adopting  # noqa: E402
from portal.documents.routing import websocket_urlpatterns as documents  # noqa: E402
from portal.logs import scrub_daphne_access_log  # noqa: E402
from portal.preview.app import Previews  # noqa: E402
from portal.websockets import NoSuchStream, WebSocketAuthentication  # noqa: E402
from sessions.routing import websocket_urlpatterns  # noqa: E402

scrub_daphne_access_log()
adapt()

# The build gives its chunks names that change with their content: a browser keeps them for good.
_HASHED = re.compile(r"/build/.+-[A-Za-z0-9_-]{8,}\.\w+$")

site = ServeStaticASGI(
    ProtocolTypeRouter(
        {
            "http": pages,
            "websocket": WebSocketAuthentication(URLRouter([*documents, *websocket_urlpatterns, NoSuchStream.route()])),
        }
    ),
    root=settings.BASE_DIR / "portal" / "static",
    prefix=settings.STATIC_URL,
    max_age=0,
    autorefresh=settings.DEBUG,
    immutable_file_test=lambda path, url: bool(_HASHED.search(url)),
    add_headers_function=lambda headers, path, url: headers.add_header("X-Content-Type-Options", "nosniff"),
)
application = Adopting(Previews(site))
