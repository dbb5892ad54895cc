"""Ways to what no session may reach, tried for real where everybody would answer: see everywhere.py."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from sandbox.drivers import Driver
from sandbox.runner.sockets import listen
from sandbox.runner.wire import Client
from tests.attacks.conftest import Victim
from tests.settings import ROOT

pytestmark = [pytest.mark.jail, pytest.mark.every_driver, pytest.mark.asyncio(loop_scope="module")]

PUBLIC = "93.184.216.34"

TOOLS = """
import errno, os, socket, subprocess, urllib.error, urllib.parse, urllib.request
from urllib.parse import quote
def attempt(action):
    try:
        return repr(action())
    except OSError as error:
        return errno.errorcode[error.errno]
def tunnel(target):
    with socket.create_connection(("127.0.0.1", 3128)) as door:
        door.sendall(f"CONNECT {target} HTTP/1.1\\r\\n\\r\\n".encode())
        return door.makefile().readline().strip()
def get(url):
    try:
        with urllib.request.urlopen(url) as answer: return answer.read().decode()
    except urllib.error.HTTPError as error: return f"{error.code} {error.reason}"
"""


@pytest_asyncio.fixture(loop_scope="module", scope="module", autouse=True)
async def everywhere(driver: Driver) -> AsyncIterator[None]:
    """The egress proxy of the module's sandboxes, in a world in which every address answers."""
    sandboxes = driver.runner_socket("x").parents[1]
    namespaces = ["--net", "--mount", *(["--map-root-user"] if os.geteuid() else [])]
    command = ["unshare", *namespaces, sys.executable, "-m", "tests.attacks.everywhere", str(sandboxes)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin
    assert process.stdout
    assert await asyncio.wait_for(process.stdout.readline(), 30) == b"ready\n"
    yield
    process.stdin.close()
    await asyncio.wait_for(process.wait(), 30)


async def attack(victim: Victim, code: str) -> list[str]:
    return (await victim.run(TOOLS + code)).splitlines()


# By address

FORBIDDEN = {
    # The control plane and its databases, on the host's loopback and whatever stands for it
    "127.0.0.1:8000": "loopback", "127.0.0.2:5432": "loopback", "127.255.255.254:6379": "loopback",
    "localhost:8000": "loopback", "[::1]:5432": "loopback", "0.0.0.0:2375": "unspecified", "[::]:8000": "unspecified",
    "[::ffff:127.0.0.1]:8000": "reserved", "[64:ff9b::7f00:1]:8000": "loopback",
    # Where clouds give credentials
    "169.254.169.254:80": "link-local", "[fe80::a9fe:a9fe]:80": "link-local", "[fd00:ec2::254]:80": "cloud metadata",
    "100.100.100.200:80": "cloud metadata", "168.63.129.16:80": "cloud metadata",
    "[::ffff:169.254.169.254]:80": "reserved", "[2002:a9fe:a9fe::]:80": "link-local",
    # Private ranges
    "10.0.0.5:5432": "private", "172.16.0.1:2375": "private", "192.168.1.1:80": "private", "100.64.0.1:80": "private",
    "[fd12:3456::1]:6379": "private", "[64:ff9b::a00:5]:5432": "private",
    # Other spellings, for those who compare texts
    "2130706433:8000": "usual spelling", "0x7f.1:8000": "usual spelling", "0177.0.0.1:80": "usual spelling",
    "127.1:80": "usual spelling", "[fe80::1%25lo]:80": "names an interface",
    "unix:/run/docker.sock:80": "usual spelling",
}  # fmt: skip


async def test_forbidden_addresses_are_refused_with_their_kind(victim: Victim):
    said = await attack(victim, f"for target in {[*FORBIDDEN]}: print(tunnel(target))")
    answers = dict(zip(FORBIDDEN, said, strict=True))
    wrong = {
        target: answer
        for target, answer in answers.items()
        if not answer.startswith("HTTP/1.1 403 ") or FORBIDDEN[target] not in answer
    }
    assert not wrong


async def test_the_same_ports_of_a_public_address_are_reached(victim: Victim):
    """So it is the address that is refused: these tests can fail."""
    said = await attack(victim, f"for port in (80, 2375, 5432, 6379, 8000): print(tunnel(f'{PUBLIC}:{{port}}'))")
    assert [answer.split()[1] for answer in said] == ["200"] * 5


async def test_the_other_ways_of_asking_lead_nowhere_else(victim: Victim):
    said = await attack(
        victim,
        "def curl(*how): return subprocess.run(['curl', '-sS', *how], capture_output=True, text=True)\n"
        "def socks(target): return curl('--socks5-hostname', '127.0.0.1:3128', '--noproxy', '', f'http://{target}/')\n"
        f"print(socks('{PUBLIC}').stdout)\n"
        "print([socks(target).returncode for target in ('169.254.169.254', '[fd00:ec2::254]', '10-0-0-5.test')])\n"
        f"print(get('http://{PUBLIC}@127.0.0.2/'))\n"
        "with socket.create_connection(('127.0.0.1', 3128)) as door:\n"
        f"    door.sendall(b'GET http://{PUBLIC}/ HTTP/1.1\\r\\nHost: 169.254.169.254\\r\\n\\r\\n'\n"
        "                 b'GET http://127.0.0.2/ HTTP/1.1\\r\\nHost: 127.0.0.2\\r\\n\\r\\n')\n"
        "    print([line for line in door.makefile().read().splitlines() if 'reached' in line])",
    )
    reached = f"reached ::ffff:{PUBLIC}"
    assert said[:2] == [reached, "[97, 97, 97]"], "CURLE_PROXY: refused by the proxy"
    assert said[2].startswith("403 ")
    assert "loopback" in said[2]
    assert said[3:] == [f"['{reached}']"]


# By name

NAMES = {
    "10-0-0-5.test": "private", "127-0-0-2.test": "loopback", "169-254-169-254.test": "link-local",
    "fd00-ec2--254.test": "cloud metadata", "fe80--1.test": "link-local", "--1.test": "not the name of a host",
    "127-0-0-2_192-168-1-1.test": "loopback, private",
}  # fmt: skip


async def test_names_of_forbidden_addresses_are_refused(victim: Victim):
    said = await attack(victim, f"for name in {[*NAMES]}: print(get(f'http://{{name}}/'))")
    wrong = {
        name: answer
        for (name, kind), answer in zip(NAMES.items(), said, strict=True)
        if not answer.startswith("403 ") or kind not in answer
    }
    assert not wrong


async def test_a_name_that_changes_its_address_gains_nothing(victim: Victim):
    """DNS rebinding: public when it is judged, the host's loopback or metadata when it would be connected to."""
    names = [f"first-93-184-216-{n}-then-{to}.test" for n, to in enumerate(["127-0-0-2", "169-254-169-254"], 1)]
    said = await attack(
        victim,
        f"for name in {names}: print(get(f'http://{{name}}/'), get(f'http://{{name}}/'), sep='|')\n"
        f"print(get('http://10-0-0-5_93-184-216-34_127-0-0-2.test/'))",
    )
    for number, (answers, kind) in enumerate(zip(said, ["loopback", "link-local"], strict=False), 1):
        first, _, second = answers.partition("|")
        assert first == f"reached ::ffff:93.184.216.{number}", "it was asked once, and the answer was used"
        assert second.startswith("403 ")
        assert kind in second
    assert said[2] == f"reached ::ffff:{PUBLIC}", "of several addresses only the public one"


async def test_redirects_are_judged_like_anything_else(victim: Victim):
    targets = {
        "http://127.0.0.2:8000/": "loopback",
        "http://169.254.169.254/latest/meta-data/": "link-local",
        "http://[fd00:ec2::254]/": "cloud metadata",
        "http://10-0-0-5.test/": "private",
    }
    said = await attack(
        victim,
        f"print(get('http://{PUBLIC}/to?' + quote('http://93.184.216.35/')))\n"
        f"for target in {[*targets]}: print(get('http://{PUBLIC}/to?' + quote(target)))",
    )
    assert said[0] == "reached ::ffff:93.184.216.35"
    for answer, kind in zip(said[1:], targets.values(), strict=True):
        assert answer.startswith("403 ")
        assert kind in answer


# Without the proxy


async def test_there_is_no_way_around_the_proxy(victim: Victim):
    """The host's ports, the control plane's among them, are on another loopback; beyond it there is no route."""
    with socket.create_server(("127.0.0.1", 0)) as control, socket.create_server(("0.0.0.0", 0)) as database:
        ports = [server.getsockname()[1] for server in (control, database)]
        said = await attack(
            victim,
            "def connect(*where): return attempt(lambda: socket.create_connection(where, 5))\n"
            "def send(*where):\n"
            "    family = socket.AF_INET6 if ':' in where[0] else socket.AF_INET\n"
            "    return attempt(lambda: socket.socket(family, socket.SOCK_DGRAM).sendto(b'x', where))\n"
            f"print([connect('127.0.0.1', port) for port in {ports}])\n"
            "outside = ('169.254.169.254', '10.0.0.5', '93.184.216.34', 'fd00:ec2::254', 'fe80::1')\n"
            "print({connect(address, 80) for address in outside} <= {'ENETUNREACH', 'EADDRNOTAVAIL', 'EINVAL'})\n"
            "print({send(address, 53) for address in outside} <= {'ENETUNREACH', 'EADDRNOTAVAIL', 'EINVAL'})\n"
            "print([name for _, name in socket.if_nameindex()])",
        )
        assert said == ["['ECONNREFUSED', 'ECONNREFUSED']", "True", "True", "['lo']"]
        for server, port in zip((control, database), ports, strict=True):
            server.setblocking(False)
            with pytest.raises(BlockingIOError):
                server.accept()
            socket.create_connection(("127.0.0.1", port)).close()  # from outside it would have been possible


async def test_sockets_of_the_services_are_not_to_be_found(victim: Victim):
    """The session service's, the jails' and runners' (its own and its neighbour's), by path, name and descriptor."""
    sandboxes = victim.lab.driver.runner_socket("x").parents[1]
    run = sandboxes.parent / "run"
    run.mkdir(exist_ok=True)
    paths = [sandboxes / id / f"{role}.sock" for id in victim.lab.ids for role in ("jail", "runner")]
    assert len(paths) == 4
    paths.append(run / "sessiond.sock")
    abstract = f"\0madang-{os.getpid()}"
    with listen(paths[-1]), socket.socket(socket.AF_UNIX) as nameless:
        nameless.bind(abstract)
        nameless.listen()
        await reachable_from_outside(abstract, *paths)
        said = await attack(
            victim,
            "def connect(path): return attempt(lambda: socket.socket(socket.AF_UNIX).connect(path))\n"
            f"paths = {[*map(str, paths)]}\n"
            f"print({{attempt(lambda: os.stat(path)) for path in paths}}, connect({abstract!r}))\n"
            "print({attempt(lambda: os.stat('/proc/1/root' + path)) for path in paths})\n"
            "known = [line.split()[7] for line in open('/proc/net/unix') if len(line.split()) > 7]\n"
            "print([path for path in known if path.endswith('.sock') or 'madang' in path])\n"
            "print(attempt(lambda: os.listdir('/proc/1/fd')))\n"
            "usual = ('docker.sock', 'postgresql/.s.PGSQL.5432', 'redis/redis.sock', 'dbus/system_bus_socket')\n"
            "print({connect(f'/run/{name}') for name in usual})",
        )
    paths[-1].unlink()
    assert said == ["{'ENOENT'} ECONNREFUSED", "{'EACCES'}", "[]", "EACCES", "{'ENOENT'}"]


async def reachable_from_outside(abstract: str, *paths: Path) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(abstract)
    for path in paths:
        await (await Client.connect(path)).close()
