"""Whom ``bin/bench`` measures: Madang, and beside it each peer that can run here."""

from __future__ import annotations

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
        "plain": Plain(),
    }
