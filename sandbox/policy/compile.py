"""From a policy to a seccomp filter: a pure function from a value to bytes.

Classic BPF over ``struct seccomp_data`` (seccomp(2)): ``nr`` at 0, ``arch`` at 4, the arguments, 64 bits
each, from 16. Calls of another architecture, 32-bit and x32 entries included, kill the process.
"""

from __future__ import annotations

import errno
import platform
import struct
from dataclasses import dataclass
from functools import cache

from sandbox.policy import Policy, load_policy
from sandbox.policy.rules import Rule
from sandbox.policy.syscalls import AUDIT_ARCH, NUMBERS
from sandbox.policy.values import VALUES, Match

ALLOW, KILL_PROCESS, ERRNO, ASK = 0x7FFF0000, 0x80000000, 0x00050000, 0x7FC00000
_X32_BIT = 0x40000000

_LOAD, _JEQ, _JGE, _JA, _AND, _RET = 0x20, 0x15, 0x35, 0x05, 0x54, 0x06


@dataclass(frozen=True)
class Instruction:
    """One ``struct sock_filter``."""

    code: int
    jump_true: int
    jump_false: int
    k: int

    def pack(self) -> bytes:
        return struct.pack("=HBBI", self.code, self.jump_true, self.jump_false, self.k)


def compile_policy(policy: Policy, machine: str) -> bytes:
    """The filter's instructions for ``machine`` (``platform.machine()``), packed.

    Raises:
        KeyError: the architecture is unknown.
    """
    numbers = NUMBERS[machine]
    program = [_op(_LOAD, 4), Instruction(_JEQ, 1, 0, AUDIT_ARCH[machine]), _ret(KILL_PROCESS), _op(_LOAD, 0)]
    if machine == "x86_64":
        program += [Instruction(_JGE, 0, 1, _X32_BIT), _ret(KILL_PROCESS)]
    program += _ranges(sorted(numbers[name] for name in policy.allowed if name in numbers))
    bodies = {name: [_ret(ERRNO | code)] for name, code in policy.refused.items()}
    bodies |= {name: [_ret(ASK)] for name in policy.asked}
    for name, cases in policy.cases.items():
        steps = [step for case in cases for step in _case(name, case.match, case.answer)]
        bodies[name] = [*steps, _ret(ALLOW)]
    for name in sorted(bodies.keys() & numbers.keys()):
        program += [Instruction(_JEQ, 0, len(bodies[name]), numbers[name]), *bodies[name]]
    program.append(_ret(ERRNO | errno.ENOSYS))
    return b"".join(step.pack() for step in program)


@cache
def seccomp_program(name: str) -> bytes:
    """The filter of the policy called ``name`` on this machine; compiled once.

    Raises:
        LookupError: there is no such policy.
    """
    return compile_policy(load_policy(name), platform.machine())


def _op(code: int, k: int) -> Instruction:
    return Instruction(code, 0, 0, k)


def _ret(verdict: int) -> Instruction:
    return _op(_RET, verdict)


def _case(call: str, match: Match, answer: int | Rule) -> list[Instruction]:
    """Answer, or fall through with the accumulator spoilt: the next case loads its own argument."""
    load = [_op(_LOAD, 16 + 8 * VALUES[call][match.argument].index), _op(_AND, match.mask)]
    count = len(match.values)
    if match.among:
        tests = [Instruction(_JEQ, count - 1 - at, 0, value) for at, value in enumerate(match.values)]
        tests[-1] = Instruction(_JEQ, 0, 1, match.values[-1])
    else:
        tests = [Instruction(_JEQ, count - at, 0, value) for at, value in enumerate(match.values)]
    return [*load, *tests, _ret(ERRNO | answer if isinstance(answer, int) else ASK)]


def _ranges(numbers: list[int]) -> list[Instruction]:
    """Allow ``numbers``: one test for each run of neighbours."""
    steps: list[Instruction] = []
    while numbers:
        first = last = numbers.pop(0)
        while numbers and numbers[0] == last + 1:
            last = numbers.pop(0)
        # Allowed from the first of them on, but not from behind the last.
        steps += [Instruction(_JGE, 0, 2, first), Instruction(_JGE, 1, 0, last + 1), _ret(ALLOW)]
    return steps


def evaluate(program: bytes, nr: int, arch: int, arguments: tuple[int, ...] = ()) -> int:
    """What the kernel would answer: an interpreter of the few instructions above, for tests and explanations.

    :data:`ASK` means that a rule decides: :func:`sandbox.policy.judge.judge` says what it answers.
    """
    data = struct.pack("=iIQ6Q", nr, arch, 0, *(arguments + (0,) * 6)[:6])
    steps = [Instruction(*fields) for fields in struct.iter_unpack("=HBBI", program)]
    accumulator, at = 0, 0
    while True:
        step = steps[at]
        at += 1
        if step.code == _RET:
            return step.k
        if step.code == _LOAD:
            (accumulator,) = struct.unpack_from("=I", data, step.k)
        elif step.code == _AND:
            accumulator &= step.k
        elif step.code in (_JEQ, _JGE):
            met = accumulator == step.k if step.code == _JEQ else accumulator >= step.k
            at += step.jump_true if met else step.jump_false
        else:
            raise ValueError(f"unknown instruction {step.code:#x}")
