"""The peer ttyd: a terminal in the browser and nothing else, from Debian's package of that name."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from bench.jupyter import PATIENCE, Terminal
from bench.peers.process import server
from bench.subject import TERMINALS, ask_for_prompt
from bin.lib.servers import free_port

INPUT, OUTPUT = b"0", b"0"


class Ttyd:
    name = "ttyd"
    scenarios = TERMINALS

    def missing(self) -> str:
        return (
            "" if shutil.which("ttyd") else "it is not installed: sudo apt-get install ttyd (not every Debian has it)"
        )

    @contextmanager
    def running(self, spares: bool = True, room: int = 0) -> Iterator[RunningTtyd]:
        port = free_port()
        command = [str(shutil.which("ttyd")), "--port", str(port), "--interface", "lo", "--writable", "bash", "--norc"]
        with tempfile.TemporaryDirectory(prefix="madang-peer-") as folder:
            with server(command, Path(folder), f"http://127.0.0.1:{port}/"):
                yield RunningTtyd(port)


class RunningTtyd:
    def __init__(self, port: int) -> None:
        self.url = f"ws://127.0.0.1:{port}/ws"

    @contextmanager
    def shell(self, ahead: int = 16) -> Iterator[Terminal]:
        """See :class:`bench.subject.Terminals`."""
        socket = connect(
            self.url, subprotocols=[Subprotocol("tty")], compression=None, max_size=None, open_timeout=PATIENCE,
            proxy=None, max_queue=ahead, ping_interval=None, legacy=True,
        )  # fmt: skip
        terminal = TtydTerminal(socket)
        try:
            ask_for_prompt(terminal)
            yield terminal
        finally:
            terminal.close()


class TtydTerminal(Terminal):
    """Its frames: an opcode, then bytes. The first one says how large the terminal is."""

    def __init__(self, socket: ClientConnection) -> None:
        super().__init__(socket)
        socket.send(json.dumps({"AuthToken": "", "columns": 80, "rows": 24}).encode())

    def send(self, text: str) -> None:
        self.socket.send(INPUT + text.encode())

    def _read(self) -> str:
        frame = self.socket.recv(PATIENCE, decode=False)
        assert isinstance(frame, bytes)
        return frame[1:].decode(errors="replace") if frame[:1] == OUTPUT else ""
