"""The state machine under any order of events."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.usage import Usage
from sessions import lifecycle as life
from sessions.lifecycle import FINAL, LIVE, IllegalOperation, Life, State, apply

USAGE = Usage(cpu_ms=5)
OPERATIONS: list[life.Operation] = [
    life.Granted(),
    life.Started(),
    life.StartFailed("no image"),
    life.Deferred("no room"),
    life.Stop("owner"),
    life.Stop("idle"),
    life.Pause(),
    life.PauseFailed("frozen solid"),
    life.Resume(),
    life.ResumeFailed("still cold"),
    life.Exited("stopped", USAGE),
    life.Exited("out_of_memory", USAGE, "It used more than it had."),
    life.Found(),
    life.Vanished(),
]
operations = st.sampled_from(OPERATIONS)


def run(*steps: life.Operation, start: Life | None = None) -> tuple[Life, list[life.Action]]:
    now, actions = start or Life(), list[life.Action]()
    for operation in steps:
        now, done = apply(now, operation)
        actions += done
    return now, actions


@given(st.lists(operations, max_size=40))
def test_any_order_of_events(steps: list[life.Operation]) -> None:
    now, seen = Life(), Counter[type]()
    for operation in steps:
        try:
            after, actions = apply(now, operation)
        except IllegalOperation:
            continue
        if now.over:
            assert after == now
            assert actions == ()
        for action in actions:
            if isinstance(action, life.Record):
                assert (action.before, action.life) == (now.state, after)
                assert after.state is not now.state
            if isinstance(action, life.Finish):
                assert after.over
        seen.update(type(action) for action in actions)
        now = after
    # Finished, released and collected exactly once, at the end and only then.
    assert seen[life.Finish] == seen[life.Collect] == int(now.over)
    assert seen[life.Release] >= seen[life.Finish]


@dataclass
class World:
    """A driver and a scheduler that answer what they are asked, one answer at a time and in any order."""

    now: Life = field(default_factory=Life)
    starting: bool = False
    sandbox: bool = False
    waiting: bool = True
    actions: list[life.Action] = field(default_factory=list)

    def take(self, operation: life.Operation) -> None:
        try:
            self.now, actions = apply(self.now, operation)
        except IllegalOperation:
            return
        for action in actions:
            self.actions.append(action)
            match action:
                case life.Start():
                    assert not self.starting, "two starts at once"
                    assert not self.sandbox, "started on top of a living sandbox"
                    self.starting, self.waiting = True, False
                case life.Enqueue():
                    self.waiting = True
                case life.Collect():
                    assert not self.starting, "collected while it was being started"
                    assert not self.sandbox, "collected alive"

    def possible(self) -> list[life.Operation]:
        choices: list[life.Operation] = [life.Stop("owner"), life.Pause(), life.Resume()]
        if self.waiting and self.now.state is State.PENDING:
            choices.append(life.Granted())
        if self.starting:
            choices += [life.Started(), life.StartFailed("x"), life.Deferred("x")]
        if self.sandbox:
            choices += [life.Exited("stopped", USAGE), life.Exited("runner_lost", USAGE)]
        return choices

    def happen(self, operation: life.Operation) -> None:
        if isinstance(operation, life.Started | life.StartFailed | life.Deferred):
            self.starting, self.sandbox = False, isinstance(operation, life.Started)
        if isinstance(operation, life.Exited):
            self.sandbox = False
        self.take(operation)


@given(st.data())
def test_with_a_driver_that_answers_it_always_ends_collected(data: st.DataObject) -> None:
    world = World()
    for _ in range(data.draw(st.integers(0, 25))):
        world.happen(data.draw(st.sampled_from(world.possible())))
    world.happen(life.Stop("owner"))
    if world.starting:
        world.happen(life.Started())
    if world.sandbox:
        assert life.Halt() in world.actions
        world.happen(life.Exited("stopped", USAGE))
    assert world.now.state in FINAL
    assert isinstance(world.actions[-1], life.Collect)
    assert sum(isinstance(action, life.Finish) for action in world.actions) == 1


def test_a_whole_life() -> None:
    now, actions = run(life.Granted(), life.Started(), life.Stop("idle"), life.Exited("stopped", USAGE))
    assert now == Life(State.STOPPED, "idle")
    assert [type(action).__name__ for action in actions] == (
        ["Record", "Start", "Record", "Follow", "Record", "Halt", "Finish", "Release", "Collect"]
    )
    assert actions[-3] == life.Finish(State.STOPPING, now, USAGE)


def test_stopped_before_its_turn_it_never_starts() -> None:
    now, actions = run(life.Stop("owner"))
    assert now.state is State.STOPPED
    assert life.Start() not in actions


def test_stopped_while_starting_it_is_halted_once_it_is_there() -> None:
    now, actions = run(life.Granted(), life.Stop("owner"))
    assert now.state is State.STOPPING
    assert life.Halt() not in actions
    now, actions = run(life.Started(), start=now)
    assert life.Halt() in actions


@pytest.mark.parametrize("answer", [life.StartFailed("x"), life.Deferred("x")])
def test_a_start_that_fails_while_stopping_is_a_stop(answer: life.Operation) -> None:
    now, _ = run(life.Granted(), life.Stop("owner"), answer)
    assert now == Life(State.STOPPED, "owner")


def test_no_room_at_the_driver_goes_back_into_the_queue() -> None:
    now, actions = run(life.Granted(), life.Deferred("full"))
    assert now == Life(State.PENDING, "no_room", "full")
    assert actions[-2:] == [life.Release(), life.Enqueue(later=True)]


def test_failures_keep_their_sentence() -> None:
    assert run(life.Granted(), life.StartFailed("no image"))[0] == Life(State.FAILED, "start_failed", "no image")
    ended = run(life.Granted(), life.Started(), life.Exited("out_of_memory", USAGE, "Too much."))[0]
    assert ended == Life(State.FAILED, "out_of_memory", "Too much.")


def test_pause_that_fails_is_undone() -> None:
    running = Life(State.RUNNING)
    assert run(life.Pause(), life.PauseFailed("no"), start=running)[0].state is State.RUNNING
    assert run(life.Resume(), life.ResumeFailed("no"), start=Life(State.PAUSED))[0].state is State.PAUSED


@pytest.mark.parametrize("state", sorted(LIVE))
def test_after_a_restart_a_sandbox_that_is_there_is_followed(state: State) -> None:
    now, actions = run(life.Found(), start=Life(state, "owner"))
    assert life.Follow() in actions
    assert now.state is (State.RUNNING if state in (State.PENDING, State.PREPARING) else state)
    assert (life.Halt() in actions) == (state is State.STOPPING)


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (State.PENDING, State.PENDING),
        (State.PREPARING, State.FAILED),
        (State.RUNNING, State.FAILED),
        (State.PAUSED, State.FAILED),
        (State.STOPPING, State.STOPPED),
    ],
)
def test_after_a_restart_a_sandbox_that_is_gone_is_admitted(state: State, after: State) -> None:
    now, actions = run(life.Vanished(), start=Life(state, "owner" if state is State.STOPPING else ""))
    assert now.state is after
    assert (life.Enqueue() in actions) == (state is State.PENDING)
    assert now.detail or now.state is not State.FAILED


@pytest.mark.parametrize("state", sorted(FINAL))
@pytest.mark.parametrize("operation", OPERATIONS, ids=repr)
def test_what_is_over_stays_over(state: State, operation: life.Operation) -> None:
    over = Life(state, "owner")
    if isinstance(operation, life.Stop):
        assert apply(over, operation) == (over, ())
    else:
        with pytest.raises(IllegalOperation, match=state.value):
            apply(over, operation)
