"""A notebook through nbclient and jupyter_server's gateway client; test_jupyter_clients.py runs this.

Arguments: the gateway's URL and its key. Prints the cells' outputs as JSON.
"""

from __future__ import annotations

import functools
import json
import sys
from typing import Any

import nbformat
import websocket
from jupyter_server.gateway.gateway_client import GatewayClient
from jupyter_server.gateway.managers import GatewayKernelClient, GatewayKernelManager
from nbclient import NotebookClient

CELLS = [
    "x = 6 * 7\nprint(x)",
    "x + 1",
    "import sys\nprint('to stderr', file=sys.stderr)",
    "import matplotlib.pyplot as plt\nplt.plot([1, 4, 9])\nplt.show()",
]


class Client(GatewayKernelClient):
    """jupyter_server's own opens its WebSocket without the key; a gateway that asks for one needs this header."""

    async def start_channels(self, *arguments: Any, **options: Any) -> None:
        header = {"Authorization": f"token {GatewayClient.instance().auth_token}"}
        plain = websocket.create_connection
        websocket.create_connection = functools.partial(plain, header=header)
        try:
            await super().start_channels(*arguments, **options)
        finally:
            websocket.create_connection = plain


class Manager(GatewayKernelManager):
    client_class = f"{__name__}.Client"
    client_factory = Client


def main(url: str, key: str) -> None:
    gateway = GatewayClient.instance()
    gateway.url, gateway.auth_token = url, key
    gateway.init_connection_args()
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in CELLS])
    client = NotebookClient(notebook, timeout=60, kernel_name="python3", kernel_manager_class=Manager)
    client.execute()
    print(json.dumps([cell.outputs for cell in notebook.cells]))


if __name__ == "__main__":
    main(*sys.argv[1:])
