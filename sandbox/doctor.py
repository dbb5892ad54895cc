"""What this host offers a sandbox, what is missing, and the command that mends it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sandbox.drivers import SandboxError
from sandbox.jail import linux
from sandbox.jail.cgroups import CgroupError, parent_groups
from sandbox.policy.syscalls import NUMBERS


@dataclass(frozen=True)
class Finding:
    """``state``: ``found``; ``missing`` (essential: nothing starts without it); ``optional`` (absent, worth having)."""

    name: str
    state: str
    detail: str
    mend: str = ""


def findings() -> list[Finding]:
    """Every layer of the jail, in the order in which it is built."""
    layers = (_kernel, _namespaces, _cgroups, _seccomp, _user_notification, _host_users, _landlock, _proc)
    return [check() for check in (*layers, *_tools())]


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


def _namespaces() -> Finding:
    """Tried for real, in a child: settings that forbid them are many, and differ by distribution."""
    code = "from sandbox.jail import linux; linux.unshare(0x7E020000 & ~0x20000000)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[1])
    if done.returncode == 0:
        return Finding("Namespaces", "found", "user, mount, pid, ipc, uts, net, cgroup")
    return Finding("Namespaces", "missing", "The kernel refuses user namespaces.", _namespace_mend())


def _namespace_mend() -> str:
    for name, value in (
        ("kernel.unprivileged_userns_clone", "1"),
        ("kernel.apparmor_restrict_unprivileged_userns", "0"),
    ):
        path = Path("/proc/sys", *name.split("."))
        if path.exists() and path.read_text().strip() != value:
            return f"sudo sysctl -w {name}={value}"
    return "sudo sysctl -w user.max_user_namespaces=100000"


def _cgroups() -> Finding:
    try:
        version, _ = parent_groups()
    except (CgroupError, OSError) as error:
        mend = "Start through bin/up, which asks systemd for a delegated cgroup; or run as root."
        if os.geteuid() != 0:
            mend += " For controllers: sudo systemctl set-property user@$(id -u).service Delegate=yes"
        return Finding("Control groups", "missing", str(error), mend)
    return Finding("Control groups", "found", f"version {version}: cpu, memory, pids")


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


def _tools() -> list[Callable[[], Finding]]:
    def check(command: str, package: str) -> Finding:
        if shutil.which(command, path="/usr/local/bin:/usr/bin:/bin"):
            return Finding(command, "found", "offered in terminals")
        return Finding(command, "optional", "Not installed: terminals lack it.", f"sudo apt-get install {package}")

    tools = (("bash", "bash"), ("vim", "vim"), ("top", "procps"), ("less", "less"), ("git", "git"))
    return [lambda c=c, p=p: check(c, p) for c, p in tools]  # type: ignore[misc]
