"""``manage.py run IMAGE FILE…``: run a program in a sandbox, as ``POST /api/v1/runs`` does, and be its exit status."""

from __future__ import annotations

import asyncio
import signal
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from sessions.models import Run
from sessions.problems import Problem
from sessions.runs import execute
from sessions.runs.order import make_order

FAILED = 125  # as env(1) and its like say that it was them and not the program


class Command(BaseCommand):
    help = "Run a program in a sandbox; its files are placed under the paths given here. Needs the session service."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("image")
        parser.add_argument("files", nargs="*", metavar="FILE", help="relative to this folder, or its name alone")
        parser.add_argument("--user", help="the address of the account that runs it (by default the only one)")
        parser.add_argument("--language", help="by default that of the first file's ending")
        parser.add_argument("--build", help="by default “make” with a Makefile, else the language's")
        parser.add_argument("--command", help="by default the Makefile's target “run”, else the language's")
        parser.add_argument("--stdin", metavar="FILE", help="what the program reads, - for what comes in here")
        parser.add_argument("--time", type=float, help="seconds by the clock, for each step")
        parser.add_argument("--memory", type=int, help="MiB")

    def handle(self, *args: Any, **options: Any) -> None:
        user = _user(options["user"])
        limits = {"time_s": options["time"], "memory_mib": options["memory"]}
        try:
            order = make_order(
                options["image"],
                dict(_file(name) for name in options["files"]),
                options["language"],
                options["build"],
                options["command"],
                _stdin(options["stdin"]),
                {name: value for name, value in limits.items() if value is not None},
            )
            run = asyncio.run(execute.run(user, order, None, self._said))
        except Problem as problem:
            raise CommandError(f"{problem.detail} {problem.hint}".strip(), returncode=FAILED) from problem
        sys.exit(self._tell(run))

    def _said(self, descriptor: int, data: bytes) -> None:
        out = (sys.stdout if descriptor == 1 else sys.stderr).buffer  # bytes, as they are
        out.write(data)
        out.flush()

    def _tell(self, run: Run) -> int:
        """What a person should know besides the output; returns the exit status."""
        answer = execute.answer_of(run)
        if answer["verdict"] not in ("ok", "runtime_error", "compile_error"):
            self.stderr.write(f"Ended: {answer['verdict']}. {answer.get('detail', '')}".strip())
        if answer["verdict"] in ("internal_error", "cancelled") or not answer["steps"]:
            return FAILED
        last = answer["steps"][-1]
        if last["signal"]:
            return 128 + signal.Signals[last["signal"]].value
        return int(last["exit_code"])


def _user(address: str | None) -> Any:
    accounts = get_user_model()._default_manager.filter(is_active=True)
    found = list(accounts.filter(email=address.strip().lower()) if address else accounts[:2])
    if len(found) == 1:
        return found[0]
    if address:
        raise CommandError(f"Nobody here has the address {address}.")
    raise CommandError("Say whose run this is: --user EMAIL.")


def _file(name: str) -> tuple[str, bytes]:
    path = Path(name)
    try:
        inside = path.name if path.is_absolute() or ".." in path.parts else str(path)
        return inside, path.read_bytes()
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}.") from error


def _stdin(name: str | None) -> bytes:
    if name is None:
        return b""
    return sys.stdin.buffer.read() if name == "-" else _file(name)[1]
