"""Whom ``bin/bench`` measures: Madang, and beside it each peer that can run here."""

from __future__ import annotations

import sys

from bench.peers.docker import Docker
from bench.peers.ipykernel import BareKernel
from bench.peers.jupyter_server import JupyterServer
from bench.peers.jupyterhub import JupyterHub
from bench.peers.madang import Madang, MadangDocker
from bench.peers.plain import Plain
from bench.peers.ttyd import Ttyd
from bench.subject import Subject

OURS = Madang.name


def subjects() -> dict[str, Subject]:
    """All of them by the name that ``--only`` takes."""
    return {
        "madang": Madang(),
        "madang-docker": MadangDocker(),
        "jupyter_server": JupyterServer(),
        "nodelay": JupyterServer(nodelay=True),
        "jupyterhub": JupyterHub(),
        "ttyd": Ttyd(),
        "ipykernel": BareKernel(),
        "docker": Docker(),
        "plain": Plain("plain process, no sandbox", {"python": sys.executable, "c": "gcc"}),
        "python3": Plain("`python3 -c` as a shell finds it, no sandbox", {"python": "python3"}),
    }
