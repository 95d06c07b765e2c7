"""The store search: every byte at rest, as it lies there and as it unpacks.

Rules

* Every regular file below the folders is read whole, and its path too. Links are not followed.
* What can be unpacked without a key is unpacked, wherever in a file it begins: zstd, gzip, zlib, zip, SQLite.
  The parts are searched as well, two levels deep, so that a control that was packed but not sealed is found.
* A file that cannot be read makes the search incomplete, and an incomplete search says so.

Example: ``search_store([Path("home")], canaries).found``.
"""

import gzip
import io
import os
import sqlite3
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import quote

import ahocorasick
import msgspec
import zstandard

from understudy.redaction.canaries.spellings import spellings

MAX_UNPACKED: Final = 64 << 20
"""Bytes that one packed part may unpack to; more is cut off there."""
DEPTH: Final = 2
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_GZIP: Final = b"\x1f\x8b\x08"
_ZLIB: Final = (b"\x78\x01", b"\x78\x9c", b"\x78\xda")
_ZIP: Final = b"PK\x03\x04"
_SQLITE: Final = b"SQLite format 3\x00"


class StoreHit(msgspec.Struct, frozen=True, kw_only=True):
    """A canary in a file: its number, how it was spelled, where."""

    canary: int
    spelling: str
    path: str


class StoreReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a store search read and found."""

    planted: int
    files: int
    bytes: int
    hits: tuple[StoreHit, ...]
    unread: tuple[str, ...] = ()

    @property
    def found(self) -> int:
        """How many different canaries were found."""
        return len({hit.canary for hit in self.hits})

    @property
    def is_complete(self) -> bool:
        """Whether everything could be read."""
        return not self.unread


class Needles:
    """Every spelling of every canary, found in one pass over the bytes."""

    def __init__(self, canaries: Sequence[str]) -> None:
        self._automaton = ahocorasick.Automaton()
        for number, canary in enumerate(canaries, 1):
            for name, forms in spellings(canary).items():
                for form in forms:
                    word = form.decode("latin-1")
                    if (
                        word not in self._automaton
                    ):  # plain letters are their own escape: the first name stays
                        self._automaton.add_word(word, (number, name))
        self._automaton.make_automaton()

    def found_in(self, data: bytes) -> set[tuple[int, str]]:
        """Return (canary number, name of the spelling) for everything in ``data``."""
        return {found for _, found in self._automaton.iter(data.decode("latin-1"))}


def search_store(folders: Iterable[Path], canaries: Sequence[str]) -> StoreReport:
    """Search all files below ``folders``.

    Raises:
        FileNotFoundError: one of the folders is not there.
    """
    needles = Needles(canaries)
    hits: set[tuple[int, str, str]] = set()
    unread: list[str] = []
    files = size = 0
    for path in _files(folders):
        try:
            data = path.read_bytes()
        except OSError:
            unread.append(str(path))
            continue
        files += 1
        size += len(data)
        for part in (os.fsencode(path), data, *unpacked(data, path)):
            hits |= {(number, name, str(path)) for number, name in needles.found_in(part)}
    found = tuple(StoreHit(canary=number, spelling=name, path=path) for number, name, path in sorted(hits))
    return StoreReport(planted=len(canaries), files=files, bytes=size, hits=found, unread=tuple(unread))


def unpacked(data: bytes, path: Path | None = None, depth: int = DEPTH) -> Iterator[bytes]:
    """Yield everything that ``data`` unpacks to without a key, wherever it begins."""
    if depth == 0:
        return
    for part in (*_zstd(data), *_deflated(data), *_zipped(data), *_rows(data, path)):
        yield part
        yield from unpacked(part, None, depth - 1)


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        if not folder.exists():
            raise FileNotFoundError(2, "there is no such folder", str(folder))
        if folder.is_file():
            yield folder
            continue
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield path


def _places(data: bytes, magic: bytes) -> Iterator[int]:
    at = data.find(magic)
    while at >= 0:
        yield at
        at = data.find(magic, at + 1)


def _zstd(data: bytes) -> Iterator[bytes]:
    for at in _places(data, _ZSTD):
        unpacker = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
        try:
            part = unpacker.decompress(data[at:])
        except zstandard.ZstdError:
            continue
        if part:
            yield part[:MAX_UNPACKED]


def _deflated(data: bytes) -> Iterator[bytes]:
    for at in _places(data, _GZIP):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data[at:])) as file:
                yield file.read(MAX_UNPACKED)
        except (OSError, EOFError, zlib.error):
            continue
    for magic in _ZLIB:
        for at in _places(data, magic):
            try:
                part = zlib.decompressobj().decompress(data[at:], MAX_UNPACKED)
            except zlib.error:
                continue
            if part:
                yield part


def _zipped(data: bytes) -> Iterator[bytes]:
    if _ZIP not in data:
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield name.encode()
                with archive.open(name) as file:
                    yield file.read(MAX_UNPACKED)
    except (zipfile.BadZipFile, OSError, RuntimeError, zlib.error):
        return


def _rows(data: bytes, path: Path | None) -> Iterator[bytes]:
    """Yield every text and blob of a database, because a long row is scattered over its pages.

    The write-ahead log beside it is read with it, and is searched as a file of its own too.
    """
    if path is None or not data.startswith(_SQLITE):
        return
    place = f"file:{quote(str(path.resolve()))}?mode=ro"
    try:
        with closing(sqlite3.connect(place, uri=True)) as database:
            database.text_factory = bytes
            tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (table,) in tables:
                quoted = table.decode().replace('"', '""')
                # The name comes from the database's own list of tables, and is quoted.
                for row in database.execute(f'SELECT * FROM "{quoted}"'):  # noqa: S608
                    yield b"\x00".join(value for value in row if isinstance(value, bytes))
    except sqlite3.Error:
        return
