"""The default policy: what programs, interpreters, compilers, editors and shells need, and no door out.

Refused, and told to the owner: new namespaces, mounts, tracing, other processes' memory, keyrings, BPF,
perf, io_uring, userfaultfd, kernel modules, clocks, raw and exotic sockets, typing into a terminal
(TIOCSTI), and signals to the runner. Processes and threads are counted by the cgroup.
"""

from __future__ import annotations

from sandbox.policy import Policy
from sandbox.policy.common import ASKED, LOCAL_AND_INTERNET, MADE_IN_MEMORY, ORDINARY, QUIET, SHUT

POLICY = Policy(
    name="default",
    allowed=ORDINARY | MADE_IN_MEMORY,
    refused=QUIET,
    asked=ASKED,
    cases={**SHUT, **LOCAL_AND_INTERNET},
)
