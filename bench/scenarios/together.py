"""Many people write in one text at the same time: how soon what one types is with the others."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from typing import Any, Protocol

from pycrdt import Doc, Text, TextEvent, YMessageType, create_sync_message, create_update_message, handle_sync_message
from websockets.asyncio.client import ClientConnection, connect

from bench.report import Row
from bench.scenarios.counts import Counts
from bench.subject import Subject

PEOPLE, SECONDS_BETWEEN_KEYS = 30, 1.0
PATIENCE = 60.0
LAST_SECONDS = 5.0  # what comes later counts as lost
TYPED = re.compile(r"<(\d+)>")


class Documents(Protocol):
    """What lets people write in one text."""

    def document(self, people: int) -> list[tuple[str, dict[str, str]]]:
        """One text, for each of so many people: the address of its WebSocket and headers that say who they are."""


def together(subject: Subject, counts: Counts) -> Iterator[Row]:
    """Milliseconds from what one has typed to the moment at which another has it, each with each."""
    with subject.running() as running:
        server: Documents = running
        samples = asyncio.run(_write_all(server.document(PEOPLE), counts.keys // 10))
    expected = PEOPLE * (PEOPLE - 1) * (counts.keys // 10)
    note = "" if len(samples) == expected else f"{expected - len(samples)} of {expected} did not arrive"
    yield Row(f"{PEOPLE} people in one text, one to another", subject.name, "ms", samples, note)


async def _write_all(places: list[tuple[str, dict[str, str]]], keys: int) -> list[float]:
    writers = [Writer(index) for index in range(len(places))]
    try:
        await asyncio.gather(*[writer.join(*place) for writer, place in zip(writers, places, strict=True)])
        await asyncio.gather(*[writer.type(keys, SECONDS_BETWEEN_KEYS) for writer in writers])
        await asyncio.sleep(LAST_SECONDS)
    finally:
        await asyncio.gather(*[writer.leave() for writer in writers])
    return [wait for writer in writers for wait in writer.waits]


class Writer:
    """One person's copy of the text. Each insertion says when it was typed, on the clock of all."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.waits: list[float] = []
        self._doc: Doc[Text] = Doc()
        self._text = self._doc.get("source", type=Text)
        self._text.observe(self._heard)
        self._synced = asyncio.Event()
        self._own: set[int] = set()

    async def join(self, url: str, headers: dict[str, str]) -> None:
        self._socket = await connect(url, additional_headers=headers, max_size=None, proxy=None)
        self._reading = asyncio.create_task(self._read(self._socket))
        await self._socket.send(create_sync_message(self._doc))
        async with asyncio.timeout(PATIENCE):
            await self._synced.wait()

    async def type(self, keys: int, pause: float) -> None:
        await asyncio.sleep(pause * self.index / PEOPLE)
        for _ in range(keys):
            before = self._doc.get_state()
            self._own.add(typed := time.perf_counter_ns())
            self._text += f"<{typed}>"
            await self._socket.send(create_update_message(self._doc.get_update(before)))
            await asyncio.sleep(pause)

    async def leave(self) -> None:
        await self._socket.close()
        await self._reading

    async def _read(self, socket: ClientConnection) -> None:
        async for frame in socket:
            if isinstance(frame, bytes) and frame[0] == YMessageType.SYNC:
                if (answer := handle_sync_message(frame[1:], self._doc)) is not None:
                    await socket.send(answer)
                if frame[1] == 1:  # what was missing here is here
                    self._synced.set()

    def _heard(self, event: TextEvent) -> None:
        now = time.perf_counter_ns()
        delta: list[dict[str, Any]] = event.delta  # type: ignore[attr-defined]  # set when it is made
        for part in delta:
            stamps = {int(stamp) for stamp in TYPED.findall(str(part.get("insert", "")))}
            self.waits += [(now - stamp) / 1e6 for stamp in stamps - self._own]
