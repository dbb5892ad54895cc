"""An interpreter of Python that has started and waits for its program: a fork of it is that program.

Inside it is found as ``sitecustomize``, which Python imports when all else is ready and its program has not been looked
at. There it waits on the socket ``MADANG_WAIT`` (see :mod:`sandbox.runner.warm`); a fork leaves no trace of it, finds
the ``sitecustomize`` that it stood for, and goes on as any interpreter does: with the program that its command line
names, from the same first line to the same last one.
"""

import os
import sys


def _wait() -> None:
    """Returns in each fork, as the process that is to be the program; never in the process that waits."""
    modules, importers = set(sys.modules), set(sys.path_importer_cache)
    import _signal  # type: ignore[import-not-found]  # what `signal` adds to it takes longer than all else here
    import _socket
    import atexit
    import ctypes
    import gc
    import resource

    prctl, undumpable = ctypes.CDLL(None).prctl, 4
    prctl(undumpable, 0)  # no program may look into what the next one begins from
    kept: list[object] = []
    kept.append(kept)  # so that nobody ever frees it
    gc.collect()
    gc.freeze()  # what is here now is nobody's garbage: a fork's collector would copy every page of it by looking
    handled = _signal.signal(_signal.SIGINT, _signal.SIG_IGN)
    control = _socket.socket(fileno=int(os.environ["MADANG_WAIT"]))
    while True:
        order, ancillary, _, _ = control.recvmsg(1 << 16, 1 << 10)
        if not order:
            os._exit(0)
        ends = [int.from_bytes(data[at : at + 4], sys.byteorder) for *_, data in ancillary for at in range(0, 12, 4)]
        pid = os.fork()
        if not pid:
            break
        control.send(b"%d" % pid)
        for end in ends:
            os.close(end)
        _, status, used = os.wait4(pid, 0)
        told = pid, status, int(used.ru_utime * 1e6), int(used.ru_stime * 1e6), used.ru_maxrss
        control.send(" ".join(map(str, told)).encode())
    os.setsid()
    control.close()
    folder, seconds, *variables = order.decode("utf-8", "surrogateescape").split("\0")
    prctl(undumpable, 1)
    _signal.signal(_signal.SIGINT, handled)
    for place, end in enumerate(ends):
        os.dup2(end, place)
        os.close(end)
    os.chdir(folder)
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 1))
    os.environ.clear()
    for variable in variables:
        name, _, value = variable.partition("=")
        os.environ[name] = value
    atexit.register(_keep, kept, modules)  # as the first, so it is called as the last
    for known, before in ((sys.modules, modules), (sys.path_importer_cache, importers)):
        for name in known.keys() - before:
            del known[name]


def _keep(kept: list[object], modules: set[str]) -> None:
    """At the program's end: what was here before it goes with the process, and is not taken apart, which takes longer
    than the start that was spared. What the program made and imported is, as ever."""
    kept.extend(sys.modules.pop(name) for name in modules - {"sys", "builtins", "__main__"} if name in sys.modules)


def _leave() -> None:
    """Be nowhere, and let what this stood for be found.

    Raises:
        ImportError: there is no other ``sitecustomize``; who imports one expects that.
    """
    here = os.path.dirname(__file__)
    sys.path.remove(here)
    sys.path_importer_cache.pop(here, None)
    del sys.modules["sitecustomize"]
    __import__("sitecustomize")


_wait()
_leave()
