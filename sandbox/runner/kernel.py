"""A kernel: its process, its ZeroMQ sockets inside the sandbox, and the numbered log of all it said."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import zmq
import zmq.asyncio

from sandbox.runner import ipython, messages, pressure
from sandbox.runner.activity import Activity
from sandbox.runner.children import Children, clean_child, signal_group
from sandbox.runner.log import Log
from sandbox.runner.wire import MAX_FRAME, CallError

START_SECONDS = 60
_RESTARTS_PER_MINUTE = 5
_ROUTES = 4096
_BATCH = 256
_QUIET_MS = 50  # a kernel that has ended and is not heard for so long has said all
_DRAIN_SECONDS = 5.0


class Kernel:
    """One kernel. Its log and its attached clients survive a restart of its process."""

    def __init__(self, id: str, name: str, cwd: Path, run_dir: Path, log: Log, children: Children, activity: Activity):
        self.id, self.name, self.cwd, self.log = id, name, cwd, log
        self.state = "starting"
        self.connections = 0
        self._left_off: OrderedDict[str, int] = OrderedDict()
        self.on_end: Callable[[], None] = lambda: None
        self._run_dir, self._children, self._activity = run_dir, children, activity
        self._context = zmq.asyncio.Context.instance()
        self._sockets: dict[str, zmq.asyncio.Socket] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._askers: OrderedDict[str, str] = OrderedDict()
        self._replies: dict[int, str] = {}
        self._pid = 0
        self._generation = 0
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
        self._generation += 1
        prefix = f"{self._run_dir}/{self.id[:8]}-{self._generation}"
        ready, child_ready = os.pipe()
        self._ended = asyncio.Event()
        pid = os.fork()
        if pid == 0:
            _become_kernel(self.cwd, prefix, child_ready)
        os.close(child_ready)
        self._pid = pid
        self._starts.append(time.monotonic())
        self._children.watch(pid, self._on_exit)
        if not await _byte(ready):
            signal_group(pid, signal.SIGKILL)
            raise CallError("failed", "The kernel ended before it was ready.")
        await self._connect(prefix)

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
        except messages.MessageError as error:
            raise CallError("bad_request", f"Not a kernel message: {error}.") from error
        socket = self._sockets.get(channel)
        if channel == "iopub" or socket is None:
            return
        self._askers[str(msg_id)] = session
        if len(self._askers) > _ROUTES:
            self._askers.popitem(last=False)
        if kind == "shutdown_request":
            self._wanted = bool(messages.field(parts[3], "restart"))
        if channel == "stdin":
            self._activity.busy(self, self.state == "busy")
        self._activity.input()
        await socket.send_multipart([messages.DELIMITER, b"", *parts])

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

    async def _connect(self, prefix: str) -> None:
        for channel, port in ipython.PORTS.items():
            socket = self._context.socket(zmq.SUB if channel == "iopub" else zmq.DEALER)
            socket.linger, socket.rcvhwm, socket.sndhwm = 0, 0, 0
            socket.maxmsgsize = MAX_FRAME
            if channel == "iopub":
                socket.rcvhwm = pressure.IN_FLIGHT  # while we do not read, the kernel waits
                socket.subscribe(b"")
            else:
                socket.identity = b"runner"  # a kernel asks for input where the identity of the request is
            socket.connect(f"ipc://{prefix}-{port}")
            self._sockets[channel] = socket
        # The welcome says that the subscription holds: nothing printed from now on is missed.
        await asyncio.wait_for(self._sockets["iopub"].recv_multipart(), START_SECONDS)
        self._set_state("idle")
        if self._generation > 1:
            self._say("status", {"execution_state": "idle"})
        self._tasks = [asyncio.create_task(self._listen(name, socket)) for name, socket in self._sockets.items()]

    async def _listen(self, channel: str, socket: zmq.asyncio.Socket) -> None:
        ready: zmq.Socket[bytes] = zmq.Socket.shadow(socket.underlying)
        while True:
            coming = asyncio.ensure_future(socket.recv_multipart())
            try:
                parts = await coming
            except asyncio.CancelledError:
                if coming.done() and not coming.cancelled():  # it came, and nobody else will say so
                    self._record(channel, coming.result())
                raise
            for _ in range(_BATCH):
                self._record(channel, parts)
                if channel == "iopub" and self.log.full():
                    await self.log.room()
                try:
                    parts = ready.recv_multipart(zmq.NOBLOCK)
                except zmq.Again:
                    break
            else:
                self._record(channel, parts)
            await asyncio.sleep(0)

    async def _drain(self) -> None:
        """The process has ended: what it said last is still on its way, and never much."""
        socket = self._sockets.get("iopub")
        deadline = time.monotonic() + _DRAIN_SECONDS
        while socket is not None and time.monotonic() < deadline and await socket.poll(_QUIET_MS):
            self._record("iopub", await socket.recv_multipart())

    def _record(self, channel: str, frames: list[bytes]) -> None:
        try:
            parts = messages.bounded(frames[frames.index(messages.DELIMITER) + 2 :])
            self._note(channel, parts)
        except (ValueError, IndexError):
            return  # what a broken kernel sends is nobody's message
        self._append(channel, parts)

    def _append(self, channel: str, parts: list[bytes]) -> None:
        seq = self.log.append(messages.pack(channel, parts))
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
        self._append("iopub", messages.build(msg_type, content))

    def _on_exit(self, code: int) -> None:
        self._ended.set()
        self._pid = 0
        if self._tasks:  # it was up: an end nobody asked for
            self._stop_listening()
            self._activity.busy(self, False)
            self._recovery = asyncio.ensure_future(self._recover(code))

    async def _recover(self, code: int) -> None:
        await self._drain()
        self._disconnect()
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
        if self._recovery is not None:
            self._recovery.cancel()
            await asyncio.gather(self._recovery, return_exceptions=True)
        self._stop_listening()
        if not self._pid:
            self._disconnect()
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
        await self._drain()
        self._disconnect()

    def _stop_listening(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._tasks = []

    def _disconnect(self) -> None:
        for socket in self._sockets.values():
            socket.close(0)
        self._sockets = {}

    def _finish(self, reason: str) -> None:
        self.state = "dead"
        self._activity.busy(self, False)
        self.log.end(reason)
        self.on_end()


def _become_kernel(cwd: Path, prefix: str, ready: int) -> None:
    """In the forked child: never returns."""
    code = 1
    try:
        saved = os.dup2(ready, 3, inheritable=False) if ready != 3 else 3
        clean_child(keep=saved)
        os.setsid()
        os.chdir(cwd if cwd.is_dir() else Path.home())
        ipython.run(prefix, saved)
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


async def _byte(pipe: int) -> bool:
    """Whether a byte came through ``pipe`` in time (not: it was closed). Closes it."""
    loop = asyncio.get_running_loop()
    came: asyncio.Future[bool] = loop.create_future()

    def readable() -> None:
        if not came.done():
            came.set_result(bool(os.read(pipe, 1)))

    loop.add_reader(pipe, readable)
    try:
        return await asyncio.wait_for(came, START_SECONDS)
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(pipe)
        os.close(pipe)
