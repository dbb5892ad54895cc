"""What the runner remembers of a kernel's widgets."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sandbox.runner import messages
from sandbox.runner.widgets import MOST_BYTES, MOST_WIDGETS, TARGET, Widgets

Json = dict[str, Any]


def said(kind: str, content: Any, *buffers: bytes, parent: str = "run", metadata: Any = None) -> list[bytes]:
    header, parents = {"msg_type": kind, "msg_id": "1"}, {"msg_id": parent}
    return [*(json.dumps(part).encode() for part in (header, parents, metadata or {}, content)), *buffers]


def opened(id: str, *buffers: bytes, paths: Any = (), target: str = TARGET, **state: Any) -> list[bytes]:
    data = {"state": state, "buffer_paths": list(paths)}
    return said(
        "comm_open", {"comm_id": id, "target_name": target, "data": data}, *buffers, metadata={"version": "2.1.0"}
    )


def updated(id: str, *buffers: bytes, paths: Any = (), **state: Any) -> list[bytes]:
    data = {"method": "update", "state": state, "buffer_paths": list(paths)}
    return said("comm_msg", {"comm_id": id, "data": data}, *buffers)


def closed(id: str) -> list[bytes]:
    return said("comm_close", {"comm_id": id, "data": {}})


def heard(*told: list[bytes]) -> Widgets:
    widgets = Widgets()
    for parts in told:
        widgets.hear(parts)
    return widgets


def states(widgets: Widgets) -> dict[str, Json]:
    return {id: comm["state"] for id, comm in json.loads(widgets.described()[0])["comms"].items()}


def test_a_widget_is_what_was_said_of_it_last() -> None:
    widgets = heard(opened("a", value=1, max=9), opened("b"), updated("a", value=2), closed("b"), updated("b", value=3))
    content = json.loads(widgets.described()[0])
    comm = {"target_name": TARGET, "metadata": {"version": "2.1.0"}, "state": {"value": 2, "max": 9}}
    assert content == {"status": "ok", "comms": {"a": comm}, "buffer_paths": []}
    widgets.hear(said("comm_msg", {"comm_id": "a", "data": {"method": "echo_update", "state": {"value": 4}}}))
    widgets.hear(said("comm_msg", {"comm_id": "a", "data": {"method": "custom", "content": {"event": "click"}}}))
    assert states(widgets) == {"a": {"value": 4, "max": 9}}
    assert states(Widgets()) == {}


def test_a_key_comes_with_all_its_buffers() -> None:
    first = opened("a", b"1", b"22", paths=[["image"], ["deep", "at", 0]], deep={"at": [None]})
    widgets = heard(first, opened("b", b"55555", paths=[["value"]]), updated("a", b"333", paths=[["image"]]))
    content, buffers = widgets.described()
    assert json.loads(content)["buffer_paths"] == [["a", "deep", "at", 0], ["a", "image"], ["b", "value"]]
    assert buffers == [b"22", b"333", b"55555"]
    widgets.hear(updated("a", image=None, deep={}))
    assert widgets.described()[1] == [b"55555"]
    assert states(widgets)["a"] == {"image": None, "deep": {}}


def test_what_a_widget_takes_is_shown_before_the_kernel_is_told() -> None:
    widgets = heard(
        opened("out", _model_module="@jupyter-widgets/output", msg_id="run", outputs=[]),
        said("stream", {"name": "stdout", "text": "lost "}, parent="another"),
        said("stream", {"name": "stdout", "text": "seen "}),
        said("stream", {"name": "stdout", "text": "so far"}),
    )
    assert states(widgets)["out"]["outputs"] == [{"output_type": "stream", "name": "stdout", "text": "seen so far"}]
    widgets.hear(updated("out", outputs=[]))
    assert states(widgets)["out"]["outputs"] == []


def test_other_comms_and_nonsense_are_no_widgets() -> None:
    widgets = heard(
        opened("control", target="jupyter.widget.control"),
        opened("deep", b"", paths=[[0]]),
        opened("a" * 201),
        said("comm_open", {"comm_id": 3, "target_name": TARGET, "data": {}}),
        said("comm_open", {"comm_id": "list", "target_name": TARGET, "data": {"state": []}}),
        said("comm_open", [], parent="x"),
        opened("number", value=float("nan")),
        [b'{"msg_type": "comm_open"}', b"{}", b"{}", b"["],
        [b'{"msg_type": "comm_open"}', b"{}", b"{}", b"[" * 100_000],
        opened("good", value=1),
    )
    assert states(widgets) == {"good": {"value": 1}}
    widgets.hear(updated("good", value=float("inf")))
    assert states(widgets) == {}  # it cannot be known what it is by now


def test_too_many_and_the_ones_that_live_are_kept_whole() -> None:
    bar = [
        opened("look", width="9em"),
        opened("bar", layout="IPY_MODEL_look", value=0),
        opened("box", children=["IPY_MODEL_bar"]),
    ]
    widgets = heard(*bar)
    for at in range(3 * MOST_WIDGETS):
        widgets.hear(opened(f"stale-{at}", value=at))
        widgets.hear(updated("bar", value=at))
    known = states(widgets)
    assert len(known) <= MOST_WIDGETS
    assert known["box"] == {"children": ["IPY_MODEL_bar"]}
    assert known["bar"]["value"] == 3 * MOST_WIDGETS - 1
    assert known["look"] == {"width": "9em"}
    assert f"stale-{3 * MOST_WIDGETS - 1}" in known
    assert "stale-0" not in known


def test_too_much_is_forgotten_and_the_rest_stays_in_bounds() -> None:
    widgets = heard(opened("large", b"x" * (MOST_BYTES * 9 // 10), paths=[["value"]]), opened("small", value=1))
    widgets.hear(opened("more", text="x" * (MOST_BYTES // 5)))
    assert set(states(widgets)) == {"small", "more"}
    widgets.hear(opened("many", *[b""] * 5000, paths=[["value", at] for at in range(5000)]))
    assert "many" not in states(widgets)
    widgets.hear(updated("small", value="x" * (MOST_BYTES + 1)))
    assert states(widgets) == {}
    widgets.hear(opened("again"))
    assert set(states(widgets)) == {"again"}


def test_a_whole_answer_is_a_message() -> None:
    widgets = Widgets()
    for at in range(200):
        widgets.hear(opened(f"w{at}", *[b"x"] * 20, paths=[["value", n] for n in range(20)]))
    content, buffers = widgets.described()
    packed = messages.pack("control", [b"{}", b"{}", b"{}", content, *buffers])
    assert len(packed) < messages.MAX_MESSAGE
    assert messages.unpack(packed)[1][4:] == buffers


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["comm_open", "comm_msg", "comm_close", "stream", "clear_output"]),
            st.recursive(
                st.none()
                | st.booleans()
                | st.integers()
                | st.floats()
                | st.text(max_size=3)
                | st.sampled_from(["a", TARGET]),
                lambda inner: (
                    st.lists(inner, max_size=3)
                    | st.dictionaries(
                        st.sampled_from(
                            ["comm_id", "target_name", "data", "state", "buffer_paths", "method", "msg_id", "x"]
                        ),
                        inner,
                    )
                ),
                max_leaves=20,
            ),
        ),
        max_size=8,
    )
)
def test_whatever_a_kernel_says_there_is_an_answer(told: list[tuple[str, Any]]) -> None:
    module = {"_model_module": "@jupyter-widgets/output", "msg_id": "run"}
    widgets = heard(opened("a", **module), *(said(kind, content, b"1") for kind, content in told))
    content, buffers = widgets.described()
    assert len(json.loads(content, parse_constant=lambda _: 1 / 0)["buffer_paths"]) == len(buffers)
