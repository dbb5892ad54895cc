"""The policy for building large programs: as the default, with room for ``make -j`` and what toolchains ask for.

Some of them want a fixed address layout (personality(2)), which weakens a program's own protection and
nobody else's. Beside the package indexes a build needs no network.
"""

from __future__ import annotations

import errno

from sandbox.policy import Case, Limits, Policy
from sandbox.policy.common import ASKED, LOCAL_AND_INTERNET, MADE_IN_MEMORY, ORDINARY, QUIET, SHUT
from sandbox.policy.values import is_none_of

_PER_LINUX, _PER_LINUX32, _ADDR_NO_RANDOMIZE, _QUERY = 0, 8, 0x0040000, 0xFFFFFFFF

POLICY = Policy(
    name="build",
    allowed=ORDINARY | MADE_IN_MEMORY,
    refused={call: code for call, code in QUIET.items() if call != "personality"},
    asked=ASKED,
    cases={
        **SHUT,
        **LOCAL_AND_INTERNET,
        "personality": (
            Case(is_none_of("persona", _PER_LINUX, _PER_LINUX32, _ADDR_NO_RANDOMIZE, _QUERY), errno.EPERM),
        ),
    },
    limits=Limits(tasks=16384, open_files=16384),
    network="packages",
)
