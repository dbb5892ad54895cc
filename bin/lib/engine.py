"""A Docker Engine for the tests: an own daemon on a temporary folder, from Debian's packages, with the images to test.

No registry is asked: the base that a Dockerfile begins with is made here from Debian's packages (mmdebstrap(1)) and
imported. It trusts whatever this machine trusts, so that packages can be fetched the same way.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bin.lib.console import Console, StepFailed
from bin.lib.layout import PYTHON, ROOT, is_root

BASE, SUITE = "debian:bookworm-slim", "bookworm"
START_LIMIT = 60.0
FOLDER_PREFIX = "madang-engine-"
FOR_PROMISES = ("python",)
"""The images that the driver's own promises are tried with."""
_TRUSTED = "/etc/ssl/certs/ca-certificates.crt"
_TRUSTED_INSIDE = "/usr/local/share/trusted.crt"


@contextmanager
def docker_engine(console: Console, images: Sequence[str] = FOR_PROMISES) -> Iterator[dict[str, str]]:
    """A running engine with ``images`` (directories); yields the environment in which clients find it.

    Raises:
        StepFailed: it cannot be had here; the message says why.
    """
    if not is_root():
        raise StepFailed("A Docker Engine for the tests can be started by root only")
    if missing := [program for program in ("dockerd", "docker", "mmdebstrap") if not shutil.which(program)]:
        raise StepFailed(f"Not installed: {', '.join(missing)}. sudo apt-get install docker.io mmdebstrap")
    with tempfile.TemporaryDirectory(prefix=FOLDER_PREFIX, ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        env = {"DOCKER_HOST": f"unix://{folder}/docker.sock"}
        with _running(folder, env):
            _base(console, folder, env)
            with console.step("Images of the docker driver") as step:
                build = [str(PYTHON), "manage.py", "images", "build", *images, "--network", "host"]
                step.run(build, env={**os.environ, **env}, cwd=ROOT)
            yield env


@contextmanager
def _running(folder: Path, env: dict[str, str]) -> Iterator[None]:
    """The daemon, without a bridge and without touching this machine's firewall."""
    command = ["dockerd", "--data-root", str(folder / "data"), "--exec-root", str(folder / "run")]
    command += ["--pidfile", str(folder / "pid"), "--host", env["DOCKER_HOST"]]
    command += ["--iptables=false", "--bridge=none", "--ip-forward=false"]
    log = folder / "dockerd.log"
    with log.open("wb") as output:
        daemon = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        _wait(daemon, env, log)
        yield
    finally:
        daemon.send_signal(signal.SIGTERM)
        try:
            daemon.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(daemon.pid, signal.SIGKILL)
            daemon.wait()


def _wait(daemon: subprocess.Popen[bytes], env: dict[str, str], log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline and daemon.poll() is None:
        if not _docker(["version"], env).returncode:
            return
        time.sleep(0.1)
    raise StepFailed("The Docker Engine for the tests did not start", log.read_text(errors="replace")[-2000:])


def _base(console: Console, folder: Path, env: dict[str, str]) -> None:
    tree = folder / "base.tar"
    hook = f'mkdir -p "$1/usr/local/share" && cp -L {_TRUSTED} "$1{_TRUSTED_INSIDE}"'
    with console.step(f"{BASE}, from Debian's packages") as step:
        hooks = [f"--customize-hook={hook}"] if Path(_TRUSTED).exists() else []
        step.run(["mmdebstrap", "--variant=minbase", *hooks, SUITE, str(tree)])
        trust = ["-c", f"ENV PIP_CERT={_TRUSTED_INSIDE}"] if hooks else []
        step.run(["docker", "import", *trust, str(tree), BASE], env={**os.environ, **env})
    tree.unlink()


def _docker(arguments: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["docker", *arguments], env={**os.environ, **env}, capture_output=True, check=False)
