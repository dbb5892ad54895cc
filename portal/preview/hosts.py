"""Names of preview hosts, and who may show whom in a frame. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_LABEL = re.compile(r"([1-9][0-9]{0,4})-([0-9a-f]{32})")


@dataclass(frozen=True)
class Preview:
    """A port of a session."""

    session: UUID
    port: int


def split_host(text: str) -> tuple[str, str]:
    """Host and port ("" for none) of a ``Host`` header."""
    host, colon, port = text.strip().lower().rpartition(":")
    return (host, port) if colon and not port.endswith("]") else (text.strip().lower(), "")


def find_preview(header: str, suffix: str) -> Preview | None:
    """What the ``Host`` header ``header`` names under the preview host ``suffix``, or None: it is the site's."""
    host, _ = split_host(header)
    label, _, rest = host.removesuffix(".").partition(".")
    match = _LABEL.fullmatch(label)
    if not match or rest != (split_host(suffix)[0] or "localhost") or int(match[1]) >= 1 << 16:
        return None
    return Preview(UUID(match[2]), int(match[1]))


def preview_host(preview: Preview, suffix: str, site: str) -> str | None:
    """The host, perhaps with a port, of ``preview`` for a visitor of ``site`` (a ``Host`` header).

    Without a ``suffix`` there is one on this machine only: None elsewhere.
    """
    label = f"{preview.port}-{preview.session.hex}"
    if suffix:
        return f"{label}.{suffix}"
    host, port = split_host(site)
    if host not in LOOPBACK:
        return None
    return f"{label}.localhost:{port}" if port else f"{label}.localhost"


def frame_source(suffix: str, https: bool) -> str:
    """The preview hosts, as a source in the Content-Security-Policy of the site's pages."""
    return f"{'https' if https else 'http'}://*.{suffix or 'localhost:*'}"


def frame_ancestors(origins: Iterable[str], hosts: Iterable[str], https: bool) -> str:
    """Which pages may show a preview in a frame: its own and the site's (``origins``, or else by ``hosts``)."""
    scheme = "https" if https else "http"
    names = ["*" + host if host.startswith(".") else host for host in hosts if not host.startswith(("[", "*"))]
    return " ".join(["'self'", *(list(origins) or [f"{scheme}://{name}:*" for name in names])])


def is_local(header: str) -> bool:
    """Whether a ``Host`` header names this machine: browsers trust it without TLS."""
    host, _ = split_host(header)
    return host in LOOPBACK or host.endswith(".localhost")
