"""The hashes of one growing tree in one SQLite table, stored the way tiles need them.

Rules

* A row is (level, position, hash) with tile levels: level 0 holds leaf hashes, level L the roots of 256**L
  leaves. So a tile, full or partial, is one range of rows, and nothing stored ever changes.
* Everything in the table can be derived from the leaves; ``fsck`` compares and rebuilds it.
* ``append`` writes inside the caller's transaction and keeps no state, so a rollback takes all of it back.

Example

>>> import sqlite3
>>> from understudy.transparency.merkle import leaf_hash, tree_root
>>> database = Database(sqlite3.connect(":memory:", isolation_level=None))
>>> _ = database.write(hash_schema())
>>> table = HashTable(database)
>>> grown = CompactRange()
>>> nodes = {}
>>> for leaf in (b"a", b"b", b"c"):
...     grown.append(leaf_hash(leaf), nodes)
>>> table.insert(nodes)
>>> table.root_at(3) == tree_root([b"a", b"b", b"c"])
True
"""

from collections.abc import Callable, Mapping
from typing import Final

from understudy.transparency.database import Database
from understudy.transparency.errors import StoreDamagedError, TileMissingError
from understudy.transparency.merkle import (
    HASH_BYTES,
    CompactRange,
    consistency_path,
    inclusion_path,
    node_hash,
    perfect_nodes,
    range_root,
)
from understudy.transparency.tiles import (
    CHECKPOINT_PATH,
    TILE_HEIGHT,
    encode_bundle,
    encode_tile,
    parse_path,
)

_SELECT: Final = (
    "SELECT hash FROM hashes WHERE level = ? AND position >= ? AND position < ? ORDER BY position"
)


def hash_schema() -> str:
    """Return the SQL that makes the table."""
    return (
        "CREATE TABLE hashes(level INTEGER NOT NULL, position INTEGER NOT NULL, hash BLOB NOT NULL,"
        " PRIMARY KEY(level, position)) STRICT, WITHOUT ROWID;"
    )


class HashTable:
    """Reads and extends one such table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, nodes: Mapping[tuple[int, int], bytes]) -> None:
        """Store those of the perfect ``nodes`` that stand in tiles."""
        rows = [
            (level // TILE_HEIGHT, index, node)
            for (level, index), node in nodes.items()
            if level % TILE_HEIGHT == 0
        ]
        self._database.write_many("INSERT INTO hashes(level, position, hash) VALUES (?, ?, ?)", rows)

    def hashes(self, level: int, begin: int, end: int) -> tuple[bytes, ...]:
        """Return the hashes of tile level ``level`` from ``begin`` up to ``end``, as many as there are."""
        return tuple(row[0] for row in self._database.rows(_SELECT, level, begin, end))

    def node(self, level: int, index: int) -> bytes:
        """Return the perfect node at (level, index).

        Raises:
            StoreDamagedError: a hash that it is made of is not there.
        """
        tile_level, height = divmod(level, TILE_HEIGHT)
        hashes = list(self.hashes(tile_level, index << height, (index + 1) << height))
        if len(hashes) != 1 << height or any(len(node) != HASH_BYTES for node in hashes):
            raise StoreDamagedError(f"a hash of tile level {tile_level} is missing")
        while len(hashes) > 1:
            pairs = zip(hashes[0::2], hashes[1::2], strict=True)
            hashes = [node_hash(left, right) for left, right in pairs]
        return hashes[0]

    def range_at(self, size: int) -> CompactRange:
        """Return the compact range of the first ``size`` leaves."""
        return CompactRange(size, [self.node(level, index) for level, index in perfect_nodes(0, size)])

    def root_at(self, size: int) -> bytes:
        """Return the root of the tree of the first ``size`` leaves."""
        return range_root(0, size, self.node)

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """Return the inclusion path of leaf ``index`` in the tree of the first ``size`` leaves."""
        return inclusion_path(index, size, self.node)

    def consistency(self, old_size: int, size: int) -> tuple[bytes, ...]:
        """Return the consistency proof between the trees of the first ``old_size`` and ``size`` leaves."""
        return consistency_path(old_size, size, self.node)


class TableTiles:
    """The files of a log, made on demand from its tables (a ``TileSource``)."""

    def __init__(
        self,
        hashes: HashTable,
        entries: Callable[[int, int], tuple[bytes, ...]],
        checkpoint: Callable[[], bytes | None],
    ) -> None:
        """Read hashes from ``hashes``, entries [begin, end) from ``entries``, and the newest checkpoint."""
        self._hashes = hashes
        self._entries = entries
        self._checkpoint = checkpoint

    def read(self, path: str) -> bytes:
        """Return the file at ``path``.

        Raises:
            TileMissingError: the tree is too small to have it.
            MalformedError: not a path in its canonical spelling.
        """
        if path == CHECKPOINT_PATH:
            note = self._checkpoint()
            if note is None:
                raise TileMissingError("there is no checkpoint yet")
            return note
        tile = parse_path(path)
        begin, end = tile.first, tile.first + tile.width
        if tile.level is None:
            rows = self._entries(begin, end)
        else:
            rows = self._hashes.hashes(tile.level, begin, end)
        if len(rows) != tile.width:
            raise TileMissingError(f"no file {path}")
        return encode_bundle(rows) if tile.level is None else encode_tile(rows)
