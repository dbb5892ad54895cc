"""What a sandbox may reach, by name. Pure: names and ports only; addresses are judged when they are known.

A rule allows ``none``, ``packages`` (the named hosts, at the ports of the web) or ``public`` (every public
address, except at the port of mail servers). The operator's own allowances come on top.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from sandbox.egress.addresses import Address

MODES = ("none", "packages", "public")
"""From the narrowest to the widest."""
WEB_PORTS = (80, 443)
_MAIL = 25  # a sandbox that can reach it sends the world's unwanted mail
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


class Refused(Exception):
    """It may not be reached; the message is a sentence for the person who tried."""


@dataclass(frozen=True)
class Network:
    """A sandbox's rule. ``hosts`` are names, or ``*.name`` for all below it, that ``packages`` allows."""

    mode: str = "none"
    hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"a network rule is one of {', '.join(MODES)}")

    def as_dict(self) -> dict[str, Any]:
        return {"mode": self.mode, "hosts": list(self.hosts)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Network:
        return cls(str(data["mode"]), tuple(map(str, data["hosts"])))


@dataclass(frozen=True)
class Allowance:
    """A host that the operator allows though its address is private. Without a ``port``: at those of the web."""

    host: str
    port: int | None = None

    def covers(self, host: str, port: int) -> bool:
        return host == self.host and (port in WEB_PORTS if self.port is None else port == self.port)


def narrowest(*modes: str) -> str:
    """The mode that all of ``modes`` allow."""
    return min(modes, key=MODES.index)


def parse_allowance(text: str) -> Allowance:
    """Read ``host``, ``host:port``, ``[IPv6]`` or ``[IPv6]:port``.

    Raises:
        ValueError: it is none of these.
    """
    match = re.fullmatch(r"(\[[^\]]+\]|[^:\[\]]+)(?::(\d{1,5}))?", text.strip())
    if not match:
        raise ValueError(f"{text!r} is not a host, perhaps with a port")
    try:
        host = canonical(match[1])
    except Refused as error:
        raise ValueError(str(error)) from error
    port = int(match[2]) if match[2] else None
    if port is not None and not 0 < port < 1 << 16:
        raise ValueError(f"{text!r} has no port between 1 and 65535")
    return Allowance(host, port)


def canonical(host: str) -> str:
    """``host`` in the one spelling that rules compare: a lower-case name, or an address as RFC 5952 writes it.

    Raises:
        Refused: it is neither; old spellings of addresses (octal, hexadecimal, one number) are among them.
    """
    host = host.lower()
    if host.startswith("[") and host.endswith("]"):
        return str(_address(host[1:-1]))
    if ":" in host:
        return str(_address(host))
    host = host.removesuffix(".")
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):  # by that a browser, too, knows an address (URL standard)
        return str(_address(host))
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise Refused(f"{_shown(host)} is not the name of a host.")
    return host


def literal(host: str) -> Address | None:
    """The address that a canonical ``host`` is, or None where it is a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def judge(network: Network, allowances: Iterable[Allowance], host: str, port: int) -> bool:
    """Whether the canonical ``host`` may have a private address: the operator allowed it by name.

    Raises:
        Refused: it may not be reached at all.
    """
    if network.mode == "none":
        raise Refused("This session has no network.")
    if any(allowance.covers(host, port) for allowance in allowances):
        return True
    if network.mode == "public":
        if not 0 < port < 1 << 16 or port == _MAIL:
            raise Refused(f"Port {port} is not reachable from sessions.")
        return False
    if not any(_matches(pattern, host) for pattern in network.hosts):
        raise Refused(f"{_shown(host)} is not reachable from this session. {_allowed(network.hosts)}")
    if port not in WEB_PORTS:
        raise Refused(f"Port {port} of {_shown(host)} is not reachable from this session, only 80 and 443.")
    return False


def _address(text: str) -> Address:
    try:
        address = ip_address(text)
    except ValueError:
        raise Refused(f"{_shown(text)} is not an address in its usual spelling.") from None
    if "%" in text:
        raise Refused(f"{_shown(text)} names an interface, and there is none.")
    return address


def _matches(pattern: str, host: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def _allowed(hosts: tuple[str, ...]) -> str:
    return f"Allowed: {', '.join(hosts)}." if hosts else "No host is."


def _shown(host: str) -> str:
    """``host`` for a message: what it is, and no control character or flood."""
    return host if len(host) <= 80 and host.isascii() and host.isprintable() else repr(host[:40])
