"""What is too large for a server's usual limit of a message, a mebibyte, still goes through, both ways."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from pycrdt import Array, Doc, create_sync_message, handle_sync_message

from sessions.jupyter import framing
from tests.live import Account, Site, client
from tests.sessions.test_live import end, kernel_path, open_socket, start_kernel
from tests.sessions.test_streams import read, request, v1

pytestmark = [pytest.mark.jail]
SIZE = 3_000_000


async def test_a_notebook_with_much_output_opens(site: Site, owner: Account, project: dict[str, Any]) -> None:
    output = {"output_type": "stream", "name": "stdout", "text": "x" * (SIZE // 2)}
    cell: dict[str, Any] = {
        "cell_type": "code",
        "metadata": {},
        "source": "",
        "execution_count": None,
        "outputs": [output],
    }
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{**cell, "id": id} for id in ("a", "b")]}
    id = project["id"]
    (site.state / "projects" / id / "large.ipynb").write_text(json.dumps(notebook))
    doc: Doc[Array[object]] = Doc()
    async with open_socket(site, owner, f"/api/v1/projects/{id}/documents/large.ipynb") as socket:
        await socket.send(create_sync_message(doc))
        async for frame in socket:
            if isinstance(frame, bytes) and frame[:2] == b"\0\1":
                assert len(frame) > SIZE
                handle_sync_message(frame[1:], doc)
                break
    assert len(doc.get("cells", type=Array)) == 2


async def test_a_cell_may_be_long_and_show_much_at_once(site: Site) -> None:
    alice = site.account("alice")
    code = f"from IPython.display import display; display({{'text/plain': '{'x' * SIZE}'}}, raw=True)"
    with client(site, alice) as http:
        kernel, session = start_kernel(http)
        async with open_socket(site, alice, kernel_path(kernel), framing.NUMBERED) as socket, asyncio.timeout(60):
            await socket.send(v1(request(code)))
            while True:
                message = read(framing.unnumber(await socket.recv(decode=False))[1])
                if message["header"]["msg_type"] == "display_data":
                    break
        assert message["content"]["data"]["text/plain"] == "x" * SIZE
        end(http, session)
