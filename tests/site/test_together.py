"""On a whole site: what a project's sessions get, and who is put out while they are in."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from tests.live import Account, Site, client
from tests.sessions.test_live import end, open_socket, run_code

pytestmark = [pytest.mark.jail, pytest.mark.slow]


@dataclass
class Shared:
    """A project of Alice's in which Bob edits, and a kernel in it."""

    site: Site
    alice: Account
    bob: Account
    id: str
    session: str
    kernel: str


@pytest.fixture
def shared(site: Site, tmp_path: Path) -> Iterator[Shared]:
    folder = tmp_path / "penguins"
    folder.mkdir()
    (folder / "count").write_text("344")
    for path in (folder, *folder.parents[:3]):
        path.chmod(0o755)
    folder.chmod(0o777)  # it is the mount that keeps it as it is
    site.manage("dataset", "add", "penguins", str(folder))
    alice, bob = site.account("alice"), site.account("bob")
    with client(site, alice) as http:
        image = http.get("/api/v1/images").json()[0]["name"]
        id = http.post("/api/v1/projects", json={"name": "Together", "image": image}).json()["id"]
        here = f"/api/v1/projects/{id}"
        assert http.put(f"{here}/secrets/API_KEY", json={"value": "s3cret"}).status_code == 204
        assert http.put(f"{here}/datasets", json={"datasets": ["penguins"]}).json() == {"datasets": ["penguins"]}
        assert http.post(f"{here}/people", json={"email": bob.email, "role": "editor"}).status_code == 201
        kernel = http.post("/jupyter/api/kernels", json={"name": "python3", "path": "together/"}).json()["id"]
        (session,) = http.get("/api/v1/sessions?state=live").json()["items"]
        yield Shared(site, alice, bob, id, session["id"], kernel)
        end(http, session["id"])
    site.manage("dataset", "remove", "penguins")


async def test_a_session_has_its_projects_datasets_and_secrets(shared: Shared) -> None:
    code = "import os; print(os.environ['API_KEY'], open('/datasets/penguins/count').read())"
    assert "s3cret 344" in await run_code(shared.site, shared.alice, shared.kernel, code)
    code = "try: open('/datasets/penguins/new', 'w')\nexcept OSError as error: print(error)"
    assert "Read-only file system" in await run_code(shared.site, shared.alice, shared.kernel, code)


async def test_both_use_one_kernel_until_one_is_put_out(shared: Shared) -> None:
    await run_code(shared.site, shared.alice, shared.kernel, "x = 41")
    assert "42" in await run_code(shared.site, shared.bob, shared.kernel, "print(x + 1)")
    with client(shared.site, shared.alice) as http:
        people = http.get(f"/api/v1/projects/{shared.id}/people").json()["people"]
        bob = next(one["id"] for one in people if one["email"] == shared.bob.email)
        path = f"/jupyter/api/kernels/{shared.kernel}/channels"
        async with open_socket(shared.site, shared.bob, path) as socket:
            await socket.ping()
            assert http.delete(f"/api/v1/projects/{shared.id}/people/{bob}").status_code == 204
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await socket.recv()
            assert socket.close_code == 4403
        assert http.get(f"/api/v1/sessions/{shared.session}").json()["state"] == "running", "it is Alice's"
