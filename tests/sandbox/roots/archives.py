"""Archives for tests: layers, images of the OCI layout and of docker save, and a small root of this host's files."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path

Entry = tuple[str, bytes | str | None]
"""A name, and a file's text, or a link's target, or None for a folder."""

PROGRAMS = ("bash", "cat", "ls", "id", "touch", "chmod", "sleep", "head", "env", "mount", "grep", "true")


def member(
    name: str, kind: bytes = tarfile.REGTYPE, size: int = 0, link: str = "", mode: int = 0o644
) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname, info.mode, info.mtime = kind, size, link, mode, 1_700_000_000
    return info


def layer(*entries: Entry, more: Iterable[tarfile.TarInfo] = ()) -> bytes:
    """A layer of files, links and folders, and then of ``more`` members without content."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, content in entries:
            if content is None:
                archive.addfile(member(name, tarfile.DIRTYPE, mode=0o755))
            elif isinstance(content, str):
                archive.addfile(member(name, tarfile.SYMTYPE, link=content))
            else:
                archive.addfile(member(name, size=len(content), mode=0o755), io.BytesIO(content))
        for info in more:
            archive.addfile(info)
    return made.getvalue()


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def oci(
    folder: Path,
    layers: list[bytes],
    config: dict[str, object] | None = None,
    architecture: str = "amd64",
    compress: Callable[[bytes], bytes] = gzip.compress,
) -> Path:
    """An image of the OCI layout in ``folder``."""
    contents = [digest(one) for one in layers]
    stored = [compress(one) for one in layers]
    text = {"architecture": architecture, "os": "linux", "config": config or {}, "rootfs": {"diff_ids": contents}}
    own = json.dumps(text).encode()
    manifest = {"config": {"digest": digest(own)}, "layers": [{"digest": digest(one)} for one in stored]}
    whole = json.dumps(manifest).encode()
    for blob in (own, whole, *stored):
        path = folder / "blobs" / digest(blob).replace(":", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(blob)
    listed = [{"digest": digest(whole), "platform": {"architecture": architecture, "os": "linux"}}]
    (folder / "index.json").write_text(json.dumps({"manifests": listed}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return folder


def docker_save(file: Path, layers: list[bytes], config: dict[str, object] | None = None) -> Path:
    """An archive such as ``docker save`` wrote before engines kept OCI layouts."""
    own = json.dumps({"config": config or {}, "rootfs": {"diff_ids": [digest(one) for one in layers]}}).encode()
    name = f"{hashlib.sha256(own).hexdigest()}.json"
    names = [f"{number}/layer.tar" for number in range(len(layers))]
    listing = json.dumps([{"Config": name, "RepoTags": ["x:1"], "Layers": names}]).encode()
    with tarfile.open(file, "w") as archive:
        for path, data in [*zip(names, layers, strict=True), (name, own), ("manifest.json", listing)]:
            archive.addfile(member(path, size=len(data)), io.BytesIO(data))
    return file


def tarred(folder: Path, file: Path, mode: str = "w") -> Path:
    with tarfile.open(file, mode) as archive:  # type: ignore[call-overload]
        archive.add(folder, arcname=".")
    return file


def small_root(folder: Path, programs: Iterable[str] = PROGRAMS) -> Path:
    """A root with ``programs`` of this host and the libraries that they need, which says that it is another system."""
    for program in programs:
        path = Path(shutil.which(program, path="/usr/bin:/bin") or f"/usr/bin/{program}").resolve()
        _copy(path, folder / "usr" / "bin" / program)
        for library in _libraries(path):
            _copy(library, folder / str(library).lstrip("/"))
    (folder / "bin").symlink_to("usr/bin")
    (folder / "etc").mkdir()
    (folder / "etc" / "os-release").write_text('NAME="Tiny"\nID=tiny\n')
    (folder / "etc" / "shadow").write_text("root:secret\n")
    (folder / "etc" / "shadow").chmod(0o600)
    (folder / "etc" / "passwd").write_text("root:x:0:0::/root:/bin/bash\n")
    return folder


def _libraries(program: Path) -> list[Path]:
    said = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    words = [word for line in said.splitlines() for word in line.split() if word.startswith("/")]
    return [Path(word) for word in words]


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
