"""Charts in outputs: drawn in frames that reach nothing, loaded when there is one, dark where the page is."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.e2e.browser import PHONE, screenshot
from tests.e2e.conftest import Open
from tests.e2e.notebooks import Notebook, Project, code, notebook_of
from tests.e2e.pages import PATIENCE, Workspace, sign_in
from tests.e2e.test_many_ways import AXE, serious
from tests.live import Account, Site

PLOTLY = "application/vnd.plotly.v1+json"
LITE = "application/vnd.vegalite.v5+json"
VEGA = "application/vnd.vega.v5+json"

BARS = {
    "data": [{"type": "bar", "x": ["Jeju", "Busan", "Seoul"], "y": [1500, 1530, 1420]}],
    "layout": {"title": {"text": "Rain in a year"}, "template": {"layout": {"paper_bgcolor": "white"}}},
}
POINTS = {
    "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
    "title": "Heights",
    "width": "container",
    "data": {"values": [{"a": 1, "b": 3}, {"a": 2, "b": 5}, {"a": 3, "b": 4}]},
    "transform": [{"calculate": "datum.b * 10", "as": "c"}],
    "mark": "point",
    "encoding": {"x": {"field": "a", "type": "quantitative"}, "y": {"field": "c", "type": "quantitative"}},
}
MARK = {
    "$schema": "https://vega.github.io/schema/vega/v5.json",
    "width": 200,
    "height": 60,
    "description": "One word",
    "marks": [{"type": "text", "encode": {"enter": {"text": {"value": "마당"}, "y": {"value": 30}}}}],
}


def display(type_: str, spec: Any, plain: str = "a chart") -> dict[str, Any]:
    return {"output_type": "display_data", "data": {type_: spec, "text/plain": plain}, "metadata": {}}


@pytest.fixture
def files(site: Site, account: Account, project: str) -> Project:
    return Project(site, account, project)


def chart(book: Notebook, at: int) -> FrameLocator:
    return book.outputs(at).frame_locator("iframe")


def colour_of(page: Page, book: Notebook, at: int, selector: str, what: str) -> str:
    found: str = chart(book, at).locator(selector).first.evaluate("(one, what) => getComputedStyle(one)[what]", what)
    return found


def test_charts_of_each_kind(workspace: Workspace, files: Project) -> None:
    page = workspace.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    workspace.wait_until_ready()
    assert [url for url in asked if "/frames/" in url] == []

    cells = [code("", outputs=[display(type_, spec)]) for type_, spec in ((PLOTLY, BARS), (LITE, POINTS), (VEGA, MARK))]
    book = Notebook.put(workspace, files, *cells)
    expect(chart(book, 0).locator(".bars path")).to_have_count(3, timeout=PATIENCE)
    expect(book.outputs(0).locator("iframe")).to_have_attribute("title", "Chart: Rain in a year")
    expect(chart(book, 1).locator("svg .mark-symbol path").first).to_be_visible(timeout=PATIENCE)
    expect(chart(book, 1).get_by_text("Heights")).to_be_visible()
    expect(book.outputs(1).locator("iframe")).to_have_attribute("title", "Chart: Heights")
    expect(chart(book, 2).get_by_text("마당")).to_be_visible(timeout=PATIENCE)
    expect(book.outputs(2).locator("iframe")).to_have_attribute("title", "Chart: One word")
    screenshot(page, "charts")

    wide = chart(book, 0).locator(".main-svg").first.bounding_box()
    page.set_viewport_size({"width": 1000, "height": 860})
    assert wide is not None
    expect(chart(book, 0).locator(".main-svg").first).not_to_have_attribute("width", str(round(wide["width"])))

    page.get_by_role("button", name="Light or dark").click()
    surface = "rgb(28, 31, 35)"
    expect(chart(book, 0).locator("svg.main-svg").first).to_have_css("background-color", surface, timeout=PATIENCE)
    expect(chart(book, 1).locator("svg.marks")).to_have_css("background-color", surface, timeout=PATIENCE)
    screenshot(page, "charts-dark")


def test_a_kernel_puts_a_chart_out_and_changes_it(workspace: Workspace, files: Project) -> None:
    book = Notebook.put(workspace, files, code(""))
    empty, more = {**POINTS, "data": {"url": "https://example.org/x.csv"}}, {**POINTS, "title": "Changed"}
    source = (
        f"shown = display({{'{LITE}': {empty!r}, 'text/plain': 'p'}}, raw=True, display_id=True)\n"
        f"input()\n"
        f"shown.update({{'{LITE}': {more!r}, 'text/plain': 'p'}}, raw=True)\n"
    )
    book.run(0, source)
    expect(chart(book, 0).get_by_text("Heights")).to_be_visible(timeout=PATIENCE)
    expect(book.outputs(0)).to_contain_text("https://example.org/x.csv", timeout=PATIENCE)
    book.cell(0).get_by_role("textbox", name="Answer").press("Enter")
    expect(chart(book, 0).get_by_text("Changed")).to_be_visible(timeout=PATIENCE)
    expect(book.outputs(0)).not_to_contain_text("https://example.org/x.csv")
    expect(book.outputs(0).locator("iframe")).to_have_attribute("title", "Chart: Changed")
    workspace.show_console()
    cell = workspace.run(f"display({{'{PLOTLY}': {BARS!r}}}, raw=True)")
    expect(cell.frame_locator("iframe").locator(".bars path")).to_have_count(3, timeout=PATIENCE)


def test_a_hostile_chart_reaches_nothing(workspace: Workspace, files: Project, site: Site) -> None:
    page = workspace.page
    secret = f"{site.url}/api/v1/projects"
    answered: list[str] = []
    script = "parent.document.title = 'taken'"
    link = f'<img src=x onerror="{script}"><a href="javascript:{script}">x</a>'
    picture = {"source": secret, "sizex": 1, "sizey": 1}
    links = {
        "data": [{"type": "bar", "x": [link], "y": [1]}],
        "layout": {"images": [picture], "title": {"text": f"<script>{script}</script>"}},
        "config": {"plotlyServerURL": secret},
    }
    wanted = {"data": {"url": secret}, "mark": "point", "title": "Greedy", "encoding": {}}
    expression = {**POINTS, "transform": [{"calculate": f"(function() {{ {script} }})()", "as": "c"}]}
    options = {**POINTS, "usermeta": {"embedOptions": {"loader": {"baseURL": secret}, "ast": False, "config": secret}}}
    image = {**POINTS, "mark": {"type": "image", "url": secret, "width": 5, "height": 5}}
    lite = [display(LITE, spec) for spec in (wanted, expression, options, image)]
    page.on("response", lambda response: answered.append(response.url))
    outputs = [display(PLOTLY, links), *lite, display(PLOTLY, "no figure"), display(VEGA, None)]
    book = Notebook.put(workspace, files, *(code("", outputs=[output]) for output in outputs))
    title = page.title()
    expect(chart(book, 0).locator(".bars path")).to_have_count(1, timeout=PATIENCE)
    expect(book.outputs(1).locator(".trouble")).to_contain_text(secret, timeout=PATIENCE)
    expect(book.outputs(2)).to_contain_text("This chart could not be drawn", timeout=PATIENCE)
    expect(book.outputs(2)).to_contain_text("a chart")
    expect(chart(book, 3).get_by_text("Heights")).to_be_visible(timeout=PATIENCE)
    for at in (4, 5, 6):
        book.cell(at).scroll_into_view_if_needed()
    expect(chart(book, 4).get_by_text("Heights")).to_be_visible(timeout=PATIENCE)
    for at in (5, 6):
        expect(book.outputs(at)).to_contain_text("its description is no object", timeout=PATIENCE)
    assert [url for url in answered if url == secret] == []
    assert page.title() == title

    inside = chart(book, 0).locator("body")
    # In a task of the page's own: what a debugger calls may evaluate.
    tried = "try { done(String((0, eval)(what))) } catch (error) { done(error.name) }"
    tried = f"(one, what) => new Promise(done => setTimeout(() => {{ {tried} }}))"
    assert inside.evaluate(tried, "1") == "EvalError"
    for what in ("origin", "parent.document.title", "localStorage.length", "document.cookie"):
        look = f"() => {{ try {{ return String({what}) }} catch (error) {{ return error.name }} }}"
        assert inside.evaluate(look) == ("null" if what == "origin" else "SecurityError"), what
    assert inside.evaluate("(one, url) => fetch(url).then(() => 'read', error => error.name)", secret) == "TypeError"


def test_charts_on_a_phone_in_korean(
    open_page: Open, site: Site, account: Account, files: Project, project: str
) -> None:
    wanted = {"data": {"url": "https://example.org/x.csv"}, "mark": "point", "encoding": {}}
    outputs = [display(PLOTLY, BARS), display(LITE, POINTS), display(LITE, wanted)]
    files.write("book.ipynb", notebook_of(code("그림", outputs=outputs)))
    page = open_page(viewport=PHONE, has_touch=True, color_scheme="dark", bypass_csp=True, reduced_motion="reduce")
    sign_in(page, site, account)
    page.goto(f"{site.url}/p/{project}/?file=book.ipynb")
    book = Notebook(page).wait()
    outputs_ = book.outputs(0)
    outputs_.nth(2).scroll_into_view_if_needed()
    expect(outputs_.nth(2)).to_contain_text("this one wanted https://example.org/x.csv", timeout=PATIENCE)
    page.locator("madang-workspace").evaluate("workspace => { workspace.language = 'ko' }")
    expect(outputs_.nth(0).frame_locator("iframe").locator(".bars path")).to_have_count(3, timeout=PATIENCE)
    expect(outputs_.nth(1).frame_locator("iframe").get_by_text("Heights")).to_be_visible(timeout=PATIENCE)
    outputs_.nth(2).scroll_into_view_if_needed()
    expect(outputs_.nth(2)).to_contain_text("https://example.org/x.csv 주소를 읽으려고", timeout=PATIENCE)
    outputs_.nth(0).scroll_into_view_if_needed()
    width: int = page.evaluate("document.scrollingElement.scrollWidth")
    assert width <= PHONE["width"], "the page can be moved sideways"
    screenshot(page, "charts-phone-ko-dark")
    assert serious(page, AXE) == []
