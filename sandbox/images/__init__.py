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
from sandbox.images import verdicts
from sandbox.policy import load_policy, policy_names
from sandbox.roots.paths import program_in
from sandbox.runner.warm import HOOK
from sandbox.slots import MIB, Slots

ROOT = Path(__file__).parent
DRIVERS = "/etc/madang"
"""The folder inside where the drivers of an image's kernels are."""
PROGRAMS = "/usr/local/bin:/usr/bin:/bin"  # of the host's programs, those that a sandbox finds
STAMP = ".madang-stamp"
"""In an environment: what it was made from (see install.py)."""
_WAITING = Path(__file__).parents[1] / "runner" / "pause.py"
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


def _is_missing(program: str) -> bool:
    return shutil.which(program, path=PROGRAMS) is None


@dataclass(frozen=True)
class Program:
    """A program of the host that an image needs, and the Debian package that brings it.

    ``parts`` are the programs that it starts itself, by their paths: a policy that lets little be started lets these.
    """

    program: str
    package: str
    parts: tuple[str, ...] = ()

    @property
    def started(self) -> tuple[str, ...]:
        """It and its parts."""
        return (self.program, *self.parts)

    @property
    def missing(self) -> bool:
        return _is_missing(self.program)


@dataclass(frozen=True)
class Language:
    """A language that programs of an image may be written in, and how such a program is built and run.

    ``build`` ("" where there is nothing to build) and ``run`` are shell commands in which ``{main}`` stands for the
    program's first file, which is called ``main`` where nothing else is said. ``format`` ("" for none) is one that
    reads a text and prints it well laid out. ``editor`` names the editor's mode. ``native``: what is built is a
    program that the kernel executes, not one that another program reads. ``warm``: the first word of ``run``, which
    has no shell's syntax, is a Python that a run may find started (:mod:`sandbox.runner.warm`).
    """

    name: str
    title: str
    extensions: tuple[str, ...]
    main: str
    run: str
    build: str = ""
    native: bool = False
    format: str = ""
    editor: str = ""
    warm: bool = False


@dataclass(frozen=True)
class Server:
    """A language server of an image: what the editor asks about files with these ``extensions``.

    ``program`` is the program of the host that it needs, and ``install`` the command that brings it; "" where
    ``command`` belongs to the image's own environment. ``language`` is the protocol's word for the language.
    """

    language: str
    command: tuple[str, ...]
    extensions: tuple[str, ...]
    program: str = ""
    install: str = ""

    @property
    def missing(self) -> bool:
        return bool(self.program) and _is_missing(self.program)


@dataclass(frozen=True)
class Image:
    """One image. ``name`` is what users see and the API takes, such as ``python:3.11``.

    ``base`` is the directory of the image in whose environment and zygote it runs ("": it has its own). It is
    offered on hosts that have all it ``requires``, unless its self-test fails there: its first file, built and run, and
    the shell command ``selftest``. ``optional``: its environment is installed only when that is asked for. ``root``:
    the folder with its own files, all that its programs see (:mod:`sandbox.roots`); None for one of the host's.
    """

    name: str
    title: str
    summary: str
    directory: Path
    kernels: tuple[Kernel, ...]
    base: str = ""
    optional: bool = False
    requires: tuple[Program, ...] = ()
    languages: tuple[Language, ...] = ()
    servers: tuple[Server, ...] = ()
    extensions: tuple[str, ...] = ()
    preload: tuple[str, ...] = ()
    thread_variables: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    slots: Slots = field(default_factory=Slots)
    policy: str = "default"
    network: str = "public"
    hello: str = ""
    hello_file: str = ""
    selftest: str = ""
    root: Path | None = None

    @property
    def environment_name(self) -> str:
        """The directory of the image whose environment it runs in: its own, where it has no base."""
        return self.base or self.directory.name

    @property
    def set_up(self) -> bool:
        """Whether its environment is there, where it is one that is installed only when it is asked for."""
        return not self.optional or (verdicts.state() / "images" / self.directory.name / STAMP).exists()

    @property
    def missing(self) -> tuple[Program, ...]:
        """What this host, or its own root, lacks of what it requires."""
        if self.root is None:
            return tuple(program for program in self.requires if program.missing)
        return tuple(program for program in self.requires if not program_in(self.root, program.program, self.search))

    @property
    def search(self) -> str:
        """The folders in which its programs are found, as PATH has them."""
        return self.environment.get("PATH", PROGRAMS)

    @property
    def offered_servers(self) -> tuple[Server, ...]:
        """Those of its language servers that this host has."""
        return tuple(server for server in self.servers if not server.missing)

    @property
    def drivers(self) -> dict[str, str]:
        """The files inside that its kernels' commands speak of, and the one by which an interpreter waits."""
        files = {k.driver_inside: self.directory / k.driver for k in self.kernels if k.driver}
        if any(language.warm for language in self.languages):
            files[f"{HOOK}/sitecustomize.py"] = _WAITING
        return {inside: file.read_text(encoding="utf-8") for inside, file in files.items()}


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
        "selftest",
        "optional",
    }
    if unknown := set(data) - known - {"requires", "kernels", "languages", "servers", "slots", "hello"}:
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
        optional=bool(data.get("optional", False)),
        requires=tuple(_program(**program) for program in data.get("requires", ())),
        languages=tuple(_language(**language) for language in data.get("languages", ())),
        servers=tuple(_server(**server) for server in data.get("servers", ())),
        extensions=tuple(data.get("extensions", ())),
        preload=tuple(data.get("preload", ())),
        thread_variables=tuple(data.get("thread_variables", ())),
        environment=dict(data.get("environment", {})),
        slots=Slots(**slots),
        policy=policy,
        network=Network(data.get("network", "public")).mode,
        hello=hello["text"],
        hello_file=hello["file"],
        selftest=data.get("selftest", ""),
    )


def _kernel(command: Sequence[str] = (), **rest: str) -> Kernel:
    return Kernel(command=tuple(command), **rest)


def _program(parts: Sequence[str] = (), **rest: str) -> Program:
    return Program(parts=tuple(parts), **rest)


def _language(extensions: list[str], **rest: Any) -> Language:
    return Language(extensions=tuple(extensions), **rest)


def _server(command: list[str], extensions: list[str], **rest: str) -> Server:
    return Server(command=tuple(command), extensions=tuple(extensions), **rest)


def described() -> tuple[Image, ...]:
    """All images that there are: first those with an environment of their own, then the others, then those that the
    operator has added; each by title. An image that is added later is seen by processes that start later.

    Raises:
        ImageError: one of the first is wrong, or its base is not there.
    """
    return _described(verdicts.state())


@cache
def _described(state: Path) -> tuple[Image, ...]:
    from sandbox.images.added import added  # it reads as we do

    found = {file.parent.name: read_image(file.parent) for file in ROOT.glob("*/image.toml")}
    based = [*(_with_base(image, found) for image in found.values()), *added(state)]
    return tuple(sorted(based, key=lambda i: (i.root is not None, i.base != "", i.optional, i.title)))


def _with_base(image: Image, found: dict[str, Image]) -> Image:
    if not image.base:
        return image
    base = found.get(image.base)
    if base is None or base.base:
        raise ImageError(f"{image.directory / 'image.toml'}: there is no image {image.base!r} to be a base")
    environment = {**base.environment, **image.environment}
    own = {server.language for server in image.servers}
    servers = (*image.servers, *(server for server in base.servers if server.language not in own))
    return replace(image, environment=environment, thread_variables=base.thread_variables, servers=servers)


@cache
def installed() -> dict[str, Image]:
    """The images that this host has everything for, by name, in the order of :func:`described`."""
    return {image.name: image for image in described() if image.set_up and not image.missing}


def images() -> dict[str, Image]:
    """The images that are offered: of those that are installed, all whose self-test has not failed."""
    failed = verdicts.failed()
    return {name: image for name, image in installed().items() if name not in failed} if failed else installed()


def policies_for(image: Image) -> list[str]:
    """The policies that a session of ``image`` may be given: its own and those that are no wider.

    A language whose programs are native has no use for one under which these cannot be started.
    """
    own = load_policy(image.policy)
    native = any(language.native for language in image.languages)
    possible = ((name, load_policy(name)) for name in policy_names())
    return [name for name, policy in possible if policy.no_wider_than(own) and (policy.programs.own or not native)]


def image_for_kernel(kernel: str) -> Image | None:
    """The image that offers the kernelspec ``kernel``."""
    return next((image for image in images().values() if any(k.name == kernel for k in image.kernels)), None)
