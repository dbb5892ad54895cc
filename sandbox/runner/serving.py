"""What all streams of the runner share: their logs, how a reader follows one, and what a person is told instead."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any

from sandbox.runner.log import KEPT, Cursor, Log, Trace
from sandbox.runner.wire import CallError, Peer


def new_log(spill: int, limit: int = KEPT, trace: Trace | None = None) -> Log:
    """A log in the folder ``spill``.

    Raises:
        CallError: there is no room for one.
    """
    try:
        return Log(spill, limit, trace)
    except OSError as error:
        raise refusal(error, "There is no room for its output.") from error


def refusal(error: Exception, otherwise: str) -> CallError:
    """``error`` as what a person can do something about."""
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.EAGAIN:
        return CallError("failed", "This session has as many processes as it may. End some of them first.")
    if code == errno.ENOMEM:
        return CallError("failed", "This session's memory is full. End a program or restart a kernel first.")
    if code in (errno.ENFILE, errno.EMFILE, errno.ENOSPC):
        return CallError("failed", f"{otherwise} {os.strerror(code)}.")
    return CallError("failed", str(error) or otherwise)


async def follow(
    peer: Peer,
    call: int,
    cursor: Cursor,
    log: Log,
    wanted: Callable[[int], bool] = lambda seq: True,
    restored: Callable[[int], bytes] = lambda seq: b"",
    sized: Callable[[int], tuple[int, int] | None] = lambda seq: None,
) -> None:
    """Send what ``cursor`` reads and is ``wanted``, at the peer's pace, until the log ends or the peer leaves.

    After a cut ``restored`` is what goes before the next record; one that is not wanted goes as an empty one. A
    record says what ``sized`` is for it where that is another than for the one before.
    """
    told = None
    try:
        while (record := await cursor.next()) is not None:
            seq, payload = record
            header: dict[str, Any] = {"stream": call, "seq": seq}
            if not wanted(seq):
                payload = b""
            if (size := sized(seq)) != told:
                header["size"] = told = size
            if cursor.cut:
                header["cut"], payload = log.next, restored(seq) + payload
            elif not payload and "size" not in header:
                continue
            cursor.sent(seq, len(payload))
            await peer.send(header, payload)
        await peer.send({"stream": call, "end": log.ended})
    except ConnectionError:
        return
