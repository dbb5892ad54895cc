"""Runs: files in, a build and a program, what they print and leave behind out.

``run.start`` opens a stream. A record begins with one byte that says what follows:

=====  ==========  ====================================================
``f``  to us       a file: u16 length of its path, path, bytes
``g``  to us       begin: all files are there
``i``  to us       bytes for the program's standard input
``e``  to us       its end
``1``  from us     bytes that a step wrote to standard output
``2``  from us     the same for standard error
``b``  from us     the name of the step that begins, ``build`` or ``run``
``s``  from us     how it ended, JSON (:meth:`sandbox.runner.step.Step.run`)
``f``  from us     a file that the program made or changed
=====  ==========  ====================================================

Whoever opened the stream holds the run: when they leave, it ends. ``run.attach`` opens further ones, which
may write input.
"""

from __future__ import annotations

import asyncio
import json
import os
import stat
import struct
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from sandbox.runner.activity import Activity
from sandbox.runner.children import Children
from sandbox.runner.step import Input, Limits, Step
from sandbox.runner.wire import CallError, Peer

MOST_FILES, MOST_FILE, MOST_BYTES = 32, 256 * 1024, 1024 * 1024
"""Of what a program leaves behind: how many files are sent back, and the most bytes of each and of all."""
MOST_PATH = 4096
_LOOKED_AT = 2000
_PATH = struct.Struct(">H")


def pack_file(path: str, data: bytes) -> bytes:
    name = path.encode()
    return b"f" + _PATH.pack(len(name)) + name + data


def unpack_file(record: bytes) -> tuple[str, bytes]:
    """Path and bytes of a record ``f``.

    Raises:
        ValueError: it is none.
    """
    if len(record) < 3 or (end := 3 + _PATH.unpack_from(record, 1)[0]) > len(record):
        raise ValueError("no file")
    return record[3:end].decode(), record[end:]


class Runs:
    """The runner's methods for runs. One is under way at a time, or was the last: it is the one to attach to."""

    def __init__(self, children: Children, activity: Activity) -> None:
        self._children, self._activity = children, activity
        self._begun: asyncio.Event | None = None
        self._latest: Run | None = None
        self.methods = {"run.start": self.start, "run.attach": self.attach}

    async def start(
        self, peer: Peer, call: int, build: str, command: str, time_s: float, cpu_s: float, output: int
    ) -> dict[str, Any]:
        """Opens the stream of a run in a fresh folder; ``build`` "" for none, limits as in :class:`Limits`."""
        limits = Limits(float(time_s), float(cpu_s), int(output))
        try:
            run = Run(_fresh_folder(), str(build), str(command), limits, self._children)
        except OSError as error:
            raise CallError("failed", f"There is no room for a run: {error.strerror}.") from error

        async def hold() -> None:
            work = asyncio.ensure_future(run.go())
            self._activity.busy(run, True)
            try:
                await _tell(peer, call, run)
            finally:
                work.cancel()
                run.input.detach()
                self._activity.busy(run, False)

        peer.on_write(call, run.write)
        peer.spawn(call, hold())
        self._latest = run
        self._first().set()
        return {"folder": str(run.folder)}

    async def attach(self, peer: Peer, call: int) -> dict[str, Any]:
        """Opens another stream of the run, all records from its beginning; waits for one that is to come."""
        await self._first().wait()
        run = self._latest
        assert run is not None

        async def write(record: bytes) -> None:
            if record[:1] in (b"i", b"e"):
                await run.write(record)

        peer.on_write(call, write)
        peer.spawn(call, _tell(peer, call, run))
        return {}

    def _first(self) -> asyncio.Event:
        self._begun = self._begun or asyncio.Event()
        return self._begun


async def _tell(peer: Peer, call: int, run: Run) -> None:
    try:
        sequence = 0
        while (record := await run.record(sequence)) is not None:
            await peer.send({"stream": call, "seq": sequence}, record)
            sequence += 1
        await peer.send({"stream": call, "end": run.failed})
    except ConnectionError:
        return


class Run:
    """One run. ``failed`` is why it could not be done. All its records are kept: their limits bound them."""

    def __init__(self, folder: Path, build: str, command: str, limits: Limits, children: Children) -> None:
        self.folder, self.input = folder, Input()
        self.failed = ""
        self._records: list[bytes] = []
        self._over, self._more = False, asyncio.Event()
        self._build, self._command, self._limits, self._children = build, command, limits, children
        self._ready = asyncio.Event()

    async def record(self, number: int) -> bytes | None:
        """Record ``number``, once it is there; None after the last."""
        while number >= len(self._records):
            if self._over:
                return None
            await self._more.wait()
        return self._records[number]

    def _put(self, record: bytes = b"") -> None:
        """Add a record; without one there will be no more."""
        if record:
            self._records.append(record)
        self._over = not record
        self._more.set()
        self._more = asyncio.Event()

    async def write(self, record: bytes) -> None:
        match record[:1]:
            case b"f":
                self._place(record)
            case b"g":
                self._ready.set()
            case b"i":
                await self.input.write(record[1:])
            case b"e":
                self.input.end()

    async def go(self) -> None:
        """Build and run once all files are there."""
        await self._ready.wait()
        try:
            if not self.failed and (not self._build or await self._step("build", self._build, Input())):
                before = dict(_files(self.folder))
                await self._step("run", self._command, self.input)
                self._send_files(before)
        except OSError as error:
            self.failed = f"It could not be started: {error.strerror}."
        finally:
            self._put()

    async def _step(self, name: str, command: str, given: Input) -> bool:
        """Whether it ended well."""
        if name == "build":
            given.end()
        self._put(b"b" + name.encode())
        step = Step(command, self.folder, self._limits, self._children, self._say, given)
        result = await step.run()
        self._put(b"s" + json.dumps(result).encode())
        return result["exit_code"] == 0 and not result["cause"]

    def _say(self, descriptor: int, data: bytes) -> None:
        self._put(b"%d" % descriptor + data)

    def _place(self, record: bytes) -> None:
        try:
            path, data = unpack_file(record)
            file = self.folder / checked(path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        except (OSError, ValueError) as error:
            self.failed = self.failed or f"The files could not be placed: {error}."

    def _send_files(self, before: dict[str, tuple[int, int]]) -> None:
        """Those that are new or not as they were ``before``, the small ones."""
        count = room = 0
        for path, status in _files(self.folder):
            if before.get(path) == status or status[1] > MOST_FILE or room + status[1] > MOST_BYTES:
                continue
            data = _content(self.folder / path)
            if data is not None:
                self._put(pack_file(path, data))
                count, room = count + 1, room + len(data)
            if count >= MOST_FILES:
                return


def checked(path: str) -> str:
    """``path`` if it leads into the folder where it begins, and is written in the one plain way.

    Raises:
        ValueError: it does not.
    """
    plain = PurePosixPath(path)
    if not path or "\0" in path or plain.is_absolute() or ".." in plain.parts or str(plain) != path or path == ".":
        raise ValueError(f"not a path for a run: {path[:100]!r}")
    return path


def _fresh_folder() -> Path:
    """Always the same name for the first of a sandbox: it is in what programs print of themselves."""
    for number in range(1000):
        folder = Path.home() / (f"run-{number}" if number else "run")
        try:
            folder.mkdir()
            return folder
        except FileExistsError:
            continue
    raise CallError("failed", "This session has made too many runs.")


def _files(folder: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    """Path, time of change and size of the plain files below ``folder``, the first thousands of them."""
    seen = 0
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            seen += 1
            if seen > _LOOKED_AT:
                return
            file = os.path.join(parent, name)
            try:
                status = os.lstat(file)
                path = os.path.relpath(file, folder)
                path.encode()
            except (OSError, UnicodeError):
                continue  # gone, or not a name that JSON can hold
            if stat.S_ISREG(status.st_mode):
                yield path, (status.st_mtime_ns, status.st_size)


def _content(file: Path) -> bytes | None:
    try:
        fd = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(fd, "rb") as opened:
        return opened.read(MOST_FILE)
