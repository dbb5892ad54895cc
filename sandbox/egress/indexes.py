"""Where this machine's package tools find packages: what ``packages`` means on a site that says nothing else.

No index is named here: pip and npm say which they use, by their own configuration or built in.
"""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

SECONDS = 10  # a tool that does not answer by then does not hold sessions up any longer

# pip's own default, asked of pip itself; its files lie on a host of their own.
_PIP = """
import json
from pip._internal.configuration import Configuration
from pip._internal.models.index import PyPI
settings = Configuration(isolated=False)
settings.load()
chosen = {key.partition(".")[2]: value for key, value in settings.items()
          if key.startswith(("global.", "install.", ":env:."))}
print(json.dumps({"settings": chosen, "index": PyPI.simple_url, "files": PyPI.file_storage_domain}))
"""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Indexes:
    """``hosts`` that packages come from, and the environment that makes tools inside ask there."""

    hosts: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)


def package_indexes() -> Indexes:
    """Those of this machine's pip and npm. Runs both at once, so it takes a second."""
    with ThreadPoolExecutor(1) as other:
        asked = other.submit(_npm_indexes)
        python, node = pip_indexes(_output([sys.executable, "-c", _PIP])), asked.result()
    hosts = dict.fromkeys((*python.hosts, *node.hosts))
    return Indexes(tuple(hosts), python.environment | node.environment)


def pip_indexes(answer: str) -> Indexes:
    """What pip's answer (see above) means: its index, further ones, and where files lie for its built-in one."""
    try:
        said = json.loads(answer)
        settings, builtin, files = dict(said["settings"]), str(said["index"]), str(said["files"])
    except (ValueError, KeyError, TypeError):
        return Indexes()
    index = str(settings.get("index-url") or builtin)
    main, more = (
        _web(index),
        [url for text in str(settings.get("extra-index-url") or "").split() if (url := _web(text))],
    )
    hosts = [str(url.hostname) for url in (main, *more) if url]
    environment = {}
    if main and index != builtin:
        environment["PIP_INDEX_URL"] = _public(main)
    if more:
        environment["PIP_EXTRA_INDEX_URL"] = " ".join(map(_public, more))
    if trusted := str(settings.get("trusted-host") or ""):
        environment["PIP_TRUSTED_HOST"] = " ".join(trusted.split())
    return Indexes(tuple(hosts + [files] * (index == builtin)), environment)


def _npm_indexes() -> Indexes:
    npm = shutil.which("npm")
    url = _web(_output([npm, "config", "get", "registry"]).strip()) if npm else None
    return Indexes((str(url.hostname),), {"NPM_CONFIG_REGISTRY": _public(url)}) if url else Indexes()


def _output(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True, cwd="/")
    except (OSError, subprocess.SubprocessError) as error:
        log.warning("%s could not say where packages are: %s", command[0], error)
        return ""
    return done.stdout


def _web(text: str) -> SplitResult | None:
    try:
        url = urlsplit(text)
    except ValueError:
        return None
    return url if url.scheme in ("http", "https") and url.hostname else None


def _public(url: SplitResult) -> str:
    """Without user and password: what is in a sandbox's environment is no secret."""
    return url._replace(netloc=url.netloc.rpartition("@")[2]).geturl()
