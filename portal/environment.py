"""Typed readers of environment variables: a setting is right or the site does not start.

Every reader takes the variable's name and a default, and raises
:class:`~django.core.exceptions.ImproperlyConfigured` with a sentence that names the
variable when its value makes no sense. An empty variable counts as not set.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from sandbox.egress.rules import Refused, canonical, literal, parse_allowance
from sessions.prices import Prices

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


class Environment:
    """Readers over one mapping, by default the process's environment.

    >>> Environment({"DEBUG": "yes"}).flag("DEBUG", False)
    True
    """

    def __init__(self, values: Mapping[str, str] = os.environ) -> None:
        self._values = values

    def text(self, name: str, default: str = "") -> str:
        """The value without surrounding space."""
        return self._values.get(name, "").strip() or default

    def choice(self, name: str, default: str, choices: Sequence[str]) -> str:
        value = self.text(name, default)
        if value not in choices:
            raise ImproperlyConfigured(f"{name} is {value!r}; it must be one of: {', '.join(choices)}.")
        return value

    def flag(self, name: str, default: bool) -> bool:
        value = self.text(name).lower()
        if not value:
            return default
        if value in _TRUE:
            return True
        if value in _FALSE:
            return False
        raise ImproperlyConfigured(f"{name} is {value!r}; write 1 or 0.")

    def integer(self, name: str, default: int, *, at_least: int, at_most: int) -> int:
        return int(self._number(name, default, at_least, at_most, int))

    def number(self, name: str, default: float, *, at_least: float, at_most: float) -> float:
        return float(self._number(name, default, at_least, at_most, float))

    def items(self, name: str, default: Sequence[str] = ()) -> list[str]:
        """Values separated by commas."""
        values = [item.strip() for item in self.text(name).split(",")]
        return [value for value in values if value] or list(default)

    def origins(self, name: str) -> list[str]:
        """Web origins (scheme, host, perhaps a port; nothing more), separated by commas."""
        found = []
        for value in self.items(name):
            parts = urlsplit(value)
            if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path.strip("/") or parts.query:
                raise ImproperlyConfigured(f"{name} holds {value!r}; an origin looks like https://madang.example.org.")
            found.append(f"{parts.scheme}://{parts.netloc}")
        return found

    def hosts(self, name: str) -> list[str]:
        """Names of hosts, each perhaps ``*.`` and a name for all below it, separated by commas."""
        found = []
        for value in self.items(name):
            try:
                wild = "*." if value.startswith("*.") else ""
                found.append(wild + canonical(value.removeprefix(wild)))
            except Refused as error:
                raise ImproperlyConfigured(f"{name}: {error}") from error
        return found

    def host(self, name: str) -> str:
        """The name of a host, perhaps with a port, or ""."""
        value = self.text(name).lower()
        try:
            if value and literal(parse_allowance(value).host) is None:
                return value
        except ValueError as error:
            raise ImproperlyConfigured(f"{name}: {error}.") from error
        if value:
            raise ImproperlyConfigured(f"{name} is {value!r}; it must be a name, not an address.")
        return ""

    def allowances(self, name: str) -> list[str]:
        """Hosts, each perhaps with a port, separated by commas."""
        values = self.items(name)
        for value in values:
            try:
                parse_allowance(value)
            except ValueError as error:
                raise ImproperlyConfigured(f"{name}: {error}.") from error
        return values

    def prices(self, name: str) -> Prices:
        """A currency and prices in it (see sessions/prices.py)."""
        try:
            return Prices.parse(self.text(name))
        except ValueError as error:
            raise ImproperlyConfigured(f"{name}: {error}.") from error

    def url(self, name: str, schemes: Sequence[str]) -> SplitResult | None:
        """The value as a URL with one of the schemes, or None. Its password never appears in an error."""
        value = self.text(name)
        if not value:
            return None
        parts = urlsplit(value)
        if parts.scheme not in schemes:
            raise ImproperlyConfigured(f"{name} must be a URL that starts with one of: {', '.join(schemes)}.")
        try:
            parts.port  # noqa: B018 - reading it is what checks it
        except ValueError as error:
            raise ImproperlyConfigured(f"{name} has a port that is not a number.") from error
        return parts

    def _number(self, name: str, default: float, least: float, most: float, kind: type) -> Any:
        value = self.text(name)
        if not value:
            return default
        try:
            number = kind(value)
        except ValueError as error:
            raise ImproperlyConfigured(f"{name} is {value!r}; it must be a number.") from error
        if not least <= number <= most:
            raise ImproperlyConfigured(f"{name} is {value}; it must be between {least} and {most}.")
        return number


def postgresql(url: SplitResult) -> dict[str, Any]:
    """Django's settings of the PostgreSQL database that ``url`` names.

    Raises:
        ImproperlyConfigured: the URL names no database.
    """
    name = unquote(url.path.lstrip("/"))
    if not name:
        raise ImproperlyConfigured("DATABASE_URL names no database: postgres://user:password@host:5432/name.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": unquote(url.hostname or ""),
        "PORT": str(url.port or ""),
    }
