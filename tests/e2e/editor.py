"""The editor of a workspace as a person uses it, with what a language server adds."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from playwright.sync_api import Locator, expect

from tests.e2e.pages import PATIENCE, Workspace

FIND = """async (content, word) => {
    const place = () => {
        const walker = document.createTreeWalker(content, NodeFilter.SHOW_TEXT);
        let box = null;
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            const at = node.data.lastIndexOf(word);
            if (at < 0) continue;
            const range = document.createRange();
            range.setStart(node, at);
            range.setEnd(node, at + word.length);
            box = range.getBoundingClientRect();
        }
        return box && { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    };
    await document.fonts.ready;
    for (let before = place(); ;) {
        await new Promise(requestAnimationFrame);
        const now = place();
        if (now && now.x === before?.x && now.y === before.y) return now;
        before = now;
    }
}"""
"""Where the word is, once it stands still from one frame to the next."""


class Editor:
    """The editor that is in front: that of ``name``, once the server of ``language`` answers."""

    def __init__(self, workspace: Workspace, name: str = "main.py", language: str = "Python") -> None:
        self.page, self.workspace = workspace.page, workspace
        self.page.get_by_role("tab", name=PurePosixPath(name).name).click()
        self.tools = self.page.locator("madang-tools")
        expect(self.tools.get_by_text(f"● {language}")).to_be_visible(timeout=PATIENCE)

    @property
    def it(self) -> Locator:
        return self.page.locator("madang-editor:visible")

    @property
    def text(self) -> Locator:
        return self.it.locator(".cm-content")

    def word(self, word: str) -> tuple[float, float]:
        """Where the last ``word`` of the text is in the window."""
        expect(self.text).to_contain_text(word, timeout=PATIENCE)
        place: dict[str, float] = self.text.evaluate(FIND, word)
        return place["x"], place["y"]

    def go(self, line: int) -> None:
        """To the end of a line."""
        self.it.locator(".cm-line").nth(line - 1).click()
        self.page.keyboard.press("End")

    def replace(self, text: str) -> None:
        self.text.click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.insert_text(text)

    def tab(self, name: str | re.Pattern[str]) -> None:
        self.tools.get_by_role("tab", name=name).click()
