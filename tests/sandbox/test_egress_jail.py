"""The network of a real sandbox: through its door, the real proxy process, to real servers of the test's own."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import io
import os
import signal
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import pytest_asyncio

from sandbox.egress import account
from sandbox.egress.rules import Network
from sandbox.jail.plan import HOME
from tests.sandbox.conftest import Inside, Lab

pytestmark = [pytest.mark.jail, pytest.mark.asyncio(loop_scope="module")]

# Another address of this machine's loopback: not one that programs inside take for their own (no_proxy).
OUTSIDE = "127.0.0.2"


def wheel(name: str, version: str, code: str) -> bytes:
    """A wheel with one module, made on the spot (PEP 427)."""
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    files = {
        f"{name}.py": code,
        f"{name}_weight.txt": os.urandom(500_000).hex(),  # pip shows how far it is when there is much to wait for
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name}-hello = {name}:hello\n",
    }
    record = "".join(f"{path},{_digest(text)},{len(text)}\n" for path, text in files.items())
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for path, text in {**files, f"{info}/RECORD": record + f"{info}/RECORD,,\n"}.items():
            archive.writestr(path, text)
    return made.getvalue()


def _digest(text: str) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


WHEEL = wheel("yard", "1.0", "def hello():\n    print('hello from the yard')\n")
BODY = os.urandom(3_000_000)


class Server(BaseHTTPRequestHandler):
    """A package index (PEP 503) and a few pages."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        pages = {
            "/simple/yard/": b'<a href="/files/yard-1.0-py3-none-any.whl">yard-1.0-py3-none-any.whl</a>',
            "/files/yard-1.0-py3-none-any.whl": WHEEL,
            "/big": BODY,
            "/": b"here",
        }
        body = pages.get(self.path)
        self.send_response(200 if body is not None else 404)
        self.send_header("Content-Type", "text/html" if self.path.endswith("/") else "application/octet-stream")
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = f"{len(body)} {hashlib.sha256(body).hexdigest()}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    """A server outside; its port."""
    with ThreadingHTTPServer((OUTSIDE, 0), Server) as http:
        thread = threading.Thread(target=http.serve_forever, daemon=True)
        thread.start()
        yield http.server_address[1]
        http.shutdown()
        thread.join()


@contextlib.asynccontextmanager
async def egress(lab: Lab, *allow: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The proxy's process on the lab's sandboxes; at the end it leaves by itself, as when its service ends."""
    sandboxes = lab.driver.runner_socket("x").parents[1]
    options = [part for entry in allow for part in ("--allow", entry)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox.egress", str(sandboxes), *options, stdin=subprocess.PIPE
    )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 10)
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest_asyncio.fixture(loop_scope="module")
async def proxy(lab: Lab, server: int) -> AsyncIterator[asyncio.subprocess.Process]:
    async with egress(lab, f"{OUTSIDE}:{server}") as process:
        yield process


async def started(lab: Lab, mode: str = "packages", **environment: str) -> tuple[str, Inside]:
    id = await lab.start(network=Network(mode), environment=environment)
    return id, await lab.kernel(id)


GET = """
import urllib.request, urllib.error, hashlib
def get(url, data=None):
    try:
        with urllib.request.urlopen(url, data, timeout=60) as answer: return answer.status, answer.read()
    except urllib.error.HTTPError as error: return error.code, error.reason
    except urllib.error.URLError as error: return str(error.reason)
"""


@pytest.mark.usefixtures("proxy")
async def test_pip_installs_into_the_users_own_space_and_the_kernel_imports_it(lab: Lab, server: int) -> None:
    index = {"PIP_INDEX_URL": f"http://{OUTSIDE}:{server}/simple", "PIP_TRUSTED_HOST": OUTSIDE}
    id, inside = await started(lab, **index)
    client = await lab.client(id)
    await client.call("terminal.start", name="t")
    terminal = await client.open("terminal.attach", name="t", since=0)
    await terminal.write(b"pip install yard; echo st''atus $?\n")
    said = ""
    async for _, payload in terminal:
        said += payload.decode(errors="replace")
        if "status " in said:
            break
    assert "Successfully installed yard-1.0" in said
    assert "━" in said, "no progress is shown"
    version = "{}.{}".format(*sys.version_info)
    assert await inside.run("import yard; yard.hello(); print(yard.__file__)") == (
        f"hello from the yard\n{HOME}/.local/lib/python{version}/site-packages/yard.py\n"
    )
    assert "hello from the yard" in await inside.run("!yard-hello")
    assert "hello from the yard" in await inside.run("!python3 -c 'import yard, numpy; yard.hello()'")
    assert "already satisfied" in await inside.run("%pip install yard")


@pytest.mark.usefixtures("proxy")
async def test_bytes_go_both_ways_unchanged_and_are_counted(lab: Lab, server: int) -> None:
    id, inside = await started(lab)
    base = f"http://{OUTSIDE}:{server}"
    said = await inside.run(
        f"{GET}\nstatus, body = get('{base}/big')\nprint(status, hashlib.sha256(body).hexdigest())\n"
        f"print(get('{base}/', body[:2000000]))"
    )
    assert said == (
        f"200 {hashlib.sha256(BODY).hexdigest()}\n(200, b'2000000 {hashlib.sha256(BODY[:2000000]).hexdigest()}')\n"
    )
    usage = (await lab.sample(id, 2)).usage
    assert len(BODY) < usage.bytes_received < len(BODY) + 2000
    assert 2_000_000 < usage.bytes_sent < 2_002_000
    await lab.driver.stop(id)
    ended = (await lab.end(id)).usage
    assert (ended.bytes_received, ended.bytes_sent) == (usage.bytes_received, usage.bytes_sent)


@pytest.mark.usefixtures("proxy")
async def test_connect_and_socks_lead_to_the_same_place(lab: Lab, server: int) -> None:
    _, inside = await started(lab)
    url = f"http://{OUTSIDE}:{server}/"
    for how in ("-p -x $http_proxy", "--socks5-hostname 127.0.0.1:3128", "--socks5 127.0.0.1:3128"):
        assert await inside.run(f"!curl -sS {how} {url}") == "here"


@pytest.mark.usefixtures("proxy")
@pytest.mark.parametrize(
    ("mode", "url", "why"),
    [
        ("none", "http://" + OUTSIDE, "no network"),
        ("packages", "http://example.com", "example.com is not reachable from this session"),
        ("packages", "https://example.com", "example.com is not reachable from this session"),
        ("public", "http://10.0.0.1", "private address"),
        ("public", "http://169.254.169.254/latest/meta-data", "link-local address"),
        ("public", "http://[::ffff:169.254.169.254]/", "reserved address"),
        ("public", "http://2130706434:{port}/", "usual spelling"),
        ("public", "http://0x7f.0.0.2:{port}/", "usual spelling"),
        ("public", "http://127.2:{port}/", "usual spelling"),
        ("public", "http://0177.0.0.2:{port}/", "usual spelling"),
        ("public", "http://localhost.:{port}/", "loopback address"),
        ("public", "http://93.184.216.34:25/", "Port 25"),
    ],
)
async def test_what_is_not_allowed_is_refused_with_its_reason(
    lab: Lab, server: int, mode: str, url: str, why: str
) -> None:
    _, inside = await started(lab, mode)
    said = await inside.run(f"{GET}\nprint(get('{url.format(port=server)}'))")
    assert "403" in said
    assert why in said


async def test_requests_wait_while_the_proxy_is_restarted_and_the_account_goes_on(lab: Lab, server: int) -> None:
    id, inside = await started(lab)
    allow = f"{OUTSIDE}:{server}"
    asking = f"{GET}\nprint(len(get('http://{allow}/big')[1]))"
    async with egress(lab, allow) as process:
        assert await inside.run(asking) == f"{len(BODY)}\n"
        process.send_signal(signal.SIGKILL)
        await process.wait()
        before = account.read(lab.driver.runner_socket(id).parent)
        assert before["bytes_received"] > len(BODY)
        waiting = asyncio.create_task(inside.run(asking))
        async with egress(lab, allow):
            assert await waiting == f"{len(BODY)}\n"
    assert account.read(lab.driver.runner_socket(id).parent)["bytes_received"] == 2 * before["bytes_received"]


async def test_a_download_goes_on_while_its_proxy_is_replaced(lab: Lab, server: int, tmp_path: Path) -> None:
    id, inside = await started(lab)
    allow = f"{OUTSIDE}:{server}"
    async with egress(lab, allow) as former:
        said = await inside.run(
            f"import socket\ns = socket.create_connection(('127.0.0.1', 3128))\n"
            f"s.sendall(b'CONNECT {allow} HTTP/1.1\\r\\n\\r\\n')\nprint(s.recv(100))\n"
        )
        assert "200" in said
        assert former.stdin is not None
        former.stdin.close()
        async with egress(lab, allow):
            assert await inside.run(f"{GET}\nprint(get('http://{allow}/'))") == "(200, b'here')\n"
            assert former.returncode is None
            await inside.run("s.sendall(b'GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n')")
            assert await inside.run("print(s.makefile('rb').read()[-4:]); s.close()") == "b'here'\n"
            await asyncio.wait_for(former.wait(), 10)
    assert account.read(lab.driver.runner_socket(id).parent)["bytes_received"] > 8


async def test_a_program_that_leaves_ends_its_connection_outside(lab: Lab) -> None:
    """A flood that nobody reads is not carried: the far server sees its connection end."""
    left = threading.Event()
    with socket.create_server((OUTSIDE, 0)) as far:

        def flood() -> None:
            connection, _ = far.accept()
            with connection, contextlib.suppress(OSError):
                while True:
                    connection.sendall(bytes(100_000))
            left.set()

        threading.Thread(target=flood, daemon=True).start()
        port = far.getsockname()[1]
        id, inside = await started(lab)
        async with egress(lab, f"{OUTSIDE}:{port}"):
            await inside.run(
                f"import socket\ns = socket.create_connection(('127.0.0.1', 3128))\n"
                f"s.sendall(b'CONNECT {OUTSIDE}:{port} HTTP/1.1\\r\\n\\r\\n')\nprint(s.recv(1000000))\n"
            )
            first = account.read(lab.driver.runner_socket(id).parent)["bytes_received"]
            await inside.run("s.close()")
            assert await asyncio.to_thread(left.wait, 30)
            assert first < 50_000_000
