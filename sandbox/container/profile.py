"""The outer seccomp profile: a policy as Docker's JSON, for the moments before the runner has its own filter.

The runner installs the policy's exact filter, with the jail as the listener of what is asked, before any code of a
user runs. An engine's profile cannot say that: not every engine hands ``listenerPath`` on, and Linux takes one listener
only. So what the policy asks about, or decides by arguments, is open in the outer profile and closed in the inner one;
of two filters the stricter answer counts. What the policy refuses or does not know, both refuse.
"""

from __future__ import annotations

import errno
import json
import platform
from functools import cache

from sandbox.policy import Policy, load_policy
from sandbox.policy.syscalls import NUMBERS

_ARCHITECTURES = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}
_TO_BEGIN = frozenset(("unshare", "seccomp", "capset", "prctl", "sched_setaffinity", "execve"))
"""What the runner needs until it has the inner filter. The policy has an answer to each, and then that holds."""


def outer_profile(policy: Policy, machine: str) -> dict[str, object]:
    """Docker's seccomp profile for ``policy`` on ``machine`` (``platform.machine()``). Pure.

    Raises:
        KeyError: the architecture is unknown.
    """
    known = NUMBERS[machine].keys()
    allowed = (policy.allowed | policy.asked.keys() | policy.cases.keys() | _TO_BEGIN) & known
    answers: dict[int, list[str]] = {}
    for call in sorted(known - allowed):
        answers.setdefault(policy.refused.get(call, errno.ENOSYS), []).append(call)
    refused = [
        {"names": calls, "action": "SCMP_ACT_ERRNO", "errnoRet": code} for code, calls in sorted(answers.items())
    ]
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": errno.ENOSYS,
        "architectures": [_ARCHITECTURES[machine]],
        "syscalls": [{"names": sorted(allowed), "action": "SCMP_ACT_ALLOW"}, *refused],
    }


@cache
def profile_text(name: str) -> str:
    """The profile of the policy called ``name`` on this machine, as the engine takes it.

    Raises:
        LookupError: there is no such policy.
    """
    return json.dumps(outer_profile(load_policy(name), platform.machine()), separators=(",", ":"))
