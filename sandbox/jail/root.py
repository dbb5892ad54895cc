"""The private root: carried out by the runner, as pid 1, before it gives up its capabilities."""

from __future__ import annotations

import os
from pathlib import Path

from sandbox.jail import linux
from sandbox.jail.plan import Bind, Plan

_STAGE = "/tmp"  # noqa: S108 - any directory of the host's: what we mount there only we see
_SAFE = linux.MS_NOSUID | linux.MS_NODEV
_HIDDEN = (
    "kcore",
    "keys",
    "key-users",
    "timer_list",
    "sched_debug",
    "sysrq-trigger",
    "kallsyms",
    "kmsg",
    "latency_stats",
)
_ROOM = "/room"
_BYTES_PER_INODE, _FEWEST_INODES = 16 * 1024, 2048
_TERMINALS = 256  # the host has but so many: kernel.pty.max counts those of all sandboxes
_READ_ONLY = ("bus", "fs", "irq", "sys")


def open_sources(plan: Plan, userns_for: dict[tuple[int, int], int]) -> list[tuple[int, str]]:
    """Detached copies of every bind's mounts, with their attributes set: ``(descriptor, target)``.

    ``userns_for`` maps an owner on disk to a user namespace that makes it the sandboxed user (idmapped
    mounts, mount_setattr(2)); empty where the sandboxed user owns the files already.
    """
    trees = []
    for bind in plan.binds:
        tree = linux.open_tree(bind.source)
        linux.mount_setattr("", _attributes(bind), tree)
        if bind.owner in userns_for:
            linux.mount_setattr("", linux.MOUNT_ATTR_IDMAP, tree, userns_for[bind.owner])
        trees.append((tree, bind.target))
    return trees


def idmap_namespace(owner: tuple[int, int], host_id: int) -> int:
    """A user namespace in which ``owner`` on disk is ``host_id``: a short-lived child lends it."""
    ready, child_ready = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            linux.unshare(linux.CLONE_NEWUSER)
            os.write(child_ready, b"1")
            os.close(ready)
            os.close(child_ready)
            os.kill(os.getpid(), 19)  # SIGSTOP: wait to be read and killed
        finally:
            os._exit(0)
    os.close(child_ready)
    try:
        if not os.read(ready, 1):
            raise OSError("no user namespace for the idmapped mount")
        for name, id in (("uid_map", owner[0]), ("gid_map", owner[1])):
            Path(f"/proc/{pid}/{name}").write_text(f"{id} {host_id} 1")
        return os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(ready)
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def enter(plan: Plan, trees: list[tuple[int, str]]) -> None:
    """Build the root from ``trees`` and the plan, and make it the only one there is.

    Raises:
        OSError: the kernel refused a step; the message names it.
    """
    linux.mount("madang", _STAGE, "tmpfs", _SAFE, "size=64m,mode=755")
    _dev()
    for target, size in plan.tmpfs.items():
        _tmpfs(target, size, plan.own_programs)
    _shared(plan)
    _proc()
    _pts()
    for tree, target in trees:
        _attach(tree, target)
    for link, destination in plan.links.items():
        _parent(link).joinpath(Path(link).name).symlink_to(destination)
    for name, text in plan.files.items():
        _parent(name).joinpath(Path(name).name).write_text(text)
    for empty in (*plan.folders, "/sys", "/mnt", "/opt", "/srv", "/var/log", "/var/cache"):
        _inside(empty).mkdir(parents=True, exist_ok=True)
    os.chdir(_STAGE)
    linux.pivot_root(".", ".")
    linux.umount2(".", linux.MNT_DETACH)
    os.chdir("/")
    for target in ("/", "/dev"):
        linux.mount("", target, "", linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | _SAFE)


def _inside(target: str) -> Path:
    return Path(_STAGE + target)


def _parent(target: str) -> Path:
    parent = _inside(target).parent
    parent.mkdir(parents=True, exist_ok=True)
    return parent


def _dev() -> None:
    _inside("/dev").mkdir()
    linux.mount("dev", _STAGE + "/dev", "tmpfs", linux.MS_NOSUID, "size=64k,nr_inodes=128,mode=755")


def _tmpfs(target: str, size: int, programs: bool) -> None:
    """A tmpfs with room for ``size`` bytes; and as few inodes as files of 16 KiB would fill it with."""
    _inside(target).mkdir(parents=True, exist_ok=True)
    inodes = max(_FEWEST_INODES, size // _BYTES_PER_INODE)
    flags = _SAFE if programs else _SAFE | linux.MS_NOEXEC
    linux.mount("tmpfs", _STAGE + target, "tmpfs", flags, f"size={size},nr_inodes={inodes},mode=755")


def _shared(plan: Plan) -> None:
    """One tmpfs whose room the shared folders have together: a folder of it is bound on each."""
    _tmpfs(_ROOM, plan.space, plan.own_programs)
    for index, target in enumerate(plan.shared):
        folder = _inside(f"{_ROOM}/{index}")
        folder.mkdir()
        folder.chmod(0o1777 if target in ("/tmp", "/dev/shm") else 0o755)  # noqa: S108
        _inside(target).mkdir(parents=True, exist_ok=True)
        linux.mount(str(folder), _STAGE + target, "", linux.MS_BIND)
    linux.umount2(_STAGE + _ROOM, linux.MNT_DETACH)  # the folders stay: they are mounts of their own
    _inside(_ROOM).rmdir()


def _proc() -> None:
    """A proc of this pid namespace, without the kernel's own knobs and secrets."""
    _inside("/proc").mkdir()
    linux.mount("proc", _STAGE + "/proc", "proc", _SAFE | linux.MS_NOEXEC)
    for name in _HIDDEN:
        path = f"{_STAGE}/proc/{name}"
        if os.path.exists(path):
            linux.mount("/dev/null", path, "", linux.MS_BIND)
    for name in _READ_ONLY:
        path = f"{_STAGE}/proc/{name}"
        if os.path.isdir(path):
            linux.mount(path, path, "", linux.MS_BIND | linux.MS_REC)
            linux.mount("", path, "", linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | _SAFE | linux.MS_NOEXEC)


def _pts() -> None:
    _inside("/dev/pts").mkdir()
    flags = linux.MS_NOSUID | linux.MS_NOEXEC
    linux.mount("devpts", _STAGE + "/dev/pts", "devpts", flags, f"newinstance,ptmxmode=0666,mode=620,max={_TERMINALS}")


def _attach(tree: int, target: str) -> None:
    path = _parent(target) / Path(target).name
    if os.path.isdir(f"/proc/self/fd/{tree}"):
        path.mkdir(exist_ok=True)
    elif not path.exists():  # a program over its own folder's mount is there, and that is read-only
        path.touch()
    linux.move_mount(tree, str(path))
    os.close(tree)


def _attributes(bind: Bind) -> int:
    attributes = linux.MOUNT_ATTR_NOSUID
    if not bind.device:
        attributes |= linux.MOUNT_ATTR_NODEV
    if not bind.writable:
        attributes |= linux.MOUNT_ATTR_RDONLY
    if not bind.executable:
        attributes |= linux.MOUNT_ATTR_NOEXEC
    return attributes
