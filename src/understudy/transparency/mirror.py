"""Following a log: every leaf, verified to the checkpoint it came with.

Rules

* Appending the given leaves must lead to exactly the checkpoint's size and root. That proves consistency with
  all that was mirrored before and the inclusion of every new leaf, at once.
* A smaller checkpoint is checked against the mirror's own tree at that size: two cosigned checkpoints that
  disagree are a fork, and an error that names it.
* Nothing is committed here, and nothing is kept in memory: the caller's transaction decides, a rollback
  forgets.

Example

>>> import sqlite3
>>> from understudy.transparency.checkpoint import Checkpoint
>>> from understudy.transparency.merkle import tree_root
>>> database = Database(sqlite3.connect(":memory:", isolation_level=None))
>>> for statement in mirror_schema().split(";"):
...     _ = database.write(statement)
>>> mirror = Mirror(database, "example.com/log")
>>> checkpoint = Checkpoint("example.com/log", 2, tree_root([b"a", b"b"]))
>>> with database.transaction():
...     mirror.extend([b"a", b"b"], CosignedCheckpoint(checkpoint, b"note", {}, 0))
>>> mirror.size, mirror.leaf(1)
(2, b'b')
"""

from collections.abc import Sequence

from understudy.transparency.checkpoint import Checkpoint, CosignedCheckpoint
from understudy.transparency.database import Database
from understudy.transparency.errors import ForkedError, ProofError, UntrustedCheckpointError
from understudy.transparency.hashes import HashTable, TableTiles, hash_schema
from understudy.transparency.leaves import MAX_LEAF_BYTES
from understudy.transparency.merkle import EMPTY_ROOT, CompactRange, Nodes, leaf_hash


def mirror_schema() -> str:
    """Return the SQL that makes a mirror's three tables, for the store that they live in."""
    return (
        "CREATE TABLE mirror(id INTEGER PRIMARY KEY CHECK(id = 1), size INTEGER NOT NULL,"
        " range BLOB NOT NULL, checkpoint BLOB NOT NULL) STRICT;"
        " CREATE TABLE leaves(position INTEGER PRIMARY KEY, leaf BLOB NOT NULL) STRICT;"
    ) + hash_schema()


class Mirror:
    """A verified copy of the log ``origin`` in the tables of ``mirror_schema``."""

    def __init__(self, database: Database, origin: str) -> None:
        self.origin = origin
        self.hashes = HashTable(database)
        self.tiles = TableTiles(self.hashes, self.leaves, self.newest)
        self._database = database

    @property
    def size(self) -> int:
        """How many leaves are mirrored."""
        return self._range().size

    @property
    def root(self) -> bytes:
        """The root over them."""
        return self._range().root

    def newest(self) -> bytes | None:
        """Return the cosigned checkpoint, as a note, that the mirror has reached; None before the first."""
        row = self._database.row("SELECT checkpoint FROM mirror")
        return None if row is None else bytes(row[0])

    def leaf(self, index: int) -> bytes | None:
        """Return the leaf at ``index``, or None if it is not mirrored."""
        row = self._database.row("SELECT leaf FROM leaves WHERE position = ?", index)
        return None if row is None else bytes(row[0])

    def leaves(self, begin: int, end: int) -> tuple[bytes, ...]:
        """Return the leaves from ``begin`` up to ``end``, as many as there are."""
        sql = "SELECT leaf FROM leaves WHERE position >= ? AND position < ? ORDER BY position"
        return tuple(row[0] for row in self._database.rows(sql, begin, end))

    def extend(self, leaves: Sequence[bytes], checkpoint: CosignedCheckpoint) -> None:
        """Add ``leaves``, the next ones, up to a verified ``checkpoint``; part of the caller's transaction.

        Without leaves and at the mirror's own size, only the newer cosignatures are kept.

        Raises:
            UntrustedCheckpointError: a checkpoint of another log.
            ForkedError: the checkpoint contradicts what was mirrored before.
            ProofError: the leaves do not lead from the mirror to the checkpoint; nothing was added.
        """
        tree, grown, nodes = checkpoint.checkpoint, self._range(), Nodes()
        size = grown.size
        if not leaves or tree.size <= size:
            self.check(tree)
        if size + len(leaves) != tree.size:
            raise ProofError(f"{len(leaves)} leaves do not lead from size {size} to {tree.size}")
        if tree.origin != self.origin:
            raise UntrustedCheckpointError("the checkpoint is of another log")
        if any(len(leaf) > MAX_LEAF_BYTES for leaf in leaves):
            raise ProofError(f"a leaf is at most {MAX_LEAF_BYTES} bytes")
        for leaf in leaves:
            grown.append(leaf_hash(leaf), nodes)
        if grown.root != tree.root:
            raise ProofError("the leaves lead to another root than the checkpoint's")
        rows = [(size + offset, leaf) for offset, leaf in enumerate(leaves)]
        self._database.write_many("INSERT INTO leaves(position, leaf) VALUES (?, ?)", rows)
        self.hashes.insert(nodes)
        self._database.write(
            "INSERT INTO mirror(id, size, range, checkpoint) VALUES (1, ?, ?, ?) ON CONFLICT(id) DO UPDATE"
            " SET size = excluded.size, range = excluded.range, checkpoint = excluded.checkpoint",
            grown.size,
            grown.to_bytes(),
            checkpoint.note,
        )

    def check(self, tree: Checkpoint) -> None:
        """Check that a checkpoint no larger than the mirror is one of its own history.

        Raises:
            UntrustedCheckpointError: of another log.
            ForkedError: another root at that size.
            ProofError: larger than the mirror; ``extend`` it first.
        """
        size = self.size
        if tree.origin != self.origin:
            raise UntrustedCheckpointError("the checkpoint is of another log")
        if tree.size > size:
            raise ProofError(f"the mirror holds {size} leaves, the checkpoint has {tree.size}")
        root = self.hashes.root_at(tree.size) if tree.size else EMPTY_ROOT
        if root != tree.root:
            raise ForkedError(f"two roots for size {tree.size}: the log showed two histories")

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """Return the inclusion path of leaf ``index`` in the tree of the first ``size`` leaves."""
        return self.hashes.inclusion(index, size)

    def consistency(self, old_size: int, size: int) -> tuple[bytes, ...]:
        """Return the consistency proof between the trees of the first ``old_size`` and ``size`` leaves."""
        return self.hashes.consistency(old_size, size)

    def _range(self) -> CompactRange:
        row = self._database.row("SELECT range FROM mirror")
        return CompactRange() if row is None else CompactRange.from_bytes(row[0])
