"""Cells that are programs of their own: written to a file, built, run. Nothing is kept from one to the next."""

from __future__ import annotations

import shlex
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Any

from sandbox.runner.child import Child, how_it_ended
from sandbox.runner.records import Failure
from sandbox.runner.screen import Screen


class Cells:
    """Builds and runs each cell as ``program`` says: ``main``, ``build`` and ``run`` of image.toml."""

    def __init__(self, program: dict[str, Any], screen: Screen) -> None:
        self._main, self._build, self._run = program["main"], program["build"], program["run"]
        self._screen = screen
        self._child: Child | None = None

    async def open(self) -> None:
        """There is nothing to make ready."""

    async def run(self, code: str) -> Failure | None:
        """Run ``code``; how it failed, if it did."""
        folder = Path(tempfile.mkdtemp(prefix="cell-"))
        try:
            file = folder / self._main
            file.write_text(code if code.endswith("\n") else f"{code}\n", encoding="utf-8", errors="replace")
            return await self._build_it(file) or await self._run_it(file)
        except OSError as error:
            return Failure(type(error).__name__, str(error))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def interrupted(self, times: int) -> None:
        """The program has had its SIGINT. One that does not care is killed at the second."""
        if self._child is not None and times > 1:
            self._child.kill()

    def close(self) -> None:
        if self._child is not None:
            self._child.kill()

    async def _build_it(self, file: Path) -> Failure | None:
        if not self._build:
            return None
        said: list[str] = []
        code = await self._carry_out(self._build, file, said.append, said.append)
        text = "".join(said).replace(f"{file.parent}/", "")
        if not code:
            self._screen.err(text)
            return None
        if code in _BY_INTERRUPT:
            return _INTERRUPTED
        lines = text.splitlines() or [f"The compiler {how_it_ended(code)}."]
        return Failure("BuildError", next((line for line in lines if "error" in line), lines[0]), lines)

    async def _run_it(self, file: Path) -> Failure | None:
        def err(text: str) -> None:
            self._screen.err(text.replace(f"{file.parent}/", ""))

        code = await self._carry_out(self._run, file, self._screen.out, err)
        if not code:
            return None
        if code in _BY_INTERRUPT:
            return _INTERRUPTED
        return Failure("ProgramError", f"The program {how_it_ended(code)}.")

    async def _carry_out(self, command: str, file: Path, out: Any, err: Any) -> int:
        line = command.replace("{main}", shlex.quote(str(file)))
        self._child = child = await Child.start(["bash", "-c", line], out, err)
        try:
            return await child.wait()
        finally:
            child.close()
            self._child = None


_BY_INTERRUPT = (-signal.SIGINT, 128 + signal.SIGINT)
_INTERRUPTED = Failure("Interrupted", "The program was interrupted.")
