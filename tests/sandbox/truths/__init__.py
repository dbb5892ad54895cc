"""Pages of truths: what each policy answers, as data. Run against the compiled filter and against the kernel.

One module per policy, named as it is, with a list ``TRUTHS``; :mod:`.everywhere` holds what all have in common.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module


@dataclass(frozen=True)
class Truth:
    """A system call with raw arguments, and the policy's verdict: ``allow``, an errno's name, or ``kill``.

    ``told`` is the reason under which the owner hears of a refusal, "" for one that the filter gives alone.
    ``kernel`` is what an allowed call then gets from the kernel with such arguments: ``ok`` or an errno's name;
    several, parted by ``|``, where kernels differ.
    """

    call: str
    arguments: tuple[int, ...]
    verdict: str
    told: str = ""
    kernel: str = "ok"

    def __str__(self) -> str:
        return f"{self.call}({', '.join(map(hex, self.arguments))}) {self.verdict}"


def truths(policy: str) -> list[Truth]:
    """The page of ``policy``."""
    own: list[Truth] = import_module(f"{__name__}.{policy}").TRUTHS
    common: list[Truth] = import_module(f"{__name__}.everywhere").TRUTHS
    return [*common, *own]
