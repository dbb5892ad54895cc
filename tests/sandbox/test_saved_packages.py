"""Saved packages for real: what pip tells of a session, and the same installed again in another one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from portal.lockfiles import lock_text, pinned_of
from portal.packages import CACHE, FOLDER
from sandbox.egress.rules import Network
from sandbox.runner.wire import Client
from sessions.service.setting_up import set_up
from tests.sandbox.conftest import Lab
from tests.sandbox.test_egress_jail import OUTSIDE, WHEEL, proxy, server

__all__ = ["proxy", "server"]

pytestmark = [pytest.mark.jail, pytest.mark.asyncio(loop_scope="module")]
FREEZE = Path("portal/inside/freeze.py").read_text(encoding="utf-8")
INSTALL = (
    f"python -m pip install --no-deps --require-hashes --no-input --cache-dir {CACHE} -r {FOLDER}/yard.lock;"
    " echo st''atus $?"
)


async def started(lab: Lab, server: int) -> str:
    index = {"PIP_INDEX_URL": f"http://{OUTSIDE}:{server}/simple", "PIP_TRUSTED_HOST": OUTSIDE}
    return await lab.start(network=Network("packages"), environment=index)


async def command(client: Client, *words: str) -> tuple[str, str]:
    """Both outputs of a command in the session."""
    stream = await client.open("command.run", command=list(words), folder="", time_s=100.0, output=1 << 20)
    await stream.write(b"e")
    said = {b"1": b"", b"2": b""}
    async for _, record in stream:
        if record[:1] in said:
            said[record[:1]] += record[1:]
    return said[b"1"].decode(), said[b"2"].decode()


async def until_installed(client: Client) -> str:
    said = ""
    async for _, payload in await client.open("terminal.attach", name="packages", since=0):
        said += payload.decode(errors="replace")
        if "status " in said:
            break
    return said


@pytest.mark.usefixtures("proxy")
async def test_what_one_session_installed_another_begins_with_checked_and_seen(lab: Lab, server: int):
    client = await lab.client(await started(lab, server))
    assert json.loads((await command(client, "python", "-c", FREEZE, "--local"))[0]) == {"packages": [], "left_out": []}
    await command(client, "python", "-m", "pip", "install", "yard")
    said, problems = await command(client, "python", "-c", FREEZE, "--local")
    (pinned,) = pinned_of(json.loads(said))
    assert (pinned.name, pinned.version) == ("yard", "1.0"), problems
    folder = lab.folder / "project" / FOLDER
    folder.mkdir(parents=True)
    (folder / "yard.lock").write_text(lock_text([pinned], "saved"))

    other = await started(lab, server)
    await set_up(lab.driver.runner_socket(other), "packages", INSTALL)
    said = await until_installed(await lab.client(other))
    assert "Successfully installed yard-1.0" in said
    assert "status 0" in said
    names = [terminal["name"] for terminal in await (await lab.client(other)).call("terminal.list")]
    assert names == ["packages"], "everybody sees it"
    inside = await lab.kernel(other)
    assert await inside.run("import yard; yard.hello()") == "hello from the yard\n"

    (folder / "yard.lock").write_text(lock_text([type(pinned)("yard", "1.0", ("0" * 64,))], "another file"))
    third = await started(lab, server)
    await set_up(lab.driver.runner_socket(third), "packages", INSTALL)
    said = await until_installed(await lab.client(third))
    assert "status 1" in said, "what is not what was saved is not installed"
    assert "ModuleNotFoundError" in await (await lab.kernel(third)).run("import yard")
    assert len(WHEEL) > 500_000


async def test_a_session_that_is_gone_is_no_accident(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    await set_up(tmp_path / "none.sock", "packages", "true")
    assert "could not begin" in caplog.text
