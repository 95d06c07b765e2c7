"""Writing the public files of a log to a folder that any web server can serve (C2SP tlog-tiles).

Rules

* Tiles first, checkpoint last: whoever can read a checkpoint can read every tile it needs.
* Each file is written beside its place, flushed and renamed, so a reader sees the old one or the new one.
* Tiles never change, so those that are there are left alone. A partial tile goes when its full tile is there.
* A folder that shows a larger tree is never overwritten by a smaller one.
* Raw entries go only to auditors and mirrors; by default there are none in the folder.

Example: ``export_log(store.tiles, checkpoint.note, Path("public"), entries=False)``.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from understudy.transparency.checkpoint import parse_checkpoint
from understudy.transparency.errors import MalformedError, RolledBackError, StorageError
from understudy.transparency.note import parse_note
from understudy.transparency.tiles import (
    CHECKPOINT_PATH,
    TILE_WIDTH,
    TileName,
    TileSource,
    levels,
    tiles_at,
)


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export did: the tree's size, and how many files it wrote and removed."""

    size: int
    written: int
    removed: int


def export_log(source: TileSource, note: bytes, folder: Path, *, entries: bool) -> Exported:
    """Bring ``folder`` to the checkpoint in ``note``.

    Args:
        source: where the log's files come from.
        note: the cosigned checkpoint to publish.
        folder: made if it does not exist.
        entries: whether raw entry bundles are written too.

    Raises:
        RolledBackError: the folder shows a larger tree.
        MalformedError: ``note``, or the checkpoint in the folder, is no checkpoint.
        TileMissingError: the source is smaller than the checkpoint.
        StorageError: a file cannot be written; the old checkpoint still stands.
    """
    tree = parse_checkpoint(parse_note(note).text)
    try:
        shown = _shown(folder)
        if shown > tree.size:
            raise RolledBackError(f"the folder shows {shown} entries, the checkpoint only {tree.size}")
        written = removed = 0
        for tile in _tiles(tree.size, entries=entries):
            if _write(source, folder, tile):
                written += 1
                if tile.width == TILE_WIDTH:
                    removed += _remove_partials(folder, tile)
        _replace(folder / CHECKPOINT_PATH, note)
    except OSError as error:
        raise StorageError(f"the export failed: {error.strerror}") from error
    return Exported(tree.size, written + 1, removed)


def _tiles(size: int, *, entries: bool) -> list[TileName]:
    tiles = [tile for level in levels(size) for tile in tiles_at(level, size)]
    if entries:
        tiles += [TileName(None, tile.n, tile.width) for tile in tiles_at(0, size)]
    return tiles


def _shown(folder: Path) -> int:
    try:
        note = (folder / CHECKPOINT_PATH).read_bytes()
    except FileNotFoundError:
        return 0
    try:
        return parse_checkpoint(parse_note(note).text).size
    except MalformedError as error:
        raise MalformedError("the checkpoint in the folder is damaged") from error


def _write(source: TileSource, folder: Path, tile: TileName) -> bool:
    place = folder / tile.path
    if place.exists():
        return False
    _replace(place, source.read(tile.path))
    return True


def _replace(place: Path, content: bytes) -> None:
    """Write a file durably and at once."""
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = place.with_name(f"{place.name}.new")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(place)
    handle = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove_partials(folder: Path, full: TileName) -> int:
    partials = folder / f"{full.path}.p"
    if not partials.is_dir():
        return 0
    files = list(partials.iterdir())
    for file in files:
        file.unlink()
    partials.rmdir()
    return len(files)
