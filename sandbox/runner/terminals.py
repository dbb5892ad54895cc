"""The terminals of a sandbox: the runner's methods ``terminal.*``."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from sandbox.runner.activity import Activity
from sandbox.runner.children import Children
from sandbox.runner.modes import Modes
from sandbox.runner.serving import follow, new_log, refusal
from sandbox.runner.terminal import Terminal
from sandbox.runner.wire import CallError, Peer

MOST = 32
SCROLLBACK = 4 * 1024 * 1024  # bytes of a terminal's output: more than a screen's 10,000 lines
_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")


class Terminals:
    """Answers ``terminal.*``. ``spill`` is the folder of their logs, ``folder`` finds one of the project."""

    def __init__(self, spill: int, children: Children, activity: Activity, folder: Callable[[str], Path]) -> None:
        self._spill, self._children, self._activity, self._folder = spill, children, activity, folder
        self._all: dict[str, Terminal] = {}
        self._watchers: set[asyncio.Event] = set()
        self.methods = {
            "terminal.start": self.start,
            "terminal.list": self.describe,
            "terminal.watch": self.watch,
            "terminal.resize": self.resize,
            "terminal.stop": self.stop,
            "terminal.attach": self.attach,
        }

    async def start(
        self, peer: Peer, call: int, name: str = "", cwd: str = "", rows: int = 24, cols: int = 80, command: str = ""
    ) -> dict[str, Any]:
        """Start a shell, or ``command``: a shell command, whose terminal stays to be read when it has ended."""
        name = name or next(str(n) for n in range(1, MOST + 2) if str(n) not in self._all)
        if not _NAME.fullmatch(name):
            raise CallError("bad_request", "A terminal's name has letters, digits, - and _, at most 32.")
        if name in self._all:
            raise CallError("exists", "There is a terminal with this name already.")
        if len(self._all) >= MOST and not any(map(self._drop_ended, list(self._all))):
            raise CallError("failed", f"This session has {MOST} terminals already. Close one first.")
        log = new_log(self._spill, SCROLLBACK, Modes())
        terminal = Terminal(name, log, self._children, self._activity)
        try:
            terminal.start(self._folder(cwd), int(rows), int(cols), command)
        except OSError as error:
            log.close()
            raise refusal(error, "The terminal did not start.") from error
        self._all[name] = terminal
        if not command:
            terminal.on_end = lambda: self._forget(name)
        self._activity.input()
        self._changed()
        return terminal.describe()

    async def describe(self, peer: Peer, call: int) -> list[dict[str, Any]]:
        return [terminal.describe() for terminal in self._shells()]

    async def watch(self, peer: Peer, call: int) -> dict[str, Any]:
        """Opens a stream: the list of ``{"name", "people"}`` now, and again whenever it has changed."""

        async def pump() -> None:
            changed = asyncio.Event()
            self._watchers.add(changed)
            known, numbers = None, count()
            try:
                while True:
                    changed.clear()
                    found = [{"name": one.name, "people": one.company.present} for one in self._shells()]
                    if found != known:
                        known = found
                        await peer.send({"stream": call, "seq": next(numbers)}, json.dumps(found).encode())
                    await changed.wait()
            except ConnectionError:
                return
            finally:
                self._watchers.discard(changed)

        peer.spawn(call, pump())
        return {}

    async def resize(self, peer: Peer, call: int, name: str, rows: int, cols: int) -> dict[str, Any]:
        """What the window of this peer has room for, which is what all get if it decides."""
        self._find(name).wish(peer, int(rows), int(cols))
        self._changed()
        return {}

    async def stop(self, peer: Peer, call: int, name: str) -> dict[str, Any]:
        self._find(name).stop()
        self._drop_ended(name)
        return {}

    async def attach(
        self,
        peer: Peer,
        call: int,
        name: str,
        since: int | None = None,
        tail: bool = False,
        who: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        terminal = self._find(name)
        log = terminal.log
        start = log.tail if tail else log.next if since is None else int(since)
        cursor = log.cursor(start, afresh=tail)

        async def pump() -> None:
            terminal.company.join(peer, who)
            try:
                await follow(peer, call, cursor, log, restored=terminal.restored, sized=terminal.sizes.at)
            finally:
                log.release(cursor)
                terminal.leave(peer)
                self._changed()

        async def write(payload: bytes) -> None:
            terminal.typed(peer)
            await terminal.write(payload)

        peer.on_write(call, write)
        peer.on_acknowledge(call, cursor.acknowledge)
        peer.spawn(call, pump())
        rows, columns = terminal.sizes.now
        return {"first": cursor.seq, "next": log.next, "rows": rows, "cols": columns}

    # Inside

    def _shells(self) -> list[Terminal]:
        return [terminal for terminal in self._all.values() if not terminal.command]

    def _changed(self) -> None:
        for changed in self._watchers:
            changed.set()

    def _find(self, name: str) -> Terminal:
        if not (terminal := self._all.get(name)):
            raise CallError("not_found", "There is no such terminal.")
        return terminal

    def _drop_ended(self, name: str) -> bool:
        """Forget the terminal of a command that has ended; False where there is none."""
        terminal = self._all.get(name)
        if terminal is None or terminal.log.ended is None:
            return False
        self._forget(name)
        return True

    def _forget(self, name: str) -> None:
        if terminal := self._all.pop(name, None):
            terminal.log.close()
        self._changed()
