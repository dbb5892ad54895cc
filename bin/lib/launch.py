"""Starts a tool with a Python that is recent enough. This file must parse on older ones."""

import os
import shutil
import sys
from importlib import import_module


def launch(module):  # type: ignore[no-untyped-def]
    """Run ``module.main`` and return its exit status, with Python 3.11 or newer, or say what is missing."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this is what tells those who have an older one
        for minor in range(20, 10, -1):
            found = shutil.which("python3.%d" % minor)  # noqa: UP031
            if found:
                os.execv(found, [found] + sys.argv)  # noqa: S606, RUF005
        sys.exit(
            "Madang needs Python 3.11 or newer: sudo apt-get install python3 python3-venv (Debian 12, Ubuntu 24.04)"
        )
    return import_module(module).main()
