"""A Jupyter kernel for any language, driven by what image.toml says of it. See docs/developers/adding-an-image.md.

It runs cells in one of two modes: :mod:`sandbox.runner.repl` keeps what a cell leaves, in :mod:`sandbox.runner.cells`
each is a program of its own. Its programs are in its process group, so that an interrupt reaches them
without it; the kernel itself takes no notice but to count.
"""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

from sandbox.runner.cells import Cells
from sandbox.runner.kernel_io import KernelOnInlets
from sandbox.runner.records import Failure
from sandbox.runner.repl import Repl
from sandbox.runner.screen import Screen

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
        self._engine: Cells | Repl = _MODES[program["mode"]](program, screen)
        self._interrupts = 0
        self._cell: dict[str, Any] = {}

    def begin(self) -> None:
        """It is known whose kernel this is: make ready for the first cell."""
        signal.signal(signal.SIGINT, self._interrupted)
        self.io_loop.add_callback(self._open)

    @property
    def kernel_info(self) -> dict[str, Any]:
        return {**super().kernel_info, "supported_features": []}

    async def do_execute(
        self, code: str, silent: bool, store_history: bool = True, user_expressions: Any = None, **_: Any
    ) -> dict[str, Any]:
        self._interrupts, self._cell = 0, self.get_parent("shell")
        failure = await self._run(code) if code.strip() else None
        if failure is None:
            return {"status": "ok", "execution_count": self.execution_count, "payload": [], "user_expressions": {}}
        if not silent:
            self._tell("error", failure.content())
        return {"status": "error", "execution_count": self.execution_count, **failure.content()}

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

    def _interrupted(self, *_: Any) -> None:
        self._interrupts += 1
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
