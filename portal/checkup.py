"""What the site itself needs, looked at now: the portal's half of ``manage.py doctor``."""

from __future__ import annotations

import socket

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from sandbox.layers import Finding
from sessions.service.server import socket_path


def portal_findings() -> list[Finding]:
    return [database(), session_service(), pages(), mail(), cookies()]


def database() -> Finding:
    try:
        executor = MigrationExecutor(connection)
        waiting = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseError as error:
        return Finding("database", "missing", f"does not answer: {error}".strip(), "check DATABASE_URL")
    if waiting:
        return Finding("database", "missing", f"{waiting} migrations are waiting", "python manage.py migrate")
    return Finding("database", "found", f"{connection.vendor}, up to date")


def session_service() -> Finding:
    path = socket_path(settings.MADANG_STATE)
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(path))
        except OSError:
            # Not essential to the question whether this host can: bin/up starts it afterwards.
            return Finding("session service", "optional", f"does not listen on {path}", "python manage.py sessiond")
    return Finding("session service", "found", f"listens on {path}")


def pages() -> Finding:
    build = settings.BASE_DIR / "portal" / "static" / "build"
    absent = [name for name in ("tokens.css", "madang.css", "madang.js") if not (build / name).is_file()]
    if absent:
        return Finding(
            "front end", "missing", f"not built: {', '.join(absent)}", "bin/up, or: cd frontend && npm run build"
        )
    return Finding("front end", "found", "built")


def mail() -> Finding:
    kind = settings.EMAIL_BACKEND.rpartition("backends.")[2].partition(".")[0]
    if kind == "smtp":
        return Finding("mail", "found", f"sent through {settings.EMAIL_HOST}:{settings.EMAIL_PORT}")
    where = f"kept in {settings.EMAIL_FILE_PATH}" if kind == "filebased" else "printed to the console"
    return Finding("mail", "optional", f"{where}, not sent", "set MADANG_MAIL=smtp://user:password@host:25")


def cookies() -> Finding:
    if settings.SESSION_COOKIE_SECURE:
        return Finding("https", "found", "cookies travel over HTTPS only")
    return Finding("https", "optional", "plain HTTP: fine on this machine", "set MADANG_ORIGINS=https://your.host")
