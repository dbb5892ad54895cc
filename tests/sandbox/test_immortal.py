"""What a zygote settles is shared by its forks, and works as ever; in a Python where that is not sound, it is not done.

Each program runs in an interpreter of its own: what is settled stays so.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap
from types import SimpleNamespace

import pytest

from sandbox.jail import immortal
from tests.sandbox.conftest import Lab

SOUND = not immortal.obstacle()
KNOWN = {"implementation": SimpleNamespace(name="cpython"), "version_info": (3, 13, 0), "abiflags": ""}
KNOWN |= {"byteorder": "little", "maxsize": (1 << 63) - 1, "getrefcount": sys.getrefcount}


def run(program: str) -> str:
    """What ``program`` prints; it has to end by itself, through the interpreter's finalization."""
    command = [sys.executable, "-c", textwrap.dedent(program)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def written_by_a_fork(prepare: str) -> int:
    """KiB that a fork writes to when it looks at all of 200,000 objects that were made before."""
    program = f"""
        import gc, os, re
        from sandbox.jail import immortal

        things = [("a tuple", str(number), [number + 0.5]) for number in range(50_000)]
        {prepare}
        if os.fork() == 0:
            for thing in things:
                word, number, rest = thing
                rest = rest[0]
            rollup = open("/proc/self/smaps_rollup").read()
            print(re.search(r"Private_Dirty: +([0-9]+)", rollup)[1], flush=True)
            os._exit(0)
        os.wait()
    """
    return int(run(program))


def test_a_fork_writes_to_nothing_that_it_only_looks_at() -> None:
    frozen, settled = written_by_a_fork("gc.freeze()"), written_by_a_fork("immortal.settle()")
    assert frozen > 8 * 1024  # so much is counted
    assert settled < frozen / 4 if SOUND else settled > frozen / 2


def test_what_is_there_is_marked_with_all_that_it_refers_to_and_what_comes_later_is_not() -> None:
    said = run("""
        import sys
        from sandbox.jail import immortal

        class Kept:
            def method(self):
                return ("of a method", 12345678)

        data = {"a key": [Kept(), ("a tuple", 1.5), frozenset({b"bytes"})]}
        marked = immortal.settle()
        forever = sys.getrefcount(None)
        constants = Kept.method.__code__.co_consts[1]
        old = [Kept, Kept.method, Kept.method.__code__, *constants, data, *data["a key"], *data["a key"][1], sys]
        new = [Kept(), [1], "%s!" % len(old), object()]
        print(marked > 1000, [sys.getrefcount(thing) == forever for thing in old].count(True) == len(old))
        print([sys.getrefcount(thing) for thing in new])
    """)
    assert said.splitlines() == [f"{SOUND} {SOUND}", "[3, 3, 3, 3]"]


def test_python_works_on_with_what_is_settled() -> None:
    """What CPython does differently for an only owner, what ends, and what is collected."""
    said = run("""
        import asyncio, functools, gc, json, re, threading, weakref
        from sandbox.jail import immortal

        class Node:
            def __del__(self):
                gone.append(self.name)

        gone, text, row, numbers = [], "old" * 20, ("a", "b"), [3, 1, 2]
        old, cell = Node(), functools.lru_cache(maxsize=2)(lambda x: (x, object()))
        old.name, first = "old", cell(1)
        steps = (number for number in numbers)
        next(steps)
        pairs = zip(numbers, row)
        next(pairs)
        pattern = re.compile("o(l)d")
        immortal.settle()

        before = text
        text += "new"
        row += ("c",)
        numbers.sort()
        numbers += [4]
        print(before == "old" * 20, text[-6:], row, numbers, list(steps), list(pairs))

        ring = Node(); ring.name, ring.self, ring.old = "ring", ring, old
        del ring
        young = Node(); young.name = "young"
        reference = weakref.ref(young)
        del young, old
        gc.collect(); gc.unfreeze(); gc.collect()
        print(sorted(set(gone) - {"old"}), reference())

        class Heir(Node):
            pass

        heirs = weakref.ref(Heir)
        del Heir
        gc.collect()
        print(heirs(), cell(1) is first, [cell(n)[0] for n in (2, 3, 1)], pattern.sub("l", text)[:4])

        async def later():
            await asyncio.sleep(0)
            raise ValueError("later")

        said = []
        thread = threading.Thread(target=lambda: said.append(json.dumps({"in": "a thread"})))
        thread.start(); thread.join()
        try:
            asyncio.run(later())
        except ValueError as error:
            said.append(str(error))
        print(*said)
        del Node, asyncio, json
    """)
    assert said.splitlines() == [
        "True oldnew ('a', 'b', 'c') [1, 2, 3, 4] [2, 3, 4] [(2, 'b')]",
        "['ring', 'young'] None",
        "None True [2, 3, 1] llll",
        '{"in": "a thread"} later',
    ]


@pytest.mark.parametrize(
    ("differs", "why"),
    [
        ({"implementation": SimpleNamespace(name="pypy")}, "version"),
        ({"version_info": (3, 11, 9)}, "version"),
        ({"version_info": (3, 99, 0)}, "version"),
        ({"abiflags": "t"}, "build"),
        ({"abiflags": "d"}, "build"),
        ({"getobjects": len}, "build"),
        ({"byteorder": "big"}, "64 bits"),
        ({"maxsize": (1 << 31) - 1}, "64 bits"),
        ({"getrefcount": lambda _: 3 << 30}, "known to be"),
    ],
)
def test_where_it_was_not_tried_nothing_is_marked(
    differs: dict[str, object], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(immortal, "sys", SimpleNamespace(**KNOWN | differs))
    monkeypatch.setattr(immortal, "gc", SimpleNamespace(collect=int, freeze=int, get_objects=pytest.fail))
    assert why in immortal.obstacle()
    assert immortal.settle() == 0


@pytest.mark.jail
@pytest.mark.asyncio(loop_scope="module")
async def test_a_kernel_counts_neither_what_the_zygote_had_nor_less_than_it_made(lab: Lab) -> None:
    inside = await lab.kernel(await lab.start())
    said = await inside.run(
        "import sys, numpy\nprint(sys.getrefcount(numpy) == sys.getrefcount(None), sys.getrefcount([]))"
    )
    assert said == f"{SOUND} 1\n"
