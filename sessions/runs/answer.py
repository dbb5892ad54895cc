"""The answer of a run, from what its runner tells. The runner is inside: what it says is checked, not trusted."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any, Literal

from ninja import Schema
from pydantic import Field

from sandbox.runner.run import MOST_BYTES, MOST_FILES, MOST_PATH, checked, unpack_file

Verdict = Literal[
    "ok",
    "compile_error",
    "runtime_error",
    "time_limit",
    "memory_limit",
    "output_limit",
    "denied",
    "internal_error",
    "cancelled",
]
Cause = Literal["", "time_limit", "memory_limit", "output_limit"]
Said = Callable[[int, bytes], None]

# Refused again and again to programs that only try whether they may, or told by a verdict of its own.
_HARMLESS = frozenset({"kernel", "processes"})


class Account(Schema):
    """How one step ended, as the runner tells."""

    exit_code: int | None = Field(ge=0, le=255)
    signal: str | None = Field(max_length=20)
    cpu_ms: int = Field(ge=0, le=1 << 50)
    wall_ms: int = Field(ge=0, le=1 << 50)
    peak_kib: int = Field(ge=0, le=1 << 50)
    truncated: bool
    cause: Cause


class Tally:
    """Takes the records of a run's stream. ``said`` hears of output as it comes."""

    def __init__(self, output: int, said: Said | None = None) -> None:
        self.steps: list[dict[str, Any]] = []
        self.causes: list[Cause] = []
        self.files: list[dict[str, str]] = []
        self._output, self._said = output, said
        self._name = ""
        self._streams = {1: bytearray(), 2: bytearray()}
        self._room = MOST_BYTES

    def take(self, record: bytes) -> None:
        """Take one record.

        Raises:
            ValueError: it is not what a runner says.
        """
        kind, body = record[:1], record[1:]
        if kind in (b"1", b"2"):
            self._hear(int(kind), body)
        elif kind == b"b":
            self._begin(body.decode())
        elif kind == b"s":
            self._end(Account.model_validate_json(body))
        elif kind == b"f":
            self._keep(*unpack_file(record))
        else:
            raise ValueError(f"no such record: {kind!r}")

    def _begin(self, name: str) -> None:
        if (self._name, name) not in (("", "build"), ("", "run"), ("build", "run")):
            raise ValueError("no such step")
        self._name, self._streams = name, {1: bytearray(), 2: bytearray()}

    def _hear(self, descriptor: int, data: bytes) -> None:
        if sum(map(len, self._streams.values())) + len(data) > self._output:
            raise ValueError("more output than there may be")
        self._streams[descriptor] += data
        if self._said:
            self._said(descriptor, data)

    def _end(self, account: Account) -> None:
        if len(self.steps) >= 2 or not self._name:
            raise ValueError("no step has begun")
        told = account.dict()
        self.causes.append(told.pop("cause"))
        out, err = (bytes(self._streams[descriptor]).decode(errors="replace") for descriptor in (1, 2))
        self.steps.append({"name": self._name, **told, "stdout": out, "stderr": err})

    def _keep(self, path: str, data: bytes) -> None:
        self._room -= len(data)
        if self._room < 0 or len(self.files) >= MOST_FILES or len(path) > MOST_PATH:
            raise ValueError("more files than there may be")
        checked(path)  # somebody may write it where we say
        try:
            self.files.append({"path": path, "text": data.decode()})
        except UnicodeDecodeError:
            self.files.append({"path": path, "base64": base64.b64encode(data).decode()})


def judge(steps: Sequence[dict[str, Any]], causes: Sequence[Cause], refused: Sequence[str], failed: str) -> Verdict:
    """The verdict on these ``steps``. ``refused``: reasons of the policy; ``failed``: why it could not be done."""
    if failed or not steps:
        return "internal_error"
    last, cause = steps[-1], causes[-1]
    if cause:
        return cause
    if last["exit_code"] == 0:
        return "ok" if last["name"] == "run" else "internal_error"
    if last["name"] == "build":
        return "compile_error"
    return "denied" if set(refused) - _HARMLESS else "runtime_error"
