"""Numeric libraries that the zygote loaded with one thread are told in each fork how many cores there are.

A library reads its thread variable once, when it is loaded; a fork of the zygote has it loaded already.
So its own function is called, found in the zygote by name among the libraries of the process: to look for it
costs memory, and inside, a library's file may lie elsewhere.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Callable

# A library's name, the variable it would have read, and its function's names in the order of age.
_LIBRARIES = (
    (
        re.compile(r"openblas"),
        "OPENBLAS_NUM_THREADS",
        tuple(
            f"{prefix}openblas_set_num_threads{suffix}" for prefix in ("scipy_", "") for suffix in ("64_", "", "_64")
        ),
    ),
    (re.compile(r"lib(g|i)?omp[-.\d]"), "OMP_NUM_THREADS", ("omp_set_num_threads",)),
    (re.compile(r"libmkl_rt"), "MKL_NUM_THREADS", ("MKL_Set_Num_Threads",)),
)


_libc = ctypes.CDLL(None)
_found: list[tuple[str, Callable[[int], None]]] = []


class _Loaded(ctypes.Structure):
    """The head of ``struct dl_phdr_info``."""

    _fields_ = [("address", ctypes.c_size_t), ("name", ctypes.c_char_p)]


_Visit = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Loaded), ctypes.c_size_t, ctypes.c_void_p)


def find() -> None:
    """In the zygote: look for the functions of the libraries that are loaded."""
    _found.clear()
    for path in _loaded():
        for name, variable, functions in _LIBRARIES:
            if name.search(os.path.basename(path)) and (function := _function(path, functions)):
                _found.append((variable, function))


def use_cores() -> None:
    """In a fork: tell each library the number in its variable."""
    for variable, function in _found:
        number = os.environ.get(variable, "")
        if number.isdigit():
            function(int(number))


def _function(path: str, names: tuple[str, ...]) -> Callable[[int], None] | None:
    try:
        library = ctypes.CDLL(path, mode=os.RTLD_NOLOAD | os.RTLD_LAZY)
    except OSError:
        return None  # under this name it is not to be had: it keeps its one thread
    for name in names:
        if function := getattr(library, name, None):
            function.argtypes, function.restype = [ctypes.c_int], None
            return function
    return None


def _loaded() -> list[str]:
    """The shared libraries of this process, by the names they were loaded under (dl_iterate_phdr(3))."""
    names: list[str] = []

    def visit(info: ctypes._Pointer[_Loaded], size: int, data: object) -> int:
        if name := info.contents.name:
            names.append(os.fsdecode(name))
        return 0

    _libc.dl_iterate_phdr(_Visit(visit), None)
    return names
