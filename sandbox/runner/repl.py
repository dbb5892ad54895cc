"""Cells that a program of the language reads one after the other, keeping what they leave: its driver.

The driver reads requests from descriptor 3 and answers on descriptor 4, both as :mod:`sandbox.runner.records` says. It
is started before the first cell, and again when it has ended.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from typing import Any

from sandbox.runner.child import Child, how_it_ended
from sandbox.runner.keyboard import Keyboard
from sandbox.runner.pipes import Pipe
from sandbox.runner.records import Failure, Record, RecordError, Records, request
from sandbox.runner.screen import Screen

# Python's own way to say which descriptor becomes which would run code between fork and exec, amid threads.
_HIGH = 10
_WRAPPER = 'exec 3<&{cells} 4>&{records} {cells}<&- {records}>&-; exec "$@"'
_START_NOISE = 4096


class Repl:
    """One driver at a time, started by ``program``'s ``command``."""

    def __init__(self, program: dict[str, Any], screen: Screen, keyboard: Keyboard) -> None:
        self._command, self._name = list(program["command"]), program["display_name"]
        self._screen, self._keyboard = screen, keyboard
        self._child: Child | None = None
        self._starting = asyncio.Lock()
        self._ready = False
        self._begun = asyncio.Event()  # it is ready, or has ended before it was
        self._noise = ""
        self._over: asyncio.Future[None] | None = None
        self._failure: Failure | None = None
        self._answer = ""

    async def open(self) -> None:
        """Start the driver, unless it runs; whether that went well the next cell shows."""
        async with self._starting:
            if self._child is None:
                await self._start()

    async def run(self, code: str) -> Failure | None:
        """Give the driver ``code``; how it failed, if it did."""
        return await self._request("run", code)

    async def ask(self, kind: str, text: str) -> str:
        """The driver's answer to a request of another kind than ``run``; "" where it has none."""
        self._answer = ""
        await self._request(kind, text)
        return self._answer

    def interrupted(self, times: int) -> None:
        """The driver has had its SIGINT. One that does not care is killed at the third."""
        if self._child is not None and self._over is not None and not self._over.done() and times > 2:
            self._child.kill()

    def drain(self) -> None:
        """Hear what the driver and its programs have printed."""
        if self._child is not None:
            self._child.drain()

    def close(self) -> None:
        if self._child is not None:
            self._child.kill()

    async def _request(self, kind: str, text: str) -> Failure | None:
        self._failure, self._over = None, asyncio.get_running_loop().create_future()
        try:
            await self.open()
        except OSError as error:
            return Failure("NotStarted", f"{self._name} could not be started: {error}")
        await self._begun.wait()
        if self._over.done():
            return self._failure
        sending = asyncio.create_task(asyncio.to_thread(self._send, request(kind, text)))
        await self._over
        await sending
        self.drain()
        return self._failure

    async def _start(self) -> None:
        self._ready, self._noise = False, ""
        self._begun.clear()
        theirs, self._cells = os.pipe()
        parser = Records()
        records = Pipe(lambda data: self._heard(parser, data))
        keep = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _HIGH) for end in (theirs, records.writer)]
        records.handed_over()
        line = _WRAPPER.format(cells=keep[0], records=keep[1])
        start = ["bash", "-c", line, "driver", *self._command]
        try:
            with self._keyboard.reader() as stdin:
                self._child = await Child.start(start, stdin, self._out, self._err, keep)
        except OSError:
            records.close()
            os.close(self._cells)
            raise
        finally:
            for end in (theirs, *keep):
                os.close(end)
        self._watching = asyncio.create_task(self._watch(self._child, records))

    async def _watch(self, child: Child, records: Pipe) -> None:
        """When the driver ends, say so; a cell that was under way is over."""
        code = await child.wait()
        records.drain()
        records.close()
        child.close()
        os.close(self._cells)
        self._child = None
        if not self._ready:
            self._screen.err(self._noise)
        self._begun.set()
        how = f"{self._name} {how_it_ended(code)}"
        self._screen.err(f"{how}, and is started again with the next cell. Its variables are gone.\n")
        if code and self._failure is None:
            self._failure = Failure("Ended", f"{how}.")
        self._finish()

    def _send(self, data: bytes) -> None:
        """In a thread: a driver may take its time to read."""
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._cells, view) :]
        except OSError:
            return  # it has ended: the one who watches it says so

    def _heard(self, parser: Records, data: bytes) -> None:
        try:
            for record in parser.feed(data):
                self._take(record)
        except RecordError as error:
            self._failure = Failure("DriverError", f"{self._name} said what its kernel does not understand: {error}.")
            self.close()

    def _take(self, record: Record) -> None:
        if record.kind == "ready":
            self.drain()  # what it printed as it started
            self._ready = True
            self._begun.set()
            return
        self.drain()  # what was printed before comes before
        if record.kind in ("data", "value"):
            self._screen.show(record.data())
        elif record.kind == "error":
            self._failure = record.failure()
        elif record.kind == "answer":
            self._answer = record.text
        else:
            self._finish()

    def _finish(self) -> None:
        if self._over is not None and not self._over.done():
            self._over.set_result(None)

    def _out(self, text: str) -> None:
        self._say(self._screen.out, text)

    def _err(self, text: str) -> None:
        self._say(self._screen.err, text)

    def _say(self, say: Any, text: str) -> None:
        """What is printed before the driver is ready is of interest only where it never is."""
        if self._ready:
            say(text)
        else:
            self._noise = (self._noise + text)[-_START_NOISE:]
