"""Commands in a session: a program with arguments, run to its end inside the sandbox, what it said in one answer."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sessions.problems import Problem
from sessions.runner import runner

_PIECE = 256 * 1024
_SLACK_SECONDS = 15.0


@dataclass
class Finished:
    """How a command ended. ``cause`` is the limit that ended it, or ""."""

    stdout: str = ""
    stderr: str = ""
    exit_code: int | None = None
    signal: str | None = None
    cause: str = ""
    truncated: bool = False


@dataclass
class _Heard:
    said: dict[bytes, bytearray] = field(default_factory=lambda: {b"1": bytearray(), b"2": bytearray()})
    account: dict[str, Any] = field(default_factory=dict)

    def take(self, record: bytes) -> None:
        kind, body = record[:1], record[1:]
        if kind in self.said:
            self.said[kind] += body
        elif kind == b"s":
            self.account = json.loads(body)


async def run_command(
    session: str, command: list[str], folder: str, stdin: str, time_s: float, output: int
) -> Finished:
    """Run ``command`` in ``folder`` of the project of the live session ``session``.

    ``time_s`` bounds seconds of the clock and of a core, ``output`` the bytes of both outputs together.

    Raises:
        Problem: it could not be run.
    """
    heard = _Heard()
    async with runner(session, time_s + _SLACK_SECONDS) as client:
        bounds = {"time_s": time_s, "output": output}
        stream = await client.open("command.run", command=command, folder=folder, **bounds)
        given = stdin.encode("utf-8", "surrogatepass")
        for at in range(0, len(given), _PIECE):
            await stream.write(b"i" + given[at : at + _PIECE])
        await stream.write(b"e")
        try:
            async for _, record in stream:
                heard.take(record)
            account = heard.account
            return Finished(
                stdout=heard.said[b"1"].decode(errors="replace"),
                stderr=heard.said[b"2"].decode(errors="replace"),
                exit_code=account["exit_code"],
                signal=account["signal"],
                cause=str(account["cause"]),
                truncated=bool(account["truncated"]),
            )
        except (ValueError, TypeError, KeyError) as error:  # a sandbox may say anything
            why = str(stream.end or "It did not say how it ended.")
            raise Problem(502, "not_run", "The command could not be run", why[:300], "Try again.") from error
