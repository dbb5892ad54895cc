"""Policies: which system calls a sandbox may make. A policy is a value; ``compile`` turns it into a seccomp filter.

One module per policy in this package, each with a ``POLICY``; an image or a request names it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module


@dataclass(frozen=True)
class Rule:
    """Refuse a call when one of its arguments, masked, matches. Decides on values, never on memory.

    The call is refused with ``errno`` if ``argument & mask`` is ``values``-d: in ``values`` when
    ``refuse`` is true, not in ``values`` otherwise. ``values=()`` with ``refuse`` false and a mask means
    "refuse when any masked bit is set".
    """

    argument: int
    mask: int
    values: tuple[int, ...]
    refuse: bool
    errno: int


@dataclass(frozen=True)
class Policy:
    """``allowed`` calls pass, those in ``rules`` pass unless a rule refuses them, all else is refused.

    ``refused`` calls get their errno; a call that the policy does not know gets ``ENOSYS``, as on an older
    kernel, so that programs fall back.
    """

    name: str
    allowed: frozenset[str]
    refused: dict[str, int] = field(default_factory=dict)
    rules: dict[str, tuple[Rule, ...]] = field(default_factory=dict)
    network: str = "public"


def load_policy(name: str) -> Policy:
    """The policy called ``name``.

    Raises:
        LookupError: there is none.
    """
    if not name.isidentifier() or name in ("compile", "syscalls"):
        raise LookupError(name)
    try:
        policy: Policy = import_module(f"sandbox.policy.{name}").POLICY
    except (ModuleNotFoundError, AttributeError) as error:
        raise LookupError(name) from error
    return policy
