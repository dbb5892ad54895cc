"""One language server for several clients: pages of one session, of one person or of several.

A language server believes that it has one client. So it is told one story: requests get numbers of our own, the first
client's ``initialize`` is everybody's, and a document is open while any client has it. Clients send whole texts (their
documents may differ for a moment, and a difference to one of them makes no sense to the others); whose text came last
is the one that the server knows. Its questions are answered here, because clients come and go.

Nothing here reads or writes: each message that comes in gives the messages that go out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sandbox.runner.framing import Message

SERVER = 0
"""Where a message goes that is for the server; clients have numbers from 1."""
MOST_PENDING = 256
"""Requests of one client that wait for their answers."""
_FULL = 1
_METHOD_NOT_FOUND, _TOO_MANY = -32601, -32803
_ANSWERED = {"client/registerCapability", "client/unregisterCapability", "window/workDoneProgress/create"}
_NOT_PASSED_ON = {"window/logMessage", "telemetry/event", "$/progress"}

Out = Iterator[tuple[int, Message]]


class SharingError(Exception):
    """A client sent what makes no sense here."""


@dataclass
class _Document:
    digest: bytes
    version: int = 0
    writer: int = 0
    writers_version: Any = None
    open_in: set[int] = field(default_factory=set)
    diagnostics: list[Any] | None = None


class Sharing:
    """Who asked what, and who has which document open."""

    def __init__(self) -> None:
        self._clients: set[int] = set()
        self._last_client = self._last_request = 0
        self._pending: dict[int, tuple[int, Any, str]] = {}
        self._documents: dict[str, _Document] = {}
        self._initializing: list[tuple[int, Any]] | None = None
        self._capabilities: Message | None = None
        self._initialized = False

    @property
    def clients(self) -> frozenset[int]:
        return frozenset(self._clients)

    def join(self) -> int:
        """The number of a new client."""
        self._last_client += 1
        self._clients.add(self._last_client)
        return self._last_client

    def leave(self, client: int) -> Out:
        """It has left: its documents are closed, its requests called off."""
        self._clients.discard(client)
        for number, (asked_by, _, method) in list(self._pending.items()):
            if asked_by == client and method != "initialize":
                del self._pending[number]
                yield SERVER, _notification("$/cancelRequest", {"id": number})
        for uri in list(self._documents):
            yield from self._close(client, uri)

    def from_client(self, client: int, message: Message) -> Out:
        """
        Raises:
            SharingError: it makes no sense.
        """
        method = message.get("method")
        if not isinstance(method, str):
            return  # an answer: the server's questions are answered here
        if "id" in message:
            yield from self._request(client, method, message)
        elif method == "initialized":
            if not self._initialized:
                self._initialized = True
                yield SERVER, message
        elif method == "$/cancelRequest":
            yield from self._cancel(client, message)
        elif method in ("textDocument/didOpen", "textDocument/didChange", "textDocument/didClose"):
            yield from self._document(client, method, message.get("params"))
        elif method != "exit":
            yield SERVER, message

    def from_server(self, message: Message) -> Out:
        method = message.get("method")
        if not isinstance(method, str):
            yield from self._answer(message)
        elif "id" in message:
            yield SERVER, _reply(message["id"], **_reply_to(method, message.get("params")))
        elif method == "textDocument/publishDiagnostics":
            yield from self._diagnostics(message.get("params"))
        elif method not in _NOT_PASSED_ON:
            yield from ((client, message) for client in self._clients)

    # Requests

    def _request(self, client: int, method: str, message: Message) -> Out:
        id = message["id"]
        if method == "shutdown":
            yield client, _reply(id, result=None)
        elif method == "initialize":
            yield from self._initialize(client, id, message)
        elif sum(1 for asked_by, _, _ in self._pending.values() if asked_by == client) >= MOST_PENDING:
            yield client, _reply(id, error={"code": _TOO_MANY, "message": "Too many requests wait for an answer."})
        else:
            yield SERVER, {**message, "id": self._number(client, id, method)}

    def _number(self, client: int, id: Any, method: str) -> int:
        self._last_request += 1
        self._pending[self._last_request] = (client, id, method)
        return self._last_request

    def _initialize(self, client: int, id: Any, message: Message) -> Out:
        if self._capabilities is not None:
            yield client, _reply(id, result=self._capabilities)
        elif self._initializing is not None:
            self._initializing.append((client, id))
        else:
            self._initializing = [(client, id)]
            yield SERVER, {**_that_is_told(message), "id": self._number(client, id, "initialize")}

    def _cancel(self, client: int, message: Message) -> Out:
        params = message.get("params")
        wanted = params.get("id") if isinstance(params, dict) else None
        for number, (asked_by, id, method) in self._pending.items():
            if (asked_by, id) == (client, wanted) and method != "initialize":
                yield SERVER, _notification("$/cancelRequest", {"id": number})

    def _answer(self, message: Message) -> Out:
        number = message.get("id")
        asked = self._pending.pop(number, None) if isinstance(number, int) else None
        if asked is None:
            return
        client, id, method = asked
        if method == "initialize":
            yield from self._all_initialized(message)
        elif client in self._clients:
            yield client, {**message, "id": id}

    def _all_initialized(self, message: Message) -> Out:
        waiting, self._initializing = self._initializing or [], None
        if isinstance(result := message.get("result"), dict):
            self._capabilities = message["result"] = _with_whole_texts(result)
        for client, id in waiting:
            if client in self._clients:
                yield client, {**message, "id": id}

    # Documents

    def _document(self, client: int, method: str, params: Any) -> Out:
        try:
            document = params["textDocument"]
            uri = document["uri"]
            if not isinstance(uri, str):
                raise SharingError("a document's URI is a text")
            if method.endswith("didClose"):
                yield from self._close(client, uri)
            elif method.endswith("didOpen"):
                yield from self._open(client, uri, document)
            elif uri in self._documents:
                (change,) = params["contentChanges"]
                yield from self._change(client, uri, change["text"], document.get("version"), "range" in change)
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise SharingError(f"{method} is not as the protocol says") from error

    def _open(self, client: int, uri: str, document: Message) -> Out:
        text, version = document["text"], document.get("version")
        known = self._documents.get(uri)
        if known is None:
            self._documents[uri] = _Document(_digest(text), 0, client, version, {client})
            sent = {"uri": uri, "languageId": str(document.get("languageId", "")), "version": 0, "text": text}
            yield SERVER, _notification("textDocument/didOpen", {"textDocument": sent})
            return
        known.open_in.add(client)
        if known.digest != _digest(text):
            yield from self._change(client, uri, text, version, False)
        elif known.diagnostics is not None:
            params = {"uri": uri, "diagnostics": known.diagnostics}
            yield client, _notification("textDocument/publishDiagnostics", params)

    def _change(self, client: int, uri: str, text: str, version: Any, in_part: bool) -> Out:
        if in_part:
            raise SharingError("documents are synchronized as whole texts here")
        known = self._documents[uri]
        known.digest, known.writer, known.writers_version = _digest(text), client, version
        known.version += 1
        known.diagnostics = None
        params = {"textDocument": {"uri": uri, "version": known.version}, "contentChanges": [{"text": text}]}
        yield SERVER, _notification("textDocument/didChange", params)

    def _close(self, client: int, uri: str) -> Out:
        known = self._documents.get(uri)
        if known is None or client not in known.open_in:
            return
        known.open_in.discard(client)
        if not known.open_in:
            del self._documents[uri]
            yield SERVER, _notification("textDocument/didClose", {"textDocument": {"uri": uri}})

    def _diagnostics(self, params: Any) -> Out:
        """Each client knows versions of its own: the one who wrote this text is told its own, others none."""
        if not isinstance(params, dict) or not isinstance(params.get("diagnostics"), list):
            return
        known, version = self._documents.get(str(params.get("uri"))), params.pop("version", None)
        if known is not None:
            if version is not None and version != known.version:
                return  # of a text that is not the latest: more will follow
            known.diagnostics = params["diagnostics"]
        for client in self._clients:
            versioned = known is not None and version is not None and client == known.writer
            own = {**params, "version": known.writers_version} if versioned and known else params
            yield client, _notification("textDocument/publishDiagnostics", own)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _that_is_told(initialize: Message) -> Message:
    """A client that is told of problems: those that it had to ask for would be known to nobody else."""
    params = initialize.get("params")
    capabilities = params.get("capabilities") if isinstance(params, dict) else None
    document = capabilities.get("textDocument") if isinstance(capabilities, dict) else None
    if not (isinstance(params, dict) and isinstance(capabilities, dict) and isinstance(document, dict)):
        return initialize
    document = {key: value for key, value in document.items() if key != "diagnostic"}
    return {**initialize, "params": {**params, "capabilities": {**capabilities, "textDocument": document}}}


def _with_whole_texts(result: Message) -> Message:
    """What the server can, but that it gets whole texts."""
    capabilities = result.get("capabilities")
    capabilities = capabilities if isinstance(capabilities, dict) else {}
    own = capabilities.get("textDocumentSync")
    own = own if isinstance(own, dict) else {}
    return {**result, "capabilities": {**capabilities, "textDocumentSync": {**own, "openClose": True, "change": _FULL}}}


def _reply_to(method: str, params: Any) -> Message:
    """What is said to a server's question: that nothing is configured, and that it may do as it said."""
    if method == "workspace/configuration":
        items = params.get("items") if isinstance(params, dict) else None
        return {"result": [None] * (len(items) if isinstance(items, list) else 0)}
    if method in _ANSWERED:
        return {"result": None}
    return {"error": {"code": _METHOD_NOT_FOUND, "message": "not here"}}


def _notification(method: str, params: Message) -> Message:
    return {"jsonrpc": "2.0", "method": method, "params": params}


def _reply(id: Any, **what: Any) -> Message:
    return {"jsonrpc": "2.0", "id": id, **what}
