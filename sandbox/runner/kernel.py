"""A kernel: its process, its channels, and the numbered log of all it said."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.runner import messages
from sandbox.runner.activity import Activity
from sandbox.runner.children import signal_group
from sandbox.runner.log import Log
from sandbox.runner.process import Process, Program, Spare
from sandbox.runner.widgets import Widgets
from sandbox.runner.wire import CallError

_RESTARTS_PER_MINUTE = 5
_ROUTES = 4096
_QUIET_SECONDS = 0.05  # a kernel that has ended and is not heard for so long has said all


class Kernel:
    """One kernel. Its log and its attached clients survive a restart of its process."""

    def __init__(self, id: str, name: str, cwd: Path, log: Log, spare: Spare, activity: Activity, program: Program):
        self.id, self.name, self.cwd, self.log = id, name, cwd, log
        self._program = program
        self.state = "starting"
        self.connections = 0
        self._left_off: OrderedDict[str, int] = OrderedDict()
        self.on_end: Callable[[], None] = lambda: None
        self._spare, self._activity = spare, activity
        self._process: Process | None = None
        self._up = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None
        self._askers: OrderedDict[str, str] = OrderedDict()
        self._replies: dict[int, str] = {}
        self._wanted = True
        self._starts: list[float] = []
        self._last = datetime.now(UTC)
        self._watching: asyncio.Task[None] | None = None
        self._widgets = Widgets()
        self._curious: dict[str, tuple[str, bytes]] = {}
        self._telling: asyncio.Task[None] | None = None

    def describe(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "execution_state": self.state,
            "last_activity": self._last.isoformat().replace("+00:00", "Z"),
            "connections": self.connections,
        }

    # Life

    async def start(self) -> None:
        """Take a process, or make one, and return when it listens.

        Raises:
            CallError: ``failed``, it ended or stayed silent.
        """
        self._starts.append(time.monotonic())
        process = await self._spare.take(self._program)
        await process.begin(self.cwd)
        self._process = process
        self._up.set()
        self._set_state("idle")
        if self.log.next:  # it was there before: its clients learn that it is again
            self._say("status", {"execution_state": "idle"})
        self._listening = asyncio.create_task(self._listen(process))
        self._watching = asyncio.create_task(self._watch(process))

    async def interrupt(self) -> None:
        """Send SIGINT to the kernel and what it runs."""
        self._activity.input()
        if self._process is not None:
            signal_group(self._process.pid, signal.SIGINT)

    async def restart(self) -> None:
        self._activity.input()
        self._say("status", {"execution_state": "restarting"})
        await self._end_process()
        await self.start()

    def leave(self) -> None:
        """The session ends: when the process does, that is no accident."""
        self._wanted = False

    async def stop(self) -> None:
        await self._end_process()
        self._finish("stopped")

    # Messages

    async def write(self, session: str, payload: bytes) -> None:
        """Pass a client's message on; ``session`` gets the reply.

        Raises:
            CallError: ``bad_request``, it is not a kernel message.
        """
        try:
            channel, parts = messages.unpack(payload)
            msg_id, kind = messages.field(parts[0], "msg_id"), messages.field(parts[0], "msg_type")
            restart = kind != "shutdown_request" or bool(messages.field(parts[3], "restart"))
            asks_states = kind == "comm_info_request" and bool(messages.field(parts[3], "states"))
        except messages.MessageError as error:
            raise CallError("bad_request", f"Not a kernel message: {error}.") from error
        if channel == "control" and asks_states:
            self._ask_widgets(session, str(msg_id), parts[0])
            return
        if self._process is None:  # it is being started again: what is asked meanwhile is for the new one
            await self._up.wait()
        if channel == "iopub" or self._process is None:
            return
        self._expect(str(msg_id), session)
        self._wanted = restart
        if channel == "stdin":
            self._activity.busy(self, self.state == "busy")
        self._activity.input()
        await self._process.channels.write(channel, payload)

    def addressed_to(self, seq: int, session: str) -> bool:
        """Whether record ``seq`` is for that client: replies go to who asked, all else to everyone."""
        return self._replies.get(seq, session) == session

    def left_off(self, session: str) -> int:
        """The record that a client goes on with: from now on if it is new."""
        return self._left_off.get(session, self.log.next)

    def leave_off(self, session: str, seq: int) -> None:
        """A client has left that has taken all records before ``seq``."""
        self._left_off[session] = seq
        self._left_off.move_to_end(session)
        if len(self._left_off) > _ROUTES:
            self._left_off.popitem(last=False)

    # Inside

    async def _listen(self, process: Process) -> None:
        while (message := await process.channels.read()) is not None:
            self._record(message)
            if self.log.full():
                await self.log.room()

    async def _drain(self, process: Process) -> None:
        """The process has ended: what it said last is still on its way, and never much."""
        with contextlib.suppress(TimeoutError):
            while True:
                async with asyncio.timeout(_QUIET_SECONDS):
                    message = await process.channels.read()
                if message is None:
                    return
                self._record(message)

    def _expect(self, msg_id: str, session: str) -> None:
        """The answer to ``msg_id`` is for ``session``."""
        self._askers[msg_id] = session
        if len(self._askers) > _ROUTES:
            self._askers.popitem(last=False)

    def _ask_widgets(self, session: str, msg_id: str, request: bytes) -> None:
        """A client asks for all widgets: answer its last request in place of the kernel, which may be busy for long."""
        self._curious[session] = (msg_id, request)
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell_widgets())

    async def _tell_widgets(self) -> None:
        """Tell them as they are at the record that tells it, when readers have room for it."""
        while self._curious:
            await self.log.room()
            if self.log.ended is not None:
                return
            session, (msg_id, request) = self._curious.popitem()
            self._expect(msg_id, session)
            content, buffers = self._widgets.described()
            parts = [*messages.build("comm_info_reply", {}, request)[:3], content, *buffers]
            self._append("control", parts, messages.pack("control", parts))

    def _record(self, message: bytes) -> None:
        try:
            channel, parts = messages.unpack(message)
            self._note(channel, parts)
            if channel == "iopub":
                self._widgets.hear(parts)
        except messages.MessageError:
            return  # what a broken kernel says is nobody's message
        self._append(channel, parts, message)

    def _append(self, channel: str, parts: list[bytes], message: bytes) -> None:
        seq = self.log.append(message)
        if channel in ("shell", "control"):
            asker = self._askers.get(str(messages.field(parts[1], "msg_id")))
            if asker is not None:
                self._replies[seq] = asker
            for old in [seq for seq in self._replies if seq < self.log.first]:
                del self._replies[old]

    def _note(self, channel: str, parts: list[bytes]) -> None:
        header = parts[0]
        if channel == "iopub" and b'"status"' in header:
            state = messages.field(parts[3], "execution_state")
            # Requests on control (interrupts, debugging) say busy and idle too, amid a running cell.
            if b"_request" not in parts[1] or messages.field(parts[1], "msg_type") in ("execute_request", None):
                self._set_state(str(state))
        elif channel == "stdin" and b'"input_request"' in header:
            self._activity.busy(self, False)

    def _set_state(self, state: str) -> None:
        self.state = state
        self._last = datetime.now(UTC)
        self._activity.busy(self, state == "busy")

    def _say(self, msg_type: str, content: dict[str, Any]) -> None:
        parts = messages.build(msg_type, content)
        self._append("iopub", parts, messages.pack("iopub", parts))

    async def _watch(self, process: Process) -> None:
        await process.ended.wait()
        if self._process is process:  # an end that nobody asked for
            await self._recover(process)

    async def _recover(self, process: Process) -> None:
        code = process.code
        await self._let_go(process)
        self._activity.busy(self, False)
        now = time.monotonic()
        self._starts = [start for start in self._starts if now - start < 60]
        if not self._wanted or len(self._starts) > _RESTARTS_PER_MINUTE:
            self._say("status", {"execution_state": "dead"})
            self._finish("dead")
            return
        why = f"was killed (signal {-code}{', perhaps out of memory' if code == -9 else ''})" if code < 0 else "ended"
        text = f"The kernel {why} and was started again. Its variables are gone; your files are as they were.\n"
        self._say("stream", {"name": "stderr", "text": text})
        self._say("status", {"execution_state": "restarting"})
        try:
            await self.start()
        except (CallError, TimeoutError):
            self._say("status", {"execution_state": "dead"})
            self._finish("dead")

    async def _end_process(self) -> None:
        if (process := self._process) is not None:
            self._process = None
            self._up.clear()
            await process.end()
            await self._let_go(process)

    async def _let_go(self, process: Process) -> None:
        """Hear the last words of a process that has ended."""
        if self._process is process:
            self._process = None
            self._up.clear()
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
            self._listening = None
        await self._drain(process)
        process.channels.close()
        self._widgets = Widgets()

    def _finish(self, reason: str) -> None:
        self.state = "dead"
        self._up.set()
        self._activity.busy(self, False)
        self.log.end(reason)
        self.on_end()
