"""The streams of a session over WebSocket: kernels, terminals (ours and Jupyter's), events."""

from __future__ import annotations

import asyncio
import codecs
import json
import struct
import uuid
from typing import Any

from sandbox.runner.wire import CallError, Client, Stream
from sessions import client as service
from sessions.jupyter import framing
from sessions.jupyter.terminals import COLUMNS, NAME, ROWS, terminal_of
from sessions.models import Session
from sessions.port_shares import watch_shares
from sessions.ports import watch_ports
from sessions.problems import Problem
from sessions.projects import Right
from sessions.receipts import Receipts
from sessions.relay import Relay, live_session
from sessions.represent import session_json
from sessions.terminals import person
from sessions.websocket import AWAY, BAD_MESSAGE, ENDED, NO_SUCH_THING, Closed


class KernelChannels(Relay):
    """A kernel's channels, in Jupyter's JSON framing, in its binary one, or in ours with numbers."""

    def subprotocol(self) -> str | None:
        offered = self.scope.get("subprotocols", [])
        self.framing = next((name for name in (framing.NUMBERED, framing.V1) if name in offered), None)
        return self.framing

    async def find(self) -> Session:
        return await live_session(self.scope["user"], self.right, kernels=self.scope["url_route"]["kwargs"]["id"])

    async def attach(self, client: Client) -> Stream:
        id = str(self.scope["url_route"]["kwargs"]["id"])
        name = self.query.get("session_id", "")[:100] or uuid.uuid4().hex
        return await client.open("kernel.attach", id=id, session=name, since=_since(self.query))

    async def show(self, sequence: int, payload: bytes) -> None:
        if not payload:
            return  # no message is empty
        if self._owes_note:
            self._owes_note = False
            await self._show(sequence, framing.cut_note(payload))
        await self._show(sequence, payload)

    async def show_cut(self, sequence: int, payload: bytes, following: int) -> None:
        if self.framing == framing.NUMBERED:
            await self.send(bytes_data=framing.number(sequence, b""))
        else:
            self._owes_note = True

    _owes_note = False

    async def _show(self, sequence: int, payload: bytes) -> None:
        if self.framing == framing.NUMBERED:
            await self.send(bytes_data=framing.number(sequence, payload))
        elif self.framing == framing.V1:
            await self.send(bytes_data=payload)
        else:
            await self._show_json(payload)

    async def _show_json(self, payload: bytes) -> None:
        try:
            frame = framing.to_json(payload)
        except framing.MessageError:
            return  # what a broken kernel says is nobody's message
        if isinstance(frame, str):
            await self.send(text_data=frame)
        else:
            await self.send(bytes_data=frame)

    async def take(self, frame: str | bytes) -> None:
        if self.framing == framing.NUMBERED and isinstance(frame, bytes) and len(frame) == framing.ACKNOWLEDGEMENT:
            self.acknowledge(framing.unnumber(frame)[0])
            return
        try:
            if self.framing is None:
                message = framing.from_json(frame)
            elif isinstance(frame, bytes):
                framing.check(message := frame)
            else:
                raise framing.MessageError("this framing has no texts")
        except framing.MessageError as error:
            raise Closed(BAD_MESSAGE) from error
        await self.write(message)

    end_code = NO_SUCH_THING  # it was shut down


class Terminal(Relay):
    """A terminal in binary frames, see ``docs/developers/architecture.md``. Resumable by its numbers.

    A terminal that does not exist yet is started when the client asks for it from the beginning.
    """

    async def find(self) -> Session:
        self.name = self.scope["url_route"]["kwargs"]["name"]
        if not NAME.fullmatch(self.name):
            raise Closed(NO_SUCH_THING)
        return await live_session(self.scope["user"], self.right, pk=self.scope["url_route"]["kwargs"]["id"])

    async def attach(self, client: Client) -> Stream:
        since = _since(self.query) or 0
        self.acknowledges = True
        self._size: tuple[int, int] | None = None
        self._resizing: asyncio.Task[None] | None = None
        self._runner = client
        if since == 0:
            await _start_if_missing(client, self.name)
        stream = await client.open("terminal.attach", name=self.name, since=since, who=person(self.scope["user"]))
        if stream.result["next"] < since:
            raise Closed(NO_SUCH_THING)  # the one that the browser knew has ended, and this is another
        await self._say(3, stream.result["next"])
        if stream.result["first"] >= stream.result["next"]:  # else the first record says it
            await self._say_size(stream.result["rows"], stream.result["cols"])
        return stream

    async def show(self, sequence: int, payload: bytes) -> None:
        if self.stream.size:
            await self._say_size(*self.stream.size)
        await self.send(bytes_data=struct.pack(">BQ", 0, sequence) + payload)

    async def show_cut(self, sequence: int, payload: bytes, following: int) -> None:
        await self._say(2, sequence)
        await self._say(3, following)

    async def _say(self, opcode: int, number: int) -> None:
        await self.send(bytes_data=struct.pack(">BQ", opcode, number))

    async def _say_size(self, rows: int, columns: int) -> None:
        await self.send(bytes_data=struct.pack(">BHH", 4, rows, columns))

    async def take(self, frame: str | bytes) -> None:
        if isinstance(frame, str) or not frame:
            raise Closed(BAD_MESSAGE)
        try:
            match frame[0]:
                case 0:
                    await self.write(frame[1:])
                case 1:
                    await self.resize(*struct.unpack(">HH", frame[1:]))
                case 2:
                    self.acknowledge(*struct.unpack(">Q", frame[1:]))
                case _:
                    raise Closed(BAD_MESSAGE)
        except struct.error as error:
            raise Closed(BAD_MESSAGE) from error

    async def say_end(self, reason: str) -> None:
        await self.send(bytes_data=b"\x01" + reason.encode())

    async def resize(self, rows: int, columns: int) -> None:
        """Pass the latest size on. Its answer may wait behind output that is held back: nobody waits for it."""
        self._size = (rows, columns)
        if self._resizing is None or self._resizing.done():
            self._resizing = asyncio.create_task(self._resize())
            self._tasks.append(self._resizing)
            await asyncio.sleep(0)  # so that it is on the wire before what is typed next

    async def _resize(self) -> None:
        while self._size is not None:
            (rows, columns), self._size = self._size, None
            try:
                await self._runner.call("terminal.resize", name=self.name, rows=rows, cols=columns)
            except (CallError, ConnectionError):
                return  # it has just ended; the stream's end says so
        self._tasks = [task for task in self._tasks if task is not self._resizing]


class JupyterTerminal(Terminal):
    """A terminal in the JSON frames of terminado, which Jupyter's clients speak."""

    async def find(self) -> Session:
        try:
            session, self.name = await terminal_of(self.scope["user"], self.scope["url_route"]["kwargs"]["name"])
        except Problem as problem:
            raise Closed(NO_SUCH_THING) from problem
        return session

    async def attach(self, client: Client) -> Stream:
        self._runner, self._size, self._resizing = client, None, None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._receipts = Receipts(self.flow.ping, self.acknowledge)
        self.acknowledges = self.flow.on_pong(self._receipts.answered)
        await self._send("setup", {})
        return await client.open("terminal.attach", name=self.name, tail=True, who=person(self.scope["user"]))

    async def show_cut(self, sequence: int, payload: bytes, following: int) -> None:
        """The record begins with what resets a terminal: more cannot be said in this protocol."""
        self._decoder.reset()

    async def show(self, sequence: int, payload: bytes) -> None:
        if text := self._decoder.decode(payload):
            await self._send("stdout", text)
        if self.acknowledges:
            self._receipts.shown(sequence + 1, len(payload))

    async def take(self, frame: str | bytes) -> None:
        try:
            message = json.loads(frame)
        except (ValueError, RecursionError) as error:
            raise Closed(BAD_MESSAGE) from error
        match message:
            case ["stdin", str(text), *_]:
                await self.write(text.encode("utf-8", "replace"))
            case ["set_size", int(rows), int(columns), *_]:
                await self.resize(rows, columns)
            case [str(), *_]:
                return  # a command of a newer client
            case _:
                raise Closed(BAD_MESSAGE)

    async def say_end(self, reason: str) -> None:
        await self._send("disconnect", 1)

    async def _send(self, *message: Any) -> None:
        await self.send(text_data=json.dumps(message))


class Events(Relay):
    """A session's changes and readings, from the session service, its ports, from its runner, and who sees them."""

    right = Right.VIEW

    async def find(self) -> Session:
        id = self.scope["url_route"]["kwargs"]["id"]
        try:
            return await live_session(self.scope["user"], self.right, pk=id)
        except Closed as closed:
            if closed.code == ENDED:
                await self._tell(await Session.objects.aget(pk=id))
            raise

    async def dial(self) -> Client:
        return await service.connect()

    async def attach(self, client: Client) -> Stream:
        try:
            stream = await service.watch(client, str(self.session.pk))
        except Problem as problem:
            if problem.status != 404:
                raise
            await self._tell(await Session.objects.aget(pk=self.session.pk))
            raise Closed(ENDED) from problem
        self._tasks.append(asyncio.create_task(watch_ports(str(self.session.pk), self._say)))
        self._tasks.append(asyncio.create_task(watch_shares(self.session, self._say)))
        return stream

    async def show(self, sequence: int, payload: bytes) -> None:
        await self.send(text_data=payload.decode())

    async def take(self, frame: str | bytes) -> None:
        """Nothing is asked here; what comes is dropped."""

    async def _say(self, event: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(event))

    async def _tell(self, session: Session) -> None:
        await self.send(text_data=json.dumps({"type": "session", **session_json(session)}))

    async def _why_lost(self) -> int:
        """The session service is away: whether its session ends, and how, is told when it is there again."""
        return AWAY

    end_code = ENDED


async def _start_if_missing(client: Client, name: str) -> None:
    try:
        await client.call("terminal.start", name=name, cwd="", rows=ROWS, cols=COLUMNS)
    except CallError as error:
        if error.code != "exists":
            raise


def _since(query: dict[str, str]) -> int | None:
    text = query.get("since", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise Closed(BAD_MESSAGE)
    return int(text)
