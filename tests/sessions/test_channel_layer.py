"""The channel layer as the settings make it."""

from __future__ import annotations

import asyncio

import pytest
from channels.layers import get_channel_layer


@pytest.mark.postgres
async def test_waiting_long_for_a_message_is_no_error() -> None:
    """Clients of Redis give up on a silent connection after five seconds: so long the layer waits at a time."""
    layer = get_channel_layer()
    channel = await layer.new_channel()
    waiting = asyncio.create_task(layer.receive(channel))
    await asyncio.wait({waiting}, timeout=7)
    assert not waiting.done()
    await layer.send(channel, {"type": "late"})
    assert await asyncio.wait_for(waiting, 10) == {"type": "late"}
