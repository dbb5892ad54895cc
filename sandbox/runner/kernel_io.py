"""The kernel's ends of its channels, in the shape in which ipykernel knows ZeroMQ's sockets and streams.

Three threads: *main* runs cells, *Control* answers what must not wait for them, *IOPub* sends. Nobody
else sends, so that no interrupt cuts a message in two, and all that the kernel says keeps its order.
"""

from __future__ import annotations

import asyncio
import os
import queue
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import zmq
from ipykernel.iostream import BackgroundSocket
from ipykernel.kernelbase import Kernel
from tornado.ioloop import IOLoop
from tornado.platform.asyncio import AsyncIOLoop
from traitlets import Any as AnyTrait

from sandbox.runner import messages
from sandbox.runner.channels import OUTWARD, Parser, frame
from sandbox.runner.pressure import BoundedThread

_CHUNK = 256 * 1024
_RUNNER = b"runner"
DEBUGGER = b"debugger"


class Outlet:
    """Where all that the kernel says goes out; used by the IOPub thread only."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def send(self, channel: str, parts: Sequence[Any]) -> None:
        try:
            self._end.sendall(frame(messages.pack(channel, [bytes(part) for part in _body(parts)])))
        except OSError:
            return  # the runner is gone, and with it the sandbox: nobody is left to tell

    def send_multipart(self, parts: Sequence[Any], *arguments: Any, **options: Any) -> None:
        self.send(OUTWARD, parts)

    def close(self) -> None:
        self._end.close()


class Publisher(BoundedThread):
    """ipykernel's IOPub thread without ZeroMQ beneath it: its loop's own queue is what wakes it."""

    def __init__(self, outlet: Outlet, session: Any) -> None:
        self.socket, self.session = outlet, session
        self.background_socket = BackgroundSocket(self)
        self.io_loop = AsyncIOLoop(make_current=False)
        self._stopped, self._pipe_flag, self._master_pid = False, False, os.getpid()
        self._events: deque[Callable[[], Any]] = deque()
        self._event_pipes: dict[threading.Thread, Any] = {}
        self._moved = threading.Event()
        self.thread = threading.Thread(target=self._thread_main, name="IOPub", daemon=True)
        self.thread.pydev_do_not_trace = self.thread.is_pydev_daemon_thread = True  # type: ignore[attr-defined]

    def schedule(self, f: Callable[[], Any]) -> None:
        if self.thread.is_alive():
            self._events.append(f)
            self.io_loop.add_callback(self._handle_event, None)
        else:
            f()

    def _really_send(self, msg: Sequence[Any], *arguments: Any, **options: Any) -> None:
        """A forked child of the kernel has but its standard output: what else it would show is its own affair."""
        if self._is_master_process():
            self.socket.send_multipart(msg)

    def _thread_main(self) -> None:
        self.io_loop.start()
        self.io_loop.close(all_fds=True)

    def drain(self) -> None:
        """Return when all that was said before has gone out."""
        if threading.current_thread() is not self.thread:
            gone = threading.Event()
            self.schedule(gone.set)
            gone.wait()


class Inlet:
    """The kernel's end of ``shell``, ``control`` or ``stdin``: to ipykernel a ZMQStream, or a socket to read from."""

    def __init__(self, channel: str, end: socket.socket, publisher: Publisher, io_loop: IOLoop) -> None:
        self.io_loop = io_loop
        self.debugger: queue.SimpleQueue[list[bytes]] = queue.SimpleQueue()
        self._channel, self._end, self._publisher = channel, end, publisher
        self._parser = Parser()
        self._waiting: deque[bytes] = deque()
        self._running: set[asyncio.Future[Any]] = set()

    def fileno(self) -> int:
        return self._end.fileno()

    def on_recv(self, callback: Callable[[list[zmq.Frame]], Any], copy: bool = True) -> None:
        self._callback = callback
        self.io_loop.add_handler(self.fileno(), lambda *_: self._hand_over(), IOLoop.READ)

    def flush(self, *_: Any) -> None:
        """Hand over every message that has come; of what goes out, wait until it is out."""
        self._hand_over()
        self._publisher.drain()

    def _hand_over(self) -> None:
        for message in self._receive():
            self.post([_RUNNER, messages.DELIMITER, b"", *messages.unpack(message)[1]])

    def post(self, parts: list[bytes]) -> None:
        """Hand ``parts`` over as if they had come from outside. In the thread of ``io_loop`` only."""
        task = asyncio.ensure_future(self._callback([zmq.Frame(part) for part in parts]))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def recv_multipart(self, flags: int = 0, copy: bool = True) -> list[bytes]:
        """As of a ZeroMQ socket with NOBLOCK, raising ``zmq.Again`` when there is nothing."""
        self._waiting.extend(self._receive())
        if not self._waiting:
            raise zmq.Again
        return [_RUNNER, messages.DELIMITER, b"", *messages.unpack(self._waiting.popleft())[1]]

    def send_multipart(self, parts: Sequence[Any], *arguments: Any, **options: Any) -> None:
        if parts[0] == DEBUGGER:
            self.debugger.put([bytes(part) for part in parts])
        else:
            self._publisher.schedule(lambda: self._publisher.socket.send(self._channel, parts))

    def _receive(self) -> Iterator[bytes]:
        while True:
            try:
                data = self._end.recv(_CHUNK, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            if not data:  # the runner has ended: so does the kernel
                self.io_loop.remove_handler(self.fileno())
                self.io_loop.stop()
                return
            yield from self._parser.feed(data)


class KernelOnInlets(Kernel):
    """A kernel whose streams are :class:`Inlet` s, without subshells."""

    shell_stream = AnyTrait()
    control_stream = AnyTrait()
    _supports_kernel_subshells = False

    def _abort_queues(self, subshell_id: str | None = None) -> None:
        """What waits already is aborted; what comes after the mark is not."""
        self._aborting = True
        self.shell_stream.flush()
        self.shell_stream.post([b"stop aborting"])


class DebuggerSocket:
    """What the debugger asks the shell by: to ipykernel a DEALER on the shell's own socket."""

    def __init__(self, shell: Inlet) -> None:
        self._shell = shell

    def getsockopt(self, option: int) -> bytes:
        return DEBUGGER

    def send_multipart(self, parts: Sequence[Any], *arguments: Any, **options: Any) -> None:
        self._shell.io_loop.add_callback(self._shell.post, [bytes(part) for part in parts])

    def recv_multipart(self, flags: int = 0, copy: bool = True) -> list[bytes]:
        return self._shell.debugger.get()


def _body(parts: Sequence[Any]) -> Sequence[Any]:
    """A message without its identities and signature."""
    return parts[parts.index(messages.DELIMITER) + 2 :]
