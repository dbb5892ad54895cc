"""Notebooks run on the server: nobody looks, and the file holds the outputs; web is killed, and no line is missing."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.live import Account, Site, wait_for

LINES = 2000


class Notebook:
    """A notebook of a project, worked with by REST alone."""

    def __init__(self, site: Site, http: httpx.Client, project: dict[str, Any], sources: list[str]) -> None:
        self.http, self.project = http, project
        self.file: Path = site.state / "projects" / project["id"] / "work.ipynb"
        cells: list[dict[str, Any]] = [
            {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": text, "outputs": [], "execution_count": None}
            for n, text in enumerate(sources)
        ]
        notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        self.file.write_text(json.dumps(notebook, indent=1) + "\n")
        self.url = f"/api/v1/projects/{project['id']}/notebooks/work.ipynb"

    def post(self, action: str, body: Any = None) -> httpx.Response:
        return self.http.post(f"{self.url}/{action}", json=body)

    def execute(self, *cells: str) -> None:
        answer = self.post("execute", {"cells": [*cells]})
        assert answer.status_code == 202, answer.text
        assert answer.json()["queued"] == [*cells]

    def cell(self, id: str) -> dict[str, Any]:
        """The cell as it is in the file."""
        found: dict[str, Any] = next(cell for cell in json.loads(self.file.read_text())["cells"] if cell["id"] == id)
        return found

    def text(self, id: str) -> str:
        return "".join("".join(output.get("text", "")) for output in self.cell(id)["outputs"])

    def wait_for(self, id: str) -> dict[str, Any]:
        """The cell once it has run to its end."""
        wait_for(lambda: "iopub.status.idle" in self.cell(id)["metadata"].get("execution", {}), 60, f"the end of {id}")
        return self.cell(id)


def test_cells_that_are_asked_for_at_the_same_instant_all_run(
    site: Site, http: httpx.Client, project: dict[str, Any]
) -> None:
    notebook = Notebook(site, http, project, [f"print({n})" for n in range(6)])
    ids = [f"c{n}" for n in range(6)]
    with ThreadPoolExecutor(len(ids)) as pool:
        for asked in [pool.submit(notebook.execute, id) for id in ids]:
            asked.result()
    for n, id in enumerate(ids):
        notebook.wait_for(id)
        assert notebook.text(id) == f"{n}\n"


def test_cells_run_though_nobody_looks(site: Site, http: httpx.Client, project: dict[str, Any]) -> None:
    sources = [
        "import time\nfor n in range(3):\n    print(n, flush=True)\n    time.sleep(0.1)",
        "6 * 7",
        "from IPython.display import display\nhandle = display('old', display_id=True)\nhandle.update('new')",
        "for n in range(5): print(f'\\r{n} %', end='')",
        "1 / 0",
        "print('never')",
    ]
    notebook = Notebook(site, http, project, sources)
    notebook.execute("c0", "c1", "c2", "c3", "c4", "c5")
    notebook.wait_for("c4")
    assert notebook.text("c0") == "0\n1\n2\n"
    assert notebook.cell("c0")["execution_count"] == 1
    assert [*notebook.cell("c0")["metadata"]["execution"]] == [
        "iopub.execute_input", "iopub.status.busy", "iopub.status.idle", "shell.execute_reply",
    ]  # fmt: skip
    (result,) = notebook.cell("c1")["outputs"]
    assert result["data"]["text/plain"] == ["42"]
    (shown,) = notebook.cell("c2")["outputs"]
    assert shown["data"]["text/plain"] == ["'new'"]
    assert "transient" not in shown
    assert notebook.text("c3") == "4 %"
    (error,) = notebook.cell("c4")["outputs"]
    assert error["ename"] == "ZeroDivisionError"
    assert notebook.cell("c5")["outputs"] == [], "an error empties the queue"
    assert "execution_state" not in notebook.cell("c5")


def test_input_interrupt_and_restart(site: Site, http: httpx.Client, project: dict[str, Any]) -> None:
    sources = ["name = input('Who? ')\nprint('Hello', name)", "import time\ntime.sleep(600)", "print('name' in dir())"]
    notebook = Notebook(site, http, project, sources)
    assert notebook.post("interrupt").json()["code"] == "no_kernel"
    notebook.execute("c0", "c1", "c2")
    assert notebook.post("input", {"cell": "c2", "value": "x"}).json()["code"] == "no_input"
    wait_for(lambda: notebook.post("input", {"cell": "c0", "value": "마당"}).status_code == 204, 30, "the question")
    notebook.wait_for("c0")
    assert notebook.text("c0").endswith("Hello 마당\n")
    wait_for(lambda: "iopub.status.busy" in notebook.cell("c1")["metadata"].get("execution", {}), 30, "the sleep")
    assert notebook.post("interrupt").status_code == 204
    (error,) = notebook.wait_for("c1")["outputs"]
    assert error["ename"] == "KeyboardInterrupt"
    notebook.execute("c2")
    notebook.wait_for("c2")
    assert notebook.text("c2") == "True\n"
    assert notebook.post("restart").status_code == 204
    notebook.execute("c2")
    wait_for(lambda: notebook.text("c2") == "False\n", 30, "a kernel without the name")


def test_what_is_asked_for_after_an_interrupt_runs(site: Site, http: httpx.Client, project: dict[str, Any]) -> None:
    stubborn = "import time\ntry: time.sleep(600)\nexcept KeyboardInterrupt:\n    time.sleep(1)\n    raise"
    notebook = Notebook(site, http, project, [stubborn, "print('given up')", "print('asked for later')"])
    notebook.execute("c0", "c1")
    wait_for(lambda: "iopub.status.busy" in notebook.cell("c0")["metadata"].get("execution", {}), 30, "the sleep")
    assert notebook.post("interrupt").status_code == 204
    notebook.execute("c2")
    notebook.wait_for("c2")
    assert notebook.text("c2") == "asked for later\n"
    assert notebook.cell("c1")["outputs"] == []


@pytest.mark.slow
def test_no_line_is_lost_or_doubled_when_web_is_killed(site: Site, http: httpx.Client, project: dict[str, Any]) -> None:
    code = f"import time\nfor n in range({LINES}):\n    print(n, flush=True)\n    time.sleep(0.012)"
    notebook = Notebook(site, http, project, [code, "print('after')"])
    notebook.execute("c0", "c1")
    for _ in range(2):
        seen = len(notebook.text("c0"))
        wait_for(lambda: len(notebook.text("c0")) > seen, 30, "more lines")  # noqa: B023
        site.kill("web")
    notebook.wait_for("c1")
    assert notebook.text("c0") == "".join(f"{n}\n" for n in range(LINES))
    assert notebook.text("c1") == "after\n"


def test_output_is_bounded(site: Site, http: httpx.Client, project: dict[str, Any]) -> None:
    notebook = Notebook(site, http, project, ["for n in range(1000): print('x' * 9999)", "print('fine')"])
    notebook.execute("c0", "c1")
    notebook.wait_for("c1")
    text = notebook.text("c0")
    assert len(text) < 2.2e6
    assert text.endswith("Write what is larger to a file.]\n")
    assert text.count("[Output was cut here") == 1


def test_a_stranger_runs_nothing(site: Site, http: httpx.Client, project: dict[str, Any], owner: Account) -> None:
    notebook = Notebook(site, http, project, ["print(1)"])
    stranger = site.account("stranger")
    for action, body in (("execute", {"cells": ["c0"]}), ("interrupt", None), ("restart", None)):
        answer = httpx.post(site.url + f"{notebook.url}/{action}", json=body, headers=stranger.headers)
        assert answer.status_code == 404
    assert notebook.post("execute", {"cells": ["nothing"]}).status_code == 404
    assert notebook.post("execute", {"cells": []}).status_code == 422
    assert notebook.cell("c0")["outputs"] == []


def test_its_history(site: Site, http: httpx.Client, project: dict[str, Any]) -> None:
    notebook = Notebook(site, http, project, ["print(1)"])
    before = notebook.file.read_bytes()
    notebook.execute("c0")
    notebook.wait_for("c0")
    url = notebook.url.replace("notebooks", "documents") + "/history"
    items = http.get(url).raise_for_status().json()["items"]
    assert [item["origin"] for item in items][-1] == "disk"
    assert items[0]["origin"] == "kernel"
    first = items[-1]["number"]
    old = http.get(f"{url}/{first}").raise_for_status().json()["text"]
    assert json.loads(old)["cells"][0]["outputs"] == []
    assert http.get(f"{url}/9999").status_code == 404
    assert http.post(f"{url}/{first}/restore").status_code == 201
    deadline = time.monotonic() + 20
    wait_for(lambda: notebook.cell("c0")["outputs"] == [] or time.monotonic() > deadline, 30, "the old state")
    assert json.loads(notebook.file.read_bytes()) == json.loads(before)
