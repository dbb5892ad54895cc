"""What this host offers a sandbox, what is missing, and the command that mends it."""

from __future__ import annotations

import os
import platform
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from sandbox import layers
from sandbox.drivers import SandboxError
from sandbox.gpu import nvml
from sandbox.images import Image, described, verdicts
from sandbox.images.added import origin_of
from sandbox.jail import linux
from sandbox.layers import Finding
from sandbox.policy.syscalls import NUMBERS
from sandbox.slots import MIB

__all__ = ["Finding", "findings", "require_essentials"]


def findings() -> list[Finding]:
    """Every layer of the jail, in the order in which it is built."""
    asked = [_seccomp(), _user_notification()]
    jail = [*layers.namespaces(), _host_users(), layers.mapped_mounts(), layers.privileges(), *asked, _landlock()]
    bounds = [*layers.control_groups(), layers.limits(), layers.disk_limit()]
    return [
        _kernel(),
        *jail,
        *bounds,
        _proc(),
        _gpus(),
        *(check() for check in _tools()),
        *map(_image, described()),
        *_servers(),
    ]


def require_essentials() -> None:
    """Refuse to run unprotected.

    Raises:
        SandboxError: an essential layer is missing; the message says which and how to get it.
    """
    missing = [finding for finding in findings() if finding.state == "missing"]
    if missing:
        text = " ".join(f"{finding.name}: {finding.detail} {finding.mend}".strip() for finding in missing)
        raise SandboxError("host_unfit", f"This host lacks what a sandbox needs. {text}")


def _kernel() -> Finding:
    release = platform.release()
    try:
        version = tuple(int(part) for part in release.split("-")[0].split(".")[:2])
    except ValueError:
        version = (0, 0)
    if platform.system() != "Linux" or version < (5, 12):
        return Finding("Linux", "missing", f"{release} is older than 5.12.", "Upgrade the kernel.")
    if platform.machine() not in NUMBERS:
        return Finding("Linux", "missing", f"No seccomp tables for {platform.machine()}.")
    return Finding("Linux", "found", f"{release} on {platform.machine()}")


def _seccomp() -> Finding:
    if Path("/proc/sys/kernel/seccomp/actions_avail").exists():
        return Finding("Seccomp", "found", "filters")
    return Finding("Seccomp", "missing", "The kernel has no seccomp filters (CONFIG_SECCOMP_FILTER).")


def _user_notification() -> Finding:
    """A policy's rules are asked through it (seccomp_unotify(2)): a runner without it does not start."""
    try:
        actions = Path("/proc/sys/kernel/seccomp/actions_avail").read_text().split()
    except OSError:
        actions = []
    if "user_notif" in actions:
        return Finding("User notification", "found", "what a policy asks about, the jail answers")
    detail = "The kernel cannot ask the jail about system calls (seccomp's user_notif)."
    return Finding("User notification", "missing", detail, "Run on Linux itself: some emulations of it lack this.")


def _host_users() -> Finding:
    if os.geteuid() == 0:
        return Finding("Host users", "found", "each sandbox has an unprivileged host user of its own")
    detail = "As an ordinary user, sandboxes share your own host user (namespaces and seccomp still part them)."
    return Finding("Host users", "optional", detail, "Run the session service as root to give each its own.")


def _landlock() -> Finding:
    if abi := linux.landlock_abi():
        return Finding("Landlock", "found", f"ABI {abi}")
    return Finding("Landlock", "optional", "Not in this kernel, or not enabled.", "Boot with lsm=landlock,...")


def _proc() -> Finding:
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    over = [mount for mount in mounts if mount.startswith("/proc/") and mount != "/proc/sys/fs/binfmt_misc"]
    if over and os.geteuid() != 0:
        detail = f"/proc is partly covered ({over[0]}), so no sandbox can mount its own."
        return Finding("Fresh /proc", "missing", detail, "Run outside a container, or with an unmasked /proc.")
    return Finding("Fresh /proc", "found", "a sandbox mounts its own")


def _gpus() -> Finding:
    try:
        devices = nvml.devices()
    except nvml.NoDriver as error:
        mend = "Install NVIDIA's driver, if this machine has a GPU."
        return Finding("GPU", "optional", f"Sessions get none: {error}.", mend)
    kinds = Counter(f"{device.name}, {device.memory // MIB:,} MiB" for device in devices)
    missing = [node for device in devices if not os.path.exists(node := device.node)]
    if missing:
        detail = f"The driver knows a device that has no file: {' '.join(missing)}."
        return Finding("GPU", "optional", detail, "sudo nvidia-modprobe -u -c 0")
    return Finding("GPU", "found", "; ".join(f"{count} x {kind}" for kind, count in kinds.items()) or "no device")


def _tools() -> list[Callable[[], Finding]]:
    def check(command: str, package: str) -> Finding:
        if shutil.which(command, path="/usr/local/bin:/usr/bin:/bin"):
            return Finding(command, "found", "offered in terminals")
        return Finding(command, "optional", "Not installed: terminals lack it.", f"sudo apt-get install {package}")

    tools = (("bash", "bash"), ("vim", "vim"), ("top", "procps"), ("less", "less"), ("git", "git"))
    return [lambda c=c, p=p: check(c, p) for c, p in tools]  # type: ignore[misc]


def _servers() -> list[Finding]:
    """The language servers that images know and this host lacks, or has, each once."""
    described_servers = {s.program: s for image in described() if not image.missing for s in image.servers if s.program}
    found = []
    for program, server in described_servers.items():
        if server.missing:
            detail = f"Not installed: the editor does not complete or check {server.language}."
            found.append(Finding(program, "optional", detail, server.install))
        else:
            found.append(Finding(program, "found", "the editor completes and checks with it"))
    return found


def _image(image: Image) -> Finding:
    if not (missing := image.missing) and (why := verdicts.failed().get(image.name)):
        detail = f"The image {image.name} is not offered: its self-test failed. {why}"
        return Finding(image.title, "optional", detail, "Mend it and start the session service again.")
    if not missing and not image.set_up:
        detail = f"The image {image.name} is not installed: it is optional."
        return Finding(image.title, "optional", detail, f"python -m sandbox.images.install {image.directory.name}")
    if not missing:
        return Finding(image.title, "found", f"the image {image.name} is offered{_by(image)}")
    programs, packages = (" ".join(getattr(p, name) for p in missing) for name in ("program", "package"))
    if image.root is not None:
        detail = f"The image {image.name} is not offered: it lacks {programs}."
        return Finding(image.title, "optional", detail, "Add it again from an archive that has them.")
    detail = f"The image {image.name} is not offered: {programs} is not installed."
    return Finding(image.title, "optional", detail, f"sudo apt-get install {packages}")


def _by(image: Image) -> str:
    """Of an added image: where it is from, and that nobody but its own files said what it offers."""
    if image.root is None:
        return ""
    origin = origin_of(image)
    languages = ", ".join(language.title for language in image.languages)
    return f": added from {origin['source']}, with {languages or 'a terminal'} by {origin['described']}"
