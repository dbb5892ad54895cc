"""A run's output as it comes, and its input, over WebSocket. See ``docs/users/runs.md``."""

from __future__ import annotations

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from pydantic import ValidationError

from sandbox.runner.wire import Client, Stream
from sessions.models import Run, Session
from sessions.relay import Relay
from sessions.runs import execute
from sessions.runs.answer import Account
from sessions.runs.api import run_json
from sessions.websocket import AWAY, BAD_MESSAGE, ENDED, NO_SUCH_THING, NORMAL, NOT_YOURS, Closed

_DONE_SECONDS = 30.0


class RunStream(Relay):
    """To the browser: byte 1 or 2 and what was written there; JSON texts of steps, and of the run at its end."""

    async def find(self) -> Session:
        run = await Run.objects.filter(pk=self.scope["url_route"]["kwargs"]["id"]).select_related("session").afirst()
        if run is None:
            raise Closed(NO_SUCH_THING)
        if run.user_id != self.scope["user"].pk:
            raise Closed(NOT_YOURS)
        self.run = await execute.look_up(self.scope["user"], run.pk)
        if self.run.status == "done" or run.session is None:
            await self._tell_run()
            raise Closed(NORMAL)
        return run.session

    async def dial(self) -> Client:
        return await execute.reach(str(self.session.pk))

    async def attach(self, client: Client) -> Stream:
        return await client.open("run.attach", id=str(self.run.pk))

    async def show(self, sequence: int, payload: bytes) -> None:
        kind, body = payload[:1], payload[1:]
        if kind in (b"1", b"2"):
            await self.send(bytes_data=bytes([int(kind)]) + body)
        elif kind == b"b":
            await self._say({"type": "step", "name": body.decode(errors="replace")})
        elif kind == b"s":
            try:
                account = Account.model_validate_json(body)
            except ValidationError as error:
                raise Closed(AWAY) from error
            await self._say({"type": "step_end", **account.dict(exclude={"cause"})})

    async def take(self, frame: str | bytes) -> None:
        if isinstance(frame, bytes):
            await self.write(b"i" + frame)
            return
        try:
            message = json.loads(frame)
        except (ValueError, RecursionError) as error:
            raise Closed(BAD_MESSAGE) from error
        if message != {"type": "end"}:
            raise Closed(BAD_MESSAGE)
        await self.write(b"e")

    async def say_end(self, reason: str) -> None:
        await self._await_answer()

    async def _why_lost(self) -> int:
        """Whoever carries the run out ends its session at the end: then the answer says all."""
        return NORMAL if await self._await_answer() else ENDED

    async def _await_answer(self) -> bool:
        if not await execute.wait(self.run, _DONE_SECONDS):
            return False
        await self._tell_run()
        return True

    async def _tell_run(self) -> None:
        await self._say({"type": "run", **run_json(self.run)})

    async def _say(self, event: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(event, cls=DjangoJSONEncoder))
