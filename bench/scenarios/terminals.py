"""A terminal: how soon it answers, and what it does under a flood."""

from __future__ import annotations

import time

from bench.scenarios.counts import Counts
from bench.subject import PROMPT, Terminals

KEYS = "abcdefgijk"
SLOW = 2e6


def echoes(running: Terminals, counts: Counts) -> list[float]:
    """Milliseconds from a key to its echo by the shell."""
    samples = []
    with running.shell() as terminal:
        for index in range(counts.echoes):
            began = time.perf_counter()
            terminal.send(key := KEYS[index % len(KEYS)])
            terminal.wait_for(key)
            samples.append((time.perf_counter() - began) * 1000)
            if key == KEYS[-1]:
                terminal.send("\x15\r")  # drop the line, so that it never wraps
                terminal.wait_for(PROMPT)
    return samples


def bulk(running: Terminals, counts: Counts) -> list[float]:
    """Seconds for 20 MB of lines from a terminal."""
    samples = []
    with running.shell() as terminal:
        for _ in range(counts.floods):
            began = time.perf_counter()
            terminal.send(f"yes {'x' * 98} | head -n {counts.megabytes * 10_000}; echo e''nd\r")
            terminal.pass_by("\nend\r")
            samples.append(time.perf_counter() - began)
    return samples


def interrupts(running: Terminals, counts: Counts) -> list[float]:
    """Milliseconds from Ctrl-C to the prompt, under ``yes``, for a client that reads 2 MB a second."""
    samples = []
    with running.shell(ahead=1) as terminal:
        for _ in range(counts.floods):
            terminal.send("yes\r")
            terminal.read_some(3.0, SLOW)
            began = time.perf_counter()
            terminal.send("\x03")
            terminal.pass_by(PROMPT, SLOW)
            samples.append((time.perf_counter() - began) * 1000)
    return samples
