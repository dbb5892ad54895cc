"""The private root: carried out by the runner, as pid 1, before it gives up its capabilities."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from sandbox.jail import linux, overlay
from sandbox.jail.bind import Bind
from sandbox.jail.plan import Plan

_STAGE = "/tmp"  # noqa: S108 - any directory of the host's: what we mount there only we see
_SAFE = linux.MS_NOSUID | linux.MS_NODEV
HIDDEN = (
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
# The host has but so many: kernel.pty.max counts those of all sandboxes.
TERMINALS = "newinstance,ptmxmode=0666,mode=620,max=256"
QUEUES = "/dev/mqueue"
"""Where the message queues of POSIX are files, which can be seen and removed."""
READ_ONLY = ("bus", "fs", "irq", "sys")


def open_sources(plan: Plan, userns_for: dict[tuple[int, int], int]) -> list[tuple[int, str]]:
    """Detached copies of every bind's mounts, with their attributes set: ``(descriptor, target)``; its root first.

    ``userns_for`` maps an owner on disk to a user namespace that makes it the sandboxed user (idmapped
    mounts, mount_setattr(2)); empty where the sandboxed user owns the files already.
    """
    trees = []
    if plan.root:
        tree = linux.open_tree(plan.root, recursive=False)
        linux.mount_setattr("", _attributes(Bind(plan.root, "/")), tree)
        trees.append((tree, "/"))
    for bind in plan.binds:
        tree = linux.open_tree(bind.source)
        linux.mount_setattr("", _attributes(bind), tree)
        if bind.owner in userns_for:
            linux.mount_setattr("", linux.MOUNT_ATTR_IDMAP, tree, userns_for[bind.owner])
        trees.append((tree, bind.target))
    return trees


def idmap_namespace(owner: tuple[int, int], host_id: int) -> int:
    """A user namespace in which ``owner`` on disk is ``host_id``: a short-lived child lends it."""
    parent = os.getpid()
    ready, child_ready = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            linux.unshare(linux.CLONE_NEWUSER)
            linux.prctl(linux.PR_SET_PDEATHSIG, 9)  # or it stays stopped for ever, with all that its parent had open
            if os.getppid() != parent:  # which was killed before that
                os._exit(0)
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
    if plan.root:
        top = overlay.over_image(plan, trees.pop(0)[0], trees, _STAGE)
    else:
        top = _STAGE
        _dig(f"{top}/dev")
        _dig(f"{top}/proc")
    linux.mount("dev", f"{top}/dev", "tmpfs", linux.MS_NOSUID, "size=64k,nr_inodes=128,mode=755")
    for target, size in plan.tmpfs.items():
        _tmpfs(top + target, size, plan.own_programs)
    shared(plan, top, overlay.ROOM if plan.root else _ROOM)
    if not plan.root:
        os.rmdir(top + _ROOM)
    _proc(f"{top}/proc")
    _dig(top + QUEUES)
    with contextlib.suppress(OSError):  # a kernel without them
        linux.mount("mqueue", top + QUEUES, "mqueue", _SAFE | linux.MS_NOEXEC)
    _dig(f"{top}/dev/pts")
    linux.mount("devpts", f"{top}/dev/pts", "devpts", linux.MS_NOSUID | linux.MS_NOEXEC, TERMINALS)
    for tree, target in trees:
        _attach(tree, top + target)
    overlay.make(plan, top, overlay.beneath_mounts(plan) if plan.root else lambda _: True)
    os.chdir(top)
    linux.pivot_root(".", ".")
    linux.umount2(".", linux.MNT_DETACH)
    os.chdir("/")
    for target in ("/", "/dev"):
        linux.mount("", target, "", linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | _SAFE)


def _dig(folder: str) -> None:
    os.makedirs(folder, exist_ok=True)


def _tmpfs(target: str, size: int, programs: bool) -> None:
    """A tmpfs with room for ``size`` bytes; and as few inodes as files of 16 KiB would fill it with."""
    Path(target).mkdir(parents=True, exist_ok=True)
    inodes = max(_FEWEST_INODES, size // _BYTES_PER_INODE)
    flags = _SAFE if programs else _SAFE | linux.MS_NOEXEC
    linux.mount("tmpfs", target, "tmpfs", flags, f"size={size},nr_inodes={inodes},mode=755")


def shared(plan: Plan, stage: str, room: str) -> None:
    """One tmpfs whose room the shared folders of the root at ``stage`` have together: a folder of it is bound on each.

    It is at ``room`` for the moment.
    """
    _tmpfs(stage + room, plan.space, plan.own_programs)
    for index, target in enumerate(plan.shared):
        folder = Path(f"{stage}{room}/{index}")
        folder.mkdir()
        folder.chmod(0o1777 if target in ("/tmp", "/dev/shm") else 0o755)  # noqa: S108
        Path(stage + target).mkdir(parents=True, exist_ok=True)
        linux.mount(str(folder), stage + target, "", linux.MS_BIND)
    linux.umount2(stage + room, linux.MNT_DETACH)  # the folders stay: they are mounts of their own


def _proc(top: str) -> None:
    """A proc of this pid namespace, without the kernel's own knobs and secrets."""
    linux.mount("proc", top, "proc", _SAFE | linux.MS_NOEXEC)
    for name in HIDDEN:
        path = f"{top}/{name}"
        if os.path.exists(path):
            linux.mount("/dev/null", path, "", linux.MS_BIND)
    for name in READ_ONLY:
        path = f"{top}/{name}"
        if os.path.isdir(path):
            linux.mount(path, path, "", linux.MS_BIND | linux.MS_REC)
            linux.mount("", path, "", linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | _SAFE | linux.MS_NOEXEC)


def _attach(tree: int, path: str) -> None:
    if not os.path.exists(path):  # a program over its own folder's mount is there, and that is read-only
        overlay.place(tree, path)
    linux.move_mount(tree, path)
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
