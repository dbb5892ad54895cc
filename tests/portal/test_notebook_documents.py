"""Notebooks as documents: what nobody changed is written as it was read, and Jupyter reads what we share."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jupyter_ydoc import YNotebook
from pycrdt import Doc

from portal.documents import kinds, notebook

BASE = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"z": 1, "a": {"b": [1, 2.5, None, True]}}}
texts = st.text("ab\n한🎉\r \ud83d", max_size=12)
outputs = st.one_of(
    st.builds(lambda text: {"output_type": "stream", "name": "stdout", "text": text}, st.lists(texts, max_size=3)),
    st.builds(lambda text: {"output_type": "display_data", "data": {"text/plain": text}, "metadata": {}}, texts),
    st.just({"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["a", "b"]}),
)
code = st.fixed_dictionaries(
    {
        "cell_type": st.just("code"),
        "metadata": st.dictionaries(
            texts, st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), texts)
        ),
        "source": st.one_of(texts, st.lists(texts, max_size=3)),
        "outputs": st.lists(outputs, max_size=3),
        "execution_count": st.one_of(st.none(), st.integers(0, 99)),
    }
)
markdown = st.fixed_dictionaries(
    {
        "cell_type": st.sampled_from(["markdown", "raw"]),
        "metadata": st.just({}),
        "source": texts,
    },
    optional={"attachments": st.just({"a.png": {"image/png": "aGk="}})},
)


@st.composite
def notebooks(draw: st.DrawFn) -> dict[str, Any]:
    cells = draw(st.lists(st.one_of(code, markdown), max_size=5))
    minor = draw(st.sampled_from([2, 5]))
    if minor == 5:
        cells = [{**cell, "id": f"cell-{n}"} for n, cell in enumerate(cells)]
    return {**BASE, "nbformat_minor": minor, "cells": cells}


def shared(data: bytes) -> Doc[Any]:
    doc: Doc[Any] = Doc()
    kinds.fill(doc, "notebook", data)
    return kinds.load(doc.get_update())


def render(doc: Doc[Any], before: bytes) -> bytes:
    return kinds.render(doc, "notebook", "\n", before)


@given(notebooks(), st.sampled_from([None, 1, 2]), st.booleans(), st.sampled_from(["", "\n"]))
def test_what_nobody_changed_is_written_as_it_was(found: Any, indent: int | None, ascii_only: bool, end: str) -> None:
    data = (json.dumps(found, indent=indent, ensure_ascii=ascii_only) + end).encode(errors="replace")
    assert render(shared(data), data) == data


@given(notebooks(), notebooks())
def test_a_merge_makes_it_what_the_file_says(old: Any, new: Any) -> None:
    before, after = json.dumps(old).encode(), json.dumps(new).encode()
    doc = shared(before)
    kinds.merge(doc, "notebook", after)
    assert without_ids(notebook.read(doc)) == without_ids(notebook.read(shared(after)))


def without_ids(found: dict[str, Any]) -> dict[str, Any]:
    """Equal but for ids that were made up for cells that came without."""
    return {**found, "cells": [{k: v for k, v in cell.items() if k != "id"} for cell in found["cells"]]}


@given(notebooks())
def test_jupyter_reads_the_same(found: Any) -> None:
    data = json.dumps(found).encode()
    theirs = YNotebook(shared(data)).get(deduplicate=False)
    assert theirs == notebook.read(shared(data))


@given(notebooks(), st.integers(0, 4))
def test_a_change_touches_one_cell(found: Any, which: int) -> None:
    if not found["cells"]:
        return
    which %= len(found["cells"])
    data = (json.dumps(found, indent=1, ensure_ascii=True) + "\n").encode()
    doc = shared(data)
    notebook.cells_of(doc)[which]["source"].insert(0, "changed")
    written = json.loads(render(doc, data))
    assert written["metadata"] == found["metadata"]
    assert [*written] == [*found]
    meant = copy.deepcopy(found)
    meant["cells"][which]["source"] = "changed" + notebook.joined(found["cells"][which]["source"])
    assert without_ids(read(written)) == without_ids(read(meant))
    if found["nbformat_minor"] == 5:  # without ids, cells that are alike may be taken for each other
        for new, old in zip(written["cells"], found["cells"], strict=True):
            assert new == old or old is found["cells"][which]


def read(found: Any) -> dict[str, Any]:
    return notebook.read(shared(json.dumps(found).encode()))


def test_what_is_new_is_written_as_nbformat_does(tmp_path: Path) -> None:
    doc = shared(json.dumps({**BASE, "cells": []}).encode())
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": "a\nb\n"},
        {"output_type": "display_data", "metadata": {}, "data": {"text/plain": "x\ny", "image/png": "aGk=\n"}},
    ]
    cell = {"cell_type": "code", "id": "new", "metadata": {}, "source": "1\n2", "outputs": outputs}
    notebook.cells_of(doc).append(notebook.new_cell({**cell, "execution_count": 3}))
    written = render(doc, b"")
    assert written.decode() == nbformat.writes(nbformat.reads(written.decode(), 4)) + "\n"
    assert json.loads(written)["cells"][0]["source"] == ["1\n", "2"]


def test_what_is_of_the_moment_is_not_written() -> None:
    data = json.dumps({**BASE, "cells": [{"cell_type": "code", "id": "a", "metadata": {}, "source": ""}]}).encode()
    doc = shared(data)
    cell = notebook.cells_of(doc)[0]
    cell["execution_state"] = "running"
    cell["input_request"] = {"prompt": "?", "password": False}
    assert render(doc, data) == data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"nbformat": 3, "worksheets": []}',
        b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{}]}',
        b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code", "source": 1}]}',
        b'{"nbformat": 4, "nbformat_minor": 5, "metadata": [], "cells": []}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_notebook(data: bytes) -> None:
    with pytest.raises(kinds.NotADocument):
        shared(data)


def test_a_document_that_somebody_has_broken_is_not_written() -> None:
    doc = shared(json.dumps({**BASE, "cells": []}).encode())
    notebook.cells_of(doc).append({"cell_type": "code"})
    assert json.loads(render(doc, b""))["cells"] == []
