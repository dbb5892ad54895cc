"""What an archive says of the image in it: the documents of the OCI layout, and of ``docker save``. Pure."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.roots import RootError
from sandbox.roots.paths import parts
from sandbox.roots.reading import checked_digest

MOST_BYTES = 4 << 20
"""Of one document."""
_MOST_LAYERS = 512
_MOST_INDEXES = 3
_INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}

Document = Callable[[str, str], bytes]
"""The bytes of a document by the archive's name for it and its digest, "" where that is not known; checked."""


@dataclass(frozen=True)
class Blob:
    """One layer: the archive's ``name`` for it, and the digests that are stated, "" where there is none: of what is
    stored, and of the same decompressed."""

    name: str
    digest: str = ""
    content: str = ""


@dataclass(frozen=True)
class Manifest:
    """An image: its layers, the lowest first; the environment that its programs want, and its labels."""

    layers: tuple[Blob, ...]
    environment: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    digest: str = ""


def of_layout(index: bytes, document: Document, architecture: str = "") -> Manifest:
    """The image of an OCI layout by its ``index.json``; of several, the one for ``architecture``, else this machine's.

    Raises:
        RootError: it makes no sense, or there is none for it, or more than one.
    """
    wanted = architecture or _ARCHITECTURES.get(platform.machine(), platform.machine())
    listed = _choose(_objects(_parsed(index).get("manifests")), wanted)
    for _ in range(_MOST_INDEXES):
        digest = checked_digest(listed.get("digest"))
        text = document(blob_name(digest), digest)
        if listed.get("mediaType") not in _INDEXES:
            return _manifest(_parsed(text), digest, document)
        listed = _choose(_objects(_parsed(text).get("manifests")), wanted)
    raise RootError("The archive's index leads from one index to the next.")


def of_docker(listing: bytes, document: Document) -> Manifest:
    """The image of an archive of ``docker save`` by its ``manifest.json``.

    Raises:
        RootError: it makes no sense, or there is more than one.
    """
    images = _objects(_json(listing))
    if len(images) != 1:
        raise RootError(f"The archive holds {len(images)} images. Save one alone: docker save NAME.")
    names = images[0].get("Layers")
    config = images[0].get("Config")
    if not isinstance(config, str) or not isinstance(names, list) or not all(isinstance(n, str) for n in names):
        raise RootError("The archive's manifest.json makes no sense.")
    stated = "/".join(parts(config)).removesuffix(".json").rpartition("/")[2]
    digest = checked_digest(f"sha256:{stated}")
    text = document("/".join(parts(config)), digest)
    return _with_config(_parsed(text), [Blob("/".join(parts(name))) for name in names], digest)


def blob_name(digest: str) -> str:
    """Where an OCI layout has the blob with ``digest``."""
    return f"blobs/{digest.replace(':', '/')}"


def _manifest(manifest: dict[str, Any], digest: str, document: Document) -> Manifest:
    config = manifest.get("config")
    if not isinstance(config, dict):
        raise RootError("The image's manifest names no configuration.")
    digests = [checked_digest(layer.get("digest")) for layer in _objects(manifest.get("layers"))]
    stated = checked_digest(config.get("digest"))
    return _with_config(
        _parsed(document(blob_name(stated), stated)), [Blob(blob_name(one), one) for one in digests], digest
    )


def _with_config(config: dict[str, Any], layers: list[Blob], digest: str) -> Manifest:
    rootfs = config.get("rootfs")
    contents = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if not isinstance(contents, list) or len(contents) != len(layers):
        raise RootError("The image's configuration does not fit its layers.")
    if len(layers) > _MOST_LAYERS:
        raise RootError(f"The image has more than {_MOST_LAYERS} layers.")
    whole = tuple(
        Blob(layer.name, layer.digest, checked_digest(content)) for layer, content in zip(layers, contents, strict=True)
    )
    own = config.get("config")
    own = own if isinstance(own, dict) else {}
    return Manifest(whole, _environment(own.get("Env")), _texts(own.get("Labels")), digest)


def _environment(listed: object) -> dict[str, str]:
    pairs = (item.partition("=") for item in (listed if isinstance(listed, list) else []) if isinstance(item, str))
    return {name: value for name, equals, value in pairs if name and equals and "\0" not in name + value}


def _texts(labels: object) -> dict[str, str]:
    found = labels.items() if isinstance(labels, dict) else ()
    return {name: value for name, value in found if isinstance(value, str)}


def _choose(listed: list[dict[str, Any]], architecture: str) -> dict[str, Any]:
    """Of the images of an index the one that runs here: attestations and other machines' are left out."""
    possible = [one for one in listed if _platform(one).get("architecture", architecture) == architecture]
    possible = [one for one in possible if _platform(one).get("os", "linux") == "linux"]
    if len(possible) != 1:
        raise RootError(f"The archive holds {len(possible)} images for linux/{architecture}, where one is needed.")
    return possible[0]


def _platform(listed: dict[str, Any]) -> dict[str, Any]:
    found = listed.get("platform")
    return found if isinstance(found, dict) else {}


def _objects(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise RootError("The archive lacks a list that it must have.")
    return value


def _parsed(text: bytes) -> dict[str, Any]:
    value = _json(text)
    if not isinstance(value, dict):
        raise RootError("A document of the archive is no JSON object.")
    return value


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RootError(f"A document of the archive is no JSON: {str(error)[:200]}.") from error
