"""Images: named, versioned environments. One directory each, discovered, listed nowhere else.

``sandbox/images/<directory>/image.toml`` describes an image; ``docs/developers/adding-an-image.md``
explains every key.
"""

from __future__ import annotations

import platform
import shutil
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from sandbox.egress.rules import Network
from sandbox.policy import load_policy, policy_names
from sandbox.slots import MIB, Slots

ROOT = Path(__file__).parent
DRIVERS = "/etc/madang"
"""The folder inside where the drivers of an image's kernels are."""
_PROGRAMS = "/usr/local/bin:/usr/bin:/bin"  # of the host's programs, those that a sandbox finds
_MODES = ("ipython", "repl", "cells")


@dataclass(frozen=True)
class Kernel:
    """A Jupyter kernel of an image. ``name`` is the kernelspec's name, unique on a site.

    ``mode`` is ``ipython``, or one of the two ways of :mod:`sandbox.runner.language`: ``repl``, where ``command``
    starts a program that keeps what a cell leaves (``driver``: a file of the image, at ``{driver}`` in it), and
    ``cells``, where each cell is a program of its own: the file ``main``, for which ``build`` and ``run`` are carried
    out as those of a :class:`Language`. ``editor``, ``mimetype`` and ``extension`` are what
    notebooks are told of the language.
    """

    name: str
    display_name: str
    language: str
    mode: str = "ipython"
    command: tuple[str, ...] = ()
    driver: str = ""
    main: str = ""
    build: str = ""
    run: str = ""
    editor: str = ""
    mimetype: str = "text/plain"
    extension: str = ""

    def __post_init__(self) -> None:
        if self.mode not in _MODES:
            raise ValueError(f"a kernel's mode is one of {', '.join(_MODES)}, not {self.mode!r}")
        if self.mode == "repl" and not self.command:
            raise ValueError(f"the kernel {self.name} needs a command")
        if self.mode == "cells" and not (self.main and self.run):
            raise ValueError(f"the kernel {self.name} needs main and run")

    def program(self) -> dict[str, Any] | None:
        """What the runner needs to know of it, as JSON takes it; ``None`` for IPython's own."""
        if self.mode == "ipython":
            return None
        return {**asdict(self), "command": [word.replace("{driver}", self.driver_inside) for word in self.command]}

    @property
    def driver_inside(self) -> str:
        return f"{DRIVERS}/{self.driver}"


@dataclass(frozen=True)
class Program:
    """A program of the host that an image needs, and the Debian package that brings it."""

    program: str
    package: str

    @property
    def missing(self) -> bool:
        return shutil.which(self.program, path=_PROGRAMS) is None


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
    """One image. ``name`` is what users see and the API takes, such as ``python:3.11``.

    ``base`` is the directory of the image in whose environment and zygote it runs ("": it has its own). It is
    offered on hosts that have all it ``requires``.
    """

    name: str
    title: str
    summary: str
    directory: Path
    kernels: tuple[Kernel, ...]
    base: str = ""
    requires: tuple[Program, ...] = ()
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

    @property
    def environment_name(self) -> str:
        """The directory of the image whose environment it runs in: its own, where it has no base."""
        return self.base or self.directory.name

    @property
    def missing(self) -> tuple[Program, ...]:
        """What this host lacks of what it requires."""
        return tuple(program for program in self.requires if program.missing)

    @property
    def drivers(self) -> dict[str, str]:
        """The files inside that its kernels' commands speak of."""
        named = (kernel for kernel in self.kernels if kernel.driver)
        return {k.driver_inside: (self.directory / k.driver).read_text(encoding="utf-8") for k in named}


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
        "base",
    }
    if unknown := set(data) - known - {"requires", "kernels", "languages", "slots", "hello"}:
        raise ValueError(f"unknown keys: {', '.join(sorted(unknown))}")
    if data.get("base") and (own := {"preload", "thread_variables"} & set(data)):
        raise ValueError(f"an image with a base has that one's {', '.join(sorted(own))}")
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
        kernels=tuple(_kernel(**kernel) for kernel in data["kernels"]),
        base=data.get("base", ""),
        requires=tuple(Program(**program) for program in data.get("requires", ())),
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


def _kernel(command: Sequence[str] = (), **rest: str) -> Kernel:
    return Kernel(command=tuple(command), **rest)


def _language(extensions: list[str], **rest: str) -> Language:
    return Language(extensions=tuple(extensions), **rest)


@cache
def described() -> tuple[Image, ...]:
    """All images that there are: first those with an environment of their own, then the others; each by title.

    Raises:
        ImageError: one of them is wrong, or its base is not there.
    """
    found = {file.parent.name: read_image(file.parent) for file in ROOT.glob("*/image.toml")}
    based = (_with_base(image, found) for image in found.values())
    return tuple(sorted(based, key=lambda image: (image.base != "", image.title)))


def _with_base(image: Image, found: dict[str, Image]) -> Image:
    if not image.base:
        return image
    base = found.get(image.base)
    if base is None or base.base:
        raise ImageError(f"{image.directory / 'image.toml'}: there is no image {image.base!r} to be a base")
    environment = {**base.environment, **image.environment}
    return replace(image, environment=environment, thread_variables=base.thread_variables)


@cache
def images() -> dict[str, Image]:
    """The images that this host can offer, by name, in the order of :func:`described`."""
    return {image.name: image for image in described() if not image.missing}


def policies_for(image: Image) -> list[str]:
    """The policies that a session of ``image`` may be given: its own and those that are no wider."""
    own = load_policy(image.policy)
    return [name for name in policy_names() if load_policy(name).no_wider_than(own)]


def image_for_kernel(kernel: str) -> Image | None:
    """The image that offers the kernelspec ``kernel``."""
    return next((image for image in images().values() if any(k.name == kernel for k in image.kernels)), None)
