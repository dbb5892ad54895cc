"""What a session may reach, and the process that lets it."""

from __future__ import annotations

import dataclasses
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.egress.indexes import Indexes
from sandbox.egress.rules import Network
from sandbox.images import Image, images
from sessions.service import network
from sessions.service.network import Egress, network_for
from tests.until import until


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "indexes", lambda: Indexes(("index.example",)))


@pytest.fixture
def image() -> Image:
    return next(iter(images().values()))


@pytest.mark.usefixtures("known")
def test_the_narrowest_of_site_image_and_policy_holds(image: Image, settings: Any) -> None:
    settings.MADANG_PACKAGE_HOSTS = ["more.example"]
    settings.MADANG_NETWORK = "packages"
    assert network_for(image, "default") == Network("packages", ("index.example", "more.example"))
    assert network_for(dataclasses.replace(image, network="none"), "default") == Network("none")
    settings.MADANG_NETWORK = "public"
    assert network_for(image, "default") == Network("public")
    assert network_for(dataclasses.replace(image, network="packages"), "default").mode == "packages"
    assert [network_for(image, policy).mode for policy in ("build", "strict")] == ["packages", "none"]
    settings.MADANG_NETWORK = "none"
    assert network_for(image, "default") == Network("none")


def proxies(sandboxes: Path) -> Iterator[int]:
    """The processes of egress that serve ``sandboxes``."""
    for process in Path("/proc").iterdir():
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[1:3] == [b"-m", b"sandbox.egress"] and words[3] == os.fsencode(sandboxes):
            yield int(process.name)


async def test_the_proxy_is_started_again_when_it_dies_and_ends_with_its_service(tmp_path: Path) -> None:
    egress = Egress(tmp_path)
    await until(lambda: len([*proxies(tmp_path)]) == 1)
    [first] = proxies(tmp_path)
    status = Path(f"/proc/{first}/status").read_text()
    os.kill(first, signal.SIGKILL)
    await until(lambda: [pid for pid in proxies(tmp_path) if pid != first])
    await egress.close()
    if os.geteuid() == 0:
        assert "CapEff:\t0000000000000000" in status


async def test_the_proxy_leaves_when_nobody_holds_its_input(tmp_path: Path) -> None:
    egress = Egress(tmp_path)
    await until(lambda: len([*proxies(tmp_path)]) == 1)
    await egress.close()
    await until(lambda: not [*proxies(tmp_path)])
