"""What a session may ask for: slots, policy and idle timeout, within the image's and the site's limits."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from sandbox.images import Image, images, policies_for
from sandbox.slots import MIB, Slots
from sessions.problems import Problem, invalid

IDLE_TIMEOUT = (10, 7 * 86400)
SLOT_NAMES = frozenset(Slots.__dataclass_fields__)


def find_image(name: str) -> Image:
    """The image called ``name``.

    Raises:
        Problem: 422 ``unknown_image``.
    """
    image = images().get(name)
    if image is None:
        raise Problem(
            422,
            "unknown_image",
            "Unknown image",
            f"There is no image called “{name[:100]}”.",
            f"Choose one of: {', '.join(images())}.",
        )
    return image


def choose_slots(image: Image, wanted: dict[str, Any] | None) -> Slots:
    """The image's slots with what is ``wanted`` instead, never above the image's or the site's maximum.

    Raises:
        Problem: 422 ``invalid``, naming the slot and the most that is possible.
    """
    wanted = wanted or {}
    if unknown := sorted(set(wanted) - SLOT_NAMES):
        raise invalid(f"There is no slot called “{unknown[0]}”.", f"Slots are: {', '.join(sorted(SLOT_NAMES))}.")
    for name, value in wanted.items():
        _check_number(name, value)
    values = {**image.slots.as_dict(), **wanted}
    try:
        slots = Slots(**values)
    except ValueError as error:
        raise invalid(f"These slots are not possible: {error}.") from error
    for name, most in _most(image).items():
        if values[name] > most:
            raise invalid(f"At most {_readable(name, most)} of {name} are possible here.", "Ask for less.")
    return slots


def choose_policy(image: Image, wanted: str | None) -> str:
    """``wanted``, which is the image's or a stricter one; "" for None, the image's.

    Raises:
        Problem: 422 ``invalid``, naming what is possible.
    """
    possible = policies_for(image)
    if wanted is not None and wanted not in possible:
        raise invalid(f"This image cannot be given the policy “{wanted[:40]}”.", f"Choose from: {', '.join(possible)}.")
    return wanted or ""


def check_idle_timeout(seconds: int | None) -> int | None:
    """``seconds`` if a session may idle that long; None stays None, the site's default.

    Raises:
        Problem: 422 ``invalid``.
    """
    low, high = IDLE_TIMEOUT
    if seconds is not None and not low <= seconds <= high:
        raise invalid(f"idle_timeout is between {low} and {high} seconds.")
    return seconds


def _most(image: Image) -> dict[str, float]:
    own = image.slots
    return {
        "cpu": max(settings.MADANG_MAX_CPU, own.cpu),
        "memory": max(settings.MADANG_MAX_MEMORY, own.memory),
        "disk": max(4 * own.disk, own.disk),
        "gpu": max(settings.MADANG_MAX_GPU, own.gpu),
        "processes": max(1024, own.processes),
    }


def _check_number(name: str, value: Any) -> None:
    whole = name in ("memory", "disk", "processes")
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        raise invalid(f"The slot {name} is {'a whole number' if whole else 'a number'}.")


def _readable(name: str, value: float) -> str:
    return f"{int(value) // MIB} MiB" if name in ("memory", "disk") else f"{value:g}"
