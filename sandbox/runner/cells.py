"""Cells that are programs of their own: written to a file, built, run. Nothing is kept from one to the next."""

from __future__ import annotations

import re
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import Any

from sandbox.runner.child import Child, how_it_ended
from sandbox.runner.keyboard import Keyboard
from sandbox.runner.records import Failure
from sandbox.runner.screen import Screen


class Cells:
    """Builds and runs each cell as ``program`` says: ``main``, ``build`` and ``run`` of image.toml."""

    def __init__(self, program: dict[str, Any], screen: Screen, keyboard: Keyboard) -> None:
        self._main, self._build, self._run = program["main"], program["build"], program["run"]
        self._screen, self._keyboard = screen, keyboard
        self._child: Child | None = None
        self._interrupted = False

    async def open(self) -> None:
        """There is nothing to make ready."""

    async def run(self, code: str) -> Failure | None:
        """Run ``code``; how it failed, if it did."""
        self._interrupted = False
        folder = Path(tempfile.mkdtemp(prefix="cell-"))
        try:
            file = folder / self._main
            file.write_text(code if code.endswith("\n") else f"{code}\n", encoding="utf-8", errors="replace")
            return await self._build_it(file) or await self._run_it(file)
        except OSError as error:
            return Failure(type(error).__name__, str(error))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def ask(self, kind: str, text: str) -> str:
        """Nobody is there to be asked."""
        return ""

    def interrupted(self, times: int) -> None:
        """The program has had its SIGINT. One that does not care is killed at the second."""
        self._interrupted = True
        if self._child is not None and times > 1:
            self._child.kill()

    def drain(self) -> None:
        """Hear what the program has printed."""
        if self._child is not None:
            self._child.drain()

    def close(self) -> None:
        if self._child is not None:
            self._child.kill()

    async def _build_it(self, file: Path) -> Failure | None:
        if not self._build:
            return None
        said: list[str] = []
        code = await self._carry_out(self._build, file, said.append, said.append)
        text = _without(file.parent, "".join(said))
        if not code:
            self._screen.err(text)
            return None
        if self._interrupted:
            return _INTERRUPTED
        lines = text.splitlines() or [f"The compiler {how_it_ended(code)}."]
        return Failure("BuildError", next((line for line in lines if "error" in line), lines[0]), lines)

    async def _run_it(self, file: Path) -> Failure | None:
        code = await self._carry_out(
            self._run, file, self._screen.out, lambda text: self._screen.err(_without(file.parent, text))
        )
        if not code:
            return None
        if self._interrupted:
            return _INTERRUPTED
        return Failure("ProgramError", f"The program {how_it_ended(code)}.")

    async def _carry_out(self, command: str, file: Path, out: Any, err: Any) -> int:
        line = command.replace("{main}", shlex.quote(str(file)))
        with self._keyboard.reader() as stdin:
            self._child = child = await Child.start(["bash", "-c", line], stdin, out, err)
        try:
            return await child.wait()
        finally:
            child.close()
            self._child = None


_INTERRUPTED = Failure("Interrupted", "The program was interrupted.")


def _without(folder: Path, text: str) -> str:
    """``text`` without the name of the cell's folder, which some write as a way from where they are."""
    return re.sub(rf"[./]*{re.escape(str(folder))}/", "", text)
