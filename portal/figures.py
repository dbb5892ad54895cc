"""Three true figures for the first page; what is not known is not shown."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import ngettext

from sandbox.images import images


@dataclass(frozen=True)
class Figure:
    """A number with its unit, and what it counts."""

    value: str
    label: str


def figures() -> list[Figure]:
    count = len(images())
    return [Figure(str(count), ngettext("image to choose from", "images to choose from", count))] if count else []
