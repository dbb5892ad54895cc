"""The life of a session as its owner sees it: usage, countdown, extension, stop."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.browser import PHONE, screenshot
from tests.e2e.pages import PATIENCE, Workspace, new_project, sign_in, wait_for_held
from tests.live import Account, Site, client


def test_usage_moves_while_code_runs(workspace: Workspace) -> None:
    usage = workspace.page.locator("madang-usage")
    workspace.run("import time\nend = time.process_time() + 3\nwhile time.process_time() < end: pass")
    expect(usage).to_contain_text(re.compile(r"[3-9]\.\d s CPU so far"), timeout=4 * PATIENCE)
    expect(usage).to_contain_text("Ends when idle in")


@pytest.fixture
def payer(site: Site) -> Account:
    """Somebody who has had no other session: the page of usage sums up all."""
    return site.account("payer")


@pytest.fixture
def costs(site: Site, payer: Account) -> Iterator[str]:
    with new_project(site, payer, "costs") as id:
        yield id


def test_what_it_costs_is_shown_as_it_grows(page: Page, site: Site, payer: Account, costs: str) -> None:
    sign_in(page, site, payer)
    workspace = Workspace.open(page, site, costs)
    cost = page.locator("madang-usage").get_by_text("Cost so far")
    workspace.run("import time\nend = time.process_time() + 3\nwhile time.process_time() < end: pass")
    expect(cost).to_contain_text(re.compile(r"\$0\.000(0[3-9]|[1-9])"), timeout=4 * PATIENCE)
    expect(cost).to_contain_text(re.compile(r"\$0\.0\d+ an hour"), timeout=PATIENCE)
    expect(page.get_by_role("contentinfo")).to_contain_text("$0.000", timeout=PATIENCE)
    screenshot(page, "session-cost")
    page.goto(f"{site.url}/usage")
    expect(page.get_by_role("row").filter(has_text="CPU, an hour of a core in use")).to_contain_text("$0.04")
    expect(page.locator("dl.sums")).to_contain_text(re.compile(r"Cost\s*\$0\.000(0[3-9]|[1-9])"))
    screenshot(page, "usage")
    page.set_viewport_size(PHONE)
    screenshot(page, "usage-phone")


def test_what_the_files_take_is_shown_as_it_grows(workspace: Workspace) -> None:
    page = workspace.page
    disk = page.locator("madang-usage").get_by_text(re.compile("Disk of 2 GiB"))
    expect(disk).to_contain_text("KiB", timeout=PATIENCE)
    workspace.expect_output(
        "import os\nopen('big.bin', 'wb').write(os.urandom(220 << 20))\nprint('written')", "written"
    )
    expect(disk).to_contain_text(re.compile(r"22\d MiB\s*\d+ files"), timeout=PATIENCE)
    expect(page.get_by_role("contentinfo")).to_contain_text("disk 11 %", timeout=PATIENCE)
    screenshot(page, "session-disk")


def test_what_the_policy_refuses_is_listed_at_once_and_after_a_reload(workspace: Workspace) -> None:
    usage = workspace.page.locator("madang-usage")
    workspace.run("import ctypes\nfor _ in range(3): ctypes.CDLL(None).ptrace(0, 0, 0, 0)")
    expect(usage).to_contain_text("Refused: ptrace ×3", timeout=PATIENCE)
    expect(usage).to_contain_text("as debuggers do")
    screenshot(workspace.page, "refusals")
    workspace.page.reload()
    expect(usage).to_contain_text("Refused: ptrace ×3", timeout=PATIENCE)


def test_an_idle_session_counts_down_is_extended_and_ends(
    page: Page, site: Site, account: Account, project: str
) -> None:
    with client(site, account) as http:
        body = {"project": project, "idle_timeout": 20}
        session = http.post("/api/v1/sessions", json=body).raise_for_status().json()
        sign_in(page, site, account)
        workspace = Workspace.open(page, site, project)
        soon = page.get_by_text(re.compile("Idle: this session ends in")).first
        expect(soon).to_be_visible(timeout=PATIENCE)
        screenshot(page, "idle-countdown")
        page.get_by_role("button", name="Extend").first.click()
        workspace.expect_output("print('awake')", "awake")
        expect(page.get_by_text(re.compile("had been idle")).first).to_be_visible(timeout=3 * PATIENCE)
        screenshot(page, "idle-ended")
        ended = http.get(f"/api/v1/sessions/{session['id']}").raise_for_status().json()
    assert ended["state"] == "stopped"
    assert ended["usage"]["cpu_ms"] > 0


def test_stop_ends_it_and_files_stay(workspace: Workspace) -> None:
    page = workspace.page
    workspace.expect_output("open('kept.txt', 'w').write('x')\nprint('written')", "written")
    page.get_by_role("button", name="Stop", exact=True).first.click()
    page.get_by_role("alertdialog").get_by_role("button", name="Stop").click()
    expect(page.get_by_text("This session has ended").first).to_be_visible(timeout=PATIENCE)
    screenshot(page, "stopped")
    workspace.start_again().expect_output("import os\nprint(os.path.exists('kept.txt'))", "True")


def test_another_image_restarts_the_session_and_keeps_the_files(
    workspace: Workspace, site: Site, account: Account, project: str
) -> None:
    page = workspace.page
    workspace.expect_output("open('kept.txt', 'w').write('x')\nprint('written')", "written")
    page.get_by_role("button", name="Image…").click()
    choice = page.locator("madang-image-choice")
    expect(choice.get_by_label("Image")).to_be_focused(timeout=PATIENCE)
    expect(choice.get_by_role("button", name="Restart with this image")).to_be_disabled()
    expect(choice).to_contain_text("variables, terminals, running programs")
    choice.get_by_label("Image").select_option("bash")
    screenshot(page, "session-image")
    choice.get_by_role("button", name="Restart with this image").click()
    expect(page.get_by_role("contentinfo")).to_contain_text("bash", timeout=PATIENCE)
    expect(page.get_by_role("treeitem", name="kept.txt")).to_be_visible(timeout=PATIENCE)
    workspace.wait_until_ready().expect_output("echo $((6 * 7)); ls", re.compile("42\\s+kept.txt"))
    with client(site, account) as http:
        assert http.get(f"/api/v1/projects/{project}").json()["image"] == "bash"
        live = http.get("/api/v1/sessions", params={"project": project, "state": "live"}).json()["items"]
    assert [session["image"] for session in live] == ["bash"]


def test_an_answer_that_comes_late_does_not_bring_a_stopped_session_back(workspace: Workspace) -> None:
    page, held = workspace.page, list[tuple[Route, str]]()

    def hold(route: Route) -> None:
        if route.request.method == "DELETE":
            held.append((route, route.fetch().text()))  # it says that the session is stopping
        else:
            route.continue_()

    page.route(re.compile("/api/v1/sessions/[0-9a-f-]+$"), hold)
    page.get_by_role("button", name="Stop", exact=True).first.click()
    page.get_by_role("alertdialog").get_by_role("button", name="Stop").click()
    over = page.get_by_text("This session has ended").first
    expect(over).to_be_visible(timeout=PATIENCE)
    # It may be over before the answer has come to this place.
    route, answer = wait_for_held(page, held, "the answer")[0]
    assert '"stopping"' in answer
    with page.expect_response(route.request.url):
        route.fulfill(body=answer, content_type="application/json")
    expect(page.locator("madang-usage").get_by_role("button", name="Stop")).to_have_count(0)  # it has taken the answer
    expect(over).to_be_visible()
