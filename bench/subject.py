"""What can be measured: servers and programs, each as its users would start it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import httpx

from bench.jupyter import Jupyter, Terminal

# The prompt holds no letter, and is not in what we type; escape sequences hold none of the keys that we type.
PROMPT = "% "

# Names of scenarios, by what they need.
KERNELS = frozenset(["warm", "round-trip", "cell-bulk", "memory"])
TERMINALS = frozenset(["echo", "terminal-bulk", "interrupt"])
SERVERS = KERNELS | TERMINALS | {"cold", "server-memory"}


class Subject(Protocol):
    """Something that can be started to be measured. ``scenarios`` are those it takes part in."""

    name: str
    scenarios: frozenset[str]

    def missing(self) -> str:
        """Why it cannot be measured on this machine, as a sentence; "" when it can."""

    def running(self, spares: bool = True, room: int = 0) -> AbstractContextManager[Any]:
        """Start it; it is stopped at the end.

        Without ``spares`` it keeps nothing ready; with ``room`` it lets so many sessions live at the same time.
        """


class Starts(Protocol):
    """What can print something."""

    def first_output(self) -> float:
        """Milliseconds from asking for it to the first thing it prints. What was started is ended afterwards."""


class Claims(Protocol):
    """What makes sandboxes, whoever asks for them."""

    def claim(self) -> float:
        """Milliseconds from asking for a sandbox to the first thing it prints. It is ended afterwards."""


class Terminals(Protocol):
    """What has terminals."""

    def shell(self, ahead: int = 16) -> AbstractContextManager[Terminal]:
        """A terminal at its prompt; ``ahead`` is how many frames may lie with us unread."""


class Runs(Protocol):
    """What runs programs from their source, in some languages."""

    languages: Sequence[str]

    def run(self, language: str, program: str) -> str:
        """What ``program`` says. It may be called from several threads at once."""

    def processor(self) -> dict[str, float]:
        """By part, milliseconds of the processor that its runs have taken so far; nothing where that is not known."""


class Running(ABC):
    """Something under measurement whose users have kernels."""

    _visitor: Any = None

    @abstractmethod
    def users(self, count: int) -> list[Any]:
        """Users whose kernels are as far apart as this server keeps them."""

    @abstractmethod
    def own_processes(self) -> set[int]:
        """What runs without any session."""

    @abstractmethod
    def session_processes(self) -> set[int]:
        """What runs for sessions, of all users together."""

    def forget(self, user: Any, kernel: str) -> None:
        """End all that starting ``kernel`` has begun, and return when it is gone."""
        user.stop_kernel(kernel)

    def first_output(self) -> float:
        """See :class:`Starts`; always for the same user, whose sessions before have ended."""
        if self._visitor is None:
            (self._visitor,) = self.users(1)
        user = self._visitor
        began = time.perf_counter()
        id = user.start_kernel()
        kernel = user.kernel(id)
        kernel.wait_for_output(kernel.execute("print(1)"))
        took = time.perf_counter() - began
        kernel.close()
        self.forget(user, id)
        return took * 1000


class Server(Running):
    """A running server that speaks Jupyter's protocol."""

    def announce(self, count: int) -> None:
        """Tell it, where it listens to that, that so many sessions will start soon; returns when it is ready."""

    @abstractmethod
    def services(self) -> dict[str, int]:
        """The process ids of what lives as long as the server, by name."""

    async def leave(self, user: Jupyter, kernel: str, http: httpx.AsyncClient) -> None:
        """Ask for the end of all that starting ``kernel`` has begun."""
        answer = await http.delete(f"{user.url}/api/kernels/{kernel}", headers=user.headers)
        answer.raise_for_status()

    @contextmanager
    def shell(self, ahead: int = 16) -> Iterator[Terminal]:
        """See :class:`Terminals`."""
        user: Jupyter = self.users(1)[0]
        kernel = user.start_kernel()  # a terminal needs a session, and where it has one this starts it
        name = user.start_terminal()
        terminal = user.terminal(name, ahead)
        ask_for_prompt(terminal)
        try:
            yield terminal
        finally:
            terminal.close()
            user.stop_terminal(name)
            self.forget(user, kernel)


def ask_for_prompt(terminal: Terminal) -> None:
    """Let the shell show :data:`PROMPT`, and wait for it."""
    terminal.send("PS1='%'' '\r")
    terminal.wait_for(PROMPT)
