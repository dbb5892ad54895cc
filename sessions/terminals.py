"""Which terminals a session has and who is at each, for those who may use them."""

from __future__ import annotations

import json
from typing import Any

from sandbox.runner.wire import Client, Stream
from sessions.jupyter.terminals import NAME
from sessions.models import Session
from sessions.relay import Relay, live_session
from sessions.websocket import BROKEN, ENDED, Closed

MOST, MOST_PEOPLE = 64, 64
NAME_LENGTH = 80


def person(user: Any) -> dict[str, str]:
    """Who somebody is to the others at a terminal."""
    return {"id": str(user.pk), "name": str(user)[:NAME_LENGTH]}


class Terminals(Relay):
    """JSON texts: ``{"type": "terminals", "terminals": [{"name", "people": [name, ...]}]}``, now and at each change.

    People are the others who have the terminal in sight.
    """

    async def find(self) -> Session:
        return await live_session(self.scope["user"], self.right, pk=self.scope["url_route"]["kwargs"]["id"])

    async def attach(self, client: Client) -> Stream:
        return await client.open("terminal.watch")

    async def show(self, sequence: int, payload: bytes) -> None:
        try:
            terminals = checked(payload, str(self.scope["user"].pk))
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            raise Closed(BROKEN) from error
        await self.send(text_data=json.dumps({"type": "terminals", "terminals": terminals}))

    async def take(self, frame: str | bytes) -> None:
        """Nothing is asked here; what comes is dropped."""

    end_code = ENDED


def checked(payload: bytes, me: str) -> list[dict[str, Any]]:
    """What a runner says of its terminals, as far as it can be true; it is inside, and hostile. Without ``me``.

    Raises:
        ValueError, TypeError, LookupError: it is no list of terminals.
    """
    said = json.loads(payload)
    if not isinstance(said, list):
        raise ValueError("no list")
    terminals = []
    for one in said[:MOST]:
        if not isinstance(one, dict) or not NAME.fullmatch(str(one.get("name"))):
            raise ValueError("no terminal")
        people = {str(who["id"]): _shown(who["name"]) for who in list(one["people"])[:MOST_PEOPLE]}
        people.pop(me, None)
        terminals.append({"name": one["name"], "people": sorted(people.values())})
    return terminals


def _shown(name: object) -> str:
    return "".join(char for char in str(name)[:NAME_LENGTH] if char.isprintable())
