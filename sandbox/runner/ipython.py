"""ipykernel in a forked child of the runner, on a shell that was made before the fork.

A page that a fork writes to is a page that it no longer shares, and even reading a Python object
writes to it (its reference count). So the application, its kernel and its shell are made in the
zygote, by :func:`prepare`; a fork only opens its channels, by :func:`run`.

Left out of the stock application, because nothing here asks for it: ZeroMQ with its threads
(:mod:`sandbox.runner.channels`), the heartbeat (the runner reaps its children and knows), the history
database (the console's log is the history), the connection file and message signatures.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zmq
from ipykernel.control import ControlThread
from ipykernel.displayhook import ZMQDisplayHook
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from IPython.core.application import BaseIPythonApplication
from IPython.core.profiledir import ProfileDir
from jupyter_client.session import new_id
from tornado.ioloop import IOLoop
from traitlets import observe
from traitlets.config import Config
from zmq.eventloop.zmqstream import ZMQStream

from sandbox.runner import ownspace, threads
from sandbox.runner.channels import OUTWARD, Pairs
from sandbox.runner.kernel_io import DebuggerSocket, Inlet, KernelOnInlets, Outlet, Publisher
from sandbox.runner.language import LanguageKernel
from sandbox.runner.pressure import BoundedSession, BoundedStream, keep_no_copy

_ours: dict[str, Any] = {}
_path: list[str] = []
_WORDS = 624  # of 32 bits, in the state of the generator that numpy has (MT19937)


class MainThreadOnly:
    """Stands where the stock kernel has a thread of its own for the shell channel: there is none."""

    def __init__(self) -> None:
        self.parent_thread = threading.main_thread()

    def __bool__(self) -> bool:
        return False


class ForkedKernel(KernelOnInlets, IPythonKernel):
    """The stock kernel on our channels; its debugger is made when it is first asked for."""

    _debugger: Any = None

    @property
    def debugger(self) -> Any:
        if self._debugger is None and self.shell_stream is not None:
            self._debugger = self._make_debugger()
        return self._debugger

    @debugger.setter
    def debugger(self, value: Any) -> None:
        """The one that the stock kernel makes at once has nothing to speak to."""

    def _make_debugger(self) -> Any:
        socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.STREAM)
        socket.linger = 1000
        self.debugpy_stream = ZMQStream(socket, self.control_stream.io_loop)
        self.debugpy_stream.on_recv(self.dispatch_debugpy, copy=False)
        asyncio.run_coroutine_threadsafe(self.poll_stopped_queue(), self.control_stream.io_loop.asyncio_loop)
        return self.debugger_class(
            self.log,
            self.debugpy_stream,
            self._publish_debug_event,
            DebuggerSocket(self.shell_stream),
            self.session,
            self._kernel_modules,
            self.debug_just_my_code,
            self.filter_internal_frames,
        )


class HomeProfile(ProfileDir):
    """A profile that is named in the zygote, where its home is not; :meth:`make` makes its folders in the fork."""

    _made = False

    def make(self) -> None:
        self._made = True
        os.makedirs(self.location, exist_ok=True)
        self.check_dirs()

    @observe("location")
    def _location_changed(self, change: Any) -> None:
        for folder in ("security", "log", "startup", "pid", "static"):
            setattr(self, f"{folder}_dir", os.path.join(change["new"], getattr(self, f"{folder}_dir_name")))

    def _mkdir(self, path: str, mode: int | None = None) -> bool:
        return self._made and bool(super()._mkdir(path, mode))


class ForkedKernelApp(IPKernelApp):
    """The stock application, its start cut in two: :meth:`prepare` and, in the fork, :meth:`open`."""

    profile_dir: Any

    def prepare(self, home: str) -> None:
        """All that needs neither a thread nor a descriptor, a first cell included."""
        BaseIPythonApplication.initialize(self, [])
        self.session = BoundedSession(parent=self)
        self.init_pdb()
        given = {"session": self.session, "log": self.log, "profile_dir": self.profile_dir, "user_ns": self.user_ns}
        self.kernel = ForkedKernel.instance(parent=self, **given)
        self.kernel.shell_channel_thread = MainThreadOnly()
        self.init_shell()
        keep_no_copy(self.shell)
        self.init_gui_pylab()
        self.init_extensions()
        self.init_code()
        _show_figures(self.shell)
        self.patch_io()
        self._rehearse()
        self.profile_dir = self.shell.profile_dir = HomeProfile(location=f"{home}/.ipython/profile_default")

    def _rehearse(self) -> None:
        """Have what comes with a first cell and a first message, imports included, here and not in every fork."""
        self.log.setLevel(logging.CRITICAL)  # stock makes a record of each message, which its handler then drops
        self.shell.run_cell("1", silent=True)
        _ = self.shell.logger
        parts = self.session.serialize(self.session.msg("kernel_info_request"))
        _, frames = self.session.feed_identities([zmq.Frame(part) for part in parts], copy=False)
        self.session.deserialize(frames, content=True, copy=False)

    def open(self, ends: Pairs) -> None:
        """In the fork: become a kernel of its own, on its ends of the channels."""
        self._open_channels(ends)
        for hook in (self.shell.displayhook, self.shell.display_pub):
            hook.pub_socket = self.iopub_socket
        self.profile_dir.make()
        self.shell.ipython_dir = os.path.dirname(self.profile_dir.location)
        self.kernel.start()
        self.control_thread.start()
        self.shell.run_cell("1", silent=True)  # the pages that a first cell writes to are ours before it comes

    def open_language(self, ends: Pairs, program: dict[str, Any]) -> None:
        """In the fork: become a kernel for ``program`` instead of IPython's."""
        self.kernel = LanguageKernel(program, parent=self, session=self.session, log=self.log)
        self._open_channels(ends)
        self.kernel.start()
        self.control_thread.start()

    def _open_channels(self, ends: Pairs) -> None:
        self.session.session, self.session.pid = new_id(), os.getpid()
        publisher = Publisher(Outlet(ends[OUTWARD]), self.session)
        self.iopub_thread, self.iopub_socket = publisher, publisher.background_socket
        self.control_thread = ControlThread(daemon=True)
        self.io_loop = IOLoop.current()
        self._connect(ends, publisher)
        publisher.start()
        self.init_io()
        self.init_signal()

    def start(self) -> None:
        """Answer requests until the end."""
        try:
            self.io_loop.start()
        except KeyboardInterrupt:
            pass
        self.iopub_thread.stop()

    def init_io(self) -> None:
        sys.stdout = BoundedStream(self.session, self.iopub_thread, "stdout")
        sys.stderr = BoundedStream(self.session, self.iopub_thread, "stderr")
        self.displayhook = sys.displayhook = ZMQDisplayHook(self.session, self.iopub_socket)
        self.displayhook.get_execution_count = lambda: self.kernel.execution_count

    def parse_command_line(self, argv: object = None) -> None: ...

    def _connect(self, ends: Pairs, publisher: Publisher) -> None:
        """Hand the kernel its ends, as ``IPKernelApp.init_kernel`` does when it makes one."""
        kernel = self.kernel
        kernel.shell_stream = Inlet("shell", ends["shell"], publisher, self.io_loop)
        kernel.stdin_socket = Inlet("stdin", ends["stdin"], publisher, self.io_loop)
        kernel.control_stream = Inlet("control", ends["control"], publisher, self.control_thread.io_loop)
        kernel.control_thread, kernel.iopub_thread = self.control_thread, publisher
        kernel.iopub_socket = self.iopub_socket


def prepare(home: str) -> None:
    """In the zygote: make the application that every fork will open. ``home`` is its user's, inside."""
    config = Config()
    config.IPKernelApp.log_level = logging.CRITICAL  # its hints are for people who started it by hand
    config.Session.key = b""
    config.HistoryManager.enabled = False
    ForkedKernelApp.instance(config=config).prepare(home)
    # Python 3.12 warns of any fork beside threads. These are the kernel's own, which no child of a cell asks anything.
    warnings.filterwarnings("ignore", r"This process .* is multi-threaded, use of fork", DeprecationWarning)
    _reseed()
    threads.find()
    asyncio.get_event_loop_policy()  # made when it is first asked for, and then the same in all forks
    _ours.update((name, module) for name, module in sys.modules.items() if name.split(".")[0] == "sandbox")
    _path[:] = ["", *(entry for entry in sys.path if Path(entry).is_dir() and not _is_ours(entry))]


def run(ends: Pairs, begin: Callable[[], None], program: dict[str, Any] | None = None) -> None:
    """Run a kernel on its ends of the channels until it exits; ``begin`` waits until it is to answer.

    It is IPython's, or with a ``program`` the :class:`LanguageKernel` of that.
    """
    if not ForkedKernelApp.initialized():
        prepare(os.path.expanduser("~"))
    threads.use_cores()
    asyncio.set_event_loop(asyncio.new_event_loop())
    app = ForkedKernelApp.instance()
    _reseed()
    if program is not None:
        app.open_language(ends, program)
        begin()
        app.kernel.begin()
    else:
        app.open(ends)
        begin()
        _forget_runner()
        ownspace.enter()
    app.start()


def _reseed() -> None:
    """Forks of one zygote must not draw the same numbers.

    The state of numpy's generator is drawn whole: its own way from a seed to a state costs a fork twice the memory.
    """
    random.seed()
    if numpy := sys.modules.get("numpy"):
        state = {"key": memoryview(os.urandom(_WORDS * 4)).cast("I"), "pos": _WORDS}
        numpy.random.get_bit_generator().state = {"bit_generator": "MT19937", "state": state}


def _show_figures(shell: Any) -> None:
    """Show figures at the end of a cell: imported before there was a shell, the backend could not arrange it."""
    if inline := sys.modules.get("matplotlib_inline.backend_inline"):
        from IPython.core.pylabtools import activate_matplotlib

        backend = os.environ.get("MPLBACKEND", "")
        activate_matplotlib(backend)
        inline.configure_inline_support(shell, backend)


def _forget_runner() -> None:
    """Leave no trace of the runner in the interpreter: a user's own ``sandbox.py`` must import.

    The modules live on in ``_ours``: to take them apart would write to all their pages.
    """
    for name in _ours:
        sys.modules.pop(name, None)
    sys.argv = ["ipykernel"]
    sys.path[:] = _path


def _is_ours(entry: str) -> bool:
    return (Path(entry) / "sandbox" / "runner").is_dir()
