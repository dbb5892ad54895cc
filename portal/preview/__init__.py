"""Previews: what listens on a port of a session, shown under an origin of its own.

A preview's host is ``<port>-<session>.<MADANG_PREVIEW_HOST>``, by default ``….localhost``, which browsers
resolve to this machine. Requests to such a host never reach the site's pages, and the site's cookies are
never sent there: they belong to the site's host alone. Only the session's owner gets in: the site gives
them a ticket (``gate.py``) that opens once and becomes a cookie of the preview's host.

``hosts.py`` (names; pure), ``gate.py`` (who may), ``app.py`` (the ASGI application before the site's own),
``http.py`` and ``websocket.py`` (relays over the runner's ``port.connect``), ``http1.py`` and ``frames.py``
(the two protocols, as clients; pure).
"""
