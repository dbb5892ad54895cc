"""What may be reached: addresses, names, ports, spellings; the account; a runner that lies. No sandbox needed."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sandbox.egress import account, record
from sandbox.egress.account import Account, NoAccount
from sandbox.egress.addresses import verdict
from sandbox.egress.attend import Attendant
from sandbox.egress.indexes import pip_indexes
from sandbox.egress.reach import reach
from sandbox.egress.rules import Allowance, Network, Refused, canonical, judge, literal, narrowest, parse_allowance
from sandbox.egress.service import serve
from sandbox.runner import sockets
from sandbox.runner.wire import encode, read_frame

ipv4 = st.integers(0, (1 << 32) - 1).map(IPv4Address)
ipv6 = st.integers(0, (1 << 128) - 1).map(IPv6Address)


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("8.8.8.8", ""), ("1.1.1.1", ""), ("2606:4700::1111", ""), ("2a00:1450:4001:82a::200e", ""),
        ("10.1.2.3", "private"), ("172.16.0.1", "private"), ("192.168.1.1", "private"), ("100.64.0.1", "private"),
        ("127.0.0.1", "loopback"), ("127.255.255.254", "loopback"), ("::1", "loopback"), ("0.0.0.0", "unspecified"),
        ("::", "unspecified"), ("0.1.2.3", "private"), ("169.254.169.254", "link-local"), ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"), ("224.0.0.1", "multicast"), ("ff02::1", "multicast"),
        ("255.255.255.255", "reserved"), ("240.0.0.1", "reserved"), ("192.0.2.1", "private"), ("fd00::1", "private"),
        ("192.88.99.1", "reserved"), ("fec0::1", "reserved"), ("2001:db8::1", "private"), ("3fff::1", "reserved"),
        ("5f00::1", "reserved"), ("100::1", "reserved"), ("::ffff:8.8.8.8", "reserved"), ("::10.0.0.1", "reserved"),
        ("fd00:ec2::254", "cloud metadata"), ("100.100.100.200", "cloud metadata"), ("168.63.129.16", "cloud metadata"),
    ],
)  # fmt: skip
def test_the_verdict_on_an_address(address: str, word: str) -> None:
    assert verdict(ip_address(address)) == word


@given(ipv4)
def test_an_ipv4_address_in_another_coat_is_judged_as_what_it_is(inner: IPv4Address) -> None:
    number = int(inner)
    nat64 = IPv6Address(int(IPv6Address("64:ff9b::")) | number)
    assert verdict(nat64) == verdict(inner)
    assert verdict(IPv6Address((0xFFFF << 32) | number)), "mapped addresses are never reached"
    if verdict(inner):
        sixtofour = IPv6Address((0x2002 << 112) | (number << 80) | 1)
        isatap = IPv6Address((0x2606 << 112) | (0x5EFE << 32) | number)
        teredo = IPv6Address((0x20010000 << 96) | (0x08080808 << 64) | (number ^ 0xFFFFFFFF))
        assert verdict(sixtofour)
        assert verdict(isatap)
        assert verdict(teredo)


@given(st.one_of(ipv4, ipv6))
def test_what_is_not_global_is_never_reached(address: IPv4Address | IPv6Address) -> None:
    if not verdict(address):
        assert address.is_global or address in ip_network("64:ff9b::/96")
        assert not (address.is_multicast or address.is_loopback or address.is_link_local)


ODD = """2130706433 0x7f000001 0x7f.0.0.1 127.1 127.0.1 0177.0.0.1 127.0.0.01 0x7f.1 1.2.3 256.1.1.1 a.b.0x [::1%25lo]
::1%lo １２７.0.0.1 localhost@evil evil.com/ evil.com:80 a..b .a -a.com a_.-b 1.2.3.4.5 [1.2.3.4 \u2488com"""
ODDER = ["", ".", "a b", "x\x00y", "a" * 64 + ".com", "a." * 140 + "com"]


@pytest.mark.parametrize("spelling", [*ODD.split(), *ODDER])
def test_other_spellings_are_refused(spelling: str) -> None:
    with pytest.raises(Refused):
        canonical(spelling)


MAPPED = str(ip_address("::ffff:10.0.0.1"))  # Pythons differ in how they print it


@pytest.mark.parametrize(
    ("spelling", "one"),
    [
        ("Example.ORG.", "example.org"), ("127.0.0.1", "127.0.0.1"), ("127.0.0.1.", "127.0.0.1"), ("[::1]", "::1"),
        ("0:0::0:1", "::1"), ("::FFFF:a00:1", MAPPED), ("::ffff:10.0.0.1", MAPPED),
        ("xn--9d0bm53a.kr", "xn--9d0bm53a.kr"), ("_x.a", "_x.a"),
    ],
)  # fmt: skip
def test_one_spelling_for_each_host(spelling: str, one: str) -> None:
    assert canonical(spelling) == one
    assert canonical(one) == one


@given(st.text(max_size=40))
def test_whatever_is_asked_for_has_one_spelling_or_is_refused(text: str) -> None:
    try:
        host = canonical(text)
    except Refused:
        return
    assert canonical(host) == host
    assert host.isascii()
    assert literal(host) is not None or not host.rpartition(".")[2].isdigit()


PACKAGES = Network("packages", ("index.example.org", "*.files.example.org"))


@pytest.mark.parametrize(
    ("network", "host", "port", "allowed"),
    [
        (PACKAGES, "index.example.org", 443, True), (PACKAGES, "a.files.example.org", 80, True),
        (PACKAGES, "files.example.org", 443, False), (PACKAGES, "evilfiles.example.org", 443, False),
        (PACKAGES, "index.example.org.evil.com", 443, False), (PACKAGES, "index.example.org", 22, False),
        (PACKAGES, "example.com", 443, False), (Network("public"), "example.com", 22, True),
        (Network("public"), "example.com", 25, False), (Network("public"), "example.com", 0, False),
        (Network("public"), "example.com", 65536, False), (Network("none"), "index.example.org", 443, False),
    ],
)  # fmt: skip
def test_a_rule_looks_at_names_and_ports(network: Network, host: str, port: int, allowed: bool) -> None:
    if allowed:
        assert judge(network, [], host, port) is False
    else:
        with pytest.raises(Refused):
            judge(network, [], host, port)


def test_an_allowance_is_for_a_host_and_its_port_and_not_without_a_network() -> None:
    mirror = [parse_allowance("mirror.lan:8080"), parse_allowance("[FD00::1]"), parse_allowance("10.0.0.9")]
    assert mirror == [Allowance("mirror.lan", 8080), Allowance("fd00::1"), Allowance("10.0.0.9")]
    for network in (PACKAGES, Network("public")):
        assert judge(network, mirror, "mirror.lan", 8080)
        assert judge(network, mirror, "fd00::1", 443)
    with pytest.raises(Refused):
        judge(PACKAGES, mirror, "mirror.lan", 80)
    with pytest.raises(Refused):
        judge(Network("none"), mirror, "mirror.lan", 8080)


@pytest.mark.parametrize("text", ["", "a:b", "a:0", "a:99999", "http://a", "a/b", "[::1", "::1", "127.1:80"])
def test_an_allowance_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"host|port|address"):
        parse_allowance(text)


def test_the_narrowest_of_all_rules_holds() -> None:
    assert narrowest("public", "packages", "public") == "packages"
    assert narrowest("packages", "none") == "none"
    with pytest.raises(ValueError, match="one of"):
        Network("everything")


async def test_a_name_that_leads_home_is_refused_whatever_it_is_called() -> None:
    for host in ("localhost", "127.0.0.1", "::1"):
        with pytest.raises(Refused, match="loopback address"):
            await reach(Network("public"), [], host, 80)


async def test_the_address_that_was_judged_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that says "public" first and "loopback" afterwards is asked once."""
    answers = [[(2, 1, 6, "", ("192.0.2.1", 80))], [(2, 1, 6, "", ("127.0.0.1", 80))]]
    asked = []

    async def rebinding(host: str, port: int, **how: object) -> list[object]:
        asked.append(host)
        return list(answers[min(len(asked), 2) - 1])

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", rebinding)
    with pytest.raises(Refused, match="private"):
        await reach(Network("public"), [], "rebind.example", 80)
    assert asked == ["rebind.example"]


@given(st.lists(st.tuples(st.integers(0, 1 << 40), st.integers(0, 1 << 40)), max_size=8))
def test_an_account_adds_up_over_all_that_count(tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[int, int]]):
    folder = tmp_path_factory.mktemp("account")
    account.create(folder)
    for received, sent in parts:
        counting = Account(folder)
        counting.received(received)
        counting.sent(sent)
        counting.close()
    assert account.read(folder) == {
        "bytes_received": sum(part[0] for part in parts), "bytes_sent": sum(part[1] for part in parts),
    }  # fmt: skip


def test_two_processes_count_side_by_side_and_a_killed_one_has_counted(tmp_path: Path) -> None:
    account.create(tmp_path)
    code = (
        "import os, signal, sys; from pathlib import Path; from sandbox.egress.account import Account\n"
        "counting = Account(Path(sys.argv[1]))\n"
        "for _ in range(1000): counting.received(3)\n"
        "print('counted', flush=True); sys.stdin.read(1); os.kill(os.getpid(), signal.SIGKILL)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    both = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
    for process in both:
        assert process.stdout
        assert process.stdout.readline() == b"counted\n"
    for process in both:
        process.communicate(b"x")
        assert process.returncode == -9
    assert account.read(tmp_path)["bytes_received"] == 6000
    assert account.read(tmp_path / "nothing") == {"bytes_received": 0, "bytes_sent": 0}
    with pytest.raises(NoAccount):
        Account(tmp_path / "nothing")


@pytest.mark.parametrize(
    "lie",
    [
        b'{"id": "x", "host": "a", "port": 80}', b'{"id": 1}', b"[]", b"nonsense", b'{"id":1,"host":7,"port":80}',
        b'{"id":1,"host":"' + b"a" * 2000 + b'","port":80}', b"\xff", b"[" * 100000,
    ],
    ids=range(8),
)  # fmt: skip
async def test_a_runner_that_lies_is_left_and_asked_again(tmp_path: Path, lie: bytes) -> None:
    heard = await visits(tmp_path, lambda id: encode({"stream": id, "seq": 0}, lie), times=2)
    assert heard == 2


async def test_a_frame_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    assert await visits(tmp_path, lambda id: (1 << 26).to_bytes(4, "big") + b"\0\0", times=2) == 2


async def visits(folder: Path, answer, times: int) -> int:
    """How often egress comes to a runner that says ``answer`` and keeps the line, up to ``times``."""
    seen = 0
    enough = asyncio.Event()

    async def runner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        frame = await read_frame(reader)
        assert frame
        assert frame[0]["call"] == "egress.requests"
        seen += 1
        if seen >= times:
            enough.set()
        writer.write(encode({"id": frame[0]["id"], "result": {}}) + answer(frame[0]["id"]))
        await reader.read()
        writer.close()

    server = await sockets.serve(runner, sockets.listen(folder / "runner.sock"))
    record.prepare(folder, Network("public"), folder / "runner.sock")
    known = record.read(folder)
    assert known
    attendant = Attendant(folder, known, [])
    async with asyncio.timeout(20):
        await enough.wait()
    await attendant.close()
    server.close()
    return seen


async def test_a_sandbox_that_makes_way_for_another_of_its_name_leaves_it_an_account(tmp_path: Path) -> None:
    """As when a spare turns out to be dead: what it was counted in is not what the next one's bytes go to."""
    ended = asyncio.Event()
    serving = asyncio.create_task(serve(tmp_path, [], ended))
    for number in range(2):
        (tmp_path / "id").mkdir()
        record.prepare(tmp_path / "id", Network("public"), tmp_path / "runner.sock")
        async with asyncio.timeout(20):
            while not held(tmp_path / "id" / account.NAME):
                await asyncio.sleep(0.02)
        (tmp_path / "id").rename(tmp_path.parent / f"{tmp_path.name}-aside-{number}")
    ended.set()
    await serving


def held(file: Path) -> bool:
    """Whether a process has its slot in the account ``file``: this very one, so only the map can tell."""
    return str(file.stat().st_ino) in {line.split()[4] for line in Path("/proc/self/maps").read_text().splitlines()}


@given(st.dictionaries(st.sampled_from(["mode", "hosts", "runner"]), st.one_of(st.text(), st.integers(), st.none())))
def test_a_broken_record_is_none(tmp_path_factory: pytest.TempPathFactory, data: dict[str, object]) -> None:
    assume(data.get("mode") not in ("none", "packages", "public"))
    folder = tmp_path_factory.mktemp("record")
    (folder / record.NAME).write_text(json.dumps(data))
    assert record.read(folder) is None


def said(settings: dict[str, str]) -> str:
    return json.dumps({"settings": settings, "index": "https://index.example/simple", "files": "files.example"})


def test_packages_come_from_where_this_machines_pip_has_them() -> None:
    assert pip_indexes(said({})).hosts == ("index.example", "files.example")
    assert pip_indexes(said({})).environment == {}
    mirror = pip_indexes(
        said({
            "index-url": "https://me:secret@mirror.example/simple", "trusted-host": "mirror.example\nmore.example",
            "extra-index-url": "https://more.example/simple file:///opt/simple",
        })
    )  # fmt: skip
    assert mirror.hosts == ("mirror.example", "more.example")
    assert mirror.environment == {
        "PIP_INDEX_URL": "https://mirror.example/simple", "PIP_EXTRA_INDEX_URL": "https://more.example/simple",
        "PIP_TRUSTED_HOST": "mirror.example more.example",
    }  # fmt: skip
    assert pip_indexes("").hosts == ()
    assert pip_indexes("{}").hosts == ()
