"""The ``image.toml`` of an added image: the operator's, the image's own, or made by looking at what it has."""

from __future__ import annotations

import json
import os
import shutil
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from sandbox.images import PROGRAMS, Image, Kernel, Language, described
from sandbox.roots import RootError
from sandbox.roots.paths import program_in, real

LABEL = "madang.image"
"""The label of an image in which its ``image.toml`` may be."""
INSIDE = "/madang"
"""The folder in an image where ``image.toml`` and the drivers it names may be."""
_MOST_BYTES = 1 << 20
_OWN = {"base", "preload", "thread_variables", "optional"}
_HELLO = 'echo "Hello from Madang!"\n'


_PYTHON_DRIVER = Path(__file__).parent / "python_cells.py"
_PYTHON_KERNEL = Kernel(
    "python",
    "Python",
    "python",
    mode="repl",
    command=("python3", "{driver}"),
    driver=_PYTHON_DRIVER.name,
    editor="python",
    mimetype="text/x-python",
    extension=".py",
)
_PYTHON = Language("python", "Python", (".py",), "main.py", "python3 {main}", editor="python")


def describe(
    directory: Path, prefix: str, title: str, given: Path | None, labels: Mapping[str, str], search: str = PROGRAMS
) -> str:
    """Write ``directory/image.toml`` for the files in ``directory/root``, with its drivers; says where it is from.

    ``given`` is the operator's, beside which its drivers are. ``search`` is the image's PATH, and ``prefix`` what the
    names of kernels begin with that are taken from the host's images.

    Raises:
        RootError: it cannot be read or names what is not there, or the image has no bash.
    """
    root = directory / "root"
    if not program_in(root, "bash", search):
        raise RootError("The image has no bash, by which programs and terminals are started. Add it to the image.")
    if given is not None:
        text, drivers, origin = _read(given), given.parent, str(given)
    elif LABEL in labels:
        text, drivers, origin = labels[LABEL], Path(real(str(root), INSIDE)), f"its label {LABEL}"
    elif os.path.isfile(own := real(str(root), f"{INSIDE}/image.toml")):
        text, drivers, origin = _read(Path(own)), Path(own).parent, f"its {INSIDE}/image.toml"
    else:
        text = _made(root, directory, prefix, title, search)
        (directory / "image.toml").write_text(text, encoding="utf-8")
        return "what it has: it has no image.toml"
    for name in _drivers(text):
        _copy_driver(drivers / name, directory / name)
    (directory / "image.toml").write_text(text, encoding="utf-8")
    return origin


def _read(file: Path) -> str:
    try:
        with file.open("rb") as source:
            data = source.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise RootError(f"{file.name} is larger than an image.toml may be.")
        return data.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise RootError(f"{file.name} cannot be read: {error}.") from error


def _drivers(text: str) -> list[str]:
    """The files that the kernels of an ``image.toml`` name.

    Raises:
        RootError: it makes no sense, or says what an added image cannot.
    """
    try:
        told = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise RootError(f"The image's image.toml makes no sense: {error}.") from error
    if own := _OWN & set(told):
        raise RootError(f"An added image has no {', '.join(sorted(own))}: its files are its own.")
    kernels = [kernel for kernel in told.get("kernels", ()) if isinstance(kernel, dict)]
    if not kernels:
        raise RootError("The image's image.toml names no kernel: there is one for bash at least, see the host's own.")
    if any(kernel.get("mode", "ipython") == "ipython" for kernel in kernels):
        raise RootError("A kernel of an added image has the mode repl or cells: IPython's is the host's own Python.")
    names = [str(kernel["driver"]) for kernel in kernels if kernel.get("driver")]
    if any("/" in name or name in (".", "..", "image.toml", "origin.json", "Dockerfile", "root") for name in names):
        raise RootError("A kernel's driver is a file beside the image.toml, without a path.")
    return names


def _copy_driver(source: Path, target: Path) -> None:
    if source.is_symlink() or not source.is_file():
        raise RootError(f"The image.toml names the driver {source.name}, which is not beside it.")
    if source.stat().st_size > _MOST_BYTES:
        raise RootError(f"The driver {source.name} is larger than one may be.")
    shutil.copyfile(source, target)


def _made(root: Path, directory: Path, prefix: str, title: str, search: str) -> str:
    """What the host's own images do with programs that this one has as well."""
    offered = [image for image in described() if image.root is None and _could_be(image, root, search)]
    kernels = [(image, kernel) for image in offered for kernel in image.kernels if kernel.mode != "ipython"]
    for image, kernel in kernels:
        if kernel.driver:
            shutil.copyfile(image.directory / kernel.driver, directory / _beside(kernel))
    named = [replace(kernel, name=f"{prefix}-{kernel.name}", driver=_beside(kernel)) for _, kernel in kernels]
    languages = [language for image in offered for language in image.languages]
    if program_in(root, "python3", search):
        shutil.copyfile(_PYTHON_DRIVER, directory / _PYTHON_DRIVER.name)
        named.append(replace(_PYTHON_KERNEL, name=f"{prefix}-python"))
        languages.append(_PYTHON)
    languages.sort(key=lambda language: language.name != "bash")
    needed = {program.program: program for image in offered for program in image.requires}
    return _toml(
        {
            "name": title,
            "title": title,
            "summary": ", ".join(language.title for language in languages),  # the same in every language
            "extensions": _endings(languages),
        },
        {
            "requires": [asdict(program) for program in needed.values()],
            "kernels": [_given(asdict(kernel)) for kernel in named],
            "languages": [_given(asdict(language)) for language in languages],
        },
        {"hello": {"file": "main.sh", "text": _HELLO}},
    )


def _beside(kernel: Kernel) -> str:
    """What its driver is called in a folder where others' are too."""
    return kernel.driver and f"{kernel.name}-{kernel.driver}"


def _could_be(image: Image, root: Path, search: str) -> bool:
    """Whether ``root`` has all that a host's image stands on. One with an environment of its own never is."""
    programs = {program.program for program in image.requires}
    programs |= {kernel.command[0] for kernel in image.kernels if kernel.command}
    return bool(image.base and programs) and all(program_in(root, program, search) for program in programs)


def _endings(languages: Iterable[Language]) -> list[str]:
    return list(dict.fromkeys(ending for language in languages for ending in (*language.extensions, ".ipynb")))


def _given(table: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if value}


def _toml(
    top: Mapping[str, Any], lists: Mapping[str, Sequence[Mapping[str, Any]]], tables: Mapping[str, Mapping[str, Any]]
) -> str:
    """Texts and lists of texts as TOML, whose basic strings are JSON's but for what no name has."""
    lines = [_row(key, value) for key, value in top.items()]
    for name, rows in lists.items():
        for row in rows:
            lines += [f"\n[[{name}]]", *(_row(key, value) for key, value in row.items())]
    for name, table in tables.items():
        lines += [f"\n[{name}]", *(_row(key, value) for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _row(key: str, value: object) -> str:
    return f"{key} = {json.dumps(value, ensure_ascii=False)}"
