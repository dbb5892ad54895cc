"""What a run is to do: the request, checked and completed from its image. Pure but for the site's settings."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from sandbox.images import Image, Language
from sandbox.runner.run import checked
from sandbox.slots import MIB
from sessions.limits import choose_slots, find_image
from sessions.problems import Problem, invalid

MOST_FILES, MOST_BYTES, MOST_STDIN, MOST_COMMAND, MOST_PATH = 200, 2 * MIB, 2 * MIB, 8000, 400
OUTPUT_KIB, MOST_OUTPUT_KIB = 1024, 8192
TIME_S = 10.0
_RUN_TARGET = re.compile(r"^run\s*:", re.MULTILINE)


@dataclass(frozen=True)
class Order:
    """``build`` "" is none. ``time_s`` and ``cpu_s`` in seconds and ``output`` in bytes are for each step.

    ``slots``: None for the image's own. ``interactive``: more input comes after ``stdin``, by a stream. ``program``:
    the words of ``command`` where it is a language's whose interpreter may wait for it (:mod:`sandbox.runner.warm`).
    """

    image: str
    language: str
    files: Mapping[str, bytes]
    build: str
    command: str
    stdin: bytes
    slots: dict[str, Any] | None
    time_s: float
    cpu_s: float
    output: int
    interactive: bool = False
    program: tuple[str, ...] = ()

    def terms(self) -> dict[str, Any]:
        """See :class:`sessions.service.execution.Terms`."""
        return {name: getattr(self, name) for name in ("build", "command", "program", "time_s", "cpu_s", "output")}


def make_order(
    image: str,
    files: Mapping[str, str | bytes],
    language: str | None = None,
    build: str | None = None,
    command: str | None = None,
    stdin: str | bytes = "",
    limits: Mapping[str, float] | None = None,
    interactive: bool = False,
) -> Order:
    """The order for this request; what is not said follows from the image, its languages and the files.

    Raises:
        Problem: 422, naming what cannot be.
    """
    found, limits = find_image(image), dict(limits or {})
    given = _files(files)
    spoken = choose_language(found, language, list(given))
    time_s = _bounded(limits, "time_s", TIME_S, 0.1, settings.MADANG_RUN_SECONDS)
    main = main_file(spoken, list(given)) if spoken else ""
    makefile = given.get("Makefile")
    own = command or _run(spoken, main, makefile)
    usual = spoken is not None and spoken.warm and own == _run(spoken, main, None)
    return Order(
        image=found.name,
        language=spoken.name if spoken else "",
        files=given,
        build=_command("build", build if build is not None else _build(spoken, main, makefile)),
        command=_command("command", own),
        stdin=_bytes("stdin", stdin, MOST_STDIN),
        slots=_slots(found, limits),
        time_s=time_s,
        cpu_s=_bounded(limits, "cpu_s", time_s, 0.1, settings.MADANG_RUN_SECONDS),
        output=int(_bounded(limits, "output_kib", OUTPUT_KIB, 1, MOST_OUTPUT_KIB)) * 1024,
        interactive=interactive,
        program=tuple(shlex.split(own)) if usual else (),
    )


def choose_language(image: Image, name: str | None, files: list[str]) -> Language | None:
    """The language ``name`` of ``image``; else that of the first file's ending, else the first; None if it has none.

    Raises:
        Problem: 422, it has no such language.
    """
    languages = image.languages
    if name:
        for language in languages:
            if language.name == name:
                return language
        known = ", ".join(language.name for language in languages) or _("none")
        raise invalid(_("This image has no language called “%s”.") % name[:40], _("Its languages are: %s.") % known)
    endings = [PurePosixPath(path).suffix for path in files]
    by_ending = [language for ending in endings[:1] for language in languages if ending in language.extensions]
    return next(iter([*by_ending, *languages]), None)


def main_file(language: Language, files: list[str]) -> str:
    """What ``{main}`` stands for: the first file of ``language``, else the first, else the language's own name."""
    own = [path for path in files if PurePosixPath(path).suffix in language.extensions]
    path = (own or files or [language.main])[0]
    return shlex.quote(f"./{path}" if path.startswith("-") else path)


def _build(language: Language | None, main: str, makefile: bytes | None) -> str:
    if makefile is not None:
        return "make"
    return language.build.replace("{main}", main) if language else ""


def _run(language: Language | None, main: str, makefile: bytes | None) -> str:
    if makefile is not None and _RUN_TARGET.search(makefile.decode(errors="replace")):
        return "make -s run"
    if language is None:
        raise invalid(_("This image has no languages: it cannot tell how to run this."), _("Send “command”."))
    return language.run.replace("{main}", main)


def _files(files: Mapping[str, str | bytes]) -> dict[str, bytes]:
    if len(files) > MOST_FILES:
        raise invalid(_("At most %d files are possible.") % MOST_FILES)
    given = {_path(path): _bytes(path, text, MOST_BYTES) for path, text in files.items()}
    if sum(map(len, given.values())) > MOST_BYTES:
        raise _too_large(_("The files"), MOST_BYTES)
    for path in given:
        for parent in PurePosixPath(path).parents:
            if str(parent) in given:
                raise invalid(_("“%s” is a file and a folder.") % parent)
    return given


def _path(path: str) -> str:
    try:
        encoded = checked(path).encode()
    except ValueError as error:  # which a name that is no Unicode text raises too
        raise invalid(
            _("A file's path is relative, without “..”, “.” or doubled slashes: %s") % ascii(path[:100]),
            _("Write it like “src/main.py”."),
        ) from error
    if len(encoded) > MOST_PATH or any(len(part.encode()) > 255 for part in PurePosixPath(path).parts):
        raise invalid(_("A file's path is too long: %s…") % path[:60])
    return path


def _command(name: str, text: str) -> str:
    if len(_bytes(name, text, MOST_COMMAND)) and "\0" in text:
        raise invalid(_("“%s” holds a character that no command has.") % name)
    return text


def _bytes(name: str, text: str | bytes, most: int) -> bytes:
    try:
        data = text if isinstance(text, bytes) else text.encode()
    except UnicodeEncodeError as error:
        raise invalid(_("“%s” is not Unicode text.") % name) from error
    if len(data) > most:
        raise _too_large(f"“{name}”", most)
    return data


def _too_large(what: str, most: int) -> Problem:
    return invalid(_("%(what)s may have %(most)d bytes at most.") % {"what": what, "most": most})


def _bounded(limits: Mapping[str, float], name: str, otherwise: float, low: float, high: float) -> float:
    value = limits.get(name)
    if value is None:
        return min(otherwise, high)
    if not low <= value <= high:  # which no number that is none passes
        raise invalid(_("%(name)s is between %(low)g and %(high)g here.") % {"name": name, "low": low, "high": high})
    return value


def _slots(image: Image, limits: Mapping[str, float]) -> dict[str, Any] | None:
    wanted: dict[str, Any] = {}
    if limits.get("memory_mib") is not None:
        wanted["memory"] = int(limits["memory_mib"]) * MIB
    if limits.get("processes") is not None:
        wanted["processes"] = int(limits["processes"])
    return choose_slots(image, wanted).as_dict() if wanted else None
