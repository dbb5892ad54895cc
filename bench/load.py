"""Many users at once, from one process: coroutines, so that the load costs little beside what it measures."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
from websockets.asyncio.client import connect

from bench.jupyter import V1, Jupyter, channels, prints, request, unpack

# What an answer means that asks for patience, where it does not say how much.
WAIT_SECONDS = 1.0


@dataclass
class Served:
    """Milliseconds to the first output of each who was served, and why others were not, with how many of them."""

    times: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    told_to_wait: int = 0
    own_seconds: float = 0.0  # what the users themselves took of the processor that they share with the server

    def note(self) -> str:
        """The outcome in a few words."""
        said = [f"{len(self.times)} of {len(self.times) + self.failures.total()} served"]
        if self.told_to_wait:
            said.append(f"told to wait {self.told_to_wait} times")
        said.append(f"the users themselves took {self.own_seconds:.1f} s of a core")
        return "; ".join([*said, *(f"{count} x {why}" for why, count in self.failures.most_common(3))])


def client() -> httpx.AsyncClient:
    """An HTTP client for any number of users at once."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    return httpx.AsyncClient(limits=limits, timeout=None)  # noqa: S113 - whoever waits says how long


async def ring(users: Sequence[Jupyter], seconds: float) -> Served:
    """All ``users`` ask for a session at the same instant, and run a first cell; each has ``seconds`` for it."""
    served, before = Served(), time.process_time()
    async with client() as http:
        await asyncio.gather(*(_timed(user, http, seconds, served) for user in users))
    served.own_seconds = time.process_time() - before
    return served


async def _timed(user: Jupyter, http: httpx.AsyncClient, seconds: float, served: Served) -> None:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(seconds):
            await first_output(user, await start_kernel(user, http, served))
    except TimeoutError:
        served.failures[f"nothing within {seconds:.0f} s"] += 1
    except Exception as error:
        served.failures[f"{type(error).__name__} {error}"[:100]] += 1
    else:
        served.times.append((time.perf_counter() - began) * 1000)


async def start_kernel(user: Jupyter, http: httpx.AsyncClient, served: Served | None = None) -> str:
    """Start a kernel of ``user``, whose own server is started before where users have one; its id.

    Raises:
        RuntimeError: it was refused, for good.
    """
    if user.opens:
        await _patiently(user, http, user.opens, {}, served)
        async with http.stream("GET", f"{user.opens}/progress", headers=user.headers) as progress:
            async for line in progress.aiter_lines():
                if '"failed": true' in line:
                    raise RuntimeError("the user's server did not start")
                if '"ready": true' in line:
                    break
    answer = await _patiently(user, http, f"{user.url}/api/kernels", {"name": "python3"}, served)
    return str(answer.json()["id"])


async def _patiently(
    user: Jupyter, http: httpx.AsyncClient, url: str, body: dict[str, str], served: Served | None
) -> httpx.Response:
    """POST, again each time that the answer is to wait."""
    while True:
        answer = await http.post(url, json=body, headers=user.headers)
        if not answer.is_error:
            return answer
        if not asks_to_wait(answer):
            raise RuntimeError(f"{answer.status_code} {answer.text[:200]}")
        if served is not None:
            served.told_to_wait += 1
        await asyncio.sleep(float(answer.headers.get("Retry-After", WAIT_SECONDS)))


def asks_to_wait(answer: httpx.Response) -> bool:
    """Whether this refusal is for now: there is no room yet (Madang's ``no_room``), or it says when to come again."""
    if "Retry-After" in answer.headers:
        return answer.status_code in (429, 503)
    return answer.status_code == 503 and '"no_room"' in answer.text


async def first_output(user: Jupyter, kernel: str) -> None:
    """Run a cell in ``kernel`` and wait for what it prints."""
    socket = connect(
        user.url.replace("http", "ws", 1) + channels(kernel), additional_headers=user.headers, compression=None,
        subprotocols=[V1], max_size=None, open_timeout=None, proxy=None,
    )  # fmt: skip
    async with socket as channel:
        id, message = request("print(1)")
        await channel.send(message)
        async for data in channel:
            if prints(unpack(data), id):
                return
    raise ConnectionError("the kernel's channel closed")
