"""Images that an operator has added, beside those of ``sandbox/images/``: see :mod:`sandbox.roots`."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from sandbox.images import Image, ImageError, read_image

FOLDER, ORIGIN = "roots", "origin.json"
BASE = "python"
"""The image from whose zygote their runners are forked; nothing else of it is seen in them."""

log = logging.getLogger(__name__)


def directory_name(name: str) -> str:
    """Where under ``<state>/roots/`` the image ``name`` is; two names never share one, for none has ``__`` in it."""
    return name.replace(":", "__")


def added(state: Path) -> list[Image]:
    """The images that have been added, but for those that can no longer be read: the log says why."""
    found = []
    for file in sorted((state / FOLDER).glob("[!.]*/image.toml")):
        try:
            found.append(read_added(file.parent))
        except ImageError:
            log.exception("an image that was added is not offered")
    return found


def version_of(image: Image) -> tuple[int, ...]:
    """Differs between images that were added under one name at different times, and once ``image`` has been removed.

    Of the site's own images it is always the same.
    """
    try:
        status = os.stat(image.root) if image.root is not None else None
    except OSError:
        status = None
    return () if status is None else (status.st_dev, status.st_ino, status.st_ctime_ns)


def origin_of(image: Image) -> dict[str, Any]:
    """What is known of where the added ``image`` came from: see :mod:`sandbox.roots`."""
    origin: dict[str, Any] = json.loads((image.directory / ORIGIN).read_text(encoding="utf-8"))
    return origin


def read_added(directory: Path) -> Image:
    """The image in ``directory``, under the name that the operator gave it.

    Raises:
        ImageError: its ``image.toml`` is wrong, or it is not whole.
    """
    image = read_image(directory)
    try:
        origin = json.loads((directory / ORIGIN).read_text(encoding="utf-8"))
        name, environment = str(origin["name"]), {str(key): str(value) for key, value in origin["environment"].items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ImageError(f"{directory / ORIGIN}: {error!r}") from error
    return replace(
        image, name=name, base=BASE, root=directory / "root", environment={**environment, **image.environment}
    )
