"""Waiting for a condition, instead of for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


async def until(condition: Callable[[], Any], seconds: float = 30.0) -> None:
    """Wait until ``condition()`` holds; a failure says that it never did."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)
