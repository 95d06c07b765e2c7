"""The custodian's own mirror of the log: every leaf, and the newest tree it has seen cosigned.

Rules

* Leaves come from whoever offers them and are stored only when they lead to the root of a checkpoint that the log
  signed and a quorum of witnesses cosigned.
* Every checkpoint must be consistent with the mirror. A smaller one is: its root is recomputed from the leaves here. If
  that fails, log and quorum have signed two histories; the note is kept as evidence and nothing is released any more.
* Entry 0 is the pinned programme document.
* Meaning is looked at only where it matters: kinds the custodian does not use may hold anything.

Example: ``mirror.extend(cosigned, leaves, now)`` inside the transaction that admits an entry, one flush for both.
"""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from understudy.consent.programme import ProgrammeDocument
from understudy.custody.errors import CustodyRefusedError
from understudy.custody.pinning import Pinned
from understudy.custody.reasons import RefusalReason
from understudy.sealing.errors import FormatError
from understudy.transparency.checkpoint import CosignedCheckpoint
from understudy.transparency.database import Database
from understudy.transparency.errors import CheckpointError, MalformedError
from understudy.transparency.hashes import HashTable
from understudy.transparency.leaves import MAX_LEAF_BYTES, ProgrammeLeaf, decode_leaf
from understudy.transparency.merkle import CompactRange, Nodes, leaf_hash

LeafSeen = Callable[[int, bytes], None]
"""Called with index and bytes of every leaf that is new to the mirror."""


class LogSource(Protocol):
    """Where the rest of the log can be had; nothing it says is believed without a cosigned root."""

    def entries(self, start: int, end: int) -> Sequence[bytes]:
        """Return the raw leaves from ``start`` up to ``end``, as many as it has.

        Raises:
            UnavailableError: it cannot be reached.
        """
        ...

    def checkpoint(self) -> bytes:
        """Return the newest cosigned checkpoint, a C2SP signed note.

        Raises:
            UnavailableError: it cannot be reached.
        """
        ...


def verify_note(pinned: Pinned, note: bytes) -> CosignedCheckpoint:
    """Return the checkpoint in ``note``, signed by the log and cosigned by the quorum.

    Raises:
        CustodyRefusedError: it is not; nothing was written.
    """
    try:
        return pinned.trust.verify(note)
    except (CheckpointError, MalformedError) as error:
        raise CustodyRefusedError(RefusalReason.NOT_WITNESSED, message=str(error)) from error


class Mirror:
    """Reads and extends the mirror; every method runs inside the caller's transaction."""

    def __init__(self, database: Database, leaf_seen: LeafSeen) -> None:
        self._database: Final = database
        self._hashes: Final = HashTable(database)
        self._leaf_seen: Final = leaf_seen

    @property
    def size(self) -> int:
        """How many leaves are mirrored."""
        row = self._database.row("SELECT size FROM mirror")
        return 0 if row is None else int(row[0])

    @property
    def checkpoint(self) -> bytes | None:
        """The newest cosigned checkpoint of the largest tree seen, or None before the first."""
        row = self._database.row("SELECT checkpoint FROM mirror")
        return None if row is None else bytes(row[0])

    @property
    def is_forked(self) -> bool:
        """Whether a cosigned checkpoint contradicted the mirror."""
        return self._database.row("SELECT 1 FROM forks LIMIT 1") is not None

    def forks(self) -> tuple[bytes, ...]:
        """Return the checkpoints that contradicted the mirror, oldest first."""
        return tuple(bytes(row[0]) for row in self._database.rows("SELECT checkpoint FROM forks ORDER BY rowid"))

    def leaf(self, index: int) -> bytes | None:
        """Return the mirrored leaf at ``index``, or None."""
        row = self._database.row("SELECT leaf FROM leaves WHERE position = ?", index)
        return None if row is None else bytes(row[0])

    def leaves(self, start: int, end: int) -> tuple[bytes, ...]:
        """Return the mirrored leaves from ``start`` up to ``end``, as many as there are."""
        sql = "SELECT leaf FROM leaves WHERE position >= ? AND position < ? ORDER BY position"
        return tuple(bytes(row[0]) for row in self._database.rows(sql, start, end))

    def agrees(self, cosigned: CosignedCheckpoint) -> bool:
        """Return whether a checkpoint no larger than the mirror has the mirror's root at its size."""
        tree, grown = cosigned.checkpoint, self._range()
        root = grown.root if tree.size == grown.size else self._hashes.root_at(tree.size)
        return root == tree.root

    def keep_fork(self, cosigned: CosignedCheckpoint, now: int) -> None:
        """Keep a checkpoint that contradicts the mirror, as evidence."""
        sql = "INSERT OR IGNORE INTO forks(checkpoint, size, seen_at) VALUES (?, ?, ?)"
        self._database.write(sql, cosigned.note, cosigned.checkpoint.size, now)

    def extend(self, pinned: Pinned, cosigned: CosignedCheckpoint, leaves: Sequence[bytes]) -> bool:
        """Take in the leaves that lead from the mirror to ``cosigned``; return whether they do.

        Nothing is written when they do not.

        Raises:
            CustodyRefusedError: entry 0 is not the pinned document.
        """
        tree = cosigned.checkpoint
        grown = self._range()
        first = grown.size
        if tree.size - first != len(leaves) or any(len(leaf) > MAX_LEAF_BYTES for leaf in leaves):
            return False
        created: Nodes = {}
        for leaf in leaves:
            grown.append(leaf_hash(leaf), created)
        if grown.root != tree.root:
            return False
        if first == 0 and leaves:
            _check_first(pinned, leaves[0])
        self._database.write_many(
            "INSERT INTO leaves(position, leaf) VALUES (?, ?)", list(enumerate(leaves, start=first))
        )
        self._hashes.insert(created)
        self._database.write(
            "INSERT OR REPLACE INTO mirror(id, size, range, checkpoint) VALUES (1, ?, ?, ?)",
            tree.size,
            grown.to_bytes(),
            cosigned.note,
        )
        for index, leaf in enumerate(leaves, start=first):
            self._leaf_seen(index, leaf)
        return True

    def _range(self) -> CompactRange:
        row = self._database.row("SELECT range FROM mirror")
        return CompactRange() if row is None else CompactRange.from_bytes(row[0])


def _check_first(pinned: Pinned, raw: bytes) -> None:
    """Check that the log begins with the pinned document.

    Raises:
        CustodyRefusedError: it begins with something else.
    """
    try:
        leaf = decode_leaf(raw)
    except FormatError as error:
        raise CustodyRefusedError(RefusalReason.FOREIGN_LOG) from error
    if not isinstance(leaf, ProgrammeLeaf) or leaf.document.hash(ProgrammeDocument) != pinned.hash:
        raise CustodyRefusedError(RefusalReason.FOREIGN_LOG)
