"""A kernel: its process, its channels, and the numbered log of all it said."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import socket
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.runner import ipython, messages
from sandbox.runner.activity import Activity
from sandbox.runner.channels import NAMES, Channels, Pairs, pairs
from sandbox.runner.children import Children, clean_child, signal_group
from sandbox.runner.log import Log
from sandbox.runner.wire import CallError

START_SECONDS = 60
_RESTARTS_PER_MINUTE = 5
_ROUTES = 4096
_LAST_WORDS_SECONDS = 0.5


class Kernel:
    """One kernel. Its log and its attached clients survive a restart of its process."""

    def __init__(self, id: str, name: str, cwd: Path, log: Log, children: Children, activity: Activity):
        self.id, self.name, self.cwd, self.log = id, name, cwd, log
        self.state = "starting"
        self.connections = 0
        self.left_off: dict[str, int] = {}
        self.on_end: Callable[[], None] = lambda: None
        self._children, self._activity = children, activity
        self._channels: Channels | None = None
        self._listening: asyncio.Task[None] | None = None
        self._askers: OrderedDict[str, str] = OrderedDict()
        self._replies: dict[int, str] = {}
        self._pid = 0
        self._ended = asyncio.Event()
        self._wanted = True
        self._starts: list[float] = []
        self._last = datetime.now(UTC)
        self._recovery: asyncio.Future[None] | None = None

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
        """Start the process and return when it listens.

        Raises:
            CallError: ``failed``, it ended or stayed silent.
        """
        ours, theirs = pairs()
        self._ended = asyncio.Event()
        pid = os.fork()
        if pid == 0:
            _become_kernel(self.cwd, theirs)
        for end in theirs.values():
            end.close()
        self._pid = pid
        self._starts.append(time.monotonic())
        self._children.watch(pid, self._on_exit)
        self._channels = Channels(ours)
        await self._channels.open()
        if not await self._speaks():
            signal_group(pid, signal.SIGKILL)
            self._disconnect()
            raise CallError("failed", "The kernel ended before it was ready.")
        self._set_state("idle")
        if self.log.next:  # it was there before: its clients learn that it is again
            self._say("status", {"execution_state": "idle"})
        self._listening = asyncio.create_task(self._listen(self._channels))

    async def interrupt(self) -> None:
        """Send SIGINT to the kernel and what it runs."""
        self._activity.input()
        signal_group(self._pid, signal.SIGINT)

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
        except messages.MessageError as error:
            raise CallError("bad_request", f"Not a kernel message: {error}.") from error
        if channel == "iopub" or self._channels is None:
            return
        self._askers[str(msg_id)] = session
        if len(self._askers) > _ROUTES:
            self._askers.popitem(last=False)
        self._wanted = restart
        if channel == "stdin":
            self._activity.busy(self, self.state == "busy")
        self._activity.input()
        await self._channels.write(channel, payload)

    def addressed_to(self, seq: int, session: str) -> bool:
        """Whether record ``seq`` is for that client: replies go to who asked, all else to everyone."""
        return self._replies.get(seq, session) == session

    # Inside

    async def _speaks(self) -> bool:
        """Whether its first words came in time: that it starts, which those who wait for it know already."""
        assert self._channels is not None
        try:
            return await asyncio.wait_for(self._channels.read(), START_SECONDS) is not None
        except TimeoutError:
            return False

    async def _listen(self, channels: Channels) -> None:
        while (message := await channels.read()) is not None:
            try:
                channel, parts = messages.unpack(message)
                self._note(channel, parts)
            except messages.MessageError:
                continue  # what a broken kernel says is nobody's message
            self._append(channel, parts, message)
            await self.log.room()

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

    def _on_exit(self, code: int) -> None:
        self._ended.set()
        self._pid = 0
        if self._listening is not None:  # it was up: an end nobody asked for
            self._recovery = asyncio.ensure_future(self._recover(code))

    async def _recover(self, code: int) -> None:
        assert self._listening is not None
        await asyncio.wait({self._listening}, timeout=_LAST_WORDS_SECONDS)
        self._disconnect()
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
        self._disconnect()
        if not self._pid:
            return
        pid, ended = self._pid, self._ended
        signal_group(pid, signal.SIGTERM)
        signal_group(pid, signal.SIGCONT)
        try:
            await asyncio.wait_for(ended.wait(), 0.5)
        except TimeoutError:
            signal_group(pid, signal.SIGKILL)
            await ended.wait()
        signal_group(pid, signal.SIGKILL)  # and what it left behind in its group

    def _disconnect(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
        if self._channels is not None:
            self._channels.close()
        self._listening = self._channels = None

    def _finish(self, reason: str) -> None:
        self.state = "dead"
        self._activity.busy(self, False)
        self.log.end(reason)
        self.on_end()


def _become_kernel(cwd: Path, ends: Pairs) -> None:
    """In the forked child: never returns."""
    code = 1
    try:
        ends = _lowest(ends)
        clean_child(keep=2 + len(ends))
        os.setsid()
        os.chdir(cwd if cwd.is_dir() else Path.home())
        ipython.run(ends)
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _lowest(ends: Pairs) -> Pairs:
    """The same sockets on the descriptors from 3 on."""
    high = {name: fcntl.fcntl(ends[name].detach(), fcntl.F_DUPFD, 3 + len(NAMES)) for name in NAMES}
    numbers = enumerate(NAMES, start=3)
    return {name: socket.socket(fileno=os.dup2(high[name], number, inheritable=False)) for number, name in numbers}
