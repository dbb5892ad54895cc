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

Whoever opened the stream holds the run: when they leave, it ends. One that was begun to be kept (``keep``) does so
only until all files are there; from then on its limits bound it. ``run.attach`` opens further streams, which may write
input. Between two runs :meth:`Runs.clean` removes what the first has left.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import stat
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from sandbox.runner.activity import Activity
from sandbox.runner.children import Children
from sandbox.runner.footprint import Footprint
from sandbox.runner.pipes import Input
from sandbox.runner.step import Limits, Step
from sandbox.runner.warm import Warm
from sandbox.runner.wire import CallError, Peer

MOST_FILES, MOST_FILE, MOST_BYTES = 32, 256 * 1024, 1024 * 1024
"""Of what a program leaves behind: how many files are sent back, and the most bytes of each and of all."""
MOST_PATH = 4096
TOLD_SECONDS = 2.0
"""How long whoever holds a run waits at its end for others who watch it."""
_LOOKED_AT = 2000
_TOGETHER = 16
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
    """The runner's methods for runs. One is under way at a time, or was the last: it is the one to attach to.

    ``scratch`` are the folders that programs can write to; ``begun`` is called when a run begins.
    """

    def __init__(
        self, children: Children, activity: Activity, warm: Warm, scratch: Iterable[str], begun: Callable[[], None]
    ) -> None:
        self._children, self._activity, self._warm = children, activity, warm
        self._scratch, self._begun = tuple(scratch), begun
        self._footprint: Footprint | None = None
        self._latest: Run | None = None
        self._change = asyncio.Event()
        self._cleaned = 0
        self.methods = {"run.start": self.start, "run.attach": self.attach}

    async def start(
        self,
        peer: Peer,
        call: int,
        build: str,
        command: str,
        time_s: float,
        cpu_s: float,
        output: int,
        id: str = "",
        program: Sequence[str] = (),
        keep: bool = False,
    ) -> dict[str, Any]:
        """Opens the stream of a run in a fresh folder; ``build`` "" for none, limits as in :class:`Limits`.

        ``program`` are the words of ``command`` where an interpreter that waits may be forked for it.
        """
        limits = Limits(float(time_s), float(cpu_s), int(output))
        self._begun()
        self._footprint = self._footprint or Footprint(self._scratch)
        try:
            run = Run(
                str(id), _fresh_folder(), str(build), str(command), tuple(program), limits, self._children, self._warm
            )
        except OSError as error:
            raise CallError("failed", f"There is no room for a run: {error.strerror}.") from error
        work = asyncio.ensure_future(run.go() if keep else self._seen(run))

        async def hold() -> None:
            try:
                await run.tell(peer, call, last=True)
            finally:
                if not (keep and run.ready):
                    work.cancel()

        peer.on_write(call, run.write)
        peer.spawn(call, hold())
        self._latest = run
        self._tell_of_change()
        return {"folder": str(run.folder)}

    async def _seen(self, run: Run) -> None:
        """Carry it out, and have the outside know that something computes. Who keeps runs knows of them anyway."""
        self._activity.busy(run, True)
        try:
            await run.go()
        finally:
            self._activity.busy(run, False)

    async def attach(self, peer: Peer, call: int, id: str = "") -> dict[str, Any]:
        """Opens another stream of the run ``id``, all records from its beginning; waits for one that is to come."""
        cleaned = self._cleaned
        while (run := self._latest) is None or (id and run.id != id):
            if self._cleaned != cleaned:
                raise CallError("not_found", "That run is over.")
            await self._change.wait()

        async def write(record: bytes) -> None:
            if record[:1] in (b"i", b"e"):
                await run.write(record)

        peer.on_write(call, write)
        peer.spawn(call, run.tell(peer, call))
        return {}

    def clean(self) -> bool:
        """Remove what the last run has left; whether all is as it was before the first."""
        self._latest = None
        self._cleaned += 1
        self._tell_of_change()
        return self._footprint is None or self._footprint.restore()

    def _tell_of_change(self) -> None:
        self._change.set()
        self._change = asyncio.Event()


class Run:
    """One run. ``failed`` is why it could not be done. All its records are kept: their limits bound them."""

    def __init__(
        self,
        id: str,
        folder: Path,
        build: str,
        command: str,
        program: Sequence[str],
        limits: Limits,
        children: Children,
        warm: Warm,
    ) -> None:
        self.id, self.folder, self.input = id, folder, Input()
        self.failed = ""
        self._program, self._warm = program, warm
        self._records: list[bytes] = []
        self._over, self._more = False, asyncio.Event()
        self._told, self._left = 0, asyncio.Event()
        self._build, self._command, self._limits, self._children = build, command, limits, children
        self._ready = asyncio.Event()

    async def tell(self, peer: Peer, call: int, last: bool = False) -> None:
        """Send all its records and its end as stream ``call``. ``last``: the end once all others were sent all.

        Whoever holds the run ends its sandbox then. Others who take nothing are not waited for.
        """
        peer.keep_nothing_back()
        self._told += 1
        try:
            await self._send_records(peer, call)
            if last:
                await self._others_told()
            await peer.send({"stream": call, "end": self.failed})
        except ConnectionError:
            return
        finally:
            self._told -= 1
            self._left.set()

    async def _send_records(self, peer: Peer, call: int) -> None:
        sequence = 0
        while records := await self._records_from(sequence):
            await peer.send_all(({"stream": call, "seq": sequence + i}, record) for i, record in enumerate(records))
            sequence += len(records)

    async def _others_told(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TOLD_SECONDS):
                while self._told > 1:
                    self._left.clear()
                    await self._left.wait()

    async def _records_from(self, number: int) -> list[bytes]:
        """Record ``number`` and those behind it, once it is there; nothing after the last."""
        while number >= len(self._records) and not self._over:
            await self._more.wait()
        return self._records[number : number + _TOGETHER]

    @property
    def ready(self) -> bool:
        """Whether all files are there."""
        return self._ready.is_set()

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
            self.input.detach()
            self._put()

    async def _step(self, name: str, command: str, given: Input) -> bool:
        """Whether it ended well."""
        if name == "build":
            given.end()
        self._put(b"b" + name.encode())
        step = Step(command, self.folder, self._limits, self._children, self._say, given)
        if not self._build:  # which may have changed what an interpreter finds when it starts
            step.launch = partial(self._warm.launch, self._program, self.folder, self._limits.cpu_s)
            step.give_up = self._warm.drop
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
