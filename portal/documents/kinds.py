"""The two kinds of documents, and how each is read from a file, merged with it and written. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pycrdt import Doc, Text

from portal.documents import notebook

TEXT, NOTEBOOK = "text", "notebook"
MAX_BYTES = {TEXT: 2 * 1024 * 1024, NOTEBOOK: 32 * 1024 * 1024}
"""What a file may have to be a document. With what was deleted in it, a document may have four times as much."""


class NotADocument(ValueError):
    """The bytes of this file cannot be a document of its kind."""


@dataclass(frozen=True)
class Content:
    """What a file says, and how its lines end."""

    text: str
    newline: str = "\n"


def kind_of(path: str) -> str:
    return NOTEBOOK if path.lower().endswith(".ipynb") else TEXT


def read_text(data: bytes) -> Content:
    """The text in ``data``, its lines ended by a newline each.

    Raises:
        NotADocument: it is not UTF-8, or its lines end in more than one way.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise NotADocument("it is not UTF-8") from error
    if "\r" not in text:
        return Content(text)
    crlf = text.count("\r\n")
    if crlf != text.count("\r") or crlf != text.count("\n"):
        raise NotADocument("its lines end in several ways")
    return Content(text.replace("\r\n", "\n"), "\r\n")


def newline_of(kind: str, data: bytes) -> str:
    return read_text(data).newline if kind == TEXT else "\n"


def fill(doc: Doc[Any], kind: str, data: bytes) -> None:
    """Put a file into an empty document.

    Raises:
        NotADocument: it cannot be one.
    """
    if kind == TEXT:
        doc.get("source", type=Text).insert(0, read_text(data).text)
        return
    try:
        notebook.fill(doc, notebook.parse(data))
    except notebook.NotANotebook as error:
        raise NotADocument(str(error)) from error


def merge(doc: Doc[Any], kind: str, data: bytes) -> None:
    """Make the document say what the file does, changing as little as can be.

    Raises:
        NotADocument: the file cannot be one any more.
    """
    if kind == TEXT:
        with doc.transaction():
            notebook.set_text(doc.get("source", type=Text), read_text(data).text)
        return
    try:
        notebook.merge(doc, notebook.parse(data))
    except notebook.NotANotebook as error:
        raise NotADocument(str(error)) from error


def render(doc: Doc[Any], kind: str, newline: str, before: bytes) -> bytes:
    """The file of a document whose last state was ``before``.

    Raises:
        NotADocument: somebody has put something else into it.
    """
    if kind == TEXT:
        return str(doc.get("source", type=Text)).replace("\n", newline).encode()
    try:
        return notebook.render(doc, before)
    except notebook.NotANotebook as error:
        raise NotADocument(str(error)) from error


def load(*updates: bytes) -> Doc[Any]:
    """A document from its updates."""
    doc: Doc[Any] = Doc()
    for update in updates:
        doc.apply_update(update)
    return doc
