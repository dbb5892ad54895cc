"""Starts a tool with the right Python. This file must parse on older ones."""

import os
import re
import shutil
import subprocess
import sys
from importlib import import_module

AT_LEAST = (3, 11)
TESTED = ((3, 13), (3, 12), (3, 11))
"""Best first: a session on 3.12 or 3.13 takes half the memory of one on 3.11 (sandbox/jail/immortal.py)."""
CHOICE = "MADANG_PYTHON"
OTHERWISE = "MADANG_OTHER_PYTHON"
"""From us to the set-up: the Python to go on with where the packages cannot be had for the one that was preferred."""

ENVIRONMENT = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), ".venv")
_VERSION = "import sys; print(sys.executable, *sys.version_info[:2])"
_WHOLE = "import bz2, ctypes, ensurepip, lzma, sqlite3, ssl, venv; " + _VERSION


def launch(module: str, prefer: bool = False) -> int:
    """Run ``module.main`` and return its exit status, with the Python that is right, or say what is missing.

    That is the one that ``MADANG_PYTHON`` names, else the one that the checkout's environment was made with, else, to
    ``prefer``, the best of the tested ones, else the one that runs, or any that is recent enough.
    """
    chosen = named() or made_with(ENVIRONMENT) or (prefer and preferred()) or recent_enough()
    if os.path.realpath(chosen) != os.path.realpath(sys.executable):
        os.execv(chosen, [chosen] + sys.argv)  # noqa: S606, RUF005
    return import_module(module).main()


def named() -> str:
    """The Python that MADANG_PYTHON names, by path or name; "" where it names none."""
    name = os.environ.get(CHOICE, "").strip()
    path, version = _look(name, _VERSION) if name else ("", AT_LEAST)
    if version < AT_LEAST:
        sys.exit("%s=%s is no Python, or one older than 3.11" % (CHOICE, name))  # noqa: UP031
    return path


def made_with(environment: str) -> str:
    """The Python that a virtual environment was made with; "" where there is none any more."""
    try:
        with open(os.path.join(environment, "pyvenv.cfg")) as settings:
            found = re.search(r"^executable *= *(.+)$", settings.read(), re.MULTILINE)
    except IOError:  # noqa: UP024
        return ""
    return found.group(1) if found and os.access(found.group(1), os.X_OK) else ""


def preferred() -> str:
    """The best of the tested Pythons that is on this machine with all that we need of it; "" for none."""
    for version in TESTED:
        if sys.version_info[:2] == version:
            return sys.executable
        number = "%d.%d" % version  # noqa: UP031
        # Of several Pythons that pyenv keeps, its programs start the one that is asked for.
        path, found = _look("python" + number, _WHOLE, PYENV_VERSION=number)
        if found == version:
            if sys.version_info >= AT_LEAST:
                os.environ[OTHERWISE] = sys.executable
            return path
    return ""


def recent_enough() -> str:
    """The Python that runs, or else the newest that is on this machine; with none, it says so and exits."""
    if sys.version_info >= AT_LEAST:
        return sys.executable
    for minor in range(20, 10, -1):
        path, version = _look("python3.%d" % minor, _VERSION)  # noqa: UP031
        if version >= AT_LEAST:
            return path
    sys.exit("Madang needs Python 3.11 or newer: sudo apt-get install python3 python3-venv (Debian 12, Ubuntu 24.04)")


def _look(name: str, script: str, **more: str) -> "tuple[str, tuple[int, int]]":
    """Where the Python called ``name`` is, and its version, by a script that prints both; "" and (0, 0) for none."""
    try:
        command = [shutil.which(name) or name, "-c", script]
        said = subprocess.check_output(command, env=dict(os.environ, **more), stderr=subprocess.DEVNULL)
        path, major, minor = said.decode().rsplit(None, 2)
        return path, (int(major), int(minor))
    except (OSError, ValueError, subprocess.CalledProcessError):
        return "", (0, 0)
