"""The JSON of Jupyter's contents API: entries out, saved content in."""

from __future__ import annotations

import base64
import binascii
import json
import mimetypes
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from portal.files import Entry, Files
from portal.models import Project
from sessions.problems import Problem, bad_request

Model = dict[str, Any]
READ_LIMIT = 64 * 1024 * 1024


def _model(path: str, kind: str, created: datetime, modified: datetime, writable: bool) -> Model:
    return {
        "name": path.rpartition("/")[2],
        "path": path,
        "type": kind,
        "writable": writable,
        "created": _time(created),
        "last_modified": _time(modified),
        "mimetype": None,
        "content": None,
        "format": None,
        "size": None,
        "hash": None,
        "hash_algorithm": None,
    }


def _time(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def project_model(name: str, project: Project) -> Model:
    """A project as a folder of the top, called ``name``."""
    return _model(name, "directory", project.created, project.last_opened, True)


def entry_model(path: str, entry: Entry) -> Model:
    """``entry`` without content. A link or a special file is shown as a file that cannot be opened here."""
    if entry.kind == "directory":
        return _model(path, "directory", entry.created, entry.modified, True)
    kind = "notebook" if entry.kind == "file" and path.endswith(".ipynb") else "file"
    model = _model(path, kind, entry.created, entry.modified, entry.writable and entry.kind == "file")
    if entry.kind == "file":
        model["size"] = entry.size
        model["mimetype"] = mimetypes.guess_type(path)[0] if kind == "file" else None
    return model


def folder_model(path: str, entry: Entry | None, below: list[Model], content: bool) -> Model:
    """A folder with what it holds; ``entry`` is None for the top, which is no folder on disk."""
    now = datetime.now(UTC)
    model = entry_model(path, entry) if entry else _model("", "directory", now, now, False)
    return {**model, "content": below, "format": "json"} if content else model


def file_model(
    files: Files, path: str, full: str, entry: Entry, wanted: str | None, format: str | None, content: bool
) -> Model:
    """A file, with its content as ``format`` says: by default text where it is UTF-8, else base64.

    Raises:
        Problem: text is asked of a file that is not UTF-8, or a notebook that is no JSON.
    """
    model = entry_model(full, entry)
    if wanted == "notebook" or (model["type"] == "notebook" and not wanted):
        model["type"] = "notebook"
        return (
            {**model, "format": "json", "content": _notebook(files.read(path, READ_LIMIT), full)} if content else model
        )
    model["type"] = "file"
    if not content:
        return model
    data = files.read(path, READ_LIMIT)
    if format != "base64":
        try:
            return {**model, "content": data.decode(), "format": "text", "mimetype": model["mimetype"] or "text/plain"}
        except UnicodeDecodeError as error:
            if format == "text":
                raise _not_utf8(full) from error
    model["mimetype"] = model["mimetype"] or "application/octet-stream"
    return {**model, "content": base64.encodebytes(data).decode(), "format": "base64"}


def _notebook(data: bytes, path: str) -> Any:
    try:
        notebook = json.loads(data)
    except UnicodeDecodeError as error:
        raise _not_utf8(path) from error
    except (ValueError, RecursionError) as error:
        raise Problem(
            400,
            "not_a_notebook",
            _("Not a notebook"),
            _("“%(path)s” is called a notebook but is not JSON.") % {"path": path},
            _("Open it as text."),
        ) from error
    if not isinstance(notebook, dict):
        raise bad_request(_("“%(path)s” is JSON, but not a notebook.") % {"path": path}, _("Open it as text."))
    return notebook


def _not_utf8(path: str) -> Problem:
    return Problem(
        400,
        "not_utf8",
        _("Not UTF-8 text"),
        _("“%(path)s” is not UTF-8 text, so it cannot be shown as text without damage.") % {"path": path},
        _("Convert it in the terminal, for example: iconv -f cp949 -t utf-8 OLD > NEW."),
    )


def decode(body: Model, path: str) -> bytes:
    """The bytes to save: what a PUT's ``content`` means by its ``type`` and ``format``.

    Raises:
        Problem: content and format do not fit.
    """
    content = body["content"]
    if body.get("type") == "notebook" or (body.get("format") == "json" and not isinstance(content, str)):
        if not isinstance(content, dict):
            raise bad_request(_("A notebook's content is a JSON object."))
        return _notebook_bytes(content)
    if not isinstance(content, str):
        raise bad_request(_("The content of “%(path)s” must be text.") % {"path": path})
    if body.get("format") == "base64":
        try:
            return base64.b64decode("".join(content.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise bad_request(_("The content of “%(path)s” is not base64.") % {"path": path}) from error
    try:
        return content.encode()
    except UnicodeEncodeError as error:
        raise bad_request(_("The content of “%(path)s” is not valid Unicode.") % {"path": path}) from error


def _notebook_bytes(content: Model) -> bytes:
    """As nbformat writes it, so that a saved notebook differs only where it was changed."""
    try:
        return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()
    except UnicodeEncodeError:  # half of a surrogate pair, cut by some program: JSON can say it in ASCII
        return (json.dumps(content, indent=1) + "\n").encode()
