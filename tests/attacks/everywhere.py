"""A world in which every address answers: ``python -m tests.attacks.everywhere SANDBOXES``, under unshare(1).

In network and mount namespaces of its own, so that nothing of the host is touched or reached. Here every
address is this machine's (ip(8), "local" routes), and at the usual ports of an institution's services somebody
answers at each of them: what the egress proxy does not refuse does succeed. Names are resolved by a server that
answers as its owner likes:

``10-0-0-5.test``           has the address 10.0.0.5; several with an underscore between them
``first-A-then-B.test``     has A when it is asked for the first time, and B ever after

It prints a line when all is ready, and ends with its standard input.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

PORTS = (80, 2375, 5432, 6379, 8000)
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 0x1
_NEWROUTE, _REQUEST_CREATE_ACK = 24, 0x405
_LOCAL_TABLE, _BOOT, _HOST_SCOPE, _LOCAL = 255, 3, 254, 2
_OUT_INTERFACE = 4
_LENGTHS = {1: 4, 28: 16}  # of addresses in A and AAAA records


def everything_is_here() -> None:
    """Bring loopback up and route every address to it (rtnetlink(7))."""
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _IFF_UP))
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as routes:
        for family in (socket.AF_INET, socket.AF_INET6):
            route = struct.pack("=8BI", family, 0, 0, 0, _LOCAL_TABLE, _BOOT, _HOST_SCOPE, _LOCAL, 0)
            route += struct.pack("=HHI", 8, _OUT_INTERFACE, socket.if_nametoindex("lo"))
            routes.send(struct.pack("=IHHII", 16 + len(route), _NEWROUTE, _REQUEST_CREATE_ACK, 1, 0) + route)
            (error,) = struct.unpack_from("=i", routes.recv(4096), 16)
            if error:
                raise OSError(-error, f"no route for family {family}")


class Names:
    """A name server (RFC 1035) that answers differently when it is asked again."""

    def __init__(self) -> None:
        self._asked: set[tuple[str, int]] = set()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            query, sender = self._socket.recvfrom(512)
            self._socket.sendto(self._answer(query), sender)

    def _answer(self, query: bytes) -> bytes:
        length = query[12]
        label = query[13 : 13 + length].decode().lower()
        end = query.index(b"\0", 12) + 1
        (kind,) = struct.unpack_from(">H", query, end)
        addresses = [address for address in self._addresses(label, kind) if len(address) == _LENGTHS.get(kind)]
        head = query[:2] + struct.pack(">HHHHH", 0x8580, 1, len(addresses), 0, 0)
        records = [struct.pack(">HHHIH", 0xC00C, kind, 1, 0, len(address)) + address for address in addresses]
        return head + query[12 : end + 4] + b"".join(records)

    def _addresses(self, label: str, kind: int) -> list[bytes]:
        if label.startswith("first-"):
            first, _, later = label.removeprefix("first-").partition("-then-")
            label, asked = (later if (label, kind) in self._asked else first), (label, kind)
            self._asked.add(asked)
        return [_packed(text) for text in label.split("_")]


def _packed(text: str) -> bytes:
    try:
        return socket.inet_pton(socket.AF_INET, text.replace("-", "."))
    except OSError:
        return socket.inet_pton(socket.AF_INET6, text.replace("-", ":"))


class Page(BaseHTTPRequestHandler):
    """``/``: which address was reached. ``/to?<URL>``: a redirect there."""

    def do_GET(self) -> None:
        path, _, target = self.path.partition("?")
        body = f"reached {self.connection.getsockname()[0]}".encode()
        self.send_response(302 if path == "/to" else 200)
        if path == "/to":
            self.send_header("Location", unquote(target))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None: ...


class Server(ThreadingHTTPServer):
    address_family = socket.AF_INET6  # and IPv4, mapped


def main(sandboxes: str) -> int:
    everything_is_here()
    Names()
    with tempfile.NamedTemporaryFile("w") as resolv, tempfile.NamedTemporaryFile("w") as nsswitch:
        for file, text in ((resolv, "nameserver 127.0.0.1\n"), (nsswitch, "hosts: files dns\n")):
            file.write(text)
            file.flush()
        mount = ["mount", "--bind"]
        subprocess.run([*mount, resolv.name, os.path.realpath("/etc/resolv.conf")], check=True)
        subprocess.run([*mount, nsswitch.name, "/etc/nsswitch.conf"], check=True)
        for port in PORTS:
            threading.Thread(target=Server(("::", port), Page).serve_forever, daemon=True).start()
        print("ready", flush=True)
        return subprocess.run([sys.executable, "-m", "sandbox.egress", sandboxes]).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
