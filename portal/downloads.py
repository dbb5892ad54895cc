"""``/jupyter/files/<slug>/<path>``: a file as it is, to keep. Never shown as a page of this site."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import ExitStack
from urllib.parse import quote
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from portal.archives import zipped
from portal.contents import find_place
from portal.files import BLOCK, Files, split
from portal.models import Project
from portal.roles import require
from portal.steps import Steps
from sessions.problems import Problem, bad_request, not_signed_in
from sessions.projects import Right

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@require_GET
def download(request: HttpRequest, path: str) -> HttpResponseBase:
    """The file's bytes, as an attachment: what is in it may be anybody's script."""
    if not request.user.is_authenticated:
        raise not_signed_in()
    place = find_place(request, "/".join(split(path)), Right.VIEW)
    if not place.path:
        raise bad_request("A project is no file.")
    with ExitStack() as stack:
        files = stack.enter_context(Files(place.project.directory))
        descriptor, status = stack.enter_context(files.reading(place.path))
        first, size = part(request.headers.get("Range", ""), status.st_size)
        body = Body(os.dup(descriptor), first, size)  # its own descriptor: it is sent after this function
    response = StreamingHttpResponse(body, content_type="application/octet-stream")
    if "Range" in request.headers and size < status.st_size:
        response.status_code = 206
        response["Content-Range"] = f"bytes {first}-{first + size - 1}/{status.st_size}"
    response["Accept-Ranges"] = "bytes"
    response["Content-Length"] = str(size)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(place.path.rpartition('/')[2])}"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response


@login_required
@require_GET
def download_project(request: HttpRequest, id: UUID) -> HttpResponseBase:
    """A project as a zip archive, made while it is sent."""
    return zip_response(require(request.user, Project.objects.filter(pk=id).first(), Right.VIEW))


def zip_response(project: Project) -> HttpResponseBase:
    response = StreamingHttpResponse(Steps(zipped(Files(project.directory), [""])), content_type="application/zip")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(project.slug)}.zip"
    response["Cache-Control"] = "private, no-store"
    return response


def part(header: str, size: int) -> tuple[int, int]:
    """The first byte and the number of bytes that a ``Range`` header asks for, of a file of ``size`` bytes.

    All of it where the header asks for something else than one range of bytes (RFC 9110, 14.2).

    Raises:
        Problem: 416, the file ends before the range.
    """
    found = _RANGE.fullmatch(header.strip())
    if not found or not (found[1] or found[2]):
        return 0, size
    if not found[1]:
        wanted = min(int(found[2]), size)
        return size - wanted, wanted
    first = int(found[1])
    last = min(int(found[2]), size - 1) if found[2] else size - 1
    if found[2] and int(found[2]) < first:
        return 0, size
    if first >= size:
        raise Problem(416, "no_such_range", _("No such part"), _("The file has %d bytes.") % size)
    return first, last - first + 1


class Body:
    """At most ``size`` bytes of a descriptor from ``first`` on, in blocks. Django closes it with its response."""

    def __init__(self, descriptor: int, first: int, size: int) -> None:
        self._file = os.fdopen(descriptor, "rb", buffering=0)
        self._file.seek(first)
        self._left = size

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        block = await asyncio.to_thread(self._file.read, min(BLOCK, self._left))
        if not block:
            raise StopAsyncIteration
        self._left -= len(block)
        return block

    def close(self) -> None:
        self._file.close()
