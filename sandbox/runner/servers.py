"""Language servers: one process for each language of a session, started when a page first asks for it.

``server.attach`` opens a stream whose records, both ways, are single messages of the Language Server Protocol, JSON
without the header. The pages of a session share the process (:mod:`sandbox.runner.sharing`). It is ended a while after
the last has left; when it ends by itself their streams end, and who attaches again starts another.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandbox.runner.activity import Activity
from sandbox.runner.children import Children, clean_child, signal_group
from sandbox.runner.framing import FramingError, Message, Unframer, frame, parse
from sandbox.runner.pipes import Input, Pipe
from sandbox.runner.sharing import SERVER, Out, Sharing, SharingError
from sandbox.runner.wire import CallError, Peer

MAX_SERVERS = 8
LINGER_SECONDS = 60.0
MOST_STARTS, STARTS_SECONDS = 4, 60.0
"""A server that keeps ending is not started again for a while."""
MOST_WAITING = 32 * 1024 * 1024
"""Bytes of messages that wait for a page. One that does not take them is left, and may come again."""
_LAST_WORDS = 2000
_END_SECONDS = 1.0
_NICE = 5  # a server that reads a whole project gives way to what a person runs


class Servers:
    """The runner's methods for language servers."""

    def __init__(self, children: Children, activity: Activity, root: Callable[[], Path]) -> None:
        self._children, self._activity, self._root = children, activity, root
        self._servers: dict[str, _Server] = {}
        self._starts: dict[str, deque[float]] = {}
        self.methods = {"server.attach": self.attach, "server.list": self.running}

    async def running(self, peer: Peer, call: int) -> list[dict[str, Any]]:
        """Those that run: their language, their process and how many pages are attached."""
        return [
            {"language": language, "pid": server.pid, "clients": len(server.sharing.clients)}
            for language, server in self._servers.items()
        ]

    async def attach(self, peer: Peer, call: int, language: str, command: list[str]) -> dict[str, Any]:
        """Opens a stream to the server of ``language``, which ``command`` starts where none runs."""
        server = self._servers.get(language) or self._start(str(language), [str(word) for word in command])
        client = server.join()

        async def write(payload: bytes) -> None:
            await server.write(client, payload)

        async def pump() -> None:
            number = 0
            try:
                while (message := await server.next(client)) is not None:
                    await peer.send({"stream": call, "seq": number}, message)
                    number += 1
                await peer.send({"stream": call, "end": server.reason(client)})
            except ConnectionError:
                return
            finally:
                await server.leave(client)

        peer.on_write(call, write)
        peer.spawn(call, pump())
        return {"root": self._root().as_uri()}

    def _start(self, language: str, command: list[str]) -> _Server:
        now = asyncio.get_running_loop().time()
        starts = self._starts.setdefault(language, deque(maxlen=MOST_STARTS))
        if len(starts) == MOST_STARTS and now - starts[0] < STARTS_SECONDS:
            raise CallError("failed", "This language server keeps ending.")
        if len(self._servers) >= MAX_SERVERS:
            raise CallError("failed", f"This session has {MAX_SERVERS} language servers already.")
        starts.append(now)
        server = _Server(command, self._root(), self._children, self._activity)
        self._servers[language] = server
        server.on_end = lambda: self._servers.pop(language, None) is server
        try:
            server.start()
        except OSError as error:
            self._servers.pop(language, None)
            raise CallError("failed", f"The language server could not be started: {error.strerror}.") from error
        return server


class _Waiting:
    """Messages on their way to one client."""

    def __init__(self) -> None:
        self.messages: deque[bytes] = deque()
        self.size = 0
        self.more = asyncio.Event()
        self.over = ""

    def put(self, message: bytes) -> None:
        self.messages.append(message)
        self.size += len(message)
        if self.size > MOST_WAITING:
            self.end("The page took too long to take what the server said.")
        self.more.set()

    def end(self, reason: str) -> None:
        self.over = self.over or reason
        self.more.set()


class _Server:
    """One process, what it says, and who hears it. ``on_end`` is called when it has ended."""

    def __init__(self, command: list[str], folder: Path, children: Children, activity: Activity) -> None:
        self._command, self._folder, self._children, self._activity = command, folder, children, activity
        self.sharing = Sharing()
        self.pid = 0
        self.on_end: Callable[[], object] = lambda: None
        self._waiting: dict[int, _Waiting] = {}
        self._input, self._unframer = Input(), Unframer()
        self._words, self._broken = b"", False
        self._answering: asyncio.Task[None] | None = None
        self._answers: list[bytes] = []
        self._pipes: list[Pipe] = []
        self._leaving: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """
        Raises:
            OSError: there is no room for another process.
        """
        theirs, ours = os.pipe()
        self._pipes = [Pipe(self._hear, self.stop), Pipe(self._note)]
        ends = [theirs, *(pipe.writer for pipe in self._pipes)]
        try:
            self.pid = os.fork()
            if self.pid == 0:
                _become_server(self._command, self._folder, ends)
        except OSError:
            os.close(ours)
            for pipe in self._pipes:
                pipe.close()
            raise
        finally:
            for end in ends:
                os.close(end)
        self._children.watch(self.pid, self._on_exit)
        self._input.attach(ours)

    def join(self) -> int:
        if self._leaving is not None:
            self._leaving.cancel()
        client = self.sharing.join()
        self._waiting[client] = _Waiting()
        return client

    async def leave(self, client: int) -> None:
        """The last one to leave ends the process, a while later: a page that is loaded anew finds it there."""
        out = list(self.sharing.leave(client))
        self._waiting.pop(client, None)
        if not self._waiting:
            self._leaving = asyncio.get_running_loop().call_later(LINGER_SECONDS, self.stop)
        await self._send(out)

    async def next(self, client: int) -> bytes | None:
        """The next message for ``client``; None after the last."""
        waiting = self._waiting[client]
        while not waiting.messages or waiting.over:
            if waiting.over:
                return None
            waiting.more.clear()
            await waiting.more.wait()
        message = waiting.messages.popleft()
        waiting.size -= len(message)
        return message

    def reason(self, client: int) -> str:
        return self._waiting[client].over

    async def write(self, client: int, payload: bytes) -> None:
        """A message of ``client``. One that is none ends its stream."""
        if client not in self._waiting:
            return
        try:
            message = parse(payload)
            if message.get("method") == "textDocument/didChange":
                self._activity.input()
            await self._send(list(self.sharing.from_client(client, message)))
        except (FramingError, SharingError) as error:
            self._waiting[client].end(f"The page said what this server does not understand: {error}.")

    def stop(self) -> None:
        """End it, and what it started."""
        if self.pid:
            signal_group(self.pid, signal.SIGTERM)
            asyncio.get_running_loop().call_later(_END_SECONDS, self._kill, self.pid)

    # Inside

    async def _send(self, out: list[tuple[int, Message]]) -> None:
        for message in self._sort(out):
            await self._input.write(message)

    def _sort(self, out: Out | list[tuple[int, Message]]) -> list[bytes]:
        """Put to clients what is theirs; return what is the server's."""
        servers = []
        for to, message in out:
            if to == SERVER:
                servers.append(frame(message))
            elif (waiting := self._waiting.get(to)) is not None:
                waiting.put(_body(message))
        return servers

    def _hear(self, data: bytes) -> None:
        try:
            for message in self._unframer.feed(data):
                self._answers += self._sort(self.sharing.from_server(message))
        except FramingError as error:
            self._words, self._broken = f"It said what is no message: {error}.".encode(), True
            self._kill(self.pid)
            return
        if self._answers and (self._answering is None or self._answering.done()):
            self._answering = asyncio.ensure_future(self._answer())

    async def _answer(self) -> None:
        """Answer the server's questions, without holding up what it says meanwhile."""
        while self._answers:
            await self._input.write(self._answers.pop(0))

    def _note(self, data: bytes) -> None:
        if not self._broken:
            self._words = (self._words + data)[-_LAST_WORDS:]

    def _kill(self, pid: int) -> None:
        if pid and pid == self.pid:
            signal_group(pid, signal.SIGKILL)

    def _on_exit(self, code: int) -> None:
        group, self.pid = self.pid, 0
        for pipe in self._pipes:
            pipe.drain()
            pipe.close()
        self._input.detach()
        signal_group(group, signal.SIGKILL)
        if self._leaving is not None:
            self._leaving.cancel()
        how = f"exited with status {code}" if code >= 0 else f"ended by signal {-code}"
        words = self._words.decode(errors="replace").strip().splitlines()
        for waiting in self._waiting.values():
            waiting.end(f"{how}: {words[-1][:300]}" if words and (code > 0 or self._broken) else how)
        self.on_end()


def _body(message: Message) -> bytes:
    framed = frame(message)
    return framed[framed.index(b"\r\n\r\n") + 4 :]


def _become_server(command: list[str], folder: Path, ends: list[int]) -> None:
    """In the forked child: never returns."""
    try:
        clean_child(keep=ends)
        os.setsid()
        os.nice(_NICE)
        high = [os.dup(end) for end in ends]
        for place, end in enumerate(high):
            os.dup2(end, place, inheritable=True)
        os.closerange(3, max(high) + 1)
        os.chdir(folder)
        os.execvpe(command[0], command, dict(os.environ))  # noqa: S606 - a list, no shell in between
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(127)
