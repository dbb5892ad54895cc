"""The accounts of bytes read and written: nothing that was seen is lost, nothing counts twice."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.jail import disks
from sandbox.jail.disks import Process, Transferred
from sandbox.slots import MIB, Slots
from tests.sandbox.conftest import Lab


@dataclass
class Tree:
    """Processes as the kernel keeps them: who is waited for leaves its account to who waited."""

    written: dict[int, int] = field(default_factory=lambda: {1: 0})
    parents: dict[int, int] = field(default_factory=lambda: {1: 0})
    truth: int = 0
    hidden: int = 0
    newest: int = 1  # an id that comes again is another process: its start tells, and this model has none

    def fork(self, parent: int) -> None:
        child = self.newest = self.newest + 1
        self.written[child], self.parents[child] = 0, parent

    def write(self, pid: int, amount: int) -> None:
        self.written[pid] += amount
        self.truth += amount

    def end(self, pid: int, waited: bool) -> None:
        """An ended process's children are pid 1's."""
        self.parents.update({child: 1 for child, parent in self.parents.items() if parent == pid})
        parent, account = self.parents.pop(pid), self.written.pop(pid)
        if waited:
            self.written[parent] += account
        else:
            self.hidden += account

    def look(self) -> dict[disks.Key, Process]:
        return {(pid, "0"): Process(self.parents[pid], 0, written) for pid, written in self.written.items()}


steps = st.lists(
    st.tuples(st.sampled_from(["fork", "write", "end", "look"]), st.integers(0, 99), st.integers(0, 1000)), max_size=60
)


def play(moves: list[tuple[str, int, int]], waited: bool) -> tuple[Tree, list[int]]:
    tree, totals, account = Tree(), [0], Transferred()
    for move, who, amount in [*moves, ("look", 0, 0)]:
        pids = sorted(tree.written)
        pid = pids[who % len(pids)]
        if move == "fork":
            tree.fork(pid)
        elif move == "write":
            tree.write(pid, amount)
        elif move == "end" and pid != 1:
            tree.end(pid, waited)
        elif move == "look":
            account = account.after(tree.look())
            totals.append(account.written)
    return tree, totals


@given(steps)
def test_where_parents_wait_the_total_is_exact(moves: list[tuple[str, int, int]]):
    tree, totals = play(moves, waited=True)
    assert totals == sorted(totals)
    assert totals[-1] == tree.truth


@given(steps)
def test_where_nobody_waits_the_total_never_falls_and_never_counts_twice(moves: list[tuple[str, int, int]]):
    tree, totals = play(moves, waited=False)
    assert totals == sorted(totals)
    assert tree.truth - 2 * tree.hidden <= totals[-1] <= tree.truth


def test_the_same_id_is_another_process_when_it_started_later():
    account = Transferred().after({(7, "100"): Process(1, 0, 50)})
    assert account.after({(7, "200"): Process(1, 0, 30)}).written == 80


def test_devices_that_lie_on_others_are_not_counted_again():
    assert disks.of_io_stat("8:0 rbytes=1 wbytes=2 rios=3\n7:1 rbytes=10 wbytes=20\n\n".strip()) == (1, 2)
    assert disks.of_blkio("8:0 Read 4\n8:0 Write 5\n8:0 Total 9\n7:0 Read 4\nTotal 13\n") == (4, 5)


def test_a_process_is_looked_at_and_one_that_is_gone_is_not():
    found = disks.look([os.getpid(), 1 << 22])
    assert [(pid, process.parent) for (pid, _), process in found.items()] == [(os.getpid(), os.getppid())]


@pytest.mark.jail
@pytest.mark.asyncio(loop_scope="module")
async def test_what_children_wrote_and_others_buried_is_counted(lab: Lab):
    id = await lab.start(Slots(memory=512 * MIB))
    inside = await lab.kernel(id)
    write = "open('made', 'wb').write(bytes(24 << 20))"
    orphan = f'setsid python -c "{write}" &'
    await inside.run(
        "import os, signal, subprocess, sys\n"
        f"subprocess.run([sys.executable, '-c', {write!r}])\n"  # waited for
        f"subprocess.run(['sh', '-c', {orphan!r}])\n"  # pid 1 waits for it
        "os.sync()"
    )
    async with asyncio.timeout(60):
        while (await lab.sample(id)).usage.bytes_written < 48 * MIB:
            pass
    usage = (await lab.sample(id)).usage
    assert usage.bytes_written < 80 * MIB
    await lab.driver.stop(id)
    assert (await lab.end(id)).usage.bytes_written >= usage.bytes_written
