"""Work that sends what it has as it goes: an iterator whose steps run in threads, as the body of an answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Generator


class Steps:
    """The bytes that ``generator`` yields. Django closes it with its response, also when the reader has left."""

    def __init__(self, generator: Generator[bytes]) -> None:
        self._generator = generator

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        piece = await asyncio.to_thread(next, self._generator, None)
        if piece is None:
            raise StopAsyncIteration
        return piece

    def close(self) -> None:
        # ValueError: a step still runs in its thread. It ends by itself; then nothing holds the generator any more,
        # which closes it.
        with contextlib.suppress(ValueError):
            self._generator.close()
