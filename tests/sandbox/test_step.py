"""A step's command is seen to its end, however the shell that starts it is slowed down."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sandbox.runner import step
from sandbox.runner.children import Children
from sandbox.runner.step import Limits, Step


async def test_a_command_that_is_quicker_than_its_starter_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slowed = step._STARTER.replace("& echo", "& sleep 0.3; echo")
    assert slowed != step._STARTER
    monkeypatch.setattr(step, "_STARTER", slowed)
    children = Children()
    children.open()
    said: list[bytes] = []
    limits = Limits(time_s=20, cpu_s=20, output=1000)
    async with asyncio.timeout(60):
        told = await Step("echo quick; exit 3", tmp_path, limits, children, lambda _, data: said.append(data)).run()
    assert (told["exit_code"], told["cause"], b"".join(said)) == (3, "", b"quick\n")
