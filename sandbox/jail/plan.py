"""What to build, as data: a pure account of a sandbox that the builder only carries out."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sandbox import packages
from sandbox.drivers import SandboxSpec
from sandbox.egress.environment import proxy_environment
from sandbox.jail.seen import cpu_files
from sandbox.policy import Programs, load_policy
from sandbox.slots import MIB, Slots

INSIDE_ID = 1000
USER = "work"
HOME = f"/home/{USER}"
PROJECT = f"{HOME}/project"

# Of the host's /etc only what programs need to run; never what may hold a secret.
_ETC = """
alternatives ld.so.cache ld.so.conf ld.so.conf.d localtime timezone ssl/certs ssl/openssl.cnf ca-certificates.conf
pki/tls/certs pki/ca-trust fonts mime.types magic inputrc terminfo vim vimrc nanorc java-17-openjdk java-21-openjdk
R octave.d python3 python3.11 python3.12 python3.13 perl protocols services ethertypes shells login.defs gai.conf
locale.alias locale.gen default/locale debian_version os-release lsb-release dpkg
""".split()  # noqa: SIM905 - a list of words reads as one
_TOP = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")


@dataclass(frozen=True)
class Bind:
    """A host path shown at ``target``.

    ``owner`` (uid, gid on disk) makes its files the sandboxed user's, by an idmapped mount. What is not
    ``executable`` can be read, and neither started nor loaded as a library.
    """

    source: str
    target: str
    writable: bool = False
    device: bool = False
    owner: tuple[int, int] | None = None
    executable: bool = True


@dataclass(frozen=True)
class Plan:
    """``host_id`` is the unprivileged host user (``None``: whoever runs the zygote). Sizes are in bytes.

    ``slots`` and the limits are the stricter of what was granted and what the policy allows;
    ``own_programs``: what the sandbox can write, it may execute.
    ``cores`` are those of the host it is pinned to and sees. ``shared`` folders share one tmpfs of ``space``.
    ``programs`` are those behind its ``kernels`` that are not IPython's: see :mod:`sandbox.runner.language`.
    A ``spare`` one waits for a session that claims it: see :mod:`sandbox.jail.claim`.
    """

    id: str
    directory: str
    image: str
    kernels: list[str]
    hostname: str
    host_id: int | None
    slots: Slots
    cores: list[int]
    policy: str
    open_files: int
    file_size: int
    locked_memory: int
    own_programs: bool
    binds: list[Bind]
    links: dict[str, str]
    files: dict[str, str]
    tmpfs: dict[str, int]
    shared: list[str]
    space: int
    folders: list[str] = field(default_factory=list)
    spare: bool = False
    programs: dict[str, dict[str, Any]] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def project(self) -> str | None:
        """The host folder of its project."""
        return next((bind.source for bind in self.binds if bind.target == PROJECT), None)

    def to_json(self) -> str:
        return json.dumps(vars(self), default=vars)  # asdict() copies all it meets, which takes ten times as long

    @classmethod
    def from_json(cls, text: str) -> Plan:
        data: dict[str, Any] = json.loads(text)
        data["slots"] = Slots(**data["slots"])
        data["binds"] = [Bind(**{**bind, "owner": bind["owner"] and tuple(bind["owner"])}) for bind in data["binds"]]
        return cls(**data)


def make_plan(
    spec: SandboxSpec, directory: Path, prefix: Path, host_id: int | None, cores: list[int], *, spare: bool = False
) -> Plan:
    """The plan for ``spec`` on this host; ``prefix`` is the image's virtual environment.

    What temporary files hold is memory of the sandbox's: all of them together get half, so that full they
    leave room for the programs that clean them up.

    Raises:
        LookupError: there is no such policy.
    """
    policy = load_policy(spec.policy)
    limits, programs = policy.limits, policy.programs
    own = packages.python_space(prefix, f"{HOME}/.local")
    return Plan(
        id=spec.id,
        directory=str(directory),
        image=spec.image.name,
        kernels=[kernel.name for kernel in spec.image.kernels],
        hostname=spec.hostname,
        host_id=host_id,
        slots=replace(spec.slots, processes=min(spec.slots.processes, limits.tasks)),
        cores=cores,
        policy=spec.policy,
        open_files=limits.open_files,
        file_size=min(spec.slots.disk, limits.file_size or spec.slots.disk),
        locked_memory=limits.locked_memory,
        own_programs=programs.own,
        binds=[*_system(prefix), *_programs(programs, prefix), *_devices(), *_data(spec, programs.own)],
        links=_links() | own.links,
        files=_files(spec.hostname) | cpu_files(cores) | own.files | spec.image.drivers,
        tmpfs={"/run": 4 * MIB},
        shared=["/tmp", HOME, "/dev/shm"],  # noqa: S108 - inside
        space=min(spec.slots.disk, spec.slots.memory // 2),
        folders=[PROJECT] if spare else [],
        spare=spare,
        programs={kernel.name: program for kernel in spec.image.kernels if (program := kernel.program())},
        environment=_environment(spec, prefix, len(cores)) | own.environment,
    )


def _system(prefix: Path) -> list[Bind]:
    binds = [Bind("/usr", "/usr")]
    binds += [
        Bind(f"/{name}", f"/{name}") for name in _TOP if Path("/", name).is_dir() and not Path("/", name).is_symlink()
    ]
    binds += [Bind(f"/etc/{name}", f"/etc/{name}") for name in _ETC if Path("/etc", name).exists()]
    for python in dict.fromkeys((sys.base_prefix, str(prefix))):
        if not python.startswith("/usr/") and python != "/usr":
            binds.append(Bind(python, python))
    return binds


def _programs(programs: Programs, prefix: Path) -> list[Bind]:
    """The folders of the host from which little may be started, and over them, one by one, what may.

    By mounts and not by looking at the path in a call: that lies in memory, which changes after the look.
    """
    folders = [folder for folder in programs.folders if os.path.isdir(folder) and not os.path.islink(folder)]
    wanted = [os.path.join(folder, name) for name in programs.only for folder in folders]
    wanted.append(str(prefix / "bin" / "python"))
    files = {os.path.realpath(path) for path in wanted if os.path.isfile(path)}
    covered = sorted(file for file in files if any(file.startswith(f"{folder}/") for folder in folders))
    return [Bind(folder, folder, executable=False) for folder in folders] + [Bind(file, file) for file in covered]


def _devices() -> list[Bind]:
    return [Bind(f"/dev/{name}", f"/dev/{name}", writable=True, device=True) for name in _DEVICES]


def _data(spec: SandboxSpec, executable: bool) -> list[Bind]:
    binds = [Bind(str(path), f"/datasets/{name}", executable=executable) for name, path in spec.datasets.items()]
    if spec.project is not None:
        stat = os.stat(spec.project, follow_symlinks=False)
        binds.append(Bind(str(spec.project), PROJECT, True, owner=(stat.st_uid, stat.st_gid), executable=executable))
    return binds


def _links() -> dict[str, str]:
    links = {f"/{name}": os.readlink(f"/{name}") for name in _TOP if Path("/", name).is_symlink()}
    devices = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx"}
    return links | {f"/dev/{name}": target for name, target in devices.items()} | {"/var/tmp": "/tmp"}  # noqa: S108


def _files(hostname: str) -> dict[str, str]:
    nobody = "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    return {
        "/etc/passwd": f"{USER}:x:{INSIDE_ID}:{INSIDE_ID}:{USER}:{HOME}:/bin/bash\n{nobody}",
        "/etc/group": f"{USER}:x:{INSIDE_ID}:\nnogroup:x:65534:\n",
        "/etc/hosts": f"127.0.0.1 localhost {hostname}\n::1 localhost\n",
        "/etc/hostname": f"{hostname}\n",
        "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
        "/etc/resolv.conf": "# names are resolved by the proxy that http_proxy names\n",
        f"{HOME}/.bashrc": _BASHRC,
        f"{HOME}/.profile": ". ~/.bashrc\n",
    }


def _environment(spec: SandboxSpec, prefix: Path, cores: int) -> dict[str, str]:
    return {
        "HOME": HOME,
        "USER": USER,
        "LOGNAME": USER,
        "SHELL": "/bin/bash",
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "PATH": f"{HOME}/.local/bin:{prefix}/bin:/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games",
        "VIRTUAL_ENV": str(prefix),
        "VIRTUAL_ENV_DISABLE_PROMPT": "1",
        **dict.fromkeys(spec.image.thread_variables, str(cores)),
        **proxy_environment(),
        **spec.image.environment,
        **spec.environment,
    }


_BASHRC = r"""# Yours to change; it is written anew with each session.
case $- in *i*) ;; *) return ;; esac
HISTCONTROL=ignoreboth
HISTSIZE=10000
shopt -s histappend checkwinsize
PS1='\[\e[32m\]\u@\h\[\e[0m\]:\[\e[34m\]\w\[\e[0m\]\$ '
alias ls='ls --color=auto' ll='ls -alF' grep='grep --color=auto'
[ -f /usr/share/bash-completion/bash_completion ] && . /usr/share/bash-completion/bash_completion
command -v vim >/dev/null || ! command -v vi >/dev/null || alias vim=vi
"""
