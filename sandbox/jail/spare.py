"""A spare sandbox as its jail sees it: it waits for the session that claims it, and ends with whoever keeps it."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sandbox.jail import claim
from sandbox.jail.beginning import Runner
from sandbox.jail.control import Call
from sandbox.jail.loop import Loop
from sandbox.jail.plan import Plan
from sandbox.runner.wire import CallError

CLAIM_SECONDS = 10


class Spare:
    """``keeper`` is the other end of what the driver holds.

    ``stop`` ends the sandbox; ``claimed`` makes it the session's that asked by a call, and answers that.
    """

    def __init__(
        self,
        loop: Loop,
        plan: Plan,
        runner: Runner,
        keeper: socket.socket,
        claimed: Callable[[Call, Plan], None],
        stop: Callable[[str], None],
    ) -> None:
        assert plan.host_id is not None
        self._loop, self._plan, self._runner, self._keeper = loop, plan, runner, keeper
        self._on_claimed, self._stop = claimed, stop
        self._id_maps = claim.IdMaps(plan.host_id)
        self._asked: tuple[Call, Plan] | None = None
        loop.on_readable(keeper.fileno(), self._lose_keeper)

    def claim(self, call: Call, plan: str) -> None:
        """Become the sandbox of ``plan``, whose directory this one has been renamed to."""
        if self._asked is not None:
            raise CallError("illegal", "This sandbox is claimed already.")
        wanted = Plan.from_json(plan)
        self._asked = call, wanted
        self._let_go_of_keeper()
        try:
            more = claim.differences(self._plan, wanted)
            if self._runner.files:
                claim.write_outside(Path(wanted.directory) / self._runner.files, more.files)
                more = replace(more, files={})
            claim.enter(self._runner.pid, more, self._id_maps.sources(more))
            self._id_maps.close()
            order = {"root": claim.root_of(wanted), "environment": wanted.environment}
            self._runner.lifeline.send(b"claim " + json.dumps(order).encode() + b"\n")
        except (OSError, ValueError) as error:
            raise self._failed(str(error)) from error
        self._late = self._loop.after(CLAIM_SECONDS, self._give_up)

    def runner_is_claimed(self) -> None:
        """The runner says so: the session begins."""
        if self._asked is None:
            return  # a runner that lies: what it says is checked, not trusted
        self._loop.cancel(self._late)
        call, plan = self._asked
        try:
            self._on_claimed(call, plan)
        except OSError as error:
            call.refuse(self._failed(str(error)))

    def _give_up(self) -> None:
        assert self._asked is not None
        self._asked[0].refuse(self._failed("The runner did not answer."))

    def _failed(self, reason: str) -> CallError:
        self._stop("unclaimed")
        return CallError("failed", reason)

    def _lose_keeper(self) -> None:
        self._let_go_of_keeper()
        self._stop("unclaimed")

    def _let_go_of_keeper(self) -> None:
        self._loop.forget(self._keeper.fileno())
        self._keeper.close()
