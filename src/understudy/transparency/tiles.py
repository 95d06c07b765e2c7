"""Tiles and entry bundles: the log as static files (C2SP tlog-tiles).

Rules

* ``tile/<L>/<N>`` holds 256 hashes of level L: the roots of 256**L leaves each. ``tile/entries/<N>`` holds
  256 entries, each behind two big-endian bytes of length. ``.p/<W>`` is the partial one of width 1 to 255.
* N is spelled in groups of three digits, all but the last behind an ``x``: 1234067 is ``x001/x234/067``.
* Decoding is strict: a tile has exactly 32 · W bytes; a bundle exactly W entries and nothing after them.
* A source is not trusted. Whoever reads tiles compares them with a signed checkpoint.

Example

>>> tile_path(0, 1234067)
'tile/0/x001/x234/067'
>>> entries_path(0, 3)
'tile/entries/000.p/3'
>>> decode_bundle(encode_bundle([b"a", b"bc"]), 2)
(b'a', b'bc')
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from understudy.transparency.errors import MalformedError, TileMissingError
from understudy.transparency.leaves import MAX_LEAF_BYTES
from understudy.transparency.merkle import HASH_BYTES, split_hashes

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 1 << TILE_HEIGHT
MAX_LEVEL: Final = 63
CHECKPOINT_PATH: Final = "checkpoint"
MAX_BUNDLE_BYTES: Final = TILE_WIDTH * (2 + MAX_LEAF_BYTES)

_PATH: Final = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<n>(?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?\Z"
)


class TileSource(Protocol):
    """Where a log's files can be read: memory, a folder, a database, an HTTP server."""

    def read(self, path: str) -> bytes:
        """Return the file at ``path``.

        Raises:
            TileMissingError: there is none.
        """
        ...


@dataclass(frozen=True, slots=True)
class TileName:
    """One tile; ``level`` is None for an entry bundle."""

    level: int | None
    n: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """The path C2SP gives it."""
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{'entries' if self.level is None else self.level}/{_spell(self.n)}{partial}"

    @property
    def first(self) -> int:
        """The place, within its level, of its first hash or entry."""
        return self.n * TILE_WIDTH


def tile_path(level: int, n: int, width: int = TILE_WIDTH) -> str:
    """Return the path of a hash tile."""
    return TileName(level, n, width).path


def entries_path(n: int, width: int = TILE_WIDTH) -> str:
    """Return the path of an entry bundle."""
    return TileName(None, n, width).path


def parse_path(path: str) -> TileName:
    """Return the tile that ``path`` names.

    Raises:
        MalformedError: not a path in its only canonical spelling.
    """
    match = _PATH.match(path)
    if not match:
        raise MalformedError("not the path of a tile")
    level = None if match["level"] == "entries" else int(match["level"])
    width = int(match["width"]) if match["width"] else TILE_WIDTH
    name = TileName(level, int(match["n"].replace("x", "").replace("/", "")), width)
    if name.path != path or (level is not None and level > MAX_LEVEL):
        raise MalformedError("not the path of a tile")
    return name


def tiles_at(level: int, size: int) -> Iterator[TileName]:
    """Return the tiles of one level in a tree of ``size`` leaves, in order, the partial one last."""
    hashes = size >> (TILE_HEIGHT * level)
    for n in range(hashes // TILE_WIDTH):
        yield TileName(level, n)
    if hashes % TILE_WIDTH:
        yield TileName(level, hashes // TILE_WIDTH, hashes % TILE_WIDTH)


def levels(size: int) -> range:
    """Return the tile levels that a tree of ``size`` leaves has."""
    return range((max(size.bit_length() - 1, 0)) // TILE_HEIGHT + 1 if size else 0)


def encode_tile(hashes: Sequence[bytes]) -> bytes:
    """Return the bytes of a hash tile."""
    return b"".join(hashes)


def decode_tile(raw: bytes, width: int) -> tuple[bytes, ...]:
    """Return the ``width`` hashes of a tile.

    Raises:
        MalformedError: another length.
    """
    if len(raw) != width * HASH_BYTES or not 1 <= width <= TILE_WIDTH:
        raise MalformedError(f"not a tile of {width} hashes")
    return split_hashes(raw)


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Return the bytes of an entry bundle.

    Raises:
        MalformedError: an entry above 65,535 bytes.
    """
    if any(len(entry) > MAX_LEAF_BYTES for entry in entries):
        raise MalformedError(f"an entry is at most {MAX_LEAF_BYTES} bytes")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def split_bundle(raw: bytes) -> tuple[bytes, ...]:
    """Return however many entries a bundle holds, at most 256.

    Raises:
        MalformedError: a length that leads past the end, or more than 256 entries.
    """
    entries: list[bytes] = []
    offset = 0
    while offset < len(raw):
        end = offset + 2 + int.from_bytes(raw[offset : offset + 2], "big")
        if end > len(raw) or len(entries) == TILE_WIDTH:
            raise MalformedError("an entry bundle is cut off or too long")
        entries.append(raw[offset + 2 : end])
        offset = end
    return tuple(entries)


def decode_bundle(raw: bytes, width: int) -> tuple[bytes, ...]:
    """Return the ``width`` entries of a bundle.

    Raises:
        MalformedError: another number of entries, or cut off.
    """
    entries = split_bundle(raw)
    if len(entries) != width:
        raise MalformedError(f"not a bundle of {width} entries")
    return entries


def read_hashes(source: TileSource, tile: TileName) -> tuple[bytes, ...]:
    """Return a hash tile's hashes; where the partial tile is gone, the beginning of the full one.

    Raises:
        TileMissingError: neither is there.
        MalformedError: not of the width that the name says.
    """
    try:
        return decode_tile(source.read(tile.path), tile.width)
    except TileMissingError:
        if tile.width == TILE_WIDTH:
            raise
    full = TileName(tile.level, tile.n)
    return decode_tile(source.read(full.path), TILE_WIDTH)[: tile.width]


def read_entries(source: TileSource, tile: TileName) -> tuple[bytes, ...]:
    """Return a bundle's entries, however many it holds; falls back to the full bundle like ``read_hashes``.

    Raises:
        TileMissingError: neither is there.
        MalformedError: broken framing.
    """
    try:
        return split_bundle(source.read(tile.path))
    except TileMissingError:
        if tile.width == TILE_WIDTH:
            raise
    return split_bundle(source.read(TileName(None, tile.n).path))[: tile.width]


class MemoryTiles:
    """Files in a mapping from path to bytes."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files

    def read(self, path: str) -> bytes:
        """Return the file at ``path``."""
        try:
            return self.files[path]
        except KeyError as error:
            raise TileMissingError(f"no file {path}") from error


class DirectoryTiles:
    """Files below a folder, as ``export`` writes them. Only ``checkpoint`` and tile paths are ever opened."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, path: str) -> bytes:
        """Return the file at ``path``.

        Raises:
            TileMissingError: it cannot be read.
            MalformedError: ``path`` is not canonical, or the file is larger than any tile can be.
        """
        if path != CHECKPOINT_PATH:
            parse_path(path)
        try:
            with (self.root / path).open("rb") as file:
                raw = file.read(MAX_BUNDLE_BYTES + 1)
        except OSError as error:
            raise TileMissingError(f"cannot read {path}: {error.strerror}") from error
        if len(raw) > MAX_BUNDLE_BYTES:
            raise MalformedError(f"{path} is larger than any tile")
        return raw


def _spell(n: int) -> str:
    groups = [f"{n % 1000:03d}"]
    while n := n // 1000:
        groups.append(f"x{n % 1000:03d}")
    return "/".join(reversed(groups))
