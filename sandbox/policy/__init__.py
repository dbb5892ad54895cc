"""Policies: what the programs of a sandbox may do. A policy is a value, and one module of this package.

For each system call a policy has one of four answers: *allowed* and *refused* are given by the kernel,
from the filter that :mod:`sandbox.policy.compile` makes; *asked* calls wait until a rule
(:mod:`sandbox.policy.rules`) answers, in the jail; a call with *cases* has its answer chosen by the values
of its arguments. ``docs/developers/adding-a-policy.md`` walks through one.
"""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module

from sandbox.policy.rules import Rule, values_of
from sandbox.policy.syscalls import NUMBERS
from sandbox.policy.values import Match, value_arguments

NETWORKS = ("none", "packages", "public")
"""What a session may reach, from least to most."""


@dataclass(frozen=True)
class Case:
    """The answer to a call whose arguments meet ``match``: an errno, or a rule that is asked."""

    match: Match
    answer: int | Rule


@dataclass(frozen=True)
class Limits:
    """Bounds beside what a session is granted; the stricter one holds. Bytes, and numbers.

    ``tasks`` counts processes and threads, in the kernel. ``processes`` counts processes only, and holds where
    a policy asks for each (:func:`sandbox.policy.rules.new_task`). ``file_size`` None means the granted disk.
    """

    tasks: int = 4096
    processes: int = 1 << 16
    open_files: int = 4096
    file_size: int | None = None
    locked_memory: int = 64 * 1024


@dataclass(frozen=True)
class Programs:
    """Which files may be executed. A path in a call is memory, so this is carried out by mounts, not by rules.

    ``own``: files that the sandbox itself can write (project, home, /tmp). In ``folders`` of the host only
    ``only`` may be executed, and what the image brings; files there can still be read.
    """

    own: bool = True
    folders: tuple[str, ...] = ()
    only: tuple[str, ...] = ()


@dataclass(frozen=True)
class Policy:
    """``allowed`` calls pass, ``refused`` fail with their errno, ``asked`` are answered by their rule.

    Of a call's ``cases`` the first that meets answers; if none does, the call is allowed. A call that the
    policy does not know gets ``ENOSYS``, as on an older kernel, so that programs fall back. ``network`` is
    the widest of :data:`NETWORKS` that a session under this policy may be given.

    Raises:
        NotAValue: a case or a rule decides on an argument that is no value (see :mod:`sandbox.policy.values`).
        LookupError: a call that no architecture has, or that has two answers; no such network.
    """

    name: str
    allowed: frozenset[str]
    refused: dict[str, int] = field(default_factory=dict)
    asked: dict[str, Rule] = field(default_factory=dict)
    cases: dict[str, tuple[Case, ...]] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    network: str = "public"
    programs: Programs = field(default_factory=Programs)

    def __post_init__(self) -> None:
        answers = [self.allowed, set(self.refused), set(self.asked), set(self.cases)]
        named = set().union(*answers)
        if unknown := named - set().union(*NUMBERS.values()):
            raise LookupError(f"no such system calls: {', '.join(sorted(unknown))}")
        if len(named) < sum(map(len, answers)):
            twice = sorted(call for call in named if sum(call in answer for answer in answers) > 1)
            raise LookupError(f"more than one answer: {', '.join(twice)}")
        if self.network not in NETWORKS:
            raise LookupError(f"no such network: {self.network}")
        for call, rule in self.asked.items():
            value_arguments(call, values_of(rule))
        for call, cases in self.cases.items():
            for case in cases:
                value_arguments(call, [case.match.argument])
                if not isinstance(case.answer, int):
                    value_arguments(call, values_of(case.answer))

    def no_wider_than(self, other: Policy) -> bool:
        """Whether whoever may be given ``other`` may have this one instead.

        Calls, limits, network and programs are compared; of a call with cases in both, the cases are not.
        """
        limits = all(own <= most for own, most in zip(_bounds(self.limits), _bounds(other.limits), strict=True))
        return (
            self.allowed <= other.allowed
            and self.cases.keys() <= other.allowed | other.cases.keys()
            and limits
            and NETWORKS.index(self.network) <= NETWORKS.index(other.network)
            and self.programs.own <= other.programs.own
            and set(self.programs.folders) >= set(other.programs.folders)
        )


def _bounds(limits: Limits) -> tuple[float, ...]:
    size = float("inf") if limits.file_size is None else limits.file_size
    return limits.tasks, limits.processes, limits.open_files, size, limits.locked_memory


@cache
def load_policy(name: str) -> Policy:
    """The policy called ``name``.

    Raises:
        LookupError: there is none.
    """
    if not name.isidentifier():
        raise LookupError(name)
    try:
        policy: Policy = import_module(f"sandbox.policy.{name}").POLICY
    except (ModuleNotFoundError, AttributeError) as error:
        raise LookupError(name) from error
    return policy


@cache
def policy_names() -> tuple[str, ...]:
    """Every policy there is: the modules of this package with a ``POLICY``."""
    modules = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return tuple(name for name in modules if hasattr(import_module(f"{__name__}.{name}"), "POLICY"))
