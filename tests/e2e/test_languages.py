"""A project in another language than Python: its colours, and a program that asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import screenshot
from tests.e2e.pages import PATIENCE, Workspace, expect_output_of, new_project, sign_in
from tests.live import Account, Site

ASKS = """#include <stdio.h>
int main(void) {
    char name[40];
    printf("Who are you? ");
    if (scanf("%39s", name) == 1) printf("Hello %s!\\n", name);
}"""


@pytest.fixture
def project(site: Site, account: Account, request: pytest.FixtureRequest) -> Iterator[str]:
    with new_project(site, account, request.node.name[:60], "c") as id:
        yield id


def test_a_program_in_c_is_in_colours_and_asks(page: Page, site: Site, account: Account, project: str) -> None:
    sign_in(page, site, account)
    workspace = Workspace.open(page, site, project, "main.c")
    keyword = page.locator("madang-editor .cm-line span").filter(has_text="return")
    expect(keyword).to_be_attached(timeout=PATIENCE)
    cell = workspace.run(ASKS)
    expect_output_of(cell, "Who are you?")
    answer = cell.get_by_role("textbox")
    expect(answer).to_be_focused(timeout=PATIENCE)
    screenshot(page, "c-asks")
    page.keyboard.type("Yuna")
    page.keyboard.press("Enter")
    expect_output_of(cell, "Hello Yuna!")
    screenshot(page, "c-answered")
