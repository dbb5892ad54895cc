"""The layers of the jail one by one, each tried for real where that is possible: the doctor's details."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from sandbox.jail import linux
from sandbox.jail.cgroups import OPTIONAL, CgroupError, parent_groups

_CHECKOUT = Path(__file__).parents[1]
_FEW_FILES = 8 << 20  # open files of a host with few of them: eight sandboxes may hold that many


@dataclass(frozen=True)
class Finding:
    """``state``: ``found``; ``missing`` (essential: nothing starts without it); ``optional`` (absent, worth having)."""

    name: str
    state: str
    detail: str
    mend: str = ""


# What each kind keeps apart, in the order in which they are tried: all but the first need the first.
_KINDS = {
    "user": (linux.CLONE_NEWUSER, "inside it has an id and privileges that count for nothing outside"),
    "mount": (linux.CLONE_NEWNS, "its own file system, read-only but for its own folders"),
    "pid": (linux.CLONE_NEWPID, "it sees and signals its own processes only"),
    "ipc": (linux.CLONE_NEWIPC, "its own shared memory, semaphores and queues"),
    "uts": (linux.CLONE_NEWUTS, "its own host name"),
    "net": (linux.CLONE_NEWNET, "no network but its own loopback"),
    "cgroup": (linux.CLONE_NEWCGROUP, "it sees its own control group only"),
    "time": (linux.CLONE_NEWTIME, "the machine seems to have started with it"),
}
_TRY = """
import os, sys
from sandbox.jail import linux
for flag in map(int, sys.argv[1:]):
    pid = os.fork()
    if pid == 0:
        try:
            linux.unshare(linux.CLONE_NEWUSER | flag)
            os._exit(0)
        except OSError as error:
            os._exit(error.errno)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def namespaces() -> list[Finding]:
    """One line for each kind. Settings that forbid them are many and differ by distribution, so all are tried."""
    command = [sys.executable, "-c", _TRY, *(str(flag) for flag, _ in _KINDS.values())]
    done = subprocess.run(command, capture_output=True, text=True, cwd=_CHECKOUT)
    codes = [int(line) for line in done.stdout.split()]
    codes += [-1] * (len(_KINDS) - len(codes))
    return [
        Finding(f"{kind.capitalize()} namespace", "found", purpose)
        if code == 0
        else Finding(f"{kind.capitalize()} namespace", "missing", _refused(kind, code), _namespace_mend(kind))
        for (kind, (_, purpose)), code in zip(_KINDS.items(), codes, strict=True)
    ]


def _refused(kind: str, code: int) -> str:
    return f"The kernel refuses {kind} namespaces{f' ({os.strerror(code)})' if code > 0 else ''}."


def _namespace_mend(kind: str) -> str:
    for name, value in (
        ("kernel.unprivileged_userns_clone", "1"),
        ("kernel.apparmor_restrict_unprivileged_userns", "0"),
    ):
        path = Path("/proc/sys", *name.split("."))
        if path.exists() and path.read_text().strip() != value:
            return f"sudo sysctl -w {name}={value}"
    family = {"mount": "mnt"}.get(kind, kind)
    return f"sudo sysctl -w user.max_{family}_namespaces=100000"


def control_groups() -> list[Finding]:
    """The essential controllers, then one line for each that is used where it is there."""
    try:
        version, bases = parent_groups()
    except (CgroupError, OSError) as error:
        mend = "Start through bin/up, which asks systemd for a delegated cgroup; or run as root."
        if os.geteuid() != 0:
            mend += " For controllers: sudo systemctl set-property user@$(id -u).service Delegate=yes"
        return [Finding("Control groups", "missing", str(error), mend)]
    found = [Finding("Control groups", "found", f"version {version}: cpu, memory, pids")]
    return found + [_controller(name, name in bases) for name in OPTIONAL[version]]


def _controller(name: str, there: bool) -> Finding:
    title = f"Controller {name}"
    if name == "cpuset":
        purpose = "cores that a program inside cannot add to"
        without = "Programs may use other cores than they see; the cpu limit holds all the same."
    else:
        purpose = "limits and accounts of disk transfers"
        without = "Disk transfers are not limited, and counted by process only."
    if there:
        return Finding(title, "found", purpose)
    mend = "Boot with a kernel that has it; for an ordinary user: Delegate=yes (see Control groups)."
    return Finding(title, "optional", without, mend)


def privileges() -> Finding:
    """Giving up every capability for good is of the kernel itself; that it was done is looked at."""
    code = (
        "from sandbox.jail import linux\nlinux.unshare(linux.CLONE_NEWUSER)\n"
        "linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)\nlinux.drop_capabilities()\nprint(open('/proc/self/status').read())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=_CHECKOUT)
    status = dict(line.split(":\t", 1) for line in done.stdout.splitlines() if ":\t" in line)
    empty = all(int(status.get(name, "1"), 16) == 0 for name in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"))
    if empty and status.get("NoNewPrivs") == "1":
        return Finding("Privileges", "found", "every capability is given up, and no program can bring one back")
    return Finding("Privileges", "missing", "Capabilities could not be given up.", "See the lines on namespaces.")


def limits() -> Finding:
    """Resource limits exist everywhere; what the service itself may not exceed, its sandboxes may not either."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    total = int(Path("/proc/sys/fs/file-max").read_text())
    if total < _FEW_FILES:
        detail = f"All processes of this host together may open {total} files: a few sandboxes can use them up."
        return Finding("Resource limits", "optional", detail, f"sudo sysctl -w fs.file-max={1 << 40}")
    return Finding("Resource limits", "found", f"file size, open files (up to {soft}), processes, locked memory, cores")


def disk_limit() -> Finding:
    """Kept by looking (``sandbox/jail/guard.py``): it asks nothing of the host."""
    detail = "the jail measures projects; over it no file grows, and deleting works"
    return Finding("Disk limit", "found", detail)


def mapped_mounts() -> Finding:
    """Tried where the state directory is: projects are beneath it."""
    name = "Idmapped mounts"
    if os.geteuid() != 0:
        return Finding(name, "found", "not needed: sandboxes run as the owner of the files")
    code = (
        "import sys\nfrom sandbox.jail import linux, root\nlinux.unshare(linux.CLONE_NEWNS)\n"
        "user = root.idmap_namespace((0, 0), 1900000000)\n"
        "tree = linux.open_tree(sys.argv[1])\nlinux.mount_setattr('', linux.MOUNT_ATTR_IDMAP, tree, user)"
    )
    places = (Path(os.environ.get("MADANG_STATE") or _CHECKOUT / "var"), _CHECKOUT)
    place = next(str(place) for place in places if place.is_dir())
    done = subprocess.run([sys.executable, "-c", code, place], capture_output=True, text=True, cwd=_CHECKOUT)
    if done.returncode == 0:
        return Finding(name, "found", "a sandbox's own host user reaches the project's files, whose owner stays")
    detail = f"The file system of {place} does not take them ({done.stderr.strip().splitlines()[-1]})."
    return Finding(name, "missing", detail, "Keep projects on ext4, xfs or btrfs (MADANG_STATE), or run as a user.")
