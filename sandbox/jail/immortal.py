"""What a zygote has in memory stays as it is, so that its forks share the pages.

CPython writes to an object whenever it looks at it: to its count of references. In a fork each such write copies a
page. Since 3.12 there are objects that are not counted (PEP 683: ``None``, small integers, static types): a count
whose low half has its highest bit set is never changed, and the object never freed. :func:`settle` gives that count
to all that a zygote has before its first fork.

What that means for a fork, and why it is sound:

- What was there before the fork is never freed in it, nor are its finalizers called. It is of bounded size, and
  shared. What the fork makes is counted as ever.
- Where CPython looks whether it is an object's only owner, to change or reuse it in place, the answer is no, which
  is the slower and always correct way. It never counts on a yes for an object that others can see.
- The collector leaves such objects alone, and takes what they refer to as referred to.
- Extensions built for the stable ABI of before 3.12 still count. PEP 683 allows for it: half of 2³² counts that are
  out of balance would make such an object an ordinary one again, with a count that is far from zero.
- Frames and what holds some (generators, coroutines, tracebacks) stay ordinary: a frame that ends asks whether
  anybody else holds it, and all that it refers to would stay.

There is no public function for it, so the counts are written by their address, in those versions only whose objects
are known to be laid out so and whose kernels were tested for it. Elsewhere :func:`settle` only keeps the collector
away.
"""

from __future__ import annotations

import ctypes
import gc
import struct
import sys
from types import AsyncGeneratorType, CodeType, CoroutineType, FrameType, GeneratorType, TracebackType
from typing import Any

VERSIONS = frozenset({(3, 12), (3, 13)})
_IMMORTAL = 0xFFFFFFFF
_WHOLE = struct.Struct("=Q")
_ORDINARY = (FrameType, GeneratorType, CoroutineType, AsyncGeneratorType, TracebackType)


def settle() -> int:
    """Before the first fork: what is there now is neither collected nor, where that is sound, counted any more.

    To be called with one thread running. Returns how many objects are no longer counted, 0 where that is not sound.
    """
    gc.collect()
    marked = 0 if obstacle() else _mark(gc.get_objects())
    gc.freeze()
    return marked


def obstacle() -> str:
    """Why the counts cannot be written in this interpreter; "" where they can."""
    if sys.implementation.name != "cpython" or sys.version_info[:2] not in VERSIONS:
        return "it was not tried with this version of Python"
    if sys.abiflags or hasattr(sys, "getobjects"):
        return "this is a debugging or free-threaded build of Python, whose objects are laid out otherwise"
    if sys.byteorder != "little" or sys.maxsize < 1 << 32:
        return "counts have 64 bits, the low half first, where it was tried"
    return "" if _is_laid_out_as_known() else "counts are not where they are known to be"


def _is_laid_out_as_known() -> bool:
    """Whether an object begins with its count, and that of ``None`` is the one that we write."""
    fresh = [object()]
    before = _WHOLE.unpack(ctypes.string_at(id(fresh[0]), _WHOLE.size))[0]
    fresh *= 3
    after = _WHOLE.unpack(ctypes.string_at(id(fresh[0]), _WHOLE.size))[0]
    none = _WHOLE.unpack(ctypes.string_at(id(None), _WHOLE.size))[0]
    return (before, after, none) == (1, 3, _IMMORTAL) and sys.getrefcount(None) == _IMMORTAL


def _mark(objects: list[Any]) -> int:
    """Let ``objects``, and all that they refer to, be counted no more. The mark itself tells where we have been."""
    memory = (ctypes.c_uint32 * (1 << 45)).from_address(0)  # all that there is: writing by index is the quickest way
    count = 0
    while objects:
        fresh = []
        for item in objects:
            if sys.getrefcount(item) != _IMMORTAL and not isinstance(item, _ORDINARY):
                memory[id(item) // 4] = _IMMORTAL
                fresh.append(item)
        count += len(fresh)
        objects = gc.get_referents(*fresh)
        for item in fresh:
            if type(item) is CodeType:
                objects += _parts(item)
    return count


def _parts(code: CodeType) -> list[Any]:
    """What a code object refers to: the collector does not know."""
    names = (code.co_name, code.co_qualname, code.co_filename, *code.co_varnames, *code.co_cellvars, *code.co_freevars)
    return [*names, code.co_names, code.co_consts, code.co_linetable, code.co_exceptiontable]
