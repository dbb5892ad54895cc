"""A step's command is seen to its end, however the shell that starts it is slowed down."""

from __future__ import annotations

import asyncio
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.runner import step
from sandbox.runner.children import Children
from sandbox.runner.step import Limits, Step, words_of


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


def run_in(folder: Path, command: str) -> dict[str, Any]:
    async def go() -> dict[str, Any]:
        children = Children()
        children.open()
        said: list[bytes] = []
        step = Step(
            command, folder, Limits(time_s=20, cpu_s=7, output=10_000), children, lambda _, data: said.append(data)
        )
        async with asyncio.timeout(60):
            return await step.run() | {"said": b"".join(said).decode()}

    return asyncio.run(go())


SHOWN = """#!/bin/bash
echo "$PWD|${OLDPWD-none}|$(ulimit -St) $(ulimit -Ht)|$(cat /proc/self/oom_score_adj)|$*"
echo $(ls -l /proc/self/fd | wc -l)
[ $$ = "$(ps -o pgid= $$ | tr -d ' ')" ] && echo leads its group
exit 5
"""


@pytest.mark.parametrize("command", ["./shown a=1 b", "./shown 'a=1' b"])
def test_a_command_finds_the_same_with_and_without_a_shell(tmp_path: Path, command: str) -> None:
    shown = tmp_path / "shown"
    shown.write_text(SHOWN)
    shown.chmod(0o755)
    told = run_in(tmp_path, command)
    assert told["said"].splitlines() == [f"{tmp_path}|none|7 8|500|a=1 b", "5", "leads its group"]
    assert (told["exit_code"], told["cause"]) == (5, "")
    assert told["peak_kib"] < 20_000  # its own, not ours


def test_what_a_shell_has_to_read_it_reads(tmp_path: Path) -> None:
    assert run_in(tmp_path, "exit 4")["exit_code"] == 4
    assert run_in(tmp_path, "x=6; echo $((x * 7)) | cat")["said"] == "42\n"
    absent = run_in(tmp_path, "./a.out")
    assert (absent["exit_code"], absent["said"]) == (127, "/bin/bash: line 1: ./a.out: No such file or directory\n")


@given(st.text(alphabet="ab/. '\"$\\\\*?~<>|&;(){}[]!#=%\t\n-", min_size=1))
def test_only_plain_words_are_executed_as_they_are(command: str) -> None:
    words = words_of(command, Path("/bin"))
    assert words == ["/bin/bash", "--norc", "-c", command] or words == shlex.split(command)


def test_plain_words_need_no_shell(tmp_path: Path) -> None:
    assert words_of("ls -l --color=never x", tmp_path) == ["ls", "-l", "--color=never", "x"]
    for command in ("echo hi", "ls *", "A=1 ls", "no-such-program", "time ls", "ls  -l", "./ls"):
        assert words_of(command, tmp_path)[0] == "/bin/bash", command
