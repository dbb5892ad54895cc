"""To a host that a sandbox asked for: judge the name, resolve it once, connect to an address that was judged.

The address that is connected to is the one that was looked at: nothing resolves the name a second time,
so a name server that answers differently every time gains nothing.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable

from sandbox.egress.addresses import Address, verdict
from sandbox.egress.rules import Allowance, Network, Refused, canonical, judge, literal

RESOLVE_SECONDS = 10.0
CONNECT_SECONDS = 15.0
MOST_ADDRESSES = 8
_ALLOWABLE = ("", "private", "loopback")
"""What an allowed name may lead to: the operator's networks, never what is nobody's to give."""


class Unreachable(Exception):
    """It may be reached and cannot be; the message is a sentence for the person who tried."""


async def reach(network: Network, allowances: Iterable[Allowance], host: str, port: int) -> socket.socket:
    """A connected, non-blocking socket to ``host``.

    Raises:
        Refused: the rule is against it.
        Unreachable: no such name, or nobody answers.
    """
    host = canonical(host)
    allowed = judge(network, allowances, host, port)
    if (address := literal(host)) is not None:
        addresses = [address]
        if not allowed:
            _check(host, addresses)
    else:
        addresses = _check(host, await resolve(host, port), _ALLOWABLE if allowed else ("",))
    return await _connect(host, addresses[:MOST_ADDRESSES], port)


async def resolve(host: str, port: int) -> list[Address]:
    """All addresses of ``host``, in the order in which to try them (RFC 6724, by the C library).

    Raises:
        Unreachable: it has none.
    """
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError) as error:
        raise Unreachable(f"{host} has no address.") from error
    texts = dict.fromkeys(info[4][0] for info in found)
    return [address for text in texts if (address := literal(str(text))) is not None]


def _check(host: str, addresses: list[Address], words: tuple[str, ...] = ("",)) -> list[Address]:
    """Those of ``addresses`` whose verdict is among ``words``.

    Raises:
        Refused: none is.
    """
    good = [address for address in addresses if verdict(address) in words]
    if not good:
        kinds = ", ".join(sorted({verdict(address) or "public" for address in addresses})) or "no"
        raise Refused(f"{host} is at a {kinds} address, which no session may reach.")
    return good


async def _connect(host: str, addresses: list[Address], port: int) -> socket.socket:
    problem: BaseException | None = None
    for address in addresses:
        connection = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
        connection.setblocking(False)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await asyncio.get_running_loop().sock_connect(connection, (str(address), port))
        except (OSError, TimeoutError) as error:
            connection.close()
            problem = error
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    why = "does not answer" if isinstance(problem, TimeoutError) else "cannot be connected to"
    raise Unreachable(f"{host} {why} at port {port}.") from problem
