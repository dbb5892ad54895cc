"""What to build, as data: a pure account of a sandbox that the builder only carries out."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field, replace
from glob import escape, glob
from pathlib import Path
from typing import Any

from sandbox import packages
from sandbox.drivers import SandboxSpec
from sandbox.egress.environment import proxy_environment
from sandbox.gpu import HUNDRED, Share
from sandbox.jail import guest
from sandbox.jail.bind import Bind
from sandbox.jail.seen import cpu_files
from sandbox.policy import Programs, load_policy
from sandbox.roots.paths import real
from sandbox.slots import MIB, Slots

INSIDE_ID = 1000
USER = "work"
HOME = f"/home/{USER}"
PROJECT = f"{HOME}/project"

# Of the host's /etc only what programs need to run; never what may hold a secret.
_ETC = """
alternatives ld.so.cache ld.so.conf ld.so.conf.d localtime timezone ssl/certs ssl/openssl.cnf ca-certificates.conf
pki/tls/certs pki/ca-trust fonts mime.types magic inputrc terminfo vim vimrc nanorc java-17-openjdk java-21-openjdk
R octave.d php python3 python3.11 python3.12 python3.13 perl protocols services ethertypes shells login.defs gai.conf
locale.alias locale.gen default/locale debian_version os-release lsb-release dpkg
""".split()  # noqa: SIM905 - a list of words reads as one
_STATE = ("/var/lib/ghc",)  # of programs that keep there what they cannot do without
_TOP = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_DEVICE_LINKS = {
    "/dev/fd": "/proc/self/fd",
    "/dev/stdin": "fd/0",
    "/dev/stdout": "fd/1",
    "/dev/stderr": "fd/2",
    "/dev/ptmx": "pts/ptmx",
    "/var/tmp": "/tmp",  # noqa: S108 - inside
}
# Of NVIDIA's driver, what every program that computes opens beside the devices themselves.
_GPU_CONTROL = ("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools")


@dataclass(frozen=True)
class Plan:
    """``host_id`` is the unprivileged host user (``None``: whoever runs the zygote). Sizes are in bytes.

    ``slots`` and the limits are the stricter of what was granted and what the policy allows;
    ``own_programs``: what the sandbox can write, it may execute.
    ``cores`` are those of the host it is pinned to and sees. ``shared`` folders share one tmpfs of ``space``.
    ``needed``: the programs that its image is of no use without, names and paths.
    ``programs`` are those behind its ``kernels`` that are not IPython's: see :mod:`sandbox.runner.language`.
    A ``spare`` one waits for a session that claims it: see :mod:`sandbox.jail.claim`.
    ``root``: the host folder whose files are its root, under the plan's own; "" where its binds are all there is.
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
    gpus: list[Share] = field(default_factory=list)
    needed: list[str] = field(default_factory=list)
    root: str = ""

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
        data["gpus"] = [Share(**share) for share in data["gpus"]]
        return cls(**data)


def make_plan(
    spec: SandboxSpec,
    directory: Path,
    prefix: Path,
    host_id: int | None,
    cores: list[int],
    *,
    spare: bool = False,
    settings: str = "",
) -> Plan:
    """The plan for ``spec`` on this host; ``prefix`` is the image's virtual environment, and ``settings`` its
    ``pyvenv.cfg`` where it does not lie on this host.

    What temporary files hold is memory of the sandbox's: all of them together get half, so that full they
    leave room for the programs that clean them up.

    Raises:
        LookupError: there is no such policy.
    """
    policy = load_policy(spec.policy)
    limits, programs = policy.limits, policy.programs
    needed = [name for requirement in spec.image.requires for name in requirement.started]
    root = spec.image.root
    own = packages.python_space(prefix, f"{HOME}/.local", settings) if root is None else packages.Space()
    system = _system(prefix) if root is None else guest.binds(prefix)
    variables = _environment(spec, prefix, len(cores)) if root is None else _of_an_image(spec, len(cores))
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
        binds=[
            *system,
            *only_programs(programs, prefix, needed, str(root or "")),
            *_devices(spec.gpus),
            *_data(spec, programs.own),
        ],
        links=(_links() if root is None else {}) | _DEVICE_LINKS | own.links,
        files=_files(spec.hostname) | cpu_files(cores) | own.files | spec.image.drivers,
        tmpfs={"/run": 4 * MIB},
        shared=["/tmp", HOME, "/dev/shm"],  # noqa: S108 - inside
        space=min(spec.slots.disk, spec.slots.memory // 2),
        folders=[PROJECT] if spare else [],
        spare=spare,
        programs={kernel.name: program for kernel in spec.image.kernels if (program := kernel.program())},
        environment=variables | own.environment,
        gpus=list(spec.gpus),
        needed=needed,
        root=str(root or ""),
    )


def _system(prefix: Path) -> list[Bind]:
    binds = [Bind("/usr", "/usr")]
    binds += [
        Bind(f"/{name}", f"/{name}") for name in _TOP if Path("/", name).is_dir() and not Path("/", name).is_symlink()
    ]
    binds += [Bind(f"/etc/{name}", f"/etc/{name}") for name in _ETC if Path("/etc", name).exists()]
    binds += [Bind(folder, folder) for folder in _STATE if Path(folder).is_dir()]
    for python in dict.fromkeys((sys.base_prefix, str(prefix))):
        if not python.startswith("/usr/") and python != "/usr":
            binds.append(Bind(python, python))
    return binds


def only_programs(programs: Programs, prefix: Path, needed: list[str], root: str = "") -> list[Bind]:
    """The folders from which little may be started, and over them, one by one, what may; beneath ``root``, if any.

    That is what the policy names, and what the image ``needed``.

    By mounts and not by looking at the path in a call: that lies in memory, which changes after the look.
    """
    found = (folder for pattern in programs.folders for folder in sorted(glob(escape(root) + pattern)))
    folders = [folder for folder in found if real(root, folder.removeprefix(root)) == folder and os.path.isdir(folder)]
    names = [*programs.only, *needed] if folders else []
    wanted = [os.path.join(folder.removeprefix(root), name) for name in names for folder in folders]
    if not root:
        wanted.append(str(prefix / "bin" / "python"))
    files = {file for path in wanted if os.path.isfile(file := real(root, path))}
    covered = sorted(file for file in files if any(file.startswith(f"{folder}/") for folder in folders))
    shut = [Bind(folder, folder.removeprefix(root), executable=False) for folder in folders]
    return shut + [Bind(file, file.removeprefix(root)) for file in covered]


def _devices(gpus: tuple[Share, ...]) -> list[Bind]:
    nodes = [f"/dev/{name}" for name in _DEVICES]
    if gpus:
        nodes += [share.node for share in gpus] + [node for node in _GPU_CONTROL if os.path.exists(node)]
    return [Bind(node, node, writable=True, device=True) for node in nodes]


def _data(spec: SandboxSpec, executable: bool) -> list[Bind]:
    binds = [Bind(str(path), f"/datasets/{name}", executable=executable) for name, path in spec.datasets.items()]
    if spec.project is not None:
        stat = os.stat(spec.project, follow_symlinks=False)
        binds.append(Bind(str(spec.project), PROJECT, True, owner=(stat.st_uid, stat.st_gid), executable=executable))
    return binds


def _links() -> dict[str, str]:
    return {f"/{name}": os.readlink(f"/{name}") for name in _TOP if Path("/", name).is_symlink()}


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
        **_gpu_environment(spec.gpus),
        **spec.image.environment,
        **spec.environment,
    }


def _of_an_image(spec: SandboxSpec, cores: int) -> dict[str, str]:
    """The variables where the root is the image's own: its programs come first and are all there is.

    What pip(1) installs goes into the user's own space, whichever Python the image has.
    """
    own = {"PATH": f"{HOME}/.local/bin:{spec.image.search}", "PIP_USER": "1", "PIP_BREAK_SYSTEM_PACKAGES": "1"}
    given = _environment(spec, Path("/"), cores)
    return {name: value for name, value in given.items() if not name.startswith("VIRTUAL_ENV")} | own


def _gpu_environment(gpus: tuple[Share, ...]) -> dict[str, str]:
    """What CUDA and what stands on it are told; by UUID, since inside the devices have other numbers."""
    if not gpus:
        return {}
    told = {"CUDA_VISIBLE_DEVICES": ",".join(share.uuid for share in gpus), "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    if any(share.part < HUNDRED for share in gpus):
        told["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"  # TensorFlow would else take all of the device's memory at once
    return told


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
