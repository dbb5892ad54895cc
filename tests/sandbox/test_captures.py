"""Outputs that widgets take instead of cells."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sandbox.runner.captures import CUT, MOST_OUTPUTS, MOST_SIZE, MOST_WIDGETS, Captures, update_of


def opened(*ids: str, kept: str = "") -> Captures:
    captures = Captures(kept)
    for id in ids:
        state = {"_model_module": "@jupyter-widgets/output", "msg_id": "", "outputs": []}
        assert captures.take("comm_open", "r", {"comm_id": id, "data": {"state": state}})
    return captures


def updated(captures: Captures, id: str, **state: Any) -> None:
    assert captures.take("comm_msg", "r", {"comm_id": id, "data": {"method": "update", "state": state}})


def printed(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"name": name, "text": text}


def stream(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def test_only_what_belongs_to_a_widget_is_taken() -> None:
    captures = opened("w")
    assert not captures.take("stream", "r", printed("before"))
    updated(captures, "w", msg_id="r")
    assert captures.take("stream", "r", printed("in"))
    assert not captures.take("stream", "another", printed("of another cell"))
    assert not captures.take("execute_input", "r", {})
    updated(captures, "w", msg_id="")
    assert not captures.take("stream", "r", printed("after"))
    assert captures.changed() == {"w": [stream("in")]}
    assert captures.changed() == {}


def test_what_is_printed_in_one_go_is_one_output() -> None:
    captures = opened("w")
    updated(captures, "w", msg_id="r")
    for text, name in (("a", "stdout"), ("b", "stdout"), ("c", "stderr"), ("d", "stdout")):
        captures.take("stream", "r", printed(text, name))
    assert captures.changed() == {"w": [stream("ab"), stream("c", "stderr"), stream("d")]}


def test_the_widget_that_asked_last_has_it() -> None:
    captures = opened("outer", "inner")
    updated(captures, "outer", msg_id="r")
    updated(captures, "inner", msg_id="r")
    captures.take("stream", "r", printed("x"))
    assert captures.changed() == {"inner": [stream("x")]}


def test_clearing_waits_for_what_comes_next_where_it_is_to() -> None:
    captures = opened("w")
    updated(captures, "w", msg_id="r")
    captures.take("stream", "r", printed("old"))
    assert captures.take("clear_output", "r", {"wait": True})
    assert captures.changed() == {"w": [stream("old")]}
    captures.take("stream", "r", printed("new"))
    assert captures.changed() == {"w": [stream("new")]}
    captures.take("clear_output", "r", {"wait": False})
    assert captures.changed() == {"w": []}


def test_what_the_program_sets_itself_is_not_told_to_it() -> None:
    captures = opened("w")
    updated(captures, "w", outputs=[stream("set"), "no output"])
    assert captures.changed() == {}
    updated(captures, "w", msg_id="r")
    captures.take("stream", "r", printed(" and printed"))
    assert captures.changed() == {"w": [stream("set and printed")]}


def test_an_echo_of_what_we_told_changes_nothing() -> None:
    captures = opened("w")
    updated(captures, "w", msg_id="r")
    captures.take("stream", "r", printed("a"))
    captures.take("comm_msg", "r", {"comm_id": "w", "data": {"method": "echo_update", "state": {"outputs": []}}})
    assert captures.changed() == {"w": [stream("a")]}


def test_it_goes_on_from_what_was_kept() -> None:
    captures = opened("w")
    updated(captures, "w", msg_id="r")
    captures.take("stream", "r", printed("a\0\ud800"))
    assert captures.kept.isascii()
    later = Captures(captures.kept)
    later.take("stream", "r", printed("b"))
    assert later.changed() == {"w": [stream("a\0\ud800b")]}


def test_a_closed_widget_and_a_dead_kernel_keep_nothing() -> None:
    captures = opened("w1", "w2")
    captures.take("comm_close", "r", {"comm_id": "w1"})
    assert "w1" not in captures.kept
    assert "w2" in captures.kept
    captures.clear()
    assert not captures
    assert captures.kept == ""


def test_a_flood_is_cut() -> None:
    captures = opened("w")
    updated(captures, "w", msg_id="r")
    for _ in range(MOST_OUTPUTS + 50):
        captures.take("display_data", "r", {"data": {"text/plain": "x"}, "metadata": {}})
    outputs = captures.changed()["w"]
    assert len(outputs) == MOST_OUTPUTS + 1
    assert outputs[-1]["text"] == CUT
    captures.take("clear_output", "r", {})
    captures.take("stream", "r", printed("x" * (MOST_SIZE + 1)))
    captures.take("stream", "r", printed("more"))
    assert captures.changed()["w"] == [stream(CUT, "stderr")]


def test_there_are_only_so_many_widgets() -> None:
    captures = opened(*map(str, range(MOST_WIDGETS + 5)))
    updated(captures, "0", msg_id="r")
    assert not captures.take("stream", "r", printed("it was forgotten"))
    updated(captures, str(MOST_WIDGETS + 4), msg_id="r")
    assert captures.take("stream", "r", printed("it was not"))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
KINDS = st.sampled_from(["comm_open", "comm_msg", "comm_close", "stream", "clear_output", "error", "display_data"])
STATE = st.fixed_dictionaries(
    {},
    optional={
        "_model_module": st.just("@jupyter-widgets/output"),
        "msg_id": st.just("r") | ANYTHING,
        "outputs": ANYTHING,
    },
)
CONTENT = st.fixed_dictionaries(
    {},
    optional={
        "comm_id": st.sampled_from(["w", "v"]) | ANYTHING,
        "data": ANYTHING | st.fixed_dictionaries({"method": st.just("update") | ANYTHING, "state": STATE | ANYTHING}),
        "text": ANYTHING,
        "wait": ANYTHING,
    },
)


@given(st.lists(st.tuples(KINDS, st.sampled_from(["r", "", "s"]), CONTENT), max_size=20))
def test_garbage_breaks_nothing(messages: list[tuple[str, str, dict[str, Any]]]) -> None:
    captures = opened("w")
    for kind, parent, content in messages:
        captures.take(kind, parent, content)
    assert Captures(captures.kept).kept == captures.kept
    captures.changed()


def test_a_kernel_is_told_as_a_page_would() -> None:
    told = update_of("w", [stream("a")])
    assert told == {
        "comm_id": "w",
        "data": {"method": "update", "state": {"outputs": [stream("a")]}, "buffer_paths": []},
    }
