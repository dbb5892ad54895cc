"""The builder and what it leaves behind: from a process with the service's privileges to a runner with none."""

from __future__ import annotations

import fcntl
import os
import resource
import socket
import struct
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

from sandbox.jail import guest, landlock, linux, root
from sandbox.jail.beginning import start_clock
from sandbox.jail.cgroups import Cgroup
from sandbox.jail.plan import INSIDE_ID, PROJECT, Plan
from sandbox.policy.compile import seccomp_program
from sandbox.runner import egress, server
from sandbox.runner.children import RESERVED_TASKS

_NAMESPACES = (
    linux.CLONE_NEWUSER
    | linux.CLONE_NEWNS
    | linux.CLONE_NEWPID
    | linux.CLONE_NEWIPC
    | linux.CLONE_NEWUTS
    | linux.CLONE_NEWNET
    | linux.CLONE_NEWCGROUP
    | linux.CLONE_NEWTIME
)
_WRITABLE = ("/dev", "/proc")  # besides the tmpfs of the plan, home and the project in it among them
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1


@dataclass(frozen=True)
class Channels:
    """Descriptors that cross into the sandbox, and the pipe pair on which builder and jail speak."""

    listener: int
    lifeline: int
    spill: str
    to_jail: int
    from_jail: int


def build(plan: Plan, cgroup: Cgroup, channels: Channels) -> None:
    """In a forked child of the jail: never returns. What goes wrong is written to ``to_jail`` as ``error ...``."""
    try:
        program = seccomp_program(plan.policy)
        cgroup.join()
        os.sched_setaffinity(0, plan.cores)  # where a cpuset holds, this is what it says; elsewhere it is the pin
        trees, spill = _namespaces(plan, channels)
        _hand_over_namespaces(channels.lifeline)
        pid = os.fork()
        if pid:
            os.write(channels.to_jail, f"runner {pid}\n".encode())
            os._exit(0)
        _be_runner(plan, channels, trees, spill, program)
    except BaseException as error:
        traceback.print_exc()
        os.write(channels.to_jail, f"error {error}\n".encode())
    finally:
        os._exit(1)


def _namespaces(plan: Plan, channels: Channels) -> tuple[list[tuple[int, str]], int]:
    """Leave the host's namespaces; returns the detached mounts, and the folder for the logs (never mounted)."""
    if plan.host_id is None:
        user, group = os.getuid(), os.getgid()
        linux.unshare(_NAMESPACES)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{INSIDE_ID} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{INSIDE_ID} {group} 1")
        start_clock("self")
        _detach_from_host()
        return root.open_sources(plan, {}), linux.open_tree(channels.spill)
    linux.unshare(linux.CLONE_NEWNS)
    _detach_from_host()
    owners = {bind.owner for bind in plan.binds if bind.owner}
    trees = root.open_sources(plan, {owner: root.idmap_namespace(owner, plan.host_id) for owner in owners})
    os.chown(channels.spill, plan.host_id, plan.host_id)
    spill = linux.open_tree(channels.spill)
    os.setgroups([])
    os.setresgid(plan.host_id, plan.host_id, plan.host_id)
    os.setresuid(plan.host_id, plan.host_id, plan.host_id)
    linux.unshare(_NAMESPACES)
    os.write(channels.to_jail, b"map\n")  # only the privileged side may map another user
    os.read(channels.from_jail, 1)
    return trees, spill


def _hand_over_namespaces(lifeline: int) -> None:
    """Give the jail our user and mount namespaces: an ordinary user could not open them later from outside."""
    spaces = [os.open(f"/proc/self/ns/{name}", os.O_RDONLY | os.O_CLOEXEC) for name in ("user", "mnt")]
    with socket.socket(fileno=os.dup(lifeline)) as line:
        socket.send_fds(line, [b"."], spaces)
    for space in spaces:
        os.close(space)


def _detach_from_host() -> None:
    linux.mount("", "/", "", linux.MS_REC | linux.MS_PRIVATE)


def _be_runner(plan: Plan, channels: Channels, trees: list[tuple[int, str]], spill: int, program: bytes) -> None:
    linux.set_name("runner")
    os.setsid()  # no process group with the jail: what is sent to a group from inside stays inside
    root.enter(plan, trees)
    if plan.root:
        guest.settle()
    socket.sethostname(plan.hostname)
    _loopback_up()
    serve(plan, channels.listener, channels.lifeline, spill, program)


def serve(plan: Plan, listener: int, lifeline: int, spill: int, program: bytes) -> None:
    """As pid 1 of a sandbox that is built: give up what is left of privileges, and be its runner. Never returns."""
    _environment(plan)
    listener, lifeline, spill = _keep_only(listener, lifeline, spill)
    _limits(plan)
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    linux.drop_capabilities()
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    landlock.restrict([*_WRITABLE, *plan.tmpfs, *plan.shared, spill])
    _hand_over(linux.seccomp_filter(program), lifeline)
    home = Path.home() if plan.spare or not os.path.isdir(PROJECT) else Path(PROJECT)
    os.chdir(home)
    _silence()
    kernels, inherited = tuple(plan.kernels), (listener, lifeline, spill)
    config = server.RunnerConfig(
        plan.image,
        kernels,
        home,
        *inherited,
        spare=plan.spare,
        door=egress.PORT,
        programs=plan.programs,
        scratch=(*plan.shared, *plan.tmpfs, root.QUEUES),
    )
    server.run(config)


def _hand_over(asked: int, lifeline: int) -> None:
    """Give the jail the descriptor on which asked calls arrive: from here on nobody inside has it."""
    with socket.socket(fileno=os.dup(lifeline)) as jail:
        socket.send_fds(jail, [b"A"], [asked])
    os.close(asked)


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _IFF_UP))


def _environment(plan: Plan) -> None:
    os.environ.clear()
    os.environ.update(plan.environment)
    os.umask(0o022)


def _keep_only(*descriptors: int) -> list[int]:
    """Close every descriptor but standard output and these, which become 3, 4, ..."""
    high = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 900) for descriptor in descriptors]
    os.closerange(3, 900)
    low = [os.dup2(descriptor, 3 + index, inheritable=False) for index, descriptor in enumerate(high)]
    os.closerange(3 + len(low), 1 << 16)
    return low


def _limits(plan: Plan) -> None:
    for what, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, plan.open_files),
        (resource.RLIMIT_FSIZE, plan.file_size),
        (resource.RLIMIT_MEMLOCK, plan.locked_memory),
        (resource.RLIMIT_NPROC, plan.slots.processes + RESERVED_TASKS),
    ):
        hard = resource.getrlimit(what)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (value, value))


def _silence() -> None:
    """From here on nothing inside can write to the host's logs."""
    sys.stdout.flush()
    sys.stderr.flush()
    null = os.open("/dev/null", os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.close(null)
