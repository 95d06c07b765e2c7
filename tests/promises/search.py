"""Looking for planted strings in everything that lies somewhere: files, rows, and what decompresses.

Rules

* A string is looked for in every spelling that programs give it by accident: UTF-8 and UTF-16, base64 in both
  alphabets at all three offsets, hex, percent and JSON escapes.
* SQLite files are also read row by row, write-ahead log included, because a page boundary can split a string.
* Wherever zstd or zlib data seems to begin, it is decompressed and searched as well.

Example: ``hits(["needle"], contents(folder))`` is the set of needles that were found.
"""

import base64
import json
import shutil
import sqlite3
import urllib.parse
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import zstandard

ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
ZLIB_HEADERS: Final = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
SQLITE_MAGIC: Final = b"SQLite format 3\x00"
MAX_DECOMPRESSED: Final = 8 << 20


def spellings(needle: str | bytes) -> set[bytes]:
    """Return the byte strings under which ``needle`` may lie about."""
    raw = needle.encode() if isinstance(needle, str) else needle
    found = {raw, raw.hex().encode(), raw.hex().upper().encode()}
    for offset in range(3):
        padded = bytes(offset) + raw
        # The first characters mix with what stands before, the last with what follows.
        start, end = -(-offset * 8 // 6), len(padded) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            found.add(encode(padded)[start:end])
    if isinstance(needle, str):
        found |= {needle.encode("utf-16-le"), needle.encode("utf-16-be")}
        found |= {urllib.parse.quote(needle).encode(), urllib.parse.quote_plus(needle).encode()}
        found |= {json.dumps(needle)[1:-1].encode(), json.dumps(needle, ensure_ascii=False)[1:-1].encode()}
    return found


def contents(folder: Path) -> Iterator[bytes]:
    """Yield every file below ``folder``, every row of its databases, and whatever decompresses in them."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            raw = path.read_bytes()
            yield raw
            yield from decompressed(raw)
            if raw.startswith(SQLITE_MAGIC):
                for cell in _cells(path):
                    yield cell
                    yield from decompressed(cell)


def hits(needles: Iterable[str | bytes], blobs: Iterable[bytes]) -> set[str | bytes]:
    """Return the needles that occur in any of ``blobs``, in any spelling."""
    wanted = {needle: spellings(needle) for needle in needles}
    found: set[str | bytes] = set()
    for blob in blobs:
        found |= {
            needle
            for needle, spelled in wanted.items()
            if needle not in found and any(spelling in blob for spelling in spelled)
        }
    return found


def decompressed(raw: bytes) -> Iterator[bytes]:
    """Yield what zstd and zlib make of ``raw``, from every place where such data may begin."""
    for at in _places(raw, ZSTD_MAGIC):
        try:
            with zstandard.ZstdDecompressor().stream_reader(raw[at:]) as reader:
                yield reader.read(MAX_DECOMPRESSED)
        except zstandard.ZstdError:
            continue
    for header in ZLIB_HEADERS:
        for at in _places(raw, header):
            try:
                yield zlib.decompressobj().decompress(raw[at:], MAX_DECOMPRESSED)
            except zlib.error:
                continue


def _places(raw: bytes, wanted: bytes) -> Iterator[int]:
    at = raw.find(wanted)
    while at >= 0:
        yield at
        at = raw.find(wanted, at + 1)


def _cells(path: Path) -> Iterator[bytes]:
    """Yield every cell of a database, from a copy, so that nothing here disturbs who has it open."""
    copy = path.with_name(f"{path.name}.searched")
    for suffix in ("", "-wal"):
        if path.with_name(path.name + suffix).exists():
            shutil.copyfile(path.with_name(path.name + suffix), copy.with_name(copy.name + suffix))
    database = sqlite3.connect(copy)
    try:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in database.execute(f'SELECT * FROM "{table}"'):  # noqa: S608  a name from the database
                yield from (cell if isinstance(cell, bytes) else str(cell).encode() for cell in row)
    finally:
        database.close()
        for leftover in copy.parent.glob(f"{copy.name}*"):
            leftover.unlink()
