"""ipykernel in a forked child of the runner: everything is imported already, so it starts at once.

Left out of the stock application, because nothing here asks for it: the heartbeat thread (the
runner reaps its children and knows), the history database and its thread (the console's log is
the history), the connection file and message signatures (the sockets lie in a folder that only
this sandbox has).

A page that a fork writes to is a page that it no longer shares, and reading a Python object writes
to it (its reference count). What can be done before the fork is therefore done in :func:`warm_up`.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

from ipykernel.kernelapp import IPKernelApp
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

PORTS = {"shell": 1, "iopub": 2, "stdin": 3, "control": 4}
_ours: list[str] = []


class ForkedKernelApp(IPKernelApp):
    """The stock application without what the module's text leaves out."""

    def init_heartbeat(self) -> None: ...
    def init_connection_file(self) -> None: ...
    def parse_command_line(self, argv: object = None) -> None: ...
    def write_connection_file(self, **kwargs: object) -> None: ...

    def _bind_socket(self, socket: Any, port: int) -> Any:
        socket.sndhwm = 0  # never drop a line: the runner reads always, and its log is the bound
        return super()._bind_socket(socket, port)


def run(prefix: str, ready: int) -> None:
    """Run a kernel on the sockets ``ipc://<prefix>-<port>`` until it exits; write a byte to ``ready`` once bound."""
    config = _config()
    config.IPKernelApp.log_level = logging.CRITICAL  # its hints are for people who started it by hand
    config.IPKernelApp.transport = "ipc"
    config.IPKernelApp.ip = prefix
    for channel, port in PORTS.items():
        config.IPKernelApp[f"{channel}_port"] = port
    _forget_runner()
    _reseed()
    app = ForkedKernelApp.instance(config=config)
    app.initialize([])
    _show_figures(app.shell)
    os.write(ready, b"1")
    os.close(ready)
    app.start()


def warm_up() -> None:
    """In the zygote: what a kernel's start and its first cell load, compile and remember, once for all forks."""
    shell = InteractiveShell.instance(config=_config())
    shell.run_cell("1", silent=True)
    InteractiveShell.clear_instance()
    ForkedKernelApp.instance(config=_config())
    ForkedKernelApp.clear_instance()
    _reseed()
    _ours[:] = _modules_of_ours()


def _config() -> Config:
    config = Config()
    config.Session.key = b""
    config.HistoryManager.enabled = False
    return config


def _reseed() -> None:
    """Forks of one zygote must not draw the same numbers; Python's own generator sees to itself."""
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()


def _show_figures(shell: Any) -> None:
    """Show figures at the end of a cell: imported before there was a shell, the backend could not arrange it."""
    if inline := sys.modules.get("matplotlib_inline.backend_inline"):
        from IPython.core.pylabtools import activate_matplotlib

        backend = os.environ.get("MPLBACKEND", "")
        activate_matplotlib(backend)
        inline.configure_inline_support(shell, backend)


def _forget_runner() -> None:
    """Leave no trace of the runner in the interpreter: a user's own ``sandbox.py`` must import."""
    for name in _ours or _modules_of_ours():
        sys.modules.pop(name, None)
    sys.argv = ["ipykernel"]
    sys.path[:] = ["", *(entry for entry in sys.path if Path(entry).is_dir() and not _is_ours(entry))]


def _modules_of_ours() -> list[str]:
    return [name for name in sys.modules if name.split(".")[0] == "sandbox"]


def _is_ours(entry: str) -> bool:
    return (Path(entry) / "sandbox" / "runner").is_dir()
