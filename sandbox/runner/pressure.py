"""A kernel that prints faster than anybody reads is slowed down, at the source.

Stock ipykernel keeps what is not sent yet without bound: in the buffer of each stream, in the queue of
the thread that sends, in ZeroMQ's own. Here each of them is bounded, and who prints waits. The waiting
is in Python, on the printing thread: SIGINT ends it with KeyboardInterrupt, as it would end any other
wait, and threads that answer control messages never take part in it.

Nothing that is waited for is counted up and down, because an interrupt between the two would close the
gate for good: what waits is looked at where it lies.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import sys
import threading
from typing import Any

import zmq
from ipykernel.displayhook import ZMQDisplayHook
from ipykernel.iostream import IOPubThread, OutStream
from ipykernel.thread import BaseThread
from jupyter_client.session import Session

from sandbox.runner import messages

BUFFER = 64 * 1024
"""Characters that a stream holds before who writes to it waits."""
PIECE = 32 * 1024
"""Characters after which a stream is sent at once, and about how long a message of it is."""
QUEUE = 256 * 1024
"""Bytes of other messages that wait to be sent; a larger one waits alone."""
IN_FLIGHT = 2
"""Messages in ZeroMQ's queue at each end: its own bound is a number, not a size."""
SOCKET_BUFFER = 32 * 1024

_OWN_STATUS = (b".status", b".execute_input")


def keep_no_copy(shell: Any) -> None:
    """IPython 9 keeps all that a cell prints, for its own history of outputs. The runner's log is ours."""
    shell._tee = lambda channel: contextlib.nullcontext()


class BoundedOutput:
    """For an ``IPKernelApp``: its streams, and the thread that sends for them, made bounded."""

    def _bind_socket(self, socket: Any, port: int) -> Any:
        """Outputs wait rather than grow or be dropped; replies are few, and never dropped. zmq_setsockopt(3)."""
        if socket.type == zmq.XPUB:
            socket.xpub_nodrop = True
            socket.sndhwm, socket.sndbuf = IN_FLIGHT, SOCKET_BUFFER
        else:
            socket.sndhwm = 0
        return super()._bind_socket(socket, port)  # type: ignore[misc]

    def init_iopub(self: Any, context: Any) -> None:
        self.iopub_socket = context.socket(zmq.XPUB)
        self.iopub_socket.linger = 1000
        self.iopub_port = self._bind_socket(self.iopub_socket, self.iopub_port)
        self.iopub_thread = BoundedThread(self.iopub_socket, pipe=True, session=self.session)
        self.iopub_thread.start()
        self.iopub_socket = self.iopub_thread.background_socket

    def init_io(self: Any) -> None:
        sys.stdout = BoundedStream(self.session, self.iopub_thread, "stdout")
        sys.stderr = BoundedStream(self.session, self.iopub_thread, "stderr")
        self.displayhook = sys.displayhook = ZMQDisplayHook(self.session, self.iopub_socket)
        self.patch_io()


class BoundedThread(IOPubThread):
    """Sends, and makes those wait who have given it too much."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._moved = threading.Event()
        super().__init__(*args, **options)

    def send_multipart(self, msg: list[Any], *args: Any, **options: Any) -> None:
        if threading.current_thread() is self.thread:
            self._really_send(msg, *args, **options)  # its turn has come already
            return
        if not msg[0].endswith(_OWN_STATUS):
            self.make_room()
        self.schedule(_Sending(self, msg, args, options))

    def make_room(self) -> None:
        """Wait while too much waits to be sent. A kernel's own threads and forked children never do."""
        if not self.thread.is_alive() or isinstance(threading.current_thread(), BaseThread):
            return
        while self._waiting() > QUEUE:
            self._moved.clear()
            if self._waiting() > QUEUE:
                self._moved.wait(1.0)

    def _waiting(self) -> int:
        return sum(event.size for event in list(self._events) if isinstance(event, _Sending))

    def _handle_event(self, msg: Any) -> None:
        super()._handle_event(msg)
        self._moved.set()

    def _setup_pipe_out(self) -> Any:
        """A forked child waits until its words are taken: stock drops them after three seconds."""
        context, socket = super()._setup_pipe_out()
        socket.linger = -1
        return context, socket


class _Sending:
    """A message on its way to the sending thread."""

    def __init__(self, thread: BoundedThread, msg: list[Any], args: Any, options: Any) -> None:
        self.size = sum(memoryview(part).nbytes for part in msg) + 1024
        self._thread, self._msg, self._how = thread, msg, (args, options)

    def __call__(self) -> None:
        args, options = self._how
        self._thread._really_send(self._msg, *args, **options)


class BoundedStream(OutStream):
    """``sys.stdout`` or ``sys.stderr`` of a kernel."""

    _asked = False

    def write(self, string: str) -> int | None:
        if len(string) <= PIECE:
            self._make_room()
            return super().write(string)
        for at in range(0, len(string), PIECE):  # one line of a gigabyte is many messages
            self._make_room()
            super().write(string[at : at + PIECE])
        return len(string)

    def flush(self) -> None:
        """Wait until all is sent, however long that takes."""
        thread = self.pub_thread.thread
        if not thread.is_alive() or threading.current_thread() is thread:
            self._flush()
            return
        done: Any = threading.Event()
        self.pub_thread.schedule(self._flush)
        self.pub_thread.schedule(done.set)
        try:
            while not done.wait(1.0) and thread.is_alive():
                continue
        except KeyboardInterrupt:
            # The kernel flushes when a cell is over: there is nothing left to interrupt but its reply.
            if sys._getframe(1).f_globals.get("__name__") != "ipykernel.kernelbase":
                raise

    def _make_room(self) -> None:
        waiting = self._length()
        if waiting < PIECE:
            return
        self._send_now()
        if isinstance(threading.current_thread(), BaseThread) or not self._is_master_process():
            return
        while self._length() >= BUFFER and self.pub_thread.thread.is_alive():
            self.pub_thread._moved.clear()
            self._send_now()
            if self._length() >= BUFFER:
                self.pub_thread._moved.wait(1.0)

    def _length(self) -> int:
        with self._buffer_lock:
            return sum(buffer.tell() for buffer in self._buffers.values())

    def _send_now(self) -> None:
        if not self._asked:
            self._asked = True
            self.pub_thread.schedule(self._flush)

    def _flush(self) -> None:
        self._asked = False
        super()._flush()

    def _watch_pipe_fd(self) -> None:
        """What programs write to the descriptor itself. Stock cuts characters at each thousand bytes."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while self._should_watch and (data := os.read(self._fid, PIECE)):
            if text := decoder.decode(data):
                self.write(text)


class BoundedSession(Session):
    """Messages of a size that a page can show; the others say how large they were."""

    def __init__(self, **options: Any) -> None:
        # What is lent to ZeroMQ instead of copied comes back by a thread that a busy kernel leaves no time.
        super().__init__(copy_threshold=2 * messages.MAX_MESSAGE, **options)

    def serialize(self, msg: dict[str, Any], ident: Any = None) -> list[bytes]:
        content = msg.get("content")
        if isinstance(content, dict) and (size := messages.weight(content)) > messages.MAX_MESSAGE:
            msg = {**msg, "content": messages.cut(str(msg.get("msg_type")), content, size)}
        return super().serialize(msg, ident)
