"""Projects as people handle them: shared by link, forked, deleted and restored, made from an archive."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.browser import DESKTOP, PHONE, screenshot
from tests.e2e.pages import PATIENCE, Workspace, sign_in
from tests.live import Account, Site, client

Open = Callable[..., Page]


def test_a_project_is_shared_by_link_and_taken_back(
    page: Page, open_page: Open, site: Site, account: Account, project: str
) -> None:
    sign_in(page, site, account)
    workspace = Workspace.open(page, site, project)
    workspace.expect_output("shared = 6 * 7; shared", "42")
    page.goto(f"{site.url}/projects/{project}/people")
    page.get_by_role("button", name="Make a link to edit").click()
    link = page.get_by_label("Link to edit").input_value()

    other = open_page()
    guest = site.account("guest")
    sign_in(other, site, guest)
    other.goto(link)
    other.get_by_role("button", name="Join").click()
    other.wait_for_url(re.compile(f"/p/{project}/"))
    theirs = Workspace.open(other, site, project)
    expect(theirs.cells).to_have_count(1, timeout=PATIENCE)  # what the owner ran
    theirs.expect_output("shared + 1", "43")

    page.reload()
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("status")).to_contain_text("The link opens nothing any more.")
    page.get_by_role("button", name=re.compile("Remove")).click()
    expect(page.get_by_role("status")).to_contain_text("is out of the project")
    other.reload()
    expect(other.get_by_role("heading")).to_contain_text("Not found", timeout=PATIENCE)
    other.goto(link)
    expect(other.get_by_role("heading")).to_contain_text("does not open anything")


def test_sharing_is_a_dialog_of_the_workspace(workspace: Workspace, site: Site, project: str) -> None:
    page = workspace.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Share", exact=True).click()
    dialog = page.get_by_role("dialog", name="Share")
    people = dialog.frame_locator("iframe")
    expect(people.get_by_role("heading", name="In the project")).to_be_visible(timeout=PATIENCE)
    expect(people.get_by_role("navigation")).to_be_hidden()  # one bar is enough
    people.get_by_label("E-mail address").fill("friend@example.org")
    people.get_by_role("button", name="Invite").click()
    expect(people.get_by_role("status")).to_contain_text("An invitation is on its way", timeout=PATIENCE)
    people.get_by_role("button", name="Make a link to view").click()
    people.get_by_role("button", name="Copy").click()
    expect(people.get_by_role("button", name="Copied")).to_be_visible(timeout=PATIENCE)
    assert page.evaluate("navigator.clipboard.readText()").startswith(f"{site.url}/join/")
    screenshot(page, "workspace-share")
    page.set_viewport_size(PHONE)
    screenshot(page, "workspace-share-phone")
    page.set_viewport_size(DESKTOP)
    page.keyboard.press("Escape")  # the focus is in the frame
    expect(dialog).to_be_hidden()
    workspace.expect_output("6 * 7", "42")  # the workspace was never left

    page.set_viewport_size(PHONE)
    page.goto(f"{site.url}/projects/{project}/people")  # the same as a page
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    expect(page.get_by_role("cell", name="friend@example.org invited")).to_be_visible()


def test_leaving_from_the_dialog_leaves_the_workspace(
    page: Page, open_page: Open, site: Site, account: Account, project: str
) -> None:
    guest = site.account("leaver")
    with client(site, account) as http:
        http.post(f"/api/v1/projects/{project}/people", json={"email": guest.email}).raise_for_status()
    sign_in(page, site, guest)
    page.goto(f"{site.url}/p/{project}/")
    page.get_by_role("button", name="Share", exact=True).click()
    people = page.get_by_role("dialog", name="Share").frame_locator("iframe")
    people.get_by_role("button", name="Leave this project").click()
    page.wait_for_url(re.compile("/dashboard"))
    expect(page.get_by_role("status")).to_contain_text("You left")


def test_who_may_look_sees_the_files_and_runs_nothing(
    page: Page, open_page: Open, site: Site, account: Account, project: str
) -> None:
    sign_in(page, site, account)
    page.goto(f"{site.url}/projects/{project}/people")
    page.get_by_role("button", name="Make a link to view").click()
    link = page.get_by_label("Link to view").input_value()

    other = open_page()
    sign_in(other, site, site.account("visitor"))
    other.goto(link)
    other.get_by_role("button", name="Join").click()
    other.wait_for_url(re.compile(f"/p/{project}/"))
    expect(other.locator("madang-console")).to_contain_text("You may look at this project", timeout=PATIENCE)
    expect(other.get_by_role("button", name="Run", exact=True)).to_have_count(0)
    other.get_by_role("tab", name="main.py").click()
    text = other.locator("madang-editor .cm-content")
    expect(text).to_contain_text("Hello from Madang!", timeout=PATIENCE)
    expect(text).to_have_attribute("aria-readonly", "true")
    screenshot(other, "visitor")


def test_a_project_is_forked_from_the_list(page: Page, site: Site, account: Account, project: str) -> None:
    sign_in(page, site, account)
    name = page.get_by_role("row").get_by_role("link", name=re.compile("test_a_project_is_forked")).first.inner_text()
    page.get_by_label(f"Actions for {name}", exact=True).press("Enter")
    page.get_by_role("button", name="Fork").click()
    page.wait_for_url(re.compile(rf"/p/(?!{project})[0-9a-f-]+/"))
    expect(page.get_by_role("treeitem", name="main.py")).to_be_attached(timeout=PATIENCE)
    page.goto(f"{site.url}/dashboard?q={name}")
    expect(page.get_by_role("row").filter(has_text="a fork")).to_have_count(1)


def test_a_project_is_deleted_and_restored(page: Page, site: Site, account: Account, project: str) -> None:
    sign_in(page, site, account)
    page.goto(f"{site.url}/dashboard?q=test_a_project_is_deleted")
    row = page.get_by_role("row").filter(has_text="test_a_project_is_deleted")
    row.get_by_label(re.compile("Actions for")).click()
    row.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("status")).to_contain_text("Its files stay for 7 days")
    page.goto(f"{site.url}/dashboard?q=test_a_project_is_deleted")
    expect(page.get_by_text("No project is called anything like")).to_be_visible()
    page.get_by_text(re.compile(r"\d+ deleted project")).click()
    page.get_by_role("button", name=re.compile("Restore test_a_project_is_deleted")).click()
    expect(page.get_by_role("status")).to_contain_text("is back")
    page.goto(f"{site.url}/p/{project}/")
    expect(page.get_by_role("treeitem", name="main.py")).to_be_attached(timeout=PATIENCE)


def test_an_archive_becomes_a_project(page: Page, site: Site, account: Account) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("homework/answer.py", "print(42)")
    sign_in(page, site, account)
    page.get_by_role("link", name="New project").first.click()
    page.get_by_role("link", name="Zip archive").click()
    file = {"name": "homework.zip", "mimeType": "application/zip", "buffer": out.getvalue()}
    page.get_by_label("Archive (.zip)").set_input_files(file)  # type: ignore[arg-type]
    page.get_by_role("button", name="Make and open").click()
    page.wait_for_url(re.compile("/p/"))
    expect(page.get_by_role("treeitem", name="answer.py")).to_be_attached(timeout=PATIENCE)
    page.goto(f"{site.url}/projects/new?from=zip")
    page.get_by_label("Archive (.zip)").set_input_files({**file, "buffer": b"no archive"})  # type: ignore[arg-type]
    page.get_by_role("button", name="Make and open").click()
    expect(page.get_by_role("alert")).to_contain_text("This is no zip archive, or it is damaged.")
