"""A kernel that prints faster than anybody reads is slowed down, at the source.

Stock ipykernel keeps what is not sent yet without bound: in the buffer of each stream, and in the queue of
the thread that sends. Here each of them is bounded, and who prints waits. The waiting is in Python, on the
printing thread: SIGINT ends it with KeyboardInterrupt, as it would end any other wait, and threads that
answer control messages never take part in it.

Nothing that is waited for is counted up and down, because an interrupt between the two would close the
gate for good: what waits is looked at where it lies.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

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

_OWN_STATUS = (b".status", b".execute_input")


def keep_no_copy(shell: Any) -> None:
    """IPython 9 keeps all that a cell prints, for its own history of outputs. The runner's log is ours."""
    shell._tee = lambda channel: contextlib.nullcontext()


class BoundedThread(IOPubThread):
    """Sends, and makes those wait who have given it too much. A subclass says how an event reaches its thread."""

    def send_multipart(self, msg: Sequence[Any], *args: Any, **options: Any) -> None:
        if threading.current_thread() is self.thread:
            self._really_send(msg)  # its turn has come already
            return
        if not bytes(msg[0]).endswith(_OWN_STATUS):
            self.make_room()
        self.schedule(_Sending(self._really_send, msg))

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


class _Sending:
    """A message on its way to the sending thread."""

    def __init__(self, send: Callable[[Sequence[Any]], None], msg: Sequence[Any]) -> None:
        self.size = sum(memoryview(part).nbytes for part in msg) + 1024
        self._send, self._msg = send, msg

    def __call__(self) -> None:
        self._send(self._msg)


class BoundedStream(OutStream):
    """``sys.stdout`` or ``sys.stderr`` of a kernel.

    A forked child of the kernel writes to the descriptor, which the kernel watches.
    """

    _asked = False

    def write(self, string: str) -> int | None:
        if not self._is_master_process():
            return self._write_to_descriptor(string)
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

    def _write_to_descriptor(self, string: str) -> int:
        data = memoryview(string.encode(errors="replace"))
        while data:
            data = data[os.write(self._original_stdstream_fd, data) :]
        return len(string)

    def _make_room(self) -> None:
        waiting = self._length()
        if waiting < PIECE:
            return
        self._send_now()
        if isinstance(threading.current_thread(), BaseThread):
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

    def serialize(self, msg: dict[str, Any], ident: Any = None) -> list[bytes]:
        content = msg.get("content")
        if isinstance(content, dict) and (size := messages.weight(content)) > messages.MAX_MESSAGE:
            msg = {**msg, "content": messages.cut(str(msg.get("msg_type")), content, size)}
        return super().serialize(msg, ident)
