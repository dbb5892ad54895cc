"""Reading what is not trusted: counted, hashed and decompressed as it comes."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import re
import zlib
from typing import IO, Protocol, cast

import zstandard

from sandbox.roots import RootError

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_CHUNK = 1 << 20
DAMAGED = (EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError)
"""What reading something :func:`decompressed` may raise beside an OSError."""
MOST_WINDOW = 128 << 20
"""Memory that decompressing may take: what zstd(1) takes itself unless it is told to take more."""
_GZIP, _XZ, _ZSTD, _BZIP = b"\x1f\x8b", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"BZh"


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class Digested:
    """Reads ``source`` through a hash, and refuses to give more than ``most`` bytes."""

    def __init__(self, source: Readable, digest: str, most: int, what: str) -> None:
        self._source, self._digest, self._left, self._what = source, digest, most, what
        self._hash = hashlib.new(digest.partition(":")[0]) if digest else None

    def read(self, size: int = -1, /) -> bytes:
        data = self._source.read(_CHUNK if size < 0 else size)
        self._left -= len(data)
        if self._left < 0:
            raise RootError(f"{self._what} holds more than an image may.")
        if self._hash is not None:
            self._hash.update(data)
        return data

    def finish(self) -> None:
        """Read to the end.

        Raises:
            RootError: the digest is another.
        """
        while self.read(_CHUNK):
            pass
        if self._hash is not None and f"{self._hash.name}:{self._hash.hexdigest()}" != self._digest:
            raise RootError(f"{self._what} is damaged: its digest is not {self._digest}.")


def checked_digest(text: object) -> str:
    """``text``, which is a digest.

    Raises:
        RootError: it is none that is known.
    """
    if not isinstance(text, str) or not _DIGEST.fullmatch(text):
        raise RootError(f"The archive states a digest that is none: {str(text)[:100]!r}.")
    return text


class Rest:
    """``source`` with its first bytes, which have been looked at, before it."""

    def __init__(self, first: bytes, source: Readable) -> None:
        self._first, self._source = first, source

    def read(self, size: int = -1, /) -> bytes:
        if not self._first:
            return self._source.read(size)
        if size < 0 or size >= len(self._first):
            data, self._first = self._first, b""
            return data
        data, self._first = self._first[:size], self._first[size:]
        return data


def is_zstd(file: IO[bytes]) -> bool:
    """Whether ``file``, which is at its beginning and stays there, is compressed with zstd."""
    first = file.read(len(_ZSTD))
    file.seek(0)
    return first == _ZSTD


def decompressed(source: Readable) -> Readable:
    """``source`` as it was before it was compressed with gzip, xz or zstd, if it was.

    Raises:
        RootError: it is compressed in another way.
    """
    first = b""
    while len(first) < 6 and (more := source.read(6 - len(first))):
        first += more
    whole = cast(IO[bytes], Rest(first, source))
    if first.startswith(_GZIP):
        return cast(Readable, gzip.GzipFile(fileobj=whole, mode="rb"))
    if first.startswith(_XZ):
        return cast(Readable, lzma.LZMAFile(whole))
    if first.startswith(_ZSTD):
        return zstandard.ZstdDecompressor(max_window_size=MOST_WINDOW).stream_reader(whole, read_across_frames=True)
    if first.startswith(_BZIP):
        raise RootError("The archive is compressed with bzip2. Take one with gzip, xz, zstd or no compression.")
    return whole
