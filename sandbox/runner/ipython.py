"""ipykernel in a forked child of the runner, on a shell that was made before the fork.

A page that a fork writes to is a page that it no longer shares, and even reading a Python object
writes to it (its reference count). So the application, its kernel and its shell are made in the
zygote, by :func:`prepare`; a fork only opens the sockets, by :func:`run`. That is less than half of
the time and of the memory of a kernel that starts from nothing.

Left out of the stock application, because nothing here asks for it: the heartbeat thread (the
runner reaps its children and knows), the history database and its thread (the console's log is
the history), the connection file and message signatures (the sockets lie in a folder that only
this sandbox has).
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from pathlib import Path
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from IPython.core.application import BaseIPythonApplication
from IPython.core.profiledir import ProfileDir
from jupyter_client.session import Session
from tornado.ioloop import IOLoop
from traitlets.config import Config
from zmq.eventloop.zmqstream import ZMQStream

from sandbox.runner import threads

PORTS = {"shell": 1, "iopub": 2, "stdin": 3, "control": 4}
_ours: list[str] = []


class ForkedKernelApp(IPKernelApp):
    """The stock application, its start cut in two: :meth:`prepare` and, in the fork, :meth:`open`."""

    def prepare(self) -> None:
        """All that needs neither a thread nor a socket, a first cell included."""
        BaseIPythonApplication.initialize(self, [])
        self.init_pdb()
        given = {"session": self.session, "log": self.log, "profile_dir": self.profile_dir, "user_ns": self.user_ns}
        self.kernel = IPythonKernel.instance(parent=self, **given)
        self.init_shell()
        self.init_gui_pylab()
        self.init_extensions()
        self.init_code()
        _show_figures(self.shell)
        self.shell.run_cell("1", silent=True)

    def open(self, prefix: str) -> None:
        """In the fork: become a kernel of its own, on the sockets ``ipc://<prefix>-<port>``."""
        self.transport, self.ip = "ipc", prefix
        for channel, port in PORTS.items():
            setattr(self, f"{channel}_port", port)
        self.session = Session(parent=self)
        self.init_sockets()
        self.init_io()
        self.init_signal()
        self._use_home()
        self._connect_kernel()
        self._start_kernel()

    def start(self) -> None:
        """Answer requests until the end."""
        try:
            self.io_loop.start()
        except KeyboardInterrupt:
            return

    def parse_command_line(self, argv: object = None) -> None: ...

    def _bind_socket(self, socket: Any, port: int) -> Any:
        socket.sndhwm = 0  # never drop a line: the runner reads always, and its log is the bound
        return super()._bind_socket(socket, port)

    def _use_home(self) -> None:
        """The profile is the sandbox's user's, not that of who ran the zygote."""
        profile = ProfileDir.create_profile_dir(os.path.expanduser("~/.ipython/profile_default"))
        self.profile_dir = self.shell.profile_dir = profile
        self.shell.ipython_dir = os.path.dirname(profile.location)

    def _connect_kernel(self) -> None:
        """Hand the kernel its streams, as ``IPKernelApp.init_kernel`` does when it makes one."""
        kernel, control_loop = self.kernel, self.control_thread.io_loop
        shell_stream = ZMQStream(self.shell_socket, self.shell_channel_thread.io_loop)
        self.shell_channel_thread.shell_stream = kernel.shell_stream = shell_stream
        kernel.control_stream = ZMQStream(self.control_socket, control_loop)
        kernel.debugpy_stream = ZMQStream(self.debugpy_socket, control_loop)
        for name in ("session", "debug_shell_socket", "control_thread", "shell_channel_thread", "iopub_thread"):
            setattr(kernel, name, getattr(self, name))
        kernel.iopub_socket, kernel.stdin_socket = self.iopub_socket, self.stdin_socket
        for publisher in (kernel.shell.displayhook, kernel.shell.display_pub):
            publisher.session, publisher.pub_socket = self.session, self.iopub_socket
        kernel.debugger = kernel.debugger_class(
            kernel.log,
            kernel.debugpy_stream,
            kernel._publish_debug_event,
            kernel.debug_shell_socket,
            kernel.session,
            kernel._kernel_modules,
            kernel.debug_just_my_code,
            kernel.filter_internal_frames,
        )
        self.displayhook.get_execution_count = lambda: kernel.execution_count
        self.control_thread.start()
        self.shell_channel_thread.start()

    def _start_kernel(self) -> None:
        """As the stock ``start`` does, but to the end before anybody connects.

        A subscription that comes in while something is being sent stays unread: sending takes the signal
        that both wait for (zmq_getsockopt(3), ``ZMQ_FD``). The kernel's first words go out here, to nobody.
        """
        self.io_loop = IOLoop.current()
        self.kernel.start()
        sent = threading.Event()
        self.iopub_thread.schedule(sent.set)
        sent.wait()


def prepare() -> None:
    """In the zygote: make the application that every fork will open."""
    config = Config()
    config.IPKernelApp.log_level = logging.CRITICAL  # its hints are for people who started it by hand
    config.Session.key = b""
    config.HistoryManager.enabled = False
    ForkedKernelApp.instance(config=config).prepare()
    _reseed()
    _ours[:] = [name for name in sys.modules if name.split(".")[0] == "sandbox"]


def run(prefix: str, ready: int) -> None:
    """Run a kernel on the sockets ``ipc://<prefix>-<port>`` until it exits; write a byte to ``ready`` once bound."""
    if not ForkedKernelApp.initialized():
        prepare()
    threads.use_cores()
    _forget_runner()
    _reseed()
    app = ForkedKernelApp.instance()
    app.open(prefix)
    os.write(ready, b"1")
    os.close(ready)
    app.start()


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
    for name in _ours:
        sys.modules.pop(name, None)
    sys.argv = ["ipykernel"]
    sys.path[:] = ["", *(entry for entry in sys.path if Path(entry).is_dir() and not _is_ours(entry))]


def _is_ours(entry: str) -> bool:
    return (Path(entry) / "sandbox" / "runner").is_dir()
