"""Policies as values: what can be written, what it compiles to, and that filter and judge never disagree."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.policy import Case, Limits, Policy, Programs, load_policy, policy_names
from sandbox.policy.compile import ALLOW, ASK, ERRNO, KILL_PROCESS, compile_policy, evaluate
from sandbox.policy.judge import judge
from sandbox.policy.rules import (
    ALLOWED,
    REASONS,
    Call,
    Rule,
    Verdict,
    another_process,
    kill,
    new_task,
    refuse,
    spare_the_runner,
)
from sandbox.policy.syscalls import AUDIT_ARCH, NUMBERS
from sandbox.policy.values import VALUES, Match, NotAValue, has_any, is_one_of
from tests.sandbox.test_truths import Quiet

X86 = NUMBERS["x86_64"]


def policy(**given: object) -> Policy:
    return Policy("test", **{"allowed": frozenset(), **given})  # type: ignore[arg-type]


def filtered(policy: Policy, call: str, *arguments: int) -> int:
    return evaluate(compile_policy(policy, "x86_64"), X86[call], AUDIT_ARCH["x86_64"], arguments)


def judged(policy: Policy, call: str, *arguments: int, thread: int = 5000, **facts: Any) -> Verdict:
    return judge(policy, call, (*arguments, *(0,) * 6)[:6], thread, replace(Quiet(), **facts))


# What the filter does


@pytest.mark.parametrize("name", policy_names())
def test_other_architectures_are_killed(name: str):
    program = compile_policy(load_policy(name), "x86_64")
    assert evaluate(program, 3, 0x40000003) == KILL_PROCESS
    assert evaluate(program, 0x40000000, AUDIT_ARCH["x86_64"]) == KILL_PROCESS


@given(st.sets(st.sampled_from(sorted(X86))), st.integers(0, 600))
def test_exactly_the_allowed_calls_pass(allowed: set[str], number: int):
    program = compile_policy(policy(allowed=frozenset(allowed)), "x86_64")
    expected = ALLOW if number in {X86[name] for name in allowed} else ERRNO | errno.ENOSYS
    assert evaluate(program, number, AUDIT_ARCH["x86_64"]) == expected


WORDS = st.integers(0, 0xFFFFFFFF) | st.integers(0, 8)
MATCHES = st.builds(
    Match, st.sampled_from(["pid", "tid", "signal"]), WORDS, st.lists(WORDS, min_size=1, max_size=4).map(tuple),
    st.booleans(),
)  # fmt: skip
ANSWERS = st.sampled_from([errno.EACCES, errno.EINVAL, refuse("runner", errno.EBUSY), kill("kernel")])


@given(st.lists(st.builds(Case, MATCHES, ANSWERS), max_size=5), st.tuples(*[st.integers(0, (1 << 64) - 1) | WORDS] * 3))
def test_filter_and_judge_choose_the_same_case(cases: list[Case], arguments: tuple[int, int, int]):
    """The first case that meets answers; seen from outside the filter, with Python's own arithmetic."""
    tested = policy(cases={"tgkill": tuple(cases)})
    places = {"pid": 0, "tid": 1, "signal": 2}
    meeting = [
        case for case in cases
        if (((arguments[places[case.match.argument]] & 0xFFFFFFFF) & case.match.mask) in case.match.values)
        == case.match.among
    ]  # fmt: skip
    answer = filtered(tested, "tgkill", *arguments)
    if not meeting:
        assert answer == ALLOW
    elif isinstance(meeting[0].answer, int):
        assert answer == ERRNO | meeting[0].answer
        assert judged(tested, "tgkill", *arguments).reason == "broken", "it was never asked"
    else:
        assert answer == ASK
        assert judged(tested, "tgkill", *arguments) == meeting[0].answer(None)


@pytest.mark.parametrize("name", policy_names())
def test_no_policy_is_longer_than_the_kernel_takes(name: str):
    assert all(len(compile_policy(load_policy(name), machine)) // 8 <= 4096 for machine in NUMBERS)


# What cannot be written


def on_a_pointer(call: Call, stack: int) -> Verdict:
    return ALLOWED


def on_a_path(call: Call, pathname: int) -> Verdict:
    return ALLOWED


def on_a_descriptor(call: Call, fd: int) -> Verdict:
    return ALLOWED


@pytest.mark.parametrize(
    ("call", "rule"),
    [("clone", on_a_pointer), ("execve", on_a_path), ("execveat", on_a_path), ("ioctl", on_a_descriptor)],
)
def test_a_rule_cannot_decide_on_what_may_change(call: str, rule: Rule):
    with pytest.raises(NotAValue, match="memory behind a pointer"):
        policy(asked={call: rule})


def test_a_case_cannot_look_at_what_may_change():
    with pytest.raises(NotAValue, match=r"clone: 'child_stack'.*here: flags"):
        policy(cases={"clone": (Case(has_any("child_stack", 1), errno.EPERM),)})
    with pytest.raises(NotAValue, match="'stack'"):
        policy(cases={"clone": (Case(has_any("flags", 1), on_a_pointer),)})
    with pytest.raises(NotAValue, match="here: none"):
        policy(cases={"execve": (Case(is_one_of("pathname", 1), errno.EPERM),)})


def test_a_misspelt_call_or_two_answers_are_errors():
    with pytest.raises(LookupError, match="raed"):
        policy(allowed=frozenset({"raed"}))
    with pytest.raises(LookupError, match="more than one answer: ptrace"):
        policy(allowed=frozenset({"ptrace"}), asked={"ptrace": refuse("tracing")})
    with pytest.raises(LookupError, match="network"):
        policy(network="everything")


@pytest.mark.parametrize("name", ["", "nonsense", "compile", "rules", "common", "../default", "default.POLICY"])
def test_unknown_policies_are_refused(name: str):
    with pytest.raises(LookupError):
        load_policy(name)


def test_the_shipped_policies_and_their_networks():
    networks = {name: load_policy(name).network for name in policy_names()}
    assert networks == {"build": "packages", "default": "public", "strict": "none"}
    assert all(load_policy(name).name == name for name in policy_names())


@pytest.mark.parametrize(
    ("one", "other", "is_no_wider"),
    [
        ("strict", "default", True),
        ("strict", "build", True),
        ("default", "default", True),
        ("default", "strict", False),
        ("build", "default", False),  # personality, and more processes
        ("default", "build", False),  # its network
    ],
)
def test_which_policy_may_stand_for_which(one: str, other: str, is_no_wider: bool):
    assert load_policy(one).no_wider_than(load_policy(other)) is is_no_wider


@pytest.mark.parametrize(
    "wider",
    [
        {"allowed": frozenset({"read", "ptrace"})},
        {"cases": {"kill": (Case(is_one_of("pid", 1), errno.EPERM),)}},
        {"limits": Limits(tasks=5000)},
        {"network": "public"},
        {"programs": Programs(folders=())},
    ],
)
def test_one_wider_thing_makes_a_policy_wider(wider: dict[str, object]):
    base = policy(allowed=frozenset({"read"}), network="none", programs=Programs(folders=("/usr/bin",)))
    assert base.no_wider_than(base)
    assert not replace(base, **wider).no_wider_than(base)  # type: ignore[arg-type]


def test_the_table_names_real_calls():
    assert set(VALUES) <= set().union(*NUMBERS.values())


# What the rules answer


def test_one_process_or_thread_too_many():
    thread, process = 0x10000, 17
    counting = policy(asked={"clone": new_task, "fork": another_process})
    full = Verdict(errno=errno.EAGAIN, reason="processes")
    assert judged(counting, "clone", thread, tasks=63).allow
    assert judged(counting, "clone", thread, tasks=64) == full
    assert judged(counting, "clone", process, tasks=20, processes=23).allow
    assert judged(counting, "clone", process, tasks=30, processes=24) == full
    assert judged(counting, "clone", thread, tasks=30, processes=24).allow, "a thread is no process"
    assert judged(counting, "fork", tasks=30, processes=24) == full
    assert judged(counting, "clone", thread | 0x10000000) == Verdict(reason="namespaces")


@pytest.mark.parametrize("pid", [1, 2, 3, 1 | 1 << 32])
def test_the_runner_and_its_threads_are_spared(pid: int):
    default = load_policy("default")
    assert judged(default, "prlimit64", pid) == Verdict(reason="runner")
    assert judged(default, "prlimit64", pid, thread=4002).allow, "from itself"
    assert judged(default, "sched_setscheduler", pid).reason == "runner"
    assert judged(default, "prlimit64", 7).allow
    assert judged(default, "prlimit64", -1 & (1 << 64) - 1).allow


def test_what_is_not_asked_is_refused():
    assert judged(load_policy("default"), "read") == Verdict(reason="broken")


def test_every_reason_has_its_sentence():
    verdicts = [Verdict(reason="runner"), judged(policy(asked={"fork": another_process}), "fork", tasks=64)]
    for name in policy_names():
        shipped = load_policy(name)
        rules = [*shipped.asked.values(), *(case.answer for cases in shipped.cases.values() for case in cases)]
        constant = [rule for rule in rules if not isinstance(rule, int) and rule.__name__ == "<lambda>"]
        assert len(constant) > 30
        verdicts += [rule(None) for rule in constant]
    assert {verdict.reason for verdict in verdicts} <= set(REASONS)
    assert spare_the_runner in [case.answer for case in load_policy("strict").cases["kill"]]
