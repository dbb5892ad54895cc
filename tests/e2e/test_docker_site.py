"""A site on the docker driver, started as its operator does it: the journey of a newcomer, in containers."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import docker
import pytest
from docker.errors import NotFound
from playwright.sync_api import Page, expect

from tests.e2e.browser import screenshot
from tests.e2e.pages import PATIENCE, make_project, sign_up
from tests.live import Site, missing_for_site, wait_for
from tests.sandbox.conftest import unfit
from tests.settings import IMAGES

pytestmark = pytest.mark.docker
GONE_SECONDS = 60.0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if missing := missing_for_site() or unfit("docker"):
        pytest.skip(missing)
    with Site.started(
        tmp_path_factory.mktemp("site"), IMAGES, MADANG_DRIVER="docker", MADANG_SPARES="1", MADANG_SELFTESTS="0"
    ) as running:
        yield running


@pytest.fixture
def engine() -> Iterator[Any]:
    with closing(docker.from_env()) as client:
        yield client


def of_site(engine: Any, site: Site) -> list[Any]:
    """The containers of ``site``."""
    return list(engine.containers.list(all=True, filters={"label": f"madang.site={label(site)}"}))


def label(site: Site) -> str:
    return hashlib.sha256(str(site.state.resolve()).encode()).hexdigest()[:16]


def test_a_newcomer_runs_code_in_a_container_that_outlives_restarts_and_is_gone_when_stopped(
    page: Page, site: Site, engine: Any
) -> None:
    sign_up(page, site)
    workspace = make_project(page, "In a container")
    workspace.expect_output("import os, sys\nkept = 6 * 7\nprint(sys.prefix, os.getuid() != 0)", "/opt/image True")
    workspace.wait_for_prompt()
    workspace.type("cat /proc/1/comm; echo $((kept=3*3)) > kept.txt; ls")
    workspace.expect_on_screen("kept.txt")
    screenshot(page, "docker-workspace")
    name = next(iter({c.name for c in of_site(engine, site)} & in_use(site)))

    orphan = leave_orphan(engine, site)
    for part in ("web", "sessiond"):
        site.kill(part)
        workspace.expect_output(f"print(kept, '{part}')", f"42 {part}")
        workspace.type(f"echo {part}-$((kept*kept))")
        workspace.expect_on_screen(f"{part}-81")
    assert name in {container.name for container in of_site(engine, site)}
    wait_for(lambda: is_gone(engine, orphan), GONE_SECONDS, "the orphan's removal")

    page.get_by_role("button", name="Stop", exact=True).first.click()
    page.get_by_role("alertdialog").get_by_role("button", name="Stop").click()
    expect(page.get_by_text("This session has ended").first).to_be_visible(timeout=PATIENCE)
    wait_for(lambda: is_gone(engine, name), GONE_SECONDS, "the container's removal")
    workspace.start_again().expect_output("print(open('kept.txt').read())", "9")


def leave_orphan(engine: Any, site: Site) -> str:
    """A container that no sandbox has, as a session service leaves it that is killed before the container starts."""
    id = str(uuid.uuid4())
    labels = {"madang.site": label(site), "madang.sandbox": id}
    return str(engine.containers.create("madang/python:latest", ["true"], name=f"madang-{id}", labels=labels).name)


def in_use(site: Site) -> set[str]:
    """The names of the containers that sessions have."""
    found = (file.read_text() for file in site.state.glob("sandboxes/*/container"))
    return {f"madang-{made_for}" for made_for in found}


def is_gone(engine: Any, container: str) -> bool:
    try:
        engine.containers.get(container)
    except NotFound:
        return True
    return False
