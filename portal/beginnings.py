"""Examples that a new project can begin with, as they are found in the folder ``portal/examples``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from portal.files import BLOCK
from portal.filling import Filling
from sandbox.images import Image, images

FOLDER = Path(__file__).parent / "examples"


@dataclass(frozen=True)
class Example:
    """``titles`` and ``summaries`` by language; ``needs``: modules that the image must have loaded already."""

    name: str
    language: str
    order: int
    first: str
    needs: tuple[str, ...]
    titles: dict[str, str]
    summaries: dict[str, str]

    def described(self, language: str) -> dict[str, str]:
        """What those who choose see of it: ``name``, ``title``, ``summary``."""
        return {"name": self.name, "title": self.title(language), "summary": self.summary(language)}

    def title(self, language: str) -> str:
        return self.titles.get(language, self.titles["en"])

    def summary(self, language: str) -> str:
        return self.summaries.get(language, self.summaries["en"])

    @property
    def image(self) -> Image | None:
        """What runs it on this site, if anything does."""
        return next((image for image in images().values() if self._runs_on(image)), None)

    def _runs_on(self, image: Image) -> bool:
        speaks = any(language.name == self.language for language in image.languages)
        return speaks and set(self.needs) <= set(image.preload)

    def fill(self, filling: Filling, language: str) -> None:
        """Copy the files, those of ``language`` on top."""
        own = FOLDER / self.name / language
        for folder in (FOLDER / self.name / "files", own if own.is_dir() else FOLDER / self.name / "en"):
            for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
                if path.is_file():
                    with path.open("rb") as file:
                        blocks = iter(lambda file=file: file.read(BLOCK), b"")  # type: ignore[misc]
                        filling.write(str(path.relative_to(folder)), blocks)


@cache
def all_examples() -> dict[str, Example]:
    """Every example there is, by name, in the order in which they are shown."""
    found = [_read(path) for path in FOLDER.glob("*/example.toml")]
    return {example.name: example for example in sorted(found, key=lambda example: (example.order, example.name))}


def examples() -> list[Example]:
    """Those that this site can run."""
    return [example for example in all_examples().values() if example.image is not None]


def _read(path: Path) -> Example:
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    return Example(
        name=path.parent.name,
        language=data["language"],
        order=data["order"],
        first=data["first"],
        needs=tuple(data.get("needs", ())),
        titles=data["title"],
        summaries=data["summary"],
    )
