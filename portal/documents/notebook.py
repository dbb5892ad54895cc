"""Notebooks as Yjs documents, in jupyter_ydoc's schema, and as the bytes of a file. Pure.

What nobody changed is written as it was read, byte for byte: the file before a save is what the new one is made
from. What is new is written as nbformat does.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import product
from typing import Any

from pycrdt import Array, Doc, Map, Text

from portal.documents.difference import edits

Json = dict[str, Any]
KINDS = ("code", "markdown", "raw")
UNSAVED = ("execution_state", "input_request")
"""Keys of a cell that say how it is just now, and are no part of the file."""
_EXACT = 1 << 53
_HUGE = 10**300
_SPLIT = ("application/javascript", "image/svg+xml")


class NotANotebook(ValueError):
    """The bytes are no notebook of format 4."""


def parse(data: bytes) -> Json:
    """The notebook in ``data``.

    Raises:
        NotANotebook: it is none, or of an older format.
    """
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise NotANotebook("it is not JSON") from error
    if not isinstance(found, dict) or found.get("nbformat") != 4 or not isinstance(found.get("nbformat_minor"), int):
        raise NotANotebook("it is not of format 4")
    if not isinstance(found.get("metadata"), dict) or not isinstance(found.get("cells"), list):
        raise NotANotebook("it has no cells or no metadata")
    for cell in found["cells"]:
        _check(cell)
    return found


def _check(cell: Any) -> None:
    if not isinstance(cell, dict) or cell.get("cell_type") not in KINDS or not _is_text(cell.get("source")):
        raise NotANotebook("a cell is none")
    if not isinstance(cell.get("metadata", {}), dict) or not isinstance(cell.get("id", ""), str):
        raise NotANotebook("a cell's metadata or id is none")
    if cell["cell_type"] == "code":
        outputs = cell.get("outputs", [])
        if not isinstance(outputs, list) or not all(isinstance(output, dict) for output in outputs):
            raise NotANotebook("a cell's outputs are none")
        if any(not _is_text(one.get("text", "")) for one in outputs if one.get("output_type") == "stream"):
            raise NotANotebook("a stream has no text")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(line, str) for line in value))


# Into a document


def cells_of(doc: Doc[Any]) -> Array[Any]:
    return doc.get("cells", type=Array)


def fill(doc: Doc[Any], notebook: Json) -> None:
    """Put ``notebook`` into an empty document.

    Raises:
        NotANotebook: something in it is nested too deeply.
    """
    meta, cells = doc.get("meta", type=Map), cells_of(doc)
    try:
        metadata, made = shared(notebook["metadata"]), [new_cell(cell) for cell in notebook["cells"]]
    except RecursionError as error:
        raise NotANotebook("it is nested too deeply") from error
    with doc.transaction():
        for key in ("nbformat", "nbformat_minor"):
            meta[key] = float(notebook[key])
        meta["metadata"] = Map(metadata)
        cells.extend(made)


def new_cell(cell: Json) -> Map[Any]:
    """A cell of a file as one of a document. One without an id gets one, which files of format 4.4 never show."""
    made = {**shared({**cell, "source": ""}), "id": clean(cell.get("id") or str(uuid.uuid4()))}
    made |= {"source": Text(clean(joined(cell["source"]))), "metadata": Map(shared(cell.get("metadata", {})))}
    if isinstance(made.get("attachments"), dict):
        named = made["attachments"].items()
        made["attachments"] = {name: _bundle(data) if isinstance(data, dict) else data for name, data in named}
    if cell["cell_type"] == "code":
        made["outputs"] = Array([new_output(output) for output in cell.get("outputs", [])])
        made["execution_state"] = "idle"
        made.setdefault("execution_count", None)
    return Map(made)


def new_output(output: Json) -> Map[Any]:
    made = shared(output)
    if output.get("output_type") == "stream":
        made["text"] = Text(clean(joined(output.get("text", ""))))
    if isinstance(made.get("data"), dict):
        made["data"] = _bundle(made["data"])
    return Map(made)


def _bundle(data: Json) -> Json:
    """Texts by their MIME types, each in one piece; JSON stays what it is."""
    whole = {kind: joined(value) for kind, value in data.items() if _is_text(value) and "json" not in kind}
    return {**data, **whole}


def joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def shared(value: Any) -> Any:
    """``value`` as Yjs can have it: its numbers are JavaScript's, its texts valid Unicode."""
    if isinstance(value, str):
        return clean(value)
    if type(value) is int:
        return float(value) if abs(value) < _HUGE else str(value)
    if isinstance(value, dict):
        return {clean(key): shared(item) for key, item in value.items()}
    return [shared(item) for item in value] if isinstance(value, list) else value


def clean(text: str) -> str:
    """``text`` without halves of surrogate pairs, which JSON can say and nothing else can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def plain(value: Any) -> Any:
    """The reverse of :func:`shared`."""
    if type(value) is float and value.is_integer() and abs(value) <= _EXACT:
        return int(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def merge(doc: Doc[Any], notebook: Json) -> None:
    """Make the document what ``notebook`` is, changing as little as can be: others write in it."""
    meta, cells = doc.get("meta", type=Map), cells_of(doc)
    with doc.transaction():
        _set(meta, "metadata", notebook["metadata"])
        for key in ("nbformat", "nbformat_minor"):
            if meta.get(key) != notebook[key]:
                meta[key] = float(notebook[key])
        old = [str(cell.get("id")) for cell in cells]
        new = [str(cell.get("id") or "") for cell in notebook["cells"]]
        if not all(new):  # a file without ids: its cells are matched by what they are
            old = [_kind_and_source(plain(cell.to_py())) for cell in cells]
            new = [_kind_and_source(cell) for cell in notebook["cells"]]
        for tag, i1, i2, j1, j2 in reversed(SequenceMatcher(None, old, new, autojunk=False).get_opcodes()):
            if tag == "equal" or (tag == "replace" and not all(c.get("id") for c in notebook["cells"])):
                paired = min(i2 - i1, j2 - j1)
            else:
                paired = 0
            if i2 - i1 > paired:
                del cells[i1 + paired : i2]
            for offset, cell in enumerate(notebook["cells"][j1 + paired : j2]):
                cells.insert(i1 + paired + offset, new_cell(cell))
            for offset in range(paired):
                _merge_cell(cells, i1 + offset, notebook["cells"][j1 + offset])


def _kind_and_source(cell: Json) -> str:
    return f"{cell.get('cell_type')} {joined(cell.get('source', ''))}"


def _merge_cell(cells: Array[Any], index: int, cell: Json) -> None:
    there: Map[Any] = cells[index]
    now, new = read_cell(there), _canonical(cell)
    if now.get("cell_type") != cell["cell_type"] or not isinstance(there.get("source"), Text):
        cells[index] = new_cell({**cell, "id": cell.get("id") or now.get("id")})
        return
    set_text(there["source"], new["source"])
    _set(there, "metadata", new["metadata"])
    if now.get("outputs") != new.get("outputs"):
        there["outputs"] = Array([new_output(output) for output in cell.get("outputs", [])])
    for key in {*now, *new} - {"id", "cell_type", "source", "metadata", "outputs"}:
        if key not in new:
            del there[key]
        elif key not in now or now[key] != new[key]:
            there[key] = shared(new[key])


def _set(there: Map[Any], key: str, value: Json) -> None:
    """Make the map at ``key`` equal ``value``."""
    inner, new = there.get(key), plain(shared(value))
    if not isinstance(inner, Map):
        there[key] = Map(shared(value))
        return
    now = plain(inner.to_py())
    for name in now.keys() - new.keys():
        del inner[name]
    for name, item in new.items():
        if name not in now or now[name] != item:
            inner[name] = shared(item)


def set_text(text: Text, new: str) -> None:
    """Make ``text`` equal ``new`` by its difference. Positions in a Text are bytes of its UTF-8."""
    old = str(text)
    for start, end, instead in reversed(edits(old, new)):
        at = len(old[:start].encode())
        if end > start:
            del text[at : at + len(old[start:end].encode())]
        if instead:
            text.insert(at, instead)


# Out of a document


def read_cell(cell: Map[Any]) -> Json:
    """A cell of a document as it would be in a file, its texts in one piece."""
    found: Json = plain(cell.to_py())
    for key in UNSAVED:
        found.pop(key, None)
    for output in found.get("outputs") or []:
        if isinstance(output, dict):
            output.pop("transient", None)
    return found


def read(doc: Doc[Any]) -> Json:
    """The notebook in a document.

    Raises:
        NotANotebook: somebody has put something else there.
    """
    meta = plain(doc.get("meta", type=Map).to_py() or {})
    cells = [read_cell(cell) for cell in cells_of(doc) if isinstance(cell, Map)]
    for cell in cells:
        _check(cell)
    if not isinstance(meta.get("nbformat_minor"), int) or not isinstance(meta.get("metadata"), dict):
        raise NotANotebook("it has no format")
    if meta["nbformat_minor"] <= 4:
        for cell in cells:
            cell.pop("id", None)
    return {
        "cells": cells,
        "metadata": meta["metadata"],
        "nbformat": 4,
        "nbformat_minor": meta["nbformat_minor"],
    }


def render(doc: Doc[Any], before: bytes) -> bytes:
    """The bytes of the document's file, of which ``before`` is the last state (b"" where there is none).

    Raises:
        NotANotebook: the document is none.
    """
    new = read(doc)
    try:
        raw = parse(before)
    except NotANotebook:
        return _write(_fresh(new), 1, False, "\n")
    filled: Doc[Any] = Doc()
    fill(filled, raw)
    base = read(filled)
    if new == base:
        return before
    made = {key: value for key, value in raw.items() if key in new or key not in base}
    made |= {key: _like(new[key], base[key], raw.get(key)) for key in ("metadata", "nbformat", "nbformat_minor")}
    made["cells"] = [*_cells(new["cells"], base["cells"], raw["cells"])]
    return _write(made, *_style(raw, before))


def _cells(new: list[Json], base: list[Json], raw: list[Json]) -> Iterator[Json]:
    """The cells of the file: each written like the one that it was."""
    pairs: dict[str, list[tuple[Json, Json]]] = {}
    for old, written in zip(base, raw, strict=True):
        pairs.setdefault(_identity(old), []).append((old, written))
    for cell in new:
        found = pairs.get(_identity(cell))
        if not found:
            yield _fresh_cell(cell)
            continue
        same = next((index for index, (old, _) in enumerate(found) if old == cell), None)
        old, written = found.pop(same or 0)
        yield _like_cell(cell, old, written) if same is None else written


def _identity(cell: Json) -> str:
    return str(cell["id"]) if "id" in cell else _kind_and_source(cell)


def _like_cell(cell: Json, old: Json, written: Json) -> Json:
    fresh = _fresh_cell(cell)
    if isinstance(written.get("source"), str):
        fresh["source"] = cell["source"]
    made = {}
    for key in [*(key for key in written if key in fresh), *sorted(fresh.keys() - written.keys())]:
        same = key in old and old[key] == cell[key]
        made[key] = written[key] if same and key in written else _like(fresh[key], old.get(key), written.get(key))
    return made


def _like(new: Any, old: Any, written: Any) -> Any:
    """``new``, where it equals ``old`` as that was written, and with keys in the same order."""
    if new == old and written is not None:
        return written
    if isinstance(new, dict) and isinstance(written, dict):
        old = old if isinstance(old, dict) else {}
        keys = [*(key for key in written if key in new), *sorted(new.keys() - written.keys())]
        return {key: _like(new[key], old.get(key), written.get(key)) for key in keys}
    return _sorted(new)


def _fresh(notebook: Json) -> Json:
    return {**_sorted(notebook), "cells": [_fresh_cell(cell) for cell in notebook["cells"]]}


def _fresh_cell(cell: Json) -> Json:
    """A cell as nbformat writes it: texts as lists of lines, keys sorted."""
    made = {**cell, "source": joined(cell["source"]).splitlines(True)}
    if made["cell_type"] == "code":
        made["outputs"] = [_fresh_output(output) for output in cell.get("outputs", [])]
        made.setdefault("execution_count", None)
    made.setdefault("metadata", {})
    found: Json = _sorted(made)
    return found


def _fresh_output(output: Json) -> Json:
    if output.get("output_type") == "stream":
        return {**output, "text": joined(output.get("text", "")).splitlines(True)}
    data = output.get("data")
    if not isinstance(data, dict):
        return output
    return {**output, "data": {kind: _lines(kind, value) for kind, value in data.items()}}


def _lines(kind: str, value: Any) -> Any:
    split = isinstance(value, str) and (kind.startswith("text/") or kind in _SPLIT)
    return value.splitlines(True) if split else value


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def _canonical(cell: Json) -> Json:
    doc: Doc[Any] = Doc()
    cells = cells_of(doc)
    cells.append(new_cell(cell))
    return read_cell(cells[0])


def _style(raw: Json, before: bytes) -> tuple[int | None, bool, str]:
    """How ``before`` was written: its indentation, whether in ASCII, and what ends it."""
    for indent, ascii_only, end in product((1, 2, 4, None), (False, True), ("\n", "")):
        if _write(raw, indent, ascii_only, end) == before:
            return indent, ascii_only, end
    return 1, False, "\n"


def _write(notebook: Json, indent: int | None, ascii_only: bool, end: str) -> bytes:
    try:
        return (json.dumps(notebook, ensure_ascii=ascii_only, indent=indent) + end).encode()
    except UnicodeEncodeError:  # half of a surrogate pair: JSON can say it in ASCII
        return (json.dumps(notebook, indent=indent) + end).encode()
