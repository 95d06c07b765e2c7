"""Header, index and trailer: where things are in a recording file. Pure functions over bytes.

Rules

* The index is the only authority on chunks: offsets are sums of lengths, numbers are sums of counts.
* Everything is checked before anything is believed: magics, version, length, hash of the index, bounds.
* Chunks fill the file exactly, the manifest is the last, and times of a kind never run backwards.

Layout: ``docs/formats/recording.md``, section 2.
"""

import hashlib
import struct
from collections.abc import Sequence
from enum import StrEnum
from itertools import accumulate
from typing import Annotated, Final, Literal

from msgspec import Meta

from understudy.consent.primitives import Digest, Value, encode_bytes
from understudy.formats.compression import compress, expand
from understudy.formats.recording.bounds import (
    MAX_ACTIONS,
    MAX_CHUNK_BYTES,
    MAX_CHUNKS,
    MAX_CONTENT_BYTES,
    MAX_FRAME_BYTES,
    MAX_FRAMES,
    MAX_GAPS,
    MAX_INDEX_BYTES,
    MAX_RECORDING_BYTES,
    MAX_TREES,
    MAX_VERSIONS,
)
from understudy.formats.recording.errors import Code, RecordingError
from understudy.formats.source import RandomAccess, length_of, read_at
from understudy.formats.spelling import read, spell
from understudy.sealing.errors import FormatError

MAGIC: Final = b"\x89USR\r\n\x1a\n"
VERSION: Final = 1
HEADER_BYTES: Final = 16
TRAILER_BYTES: Final = 56

_HEADER: Final = struct.Struct(">8sH6s")
_TRAILER: Final = struct.Struct(">II32sQ8s")


class Kind(StrEnum):
    """What a chunk holds."""

    TREES = "trees"
    FRAME = "frame"
    VERSIONS = "versions"
    ACTIONS = "actions"
    GAPS = "gaps"
    MANIFEST = "manifest"


TIMED: Final = frozenset({Kind.VERSIONS, Kind.ACTIONS, Kind.GAPS})
ITEMS_IN_CHUNK: Final = {
    Kind.TREES: 8,
    Kind.FRAME: 1,
    Kind.VERSIONS: 256,
    Kind.ACTIONS: 64,
    Kind.GAPS: MAX_GAPS,
    Kind.MANIFEST: 1,
}
ITEMS_IN_FILE: Final = {
    Kind.TREES: MAX_TREES,
    Kind.FRAME: MAX_FRAMES,
    Kind.VERSIONS: MAX_VERSIONS,
    Kind.ACTIONS: MAX_ACTIONS,
    Kind.GAPS: MAX_GAPS,
    Kind.MANIFEST: 1,
}

Length = Annotated[int, Meta(ge=1, le=MAX_RECORDING_BYTES)]
Milliseconds = Annotated[int, Meta(ge=0, le=86_400_000)]


class Chunk(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of the index."""

    kind: Kind
    length: Length
    size: Length
    hash: Digest
    count: Annotated[int, Meta(ge=1, le=MAX_ACTIONS)]
    from_ms: Milliseconds | None = None
    to_ms: Milliseconds | None = None


class Index(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All chunks of a file, in file order."""

    chunks: Annotated[tuple[Chunk, ...], Meta(min_length=1, max_length=MAX_CHUNKS)]
    version: Literal[1] = 1

    @property
    def offsets(self) -> tuple[int, ...]:
        """Where each chunk begins, and where the index does."""
        return tuple(accumulate((chunk.length for chunk in self.chunks), initial=HEADER_BYTES))

    def count(self, kind: Kind) -> int:
        """Return how many items of ``kind`` the file holds."""
        return sum(chunk.count for chunk in self.chunks if chunk.kind is kind)


def sha256(stored: bytes) -> str:
    """Return the plain SHA-256 of ``stored`` as base64url."""
    return encode_bytes(hashlib.sha256(stored).digest())


def header() -> bytes:
    """Return the first 16 bytes of every file."""
    return _HEADER.pack(MAGIC, VERSION, bytes(6))


def ending(index: Index) -> bytes:
    """Return what follows the chunks: the stored index and the trailer."""
    content = spell(index)
    stored = compress(content)
    length = index.offsets[-1] + len(stored) + TRAILER_BYTES
    trailer = _TRAILER.pack(len(stored), len(content), hashlib.sha256(stored).digest(), length, MAGIC[::-1])
    return stored + trailer


def load(source: RandomAccess) -> Index:
    """Return the index of a file, after checking header, trailer, index and layout.

    Raises:
        RecordingError: any rule of section 2 is broken.
    """
    length = length_of(source)
    if length > MAX_RECORDING_BYTES:
        raise RecordingError(Code.TOO_LARGE, f"a file of {length} bytes")
    _check_header(read_at(source, 0, HEADER_BYTES))
    if length < HEADER_BYTES + TRAILER_BYTES:
        raise RecordingError(Code.TRUNCATED, "too short to be whole")
    trailer = read_at(source, length - TRAILER_BYTES, TRAILER_BYTES)
    if len(trailer) != TRAILER_BYTES:
        raise RecordingError(Code.TRUNCATED, "the end is missing")
    stored_length, size, index_hash, total, end = _TRAILER.unpack(trailer)
    if end != MAGIC[::-1] or total != length:
        raise RecordingError(Code.TRUNCATED, "the end mark is missing or names another length")
    start = length - TRAILER_BYTES - stored_length
    if start < HEADER_BYTES or stored_length > MAX_INDEX_BYTES or not 0 < size <= MAX_INDEX_BYTES:
        raise RecordingError(Code.INDEX_CORRUPT, "an index of impossible length")
    stored = read_at(source, start, stored_length)
    if hashlib.sha256(stored).digest() != index_hash:
        raise RecordingError(Code.INDEX_CORRUPT, "the index has another hash")
    try:
        content = expand(stored, size)
    except FormatError as error:
        raise RecordingError(Code.INDEX_CORRUPT, "the index is not one plain zstd frame") from error
    try:
        index = read(Index, content)
    except FormatError as error:
        raise RecordingError(Code.INDEX_MALFORMED, "the index is not of version 1") from error
    check_layout(index, start)
    return index


def check_layout(index: Index, end: int) -> None:
    """Check the rules between chunks; ``end`` is where the chunks must end.

    Raises:
        RecordingError: ``bad-layout``, ``too-many`` or ``chunk-too-large``.
    """
    if index.offsets[-1] != end:
        raise RecordingError(Code.BAD_LAYOUT, "the chunks do not fill the file")
    for kind in Kind:
        if index.count(kind) > ITEMS_IN_FILE[kind]:
            raise RecordingError(Code.TOO_MANY, f"over {ITEMS_IN_FILE[kind]} items of kind {kind.value}")
    if sum(chunk.size for chunk in index.chunks) > MAX_CONTENT_BYTES:
        raise RecordingError(Code.TOO_LARGE, f"over {MAX_CONTENT_BYTES} bytes after decompression")
    kinds = [chunk.kind for chunk in index.chunks]
    if kinds[-1] is not Kind.MANIFEST or kinds.count(Kind.MANIFEST) != 1 or kinds.count(Kind.GAPS) > 1:
        raise RecordingError(
            Code.BAD_LAYOUT, "the manifest is not the last chunk, or there are two gap chunks"
        )
    for chunk in index.chunks:
        _check_chunk(chunk)
    for kind in sorted(TIMED):
        _check_times([chunk for chunk in index.chunks if chunk.kind is kind])


def _check_header(raw: bytes) -> None:
    magic = raw[: len(MAGIC)]
    if len(magic) < len(MAGIC) and MAGIC.startswith(magic):
        raise RecordingError(Code.TRUNCATED, "too short to be whole")
    if magic != MAGIC:
        raise RecordingError(Code.BAD_MAGIC, "not a recording file")
    if len(raw) < HEADER_BYTES:
        raise RecordingError(Code.TRUNCATED, "too short to be whole")
    _, version, reserved = _HEADER.unpack(raw)
    if version != VERSION:
        hint = "a newer version of understudy wrote this file" if version > VERSION else ""
        raise RecordingError(Code.UNKNOWN_VERSION, f"recording format version {version}", hint=hint)
    if any(reserved):
        raise RecordingError(Code.BAD_HEADER, "reserved bytes are not zero")


def _check_chunk(chunk: Chunk) -> None:
    bound = MAX_FRAME_BYTES if chunk.kind is Kind.FRAME else MAX_CHUNK_BYTES
    if chunk.length > bound or chunk.size > bound:
        raise RecordingError(Code.CHUNK_TOO_LARGE, f"a {chunk.kind.value} chunk over {bound} bytes")
    if chunk.kind is Kind.FRAME and chunk.length != chunk.size:
        raise RecordingError(Code.BAD_LAYOUT, "a frame chunk whose length is not its size")
    if chunk.count > ITEMS_IN_CHUNK[chunk.kind]:
        raise RecordingError(Code.BAD_LAYOUT, f"too many items in a {chunk.kind.value} chunk")
    is_timed = chunk.from_ms is not None and chunk.to_ms is not None
    is_untimed = chunk.from_ms is None and chunk.to_ms is None
    if not (is_timed if chunk.kind in TIMED else is_untimed):
        raise RecordingError(Code.BAD_LAYOUT, f"times of a {chunk.kind.value} chunk")


def _check_times(chunks: Sequence[Chunk]) -> None:
    last = 0
    for chunk in chunks:
        first, end = chunk.from_ms or 0, chunk.to_ms or 0
        if first < last or end < first:
            raise RecordingError(Code.BAD_LAYOUT, f"{chunk.kind.value} chunks run backwards in time")
        last = end
