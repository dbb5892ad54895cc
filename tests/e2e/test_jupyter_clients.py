"""Clients that are not ours work on our kernels: JupyterLab through its gateway setting, nbclient, jupyter_client."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import nbformat
import pytest
from playwright.sync_api import Page, expect

from bench.environments import jupyter_server
from bench.jupyter import Jupyter
from bin.lib.servers import free_port
from tests.e2e.browser import screenshot
from tests.e2e.pages import PATIENCE
from tests.live import Account, Site, client, wait_for
from tests.settings import IMAGES

HERE = Path(__file__).parent
CELLS = ["print('from', 'a jupyter cell:', 6 * 7)", "import os\nprint('inside:', os.getcwd())"]


@pytest.fixture(scope="module")
def jupyter() -> Path:
    """The environment with a stock JupyterLab."""
    return jupyter_server(IMAGES.parent)


@pytest.fixture(scope="module")
def lab(jupyter: Path, site: Site, account: Account, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A stock JupyterLab of somebody's own computer, whose kernels are the site's; its URL with its token."""
    home, port, token = tmp_path_factory.mktemp("lab"), free_port(), secrets.token_hex(8)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in CELLS])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, home / "ours.ipynb")
    command = [str(jupyter / "bin" / "jupyter"), "lab", "--no-browser", "--allow-root", f"--port={port}"]
    command += [f"--GatewayClient.url={site.url}/jupyter", f"--GatewayClient.auth_token={account.key}"]
    env = {**os.environ, "HOME": str(home), "JUPYTER_TOKEN": token, "JUPYTER_CONFIG_DIR": str(home)}
    log = home / "lab.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--ServerApp.port_retries=0", f"--ServerApp.root_dir={home}"], cwd=home, env=env,
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: answers(process, f"{url}/api", log), 60, "JupyterLab")
        yield f"{url}/lab/tree/ours.ipynb?token={token}"
    finally:
        process.terminate()
        process.wait(30)


def answers(process: subprocess.Popen[bytes], url: str, log: Path) -> bool:
    assert process.poll() is None, log.read_text(errors="replace")
    try:
        return httpx.get(url, timeout=2.0).status_code < 500
    except httpx.HTTPError:
        return False


def test_a_stock_jupyterlab_runs_a_notebook_on_our_kernels(lab: str, page: Page, site: Site, account: Account) -> None:
    page.goto(lab)
    expect(page.locator(".jp-Notebook .jp-CodeCell")).to_have_count(len(CELLS), timeout=2 * PATIENCE)
    # The notebook's own sign says idle before there is a kernel; the status bar does not.
    expect(page.get_by_role("button", name="Python 3 | Idle")).to_be_visible(timeout=2 * PATIENCE)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    expect(page.locator(".jp-OutputArea").first).to_contain_text("from a jupyter cell: 42", timeout=2 * PATIENCE)
    expect(page.locator(".jp-Notebook")).to_contain_text("inside: /home/work", timeout=PATIENCE)
    screenshot(page, "jupyterlab-on-our-kernels")
    with client(site, account) as http:
        assert http.get("/jupyter/api/kernels").raise_for_status().json(), "the kernel is not one of the site's"


def test_nbclient_runs_a_notebook_through_the_gateway_client(jupyter: Path, site: Site, account: Account) -> None:
    done = subprocess.run(
        [str(jupyter / "bin" / "python"), str(HERE / "run_notebook.py"), f"{site.url}/jupyter", account.key],
        capture_output=True, text=True, timeout=120, check=False, env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    printed, value, stderr, plot = json.loads(done.stdout)
    assert printed[0]["text"] == "42\n"
    assert value[0]["data"]["text/plain"] == "43"
    assert (stderr[0]["name"], stderr[0]["text"]) == ("stderr", "to stderr\n")
    assert any("image/png" in output.get("data", {}) for output in plot)


def test_a_plain_client_starts_uses_and_ends_a_kernel(site: Site, account: Account) -> None:
    jupyter = Jupyter(f"{site.url}/jupyter", account.key)
    id = jupyter.start_kernel()
    kernel = jupyter.kernel(id)
    assert kernel.wait_for_output(kernel.execute("print(6*7)")) == "42\n"
    kernel.close()
    jupyter.stop_kernel(id)
    jupyter.close()
    with client(site, account) as http:
        assert http.get(f"/jupyter/api/kernels/{id}").status_code == 404


def test_a_wrong_key_is_refused_with_a_reason(site: Site) -> None:
    with httpx.Client(base_url=site.url, headers={"Authorization": "token mdg_00000000_wrong"}) as http:
        answer = http.post("/jupyter/api/kernels", json={"name": "python3"})
    assert answer.status_code == 401
    assert answer.json()["detail"]
