"""One server for several clients: numbers, documents and versions, without a server."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.runner.sharing import MOST_PENDING, SERVER, Sharing, SharingError

URI = "file:///project/main.py"


def notification(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params}


def opened(text: str, uri: str = URI) -> dict[str, Any]:
    document = {"uri": uri, "languageId": "python", "version": 7, "text": text}
    return notification("textDocument/didOpen", textDocument=document)


def changed(text: str, version: int, uri: str = URI) -> dict[str, Any]:
    document = {"uri": uri, "version": version}
    return notification("textDocument/didChange", textDocument=document, contentChanges=[{"text": text}])


def closed(uri: str = URI) -> dict[str, Any]:
    return notification("textDocument/didClose", textDocument={"uri": uri})


def two() -> tuple[Sharing, int, int]:
    sharing = Sharing()
    return sharing, sharing.join(), sharing.join()


def test_the_server_is_initialized_once_and_everybody_hears_it():
    sharing, ann, ben = two()
    (out,) = sharing.from_client(ann, {"id": 1, "method": "initialize", "params": {}})
    assert out[0] == SERVER
    assert list(sharing.from_client(ben, {"id": "b", "method": "initialize", "params": {}})) == []
    result = {"capabilities": {"hoverProvider": True, "textDocumentSync": 2}}
    heard = dict(sharing.from_server({"id": out[1]["id"], "result": result}))
    assert [(to, heard[to]["id"]) for to in heard] == [(ann, 1), (ben, "b")]
    assert heard[ben]["result"]["capabilities"] == {
        "hoverProvider": True, "textDocumentSync": {"openClose": True, "change": 1},
    }  # fmt: skip
    late = sharing.join()
    assert [to for to, _ in sharing.from_client(late, {"id": 9, "method": "initialize"})] == [late]
    once = [list(sharing.from_client(client, notification("initialized"))) for client in (ann, ben, late)]
    assert [len(out) for out in once] == [1, 0, 0]


def test_answers_find_who_asked_although_all_use_the_same_numbers():
    sharing, ann, ben = two()
    asked = [next(iter(sharing.from_client(who, {"id": 5, "method": "textDocument/hover"})))[1] for who in (ann, ben)]
    assert asked[0]["id"] != asked[1]["id"]
    assert list(sharing.from_server({"id": asked[1]["id"], "result": "b"})) == [(ben, {"id": 5, "result": "b"})]
    assert list(sharing.from_server({"id": asked[1]["id"], "result": "again"})) == []
    assert list(sharing.from_server({"id": asked[0]["id"], "result": "a"})) == [(ann, {"id": 5, "result": "a"})]


def test_a_document_is_open_while_anybody_has_it_and_the_last_text_counts():
    sharing, ann, ben = two()
    (first,) = sharing.from_client(ann, opened("a = 1"))
    assert first[1]["params"]["textDocument"]["version"] == 0
    assert list(sharing.from_client(ben, opened("a = 1"))) == []
    (change,) = sharing.from_client(ben, changed("a = 2", 40))
    assert change[1]["params"] == {"textDocument": {"uri": URI, "version": 1}, "contentChanges": [{"text": "a = 2"}]}
    assert list(sharing.from_client(ann, closed())) == []
    (end,) = sharing.leave(ben)
    assert (end[0], end[1]["method"]) == (SERVER, "textDocument/didClose")


def test_diagnostics_bear_the_version_of_who_wrote_the_text():
    sharing, ann, ben = two()
    list(sharing.from_client(ann, opened("a")))
    list(sharing.from_client(ben, opened("a")))
    list(sharing.from_client(ben, changed("b", 40)))
    said = notification("textDocument/publishDiagnostics", uri=URI, version=1, diagnostics=[{"message": "bad"}])
    heard = dict(sharing.from_server(said))
    assert "version" not in heard[ann]["params"] and heard[ben]["params"]["version"] == 40
    late = notification("textDocument/publishDiagnostics", uri=URI, version=0, diagnostics=[])
    assert list(sharing.from_server(late)) == []
    cat = sharing.join()
    ((to, known),) = sharing.from_client(cat, opened("b"))
    assert (to, known["params"]["diagnostics"]) == (cat, [{"message": "bad"}])


def test_the_servers_questions_are_answered_without_any_client():
    sharing = Sharing()
    ask = {"id": 3, "method": "workspace/configuration", "params": {"items": [{}, {}]}}
    assert list(sharing.from_server(ask)) == [(SERVER, {"jsonrpc": "2.0", "id": 3, "result": [None, None]})]
    ((_, refused),) = sharing.from_server({"id": 4, "method": "workspace/applyEdit"})
    assert refused["error"]["code"] == -32601


def test_who_leaves_takes_their_requests_along():
    sharing, ann, ben = two()
    ((_, asked),) = sharing.from_client(ann, {"id": 1, "method": "textDocument/references"})
    assert list(sharing.leave(ann)) == [
        (SERVER, {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": asked["id"]}})
    ]
    assert list(sharing.from_server({"id": asked["id"], "result": []})) == []
    assert sharing.clients == {ben}


def test_nobody_can_end_the_server_of_the_others():
    sharing, ann, _ = two()
    assert list(sharing.from_client(ann, {"id": 1, "method": "shutdown"})) == [
        (ann, {"jsonrpc": "2.0", "id": 1, "result": None})
    ]
    assert list(sharing.from_client(ann, notification("exit"))) == []


def test_requests_without_number_are_refused_once_too_many_wait():
    sharing, ann, _ = two()
    outs = [next(iter(sharing.from_client(ann, {"id": n, "method": "x"}))) for n in range(MOST_PENDING + 1)]
    assert [to for to, _ in outs] == [SERVER] * MOST_PENDING + [ann]


@pytest.mark.parametrize(
    "message",
    [
        notification("textDocument/didOpen"),
        {"method": "textDocument/didOpen", "params": []},
        {"method": "textDocument/didOpen", "params": {"textDocument": {"uri": 5}}},
        notification("textDocument/didOpen", textDocument={"uri": URI, "text": 5}),
        notification("textDocument/didClose", textDocument="x"),
    ],
)
def test_nonsense_about_documents_is_named(message):
    sharing, ann, _ = two()
    with pytest.raises(SharingError):
        list(sharing.from_client(ann, message))


def test_a_change_in_part_is_refused():
    sharing, ann, _ = two()
    list(sharing.from_client(ann, opened("abc")))
    part = changed("x", 1)
    part["params"]["contentChanges"][0]["range"] = {}
    with pytest.raises(SharingError):
        list(sharing.from_client(ann, part))


class Story:
    """What a server believes, from what it is told; wrong moves of ours fail here."""

    def __init__(self) -> None:
        self.documents: dict[str, tuple[int, str]] = {}

    def hear(self, out: list[tuple[int, dict[str, Any]]]) -> None:
        for to, message in out:
            if to != SERVER:
                continue
            params, method = message["params"], message["method"].removeprefix("textDocument/")
            uri = params["textDocument"]["uri"]
            if method == "didOpen":
                assert uri not in self.documents
                self.documents[uri] = (params["textDocument"]["version"], params["textDocument"]["text"])
            elif method == "didChange":
                assert params["textDocument"]["version"] > self.documents[uri][0]
                self.documents[uri] = (params["textDocument"]["version"], params["contentChanges"][0]["text"])
            else:
                del self.documents[uri]


steps = st.lists(
    st.tuples(
        st.sampled_from(["open", "change", "close", "leave"]),
        st.integers(0, 2),
        st.sampled_from("ab"),
        st.text("xy", max_size=2),
    )
)


@given(steps)
def test_the_server_is_told_one_consistent_story(moves):
    sharing, story = Sharing(), Story()
    clients = [sharing.join() for _ in range(3)]
    has: dict[int, set[str]] = {n: set() for n in range(3)}
    for move, who, uri, text in moves:
        if move == "open":
            story.hear(list(sharing.from_client(clients[who], opened(text, uri))))
            has[who].add(uri)
        elif move == "change" and uri in has[who]:
            story.hear(list(sharing.from_client(clients[who], changed(text, 1, uri))))
            assert story.documents[uri][1] == text
        elif move == "close":
            story.hear(list(sharing.from_client(clients[who], closed(uri))))
            has[who].discard(uri)
        elif move == "leave":
            story.hear(list(sharing.leave(clients[who])))
            clients[who], has[who] = sharing.join(), set()
        assert set(story.documents) == set().union(*has.values())
