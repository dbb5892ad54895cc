"""Self-tests: each image builds and runs its first file in a real sandbox before it is relied on.

An image that has passed is not tested again until something changes that it stands on; one that has failed is, at each
start of the session service.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import platform
import shlex
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from sandbox.drivers import Driver, Exit, SandboxError, SandboxSpec
from sandbox.images import PROGRAMS, Image, installed, verdicts
from sandbox.images.install import stamp_of
from sandbox.images.verdicts import Verdict
from sandbox.runner.run import pack_file
from sandbox.runner.wire import CallError, Client, WireError

_SECONDS = 300.0
_LIMITS = {"time_s": 150.0, "cpu_s": 60.0, "output": 64 * 1024}  # a JVM on a busy machine waits more than it computes
_SAYS = "Hello from Madang!"

log = logging.getLogger(__name__)


async def test_all(driver: Driver, state: Path) -> None:
    """Test one image after the other, those that this host has not tested as they are, and write down what came."""
    known = verdicts.read(state)
    for image in installed().values():
        mark = fingerprint(image)
        old = known.get(image.name)
        if old == Verdict(mark, ""):
            continue
        why = await trial(driver, image)
        if why:
            log.warning("the image %s fails its self-test and is not offered: %s", image.name, why)
        known[image.name] = Verdict(mark, why)
        verdicts.write(state, known)


def fingerprint(image: Image) -> str:
    """What ``image`` stands on: its files, its environment, the host's programs that it needs, and the kernel."""
    base = next(other for other in installed().values() if other.directory.name == image.environment_name)
    digest = hashlib.sha256(f"{platform.release()} {stamp_of(base)}".encode())
    for file in sorted(path for path in image.directory.iterdir() if path.is_file()):
        digest.update(file.name.encode() + file.read_bytes())
    for needed in image.requires:
        path = os.path.realpath(shutil.which(needed.program, path=PROGRAMS) or "")
        with contextlib.suppress(OSError):
            status = os.stat(path)
            digest.update(f"{path} {status.st_size} {status.st_mtime_ns}".encode())
    return digest.hexdigest()


async def trial(driver: Driver, image: Image) -> str:
    """Run the self-test of ``image`` in a sandbox; why it failed, a sentence, or ""."""
    id = str(uuid.uuid4())
    try:
        async with asyncio.timeout(_SECONDS):
            await driver.start(SandboxSpec(id, image, image.slots, policy=image.policy, hostname="selftest"))
            async with await Client.connect(driver.runner_socket(id)) as client:
                for build, command, expected in _tests(image):
                    if why := await _run(client, image, build, command, expected):
                        return why
    except (SandboxError, CallError, ConnectionError, WireError) as error:
        return f"its sandbox: {error}"
    except TimeoutError:
        return f"it took more than {_SECONDS:g} seconds"
    finally:
        await asyncio.shield(_end(driver, id))
    return ""


def _tests(image: Image) -> Iterator[tuple[str, str, str]]:
    """Build, command, and what it says."""
    for language in image.languages:
        if image.hello_file.endswith(language.extensions):
            main = shlex.quote(image.hello_file)
            yield language.build.replace("{main}", main), language.run.replace("{main}", main), _SAYS
    if image.selftest:
        yield "", image.selftest, ""


async def _run(client: Client, image: Image, build: str, command: str, expected: str) -> str:
    stream = await client.open("run.start", build=build, command=command, **_LIMITS)
    await stream.write(pack_file(image.hello_file, image.hello.encode()))
    for file in image.directory.glob("selftest.*"):
        await stream.write(pack_file(file.name, file.read_bytes()))
    await stream.write(b"g")
    await stream.write(b"e")
    said, ended = "", "nothing"
    async for _, record in stream:
        if record[:1] in (b"1", b"2"):
            said += record[1:].decode(errors="replace")
        elif record[:1] == b"s":
            step = json.loads(record[1:])
            ended = step["cause"] or step["signal"] or f"status {step['exit_code']}"
    if ended == "status 0" and expected in said:
        return ""
    if ended == "status 0":
        return f"`{command}` said {said.strip()[:300]!r}"
    return f"`{build and f'{build} && '}{command}` ended with {ended}: {said.strip()[-300:]}"


async def _end(driver: Driver, id: str) -> None:
    """Leave nothing of a sandbox, started or not."""
    try:
        if id in await driver.adopt():
            await driver.stop(id)
            async for event in driver.events(id):
                if isinstance(event, Exit):
                    break
            await driver.collect(id)
    except SandboxError:
        log.exception("the sandbox of a self-test could not be ended")
