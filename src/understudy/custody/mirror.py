"""The custodian's own mirror of the log: every leaf, and the newest tree it has seen cosigned.

Rules

* Leaves come from whoever offers them and are stored only when they lead to the root of a checkpoint that
  the log signed and a quorum of witnesses cosigned (``transparency.mirror``).
* Every checkpoint must be consistent with the mirror. A smaller one is: its root is recomputed from the
  leaves here. If that fails, log and quorum have signed two histories; the note is kept as evidence and
  nothing is released any more.
* Entry 0 is the pinned programme document.
* Meaning is looked at only where it matters: kinds the custodian does not use may hold anything.

Example: ``mirror.follow(pinned, cosigned, first, leaves, now)`` inside the transaction that admits an
entry, one
flush for both.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final, Protocol

from understudy.consent.programme import ProgrammeDocument
from understudy.custody.errors import CustodyRefusedError
from understudy.custody.pinning import Pinned
from understudy.custody.reasons import RefusalReason
from understudy.sealing.errors import FormatError
from understudy.transparency import mirror as log_mirror
from understudy.transparency.checkpoint import CosignedCheckpoint
from understudy.transparency.database import Database
from understudy.transparency.errors import CheckpointError, MalformedError, ProofError
from understudy.transparency.leaves import ProgrammeLeaf, decode_leaf

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


class Followed(Enum):
    """What became of bringing the mirror to a cosigned checkpoint."""

    THERE = "there"
    """The mirror covers the checkpoint and agrees with it."""
    ASTRAY = "astray"
    """The leaves offered do not lead to it; nothing was written."""
    FORKED = "forked"
    """It contradicts the mirror; it was kept as evidence."""


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
        self._leaf_seen: Final = leaf_seen

    @property
    def size(self) -> int:
        """How many leaves are mirrored."""
        row = self._database.row("SELECT size FROM mirror")
        return 0 if row is None else int(row[0])

    @property
    def checkpoint(self) -> bytes | None:
        """The cosigned checkpoint that the mirror has reached, or None before the first."""
        row = self._database.row("SELECT checkpoint FROM mirror")
        return None if row is None else bytes(row[0])

    @property
    def is_forked(self) -> bool:
        """Whether a cosigned checkpoint contradicted the mirror."""
        return self._database.row("SELECT 1 FROM forks LIMIT 1") is not None

    def forks(self) -> tuple[bytes, ...]:
        """Return the checkpoints that contradicted the mirror, oldest first."""
        rows = self._database.rows("SELECT checkpoint FROM forks ORDER BY rowid")
        return tuple(bytes(row[0]) for row in rows)

    def leaf(self, index: int) -> bytes | None:
        """Return the mirrored leaf at ``index``, or None."""
        row = self._database.row("SELECT leaf FROM leaves WHERE position = ?", index)
        return None if row is None else bytes(row[0])

    def leaves(self, start: int, end: int) -> tuple[bytes, ...]:
        """Return the mirrored leaves from ``start`` up to ``end``, as many as there are."""
        sql = "SELECT leaf FROM leaves WHERE position >= ? AND position < ? ORDER BY position"
        return tuple(bytes(row[0]) for row in self._database.rows(sql, start, end))

    def follow(
        self, pinned: Pinned, cosigned: CosignedCheckpoint, first: int, leaves: Sequence[bytes], now: int
    ) -> Followed:
        """Bring the mirror to a verified checkpoint.

        Args:
            pinned: says how the log begins.
            cosigned: where to.
            first: index of the first of ``leaves``; the mirror may have grown since.
            leaves: the leaves from ``first`` up to the checkpoint's size.
            now: when evidence was seen.

        Raises:
            CustodyRefusedError: entry 0 is not the pinned document.
        """
        mirror = log_mirror.Mirror(self._database, pinned.document.key_set.log.origin)
        size, tree = mirror.size, cosigned.checkpoint
        try:
            if tree.size == size and size:
                return Followed.THERE if mirror.root == tree.root else self._forked(cosigned, now)
            if tree.size <= size:
                mirror.check(tree)
                return Followed.THERE
            new = leaves[size - first : tree.size - first]
            mirror.extend(new, cosigned)
        except ProofError:
            return Followed.ASTRAY
        except CheckpointError:
            return self._forked(cosigned, now)
        if size == 0:
            _check_first(pinned, new[0])
        for index, leaf in enumerate(new, start=size):
            self._leaf_seen(index, leaf)
        return Followed.THERE

    def _forked(self, cosigned: CosignedCheckpoint, now: int) -> Followed:
        sql = "INSERT OR IGNORE INTO forks(checkpoint, size, seen_at) VALUES (?, ?, ?)"
        self._database.write(sql, cosigned.note, cosigned.checkpoint.size, now)
        return Followed.FORKED


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
