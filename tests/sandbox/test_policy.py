"""Policies: a page of truths, run against the compiled filter."""

from __future__ import annotations

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.policy import Policy, Rule, load_policy
from sandbox.policy.compile import ALLOW, ERRNO, KILL_PROCESS, compile_policy, evaluate
from sandbox.policy.syscalls import AUDIT_ARCH, NUMBERS

TRUTHS = [
    ("read", (), ALLOW),
    ("openat", (), ALLOW),
    ("execve", (), ALLOW),
    ("clone", (0x11,), ALLOW),
    ("clone", (0x003D0F00,), ALLOW),  # pthread_create
    ("clone", (0x10000011,), ERRNO | errno.EPERM),  # CLONE_NEWUSER
    ("clone", (0x00020011,), ERRNO | errno.EPERM),  # CLONE_NEWNS
    ("clone3", (), ERRNO | errno.ENOSYS),
    ("unshare", (), ERRNO | errno.EPERM),
    ("ptrace", (), ERRNO | errno.EPERM),
    ("bpf", (), ERRNO | errno.EPERM),
    ("io_uring_setup", (), ERRNO | errno.EPERM),
    ("socket", (1,), ALLOW),
    ("socket", (2,), ALLOW),
    ("socket", (17,), ERRNO | errno.EAFNOSUPPORT),  # AF_PACKET
    ("socket", (40,), ERRNO | errno.EAFNOSUPPORT),  # AF_VSOCK
    ("ioctl", (0, 0x5413), ALLOW),  # TIOCGWINSZ
    ("ioctl", (0, 0x5412), ERRNO | errno.EPERM),  # TIOCSTI
    ("ioctl", (0, 0x5412 | 1 << 40), ERRNO | errno.EPERM),  # the kernel looks at the low half only
]


@pytest.mark.parametrize("machine", sorted(NUMBERS))
@pytest.mark.parametrize(("call", "arguments", "verdict"), TRUTHS)
def test_truth(machine: str, call: str, arguments: tuple[int, ...], verdict: int):
    program = compile_policy(load_policy("default"), machine)
    assert evaluate(program, NUMBERS[machine][call], AUDIT_ARCH[machine], arguments) == verdict


def test_other_architectures_are_killed():
    program = compile_policy(load_policy("default"), "x86_64")
    assert evaluate(program, 3, 0x40000003) == KILL_PROCESS
    assert evaluate(program, 0x40000000, AUDIT_ARCH["x86_64"]) == KILL_PROCESS


@given(st.sets(st.sampled_from(sorted(NUMBERS["x86_64"]))), st.integers(0, 600))
def test_exactly_the_allowed_calls_pass(allowed: set[str], number: int):
    program = compile_policy(Policy("test", frozenset(allowed)), "x86_64")
    expected = ALLOW if number in {NUMBERS["x86_64"][name] for name in allowed} else ERRNO | errno.ENOSYS
    assert evaluate(program, number, AUDIT_ARCH["x86_64"]) == expected


@given(st.sets(st.integers(0, 50), min_size=1, max_size=6), st.integers(0, 50), st.booleans())
def test_a_rule_refuses_listed_values_or_all_others(values: set[int], value: int, refuse: bool):
    rule = Rule(2, 0xFFFFFFFF, tuple(sorted(values)), refuse, errno.EACCES)
    program = compile_policy(Policy("test", frozenset(), rules={"read": (rule,)}), "x86_64")
    refused = (value in values) == refuse
    assert evaluate(program, 0, AUDIT_ARCH["x86_64"], (0, 0, value)) == (ERRNO | errno.EACCES if refused else ALLOW)


def test_a_misspelt_call_does_not_compile():
    with pytest.raises(LookupError, match="raed"):
        compile_policy(Policy("test", frozenset({"raed"})), "x86_64")


@pytest.mark.parametrize("name", ["", "nonsense", "compile", "../default", "default.POLICY"])
def test_unknown_policies_are_refused(name: str):
    with pytest.raises(LookupError):
        load_policy(name)
