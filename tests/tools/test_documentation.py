"""The documentation is tested: a setting that is not documented, or documented and gone, breaks this."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bin.lib.stages import STAGES
from tests.settings import ROOT

READER = re.compile(r"""env\.\w+\(\s*"([A-Z][A-Z0-9_]+)\"""")
ROW = re.compile(r"^\| `([A-Z][A-Z0-9_]+)` \|", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def test_every_setting_is_documented_and_every_documented_setting_is_read() -> None:
    read = set(READER.findall((ROOT / "portal" / "settings.py").read_text()))
    documented = set(ROW.findall((ROOT / "docs" / "operators" / "settings.md").read_text()))
    assert len(read) > 10, "the pattern no longer finds the settings"
    assert read == documented


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}, which is not there"


def test_every_stage_of_bin_test_is_documented() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    assert [name for name in STAGES if f"`{name}`" not in text] == []


def test_pinned_packages_name_exact_versions() -> None:
    images, peers = ROOT / "sandbox" / "images", ROOT / "bench" / "peers"
    files = [*ROOT.glob("requirements*.txt"), *images.glob("*/requirements.txt"), *peers.glob("*.txt")]
    assert len(files) >= 6
    for file in files:
        for line in file.read_text().splitlines():
            specification = line.partition("#")[0].strip()
            if specification and not specification.startswith("-r "):
                assert re.match(r"^[\w.\[\]-]+==[\w.]+( ; .+)?$", specification), f"{file.name}: {line}"
