"""Images: named, versioned environments. One directory each, discovered, listed nowhere else.

``sandbox/images/<directory>/image.toml`` describes an image; ``docs/developers/adding-an-image.md``
explains every key.
"""

from __future__ import annotations

import platform
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from sandbox.egress.rules import Network
from sandbox.policy import load_policy, policy_names
from sandbox.slots import MIB, Slots

ROOT = Path(__file__).parent


@dataclass(frozen=True)
class Kernel:
    """A Jupyter kernel of an image. ``name`` is the kernelspec's name, unique on a site."""

    name: str
    display_name: str
    language: str


@dataclass(frozen=True)
class Language:
    """A language that programs of an image may be written in, and how such a program is built and run.

    ``build`` ("" where there is nothing to build) and ``run`` are shell commands in which ``{main}`` stands for the
    program's first file, which is called ``main`` where nothing else is said. ``editor`` names the editor's mode.
    """

    name: str
    title: str
    extensions: tuple[str, ...]
    main: str
    run: str
    build: str = ""
    editor: str = ""


@dataclass(frozen=True)
class Image:
    """One image. ``name`` is what users see and the API takes, such as ``python:3.11``."""

    name: str
    title: str
    summary: str
    directory: Path
    kernels: tuple[Kernel, ...]
    languages: tuple[Language, ...] = ()
    extensions: tuple[str, ...] = ()
    preload: tuple[str, ...] = ()
    thread_variables: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    slots: Slots = field(default_factory=Slots)
    policy: str = "default"
    network: str = "public"
    hello: str = ""
    hello_file: str = ""


class ImageError(Exception):
    """An ``image.toml`` is wrong; the message names the file and the key."""


def read_image(directory: Path) -> Image:
    """Read ``directory/image.toml``.

    Raises:
        ImageError: a key is missing, unknown or of the wrong type.
    """
    file = directory / "image.toml"
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ImageError(f"{file}: {error}") from error
    try:
        return _build(directory, data)
    except (KeyError, TypeError, ValueError) as error:
        raise ImageError(f"{file}: {error!r}") from error


def _build(directory: Path, data: dict[str, Any]) -> Image:
    known = {
        "name",
        "title",
        "summary",
        "extensions",
        "preload",
        "thread_variables",
        "environment",
        "policy",
        "network",
    }
    if unknown := set(data) - known - {"kernels", "languages", "slots", "hello"}:
        raise ValueError(f"unknown keys: {', '.join(sorted(unknown))}")
    slots = dict(data.get("slots", {}))
    for key in ("memory", "disk"):
        if f"{key}_mib" in slots:
            slots[key] = int(slots.pop(f"{key}_mib")) * MIB
    policy = data.get("policy", "default")
    if policy not in policy_names():
        raise ValueError(f"there is no policy {policy!r}, only {', '.join(policy_names())}")
    hello = data["hello"]
    return Image(
        name=data["name"].format(python=".".join(platform.python_version_tuple()[:2])),
        title=data["title"].format(python=".".join(platform.python_version_tuple()[:2])),
        summary=data["summary"],
        directory=directory,
        kernels=tuple(Kernel(**kernel) for kernel in data["kernels"]),
        languages=tuple(_language(**language) for language in data.get("languages", ())),
        extensions=tuple(data.get("extensions", ())),
        preload=tuple(data.get("preload", ())),
        thread_variables=tuple(data.get("thread_variables", ())),
        environment=dict(data.get("environment", {})),
        slots=Slots(**slots),
        policy=policy,
        network=Network(data.get("network", "public")).mode,
        hello=hello["text"],
        hello_file=hello["file"],
    )


def _language(extensions: list[str], **rest: str) -> Language:
    return Language(extensions=tuple(extensions), **rest)


@cache
def images() -> dict[str, Image]:
    """All images by name, in the order of their directories' names."""
    found = (read_image(file.parent) for file in sorted(ROOT.glob("*/image.toml")))
    return {image.name: image for image in found}


def policies_for(image: Image) -> list[str]:
    """The policies that a session of ``image`` may be given: its own and those that are no wider."""
    own = load_policy(image.policy)
    return [name for name in policy_names() if load_policy(name).no_wider_than(own)]


def image_for_kernel(kernel: str) -> Image | None:
    """The image that offers the kernelspec ``kernel``."""
    return next((image for image in images().values() if any(k.name == kernel for k in image.kernels)), None)
