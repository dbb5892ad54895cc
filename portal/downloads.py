"""``/jupyter/files/<slug>/<path>``: a file as it is, to keep. Never shown as a page of this site."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import ExitStack
from urllib.parse import quote

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_GET

from portal.contents import find_place
from portal.files import BLOCK, Files, split
from sessions.problems import bad_request, not_signed_in


@require_GET
def download(request: HttpRequest, path: str) -> HttpResponseBase:
    """The file's bytes, as an attachment: what is in it may be anybody's script."""
    if not request.user.is_authenticated:
        raise not_signed_in()
    place = find_place(request, "/".join(split(path)))
    if not place.path:
        raise bad_request("A project is no file.")
    with ExitStack() as stack:
        files = stack.enter_context(Files(place.project.directory))
        descriptor, status = stack.enter_context(files.reading(place.path))
        body = Body(os.dup(descriptor), status.st_size)  # its own descriptor: it is sent after this function
    response = StreamingHttpResponse(body, content_type="application/octet-stream")
    response["Content-Length"] = str(status.st_size)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(place.path.rpartition('/')[2])}"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response


class Body:
    """At most ``size`` bytes of a descriptor, in blocks. Django closes it with its response."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._file = os.fdopen(descriptor, "rb", buffering=0)
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
