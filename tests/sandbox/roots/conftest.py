"""Real sandboxes whose root is an image's own: a small one of this host's files, and Debian where it can be made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from sandbox.container.engine import Engine
from sandbox.drivers import load_driver
from sandbox.images import _described, described, installed, verdicts
from sandbox.roots import adding
from tests.sandbox.conftest import Lab, unfit
from tests.sandbox.roots.archives import small_root, tarred
from tests.settings import IMAGES

DEBIAN = "bookworm"
PACKAGES = "lua5.4,python3"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "madang" / f"{DEBIAN}-{PACKAGES}.tar"


def debian() -> Path:
    """A root of Debian as an archive, made by mmdebstrap once; skips where it cannot be."""
    if not _CACHE.exists():
        if not shutil.which("mmdebstrap"):
            pytest.skip("mmdebstrap is not installed: sudo apt-get install mmdebstrap")
        _CACHE.parent.mkdir(parents=True, exist_ok=True)
        aside = _CACHE.with_suffix(f".{os.getpid()}.tar")
        command = ["mmdebstrap", "--variant=minbase", f"--include={PACKAGES}", DEBIAN, str(aside)]
        made = subprocess.run(command, capture_output=True, text=True)
        if made.returncode:
            pytest.skip(f"mmdebstrap: {made.stderr[-300:]}")
        aside.rename(_CACHE)
    return _CACHE


@contextmanager
def added(state: Path, names: list[str]) -> Iterator[None]:
    """The images ``names`` are offered, beside the site's own."""
    before = verdicts.state()
    (state / "images").symlink_to(IMAGES)
    verdicts.use(state)
    archives = {"tiny": lambda: tarred(small_root(state / "small"), state / "tiny.tar"), "debian": debian}
    try:
        for name in names:
            adding.add(state, name, archives[name](), echo=lambda line: None)
        forget()
        yield
    finally:
        verdicts.use(before)
        forget()


def forget() -> None:
    """See the images that there are now, as a process does that starts now."""
    _described.cache_clear()
    installed.cache_clear()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def roots(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    """A lab whose driver, the module's ``DRIVER``, offers the images that its ``ADDED`` names, too."""
    if reason := unfit(request.module.DRIVER):
        pytest.skip(reason)
    state = tmp_path_factory.mktemp("state")
    with added(state, request.module.ADDED):
        if request.module.DRIVER == "docker":
            for image in (image for image in described() if image.root is not None):
                for line in Engine().build(image, "host"):
                    sys.stderr.write(f"{line}\n")
        driver = load_driver(request.module.DRIVER, state, 0)
        await driver.open()
        lab = Lab(driver, state)
        yield lab
        await lab.close()
        await driver.close()
