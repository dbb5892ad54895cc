"""Datasets: folders of this host that an operator offers, mounted read-only into sessions as ``/datasets/NAME``."""

from __future__ import annotations

import logging
from pathlib import Path

from django.conf import settings
from django.core.validators import validate_slug

from portal.models import Dataset, Project

log = logging.getLogger(__name__)


def add_dataset(name: str, folder: str, summary: str = "") -> Dataset:
    """Offer ``folder`` as ``name``, or change what that name is.

    Raises:
        ValueError: it is no folder, or one that nobody should be shown; the message says why.
        ValidationError: ``name`` is no slug.
    """
    validate_slug(name)
    path, state = Path(folder).resolve(), Path(settings.MADANG_STATE).resolve()
    if not path.is_dir():
        raise ValueError(f"{path} is no folder.")
    if path == Path("/") or path.is_relative_to(state) or state.is_relative_to(path):
        raise ValueError(f"{path} holds this site's own files, or is held by them.")
    fields = {"folder": str(path), "summary": summary}
    return Dataset.objects.update_or_create(name=name, defaults=fields)[0]


def choose_datasets(project: Project, names: list[str]) -> None:
    """Mount these, and no others, in sessions that start from now on; names that are not offered are left out."""
    project.datasets.set(Dataset.objects.filter(name__in=[name for name in names if "\0" not in name]))


def folders_of(project: Project) -> dict[str, Path]:
    """What to mount: folders by name. One that is gone is left out, and logged."""
    found = {one.name: Path(one.folder) for one in project.datasets.all()}
    for name, folder in found.items():
        if not folder.is_dir():
            log.warning("the folder %s of dataset %s is gone", folder, name)
    return {name: folder for name, folder in found.items() if folder.is_dir()}
