"""Every policy's page of truths, against the compiled filter with its rules, and against the kernel."""

from __future__ import annotations

import errno
import json
import platform
from collections import Counter
from dataclasses import dataclass

import pytest

from sandbox.drivers import Exit, Refused
from sandbox.policy import load_policy, policy_names
from sandbox.policy.compile import ALLOW, ASK, ERRNO, compile_policy, evaluate
from sandbox.policy.judge import judge
from sandbox.policy.rules import REASONS
from sandbox.policy.syscalls import AUDIT_ARCH, NUMBERS
from tests.sandbox.conftest import Lab
from tests.sandbox.truths import Truth, truths

PAGES = [(policy, truth) for policy in policy_names() for truth in truths(policy)]


@dataclass(frozen=True)
class Quiet:
    """The facts of a sandbox with little in it."""

    tasks: int = 5
    processes: int = 3
    most_tasks: int = 64
    most_processes: int = 24
    sysinfo: bytes = bytes(112)
    runner: frozenset[int] = frozenset({1, 2, 3})
    runner_threads: frozenset[int] = frozenset({4001, 4002, 4003})


def verdict_of(policy: str, machine: str, truth: Truth) -> tuple[str, str]:
    """The verdict, and the reason that is told, by the filter and then by the rule."""
    loaded, arguments = load_policy(policy), (*truth.arguments, *(0,) * 6)[:6]
    program = compile_policy(loaded, machine)
    answer = evaluate(program, NUMBERS[machine][truth.call], AUDIT_ARCH[machine], arguments)
    if answer == ALLOW:
        return "allow", ""
    if answer != ASK:
        return errno.errorcode[answer & ~ERRNO], ""
    verdict = judge(loaded, truth.call, arguments, 5000, Quiet())
    if verdict.allow:
        return "allow", ""
    return "kill" if verdict.kill else errno.errorcode[verdict.errno], verdict.reason


@pytest.mark.parametrize("machine", sorted(NUMBERS))
@pytest.mark.parametrize(("policy", "truth"), PAGES, ids=lambda value: str(value))
def test_in_the_filter(policy: str, truth: Truth, machine: str):
    if truth.call not in NUMBERS[machine]:
        assert truth.call in NUMBERS["x86_64"], "no architecture has it"
        return
    assert verdict_of(policy, machine, truth) == (truth.verdict, truth.told)
    assert not truth.told or truth.told in REASONS


PROBE = """
import ctypes, errno, json, os, signal
libc = ctypes.CDLL(None, use_errno=True)
null = os.open("/dev/null", os.O_RDWR)
def outcome(number, arguments):
    down, up = os.pipe()
    child = os.fork()
    if child == 0:
        me = os.getpid()
        os.dup2(null, 0)
        result = libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments))
        if os.getpid() == me:
            os.write(up, b"ok" if result >= 0 else errno.errorcode[ctypes.get_errno()].encode())
        os._exit(0)
    os.close(up)
    status = os.waitpid(child, 0)[1]
    said = os.read(down, 100).decode()
    os.close(down)
    return "kill" if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL else said
print(json.dumps([outcome(*truth) for truth in CALLS]))
"""


@pytest.mark.jail
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("policy", policy_names())
async def test_in_the_kernel(lab: Lab, policy: str):
    page = [truth for truth in truths(policy) if truth.call in NUMBERS[platform.machine()]]
    calls = [(NUMBERS[platform.machine()][truth.call], (*truth.arguments, *(0,) * 6)[:6]) for truth in page]
    id = await lab.start(policy=policy)
    inside = await lab.kernel(id)
    said = json.loads(await inside.run(f"CALLS = {calls}\n{PROBE}"))
    wanted = [truth.kernel if truth.verdict == "allow" else truth.verdict for truth in page]
    wrong = [
        (str(truth), one) for truth, one, many in zip(page, said, wanted, strict=True) if one not in many.split("|")
    ]
    assert not wrong
    await lab.driver.stop(id)
    told: Counter[tuple[str, str]] = Counter()
    async for event in lab.driver.events(id):
        if isinstance(event, Refused):
            told[event.call, event.reason] = event.count
        if isinstance(event, Exit):
            break
    assert told == Counter((truth.call, truth.told) for truth in page if truth.told), "each is counted, once"
