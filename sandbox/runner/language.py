"""A Jupyter kernel for any language, driven by what image.toml says of it. See docs/developers/adding-an-image.md.

It runs cells in one of two modes: :mod:`sandbox.runner.repl` keeps what a cell leaves, in :mod:`sandbox.runner.cells`
each is a program of its own. Its programs are in its process group, so that an interrupt reaches them
without it; the kernel itself takes no notice but to count.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
from pathlib import Path
from typing import Any

from sandbox.runner import waiting
from sandbox.runner.cells import Cells
from sandbox.runner.kernel_io import KernelOnInlets
from sandbox.runner.keyboard import Keyboard
from sandbox.runner.records import Failure
from sandbox.runner.repl import Repl
from sandbox.runner.screen import Screen

_SOON, _LATER = 0.03, 0.25  # seconds between two looks at whether a program waits for input
_END_OF_INPUT = "\x04"  # Ctrl-D, as Jupyter's own kernels take it
_RUN_FILE = re.compile(r"\s*%run\s+(\S[^\n]*?)\s*")
_MODES: dict[str, type[Cells] | type[Repl]] = {"cells": Cells, "repl": Repl}


class LanguageKernel(KernelOnInlets):
    """The kernel of one of an image's ``[[kernels]]`` whose mode is not ``ipython``."""

    implementation = "madang"
    implementation_version = "1"

    def __init__(self, program: dict[str, Any], **given: Any) -> None:
        super().__init__(**given)
        self.banner = program["display_name"]
        self.language_info = {
            "name": program["language"],
            "version": "",
            "mimetype": program["mimetype"],
            "file_extension": program["extension"],
            "codemirror_mode": program["editor"] or program["language"],
        }
        screen = Screen(lambda text: self._print("stdout", text), lambda text: self._print("stderr", text), self._show)
        self._keyboard = Keyboard()
        self._engine: Cells | Repl = _MODES[program["mode"]](program, screen, self._keyboard)
        self._typed: asyncio.Queue[str] = asyncio.Queue()
        self._interrupts = 0
        self._asks = self._cut = False  # a line is awaited; an interrupt ended that
        self._cell: dict[str, Any] = {}

    def begin(self) -> None:
        """It is known whose kernel this is: make ready for the first cell."""
        signal.signal(signal.SIGINT, self._interrupted)
        self.stdin_socket.on_recv(self._answered)
        self.io_loop.add_callback(self._open)

    @property
    def kernel_info(self) -> dict[str, Any]:
        return {**super().kernel_info, "supported_features": []}

    async def do_execute(
        self,
        code: str,
        silent: bool,
        store_history: bool = True,
        user_expressions: Any = None,
        allow_stdin: bool = False,
        **_: Any,
    ) -> dict[str, Any]:
        self._interrupts, self._cut, self._cell = 0, False, self.get_parent("shell")
        asking = asyncio.create_task(self._ask()) if allow_stdin and waiting.can_know() else None
        try:
            failure = await self._run(code) if code.strip() else None
        finally:
            if asking is not None:
                asking.cancel()
        if failure is None and self._cut:  # its input ended before its program had heard of the interrupt
            failure = Failure("Interrupted", "The cell was interrupted.")
        if failure is None:
            return {"status": "ok", "execution_count": self.execution_count, "payload": [], "user_expressions": {}}
        if not silent:
            self._tell("error", failure.content())
        return {"status": "error", "execution_count": self.execution_count, **failure.content()}

    async def do_complete(self, code: str, cursor_pos: int) -> dict[str, Any]:
        replaced, *matches = (await self._engine.ask("complete", code[:cursor_pos])).splitlines() or [""]
        start = cursor_pos - len(replaced)
        found = {"matches": matches, "cursor_start": start, "cursor_end": cursor_pos}
        return {"status": "ok", "metadata": {}, **found}

    async def do_inspect(self, code: str, cursor_pos: int, *_: Any) -> dict[str, Any]:
        rest = re.match(r"\w*", code[cursor_pos:])
        text = await self._engine.ask("inspect", code[: cursor_pos + (rest.end() if rest else 0)])
        return {"status": "ok", "found": bool(text), "data": {"text/plain": text} if text else {}, "metadata": {}}

    async def do_is_complete(self, code: str) -> dict[str, Any]:
        status = await self._engine.ask("whole", code)
        return {"status": status or "unknown"} | ({"indent": ""} if status == "incomplete" else {})

    async def do_shutdown(self, restart: bool) -> dict[str, Any]:
        self._engine.close()
        return {"status": "ok", "restart": restart}

    def pre_handler_hook(self) -> None:
        """An interrupt is for the program: here it must not raise KeyboardInterrupt."""

    def post_handler_hook(self) -> None:
        """See :meth:`pre_handler_hook`."""

    async def _run(self, code: str) -> Failure | None:
        """Run a cell, or with ``%run "file"`` a file as if it were one: what *Run* on a file says in every language."""
        if named := _RUN_FILE.fullmatch(code):
            try:
                code = _text_of(named[1])
            except (OSError, ValueError) as error:
                return Failure(type(error).__name__, str(error))
        return await self._engine.run(code)

    async def _open(self) -> None:
        try:
            await self._engine.open()
        except OSError:
            return  # the first cell tries again, and tells

    async def _ask(self) -> None:
        """While a cell runs: ask for a line whenever a program waits for one, until the end of input is typed."""
        self._keyboard.begin()
        try:
            pause = _SOON
            while True:
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, _LATER)
                if self._keyboard.waited_for():
                    self._engine.drain()  # what asks for it was printed before, and is to be read before
                    if (line := await self._input()) == _END_OF_INPUT:
                        return self._keyboard.close()
                    await self._keyboard.write(f"{line}\n")
                    pause = _SOON
        finally:
            self._keyboard.end()

    async def _input(self) -> str:
        while not self._typed.empty():  # the answer to a cell that did not wait for it
            self._typed.get_nowait()
        self.session.send(self.stdin_socket, "input_request", {"prompt": "", "password": False}, self._cell)
        self._asks = True
        try:
            return await self._typed.get()
        finally:
            self._asks = False

    async def _answered(self, frames: list[Any]) -> None:
        _, parts = self.session.feed_identities(frames, copy=False)
        content = self.session.deserialize(parts, content=True, copy=False)["content"]
        self._typed.put_nowait(str(content.get("value", "")))

    def _interrupted(self, *_: Any) -> None:
        self._interrupts += 1
        self._cut |= self._asks
        self._keyboard.close()  # who waits for input goes on, and meets its interrupt
        self.io_loop.add_callback(self._engine.interrupted, self._interrupts)

    def _print(self, name: str, text: str) -> None:
        if text:
            self._tell("stream", {"name": name, "text": text})

    def _show(self, data: dict[str, Any]) -> None:
        self._tell("execute_result", {"data": data, "metadata": {}, "execution_count": self.execution_count})

    def _tell(self, kind: str, content: dict[str, Any]) -> None:
        """Say it to the last cell, whose output it is, in whichever task it was heard."""
        self.session.send(self.iopub_socket, kind, content, self._cell)


def _text_of(name: str) -> str:
    """The text of the file that is called ``name``, bare or as a string of JSON."""
    path = json.loads(name) if name.startswith('"') else name
    return Path(path).read_text(encoding="utf-8", errors="replace")
