"""The log's truth: one SQLite file with entries, hashes, openings, heads and signed checkpoints.

Rules

* The truth is ``entries``, ``openings``, ``participants`` and ``checkpoints``. ``hashes`` is derived and
  rebuildable.
* The newest checkpoint always covers exactly the entries that are stored: both come in one transaction.
* One process writes, under a lock beside the file; any number read.
* Erasing a participant deletes openings, salts and segment ids. Head and entries stay, so numbers cannot
  start again and every proof still holds.
"""

import fcntl
import os
from pathlib import Path
from typing import Final

from understudy.consent.primitives import decode_bytes, encode_bytes
from understudy.sealing.canonical import octets
from understudy.sealing.signing import SigningKey
from understudy.transparency.checkpoint import (
    Checkpoint,
    CosignedCheckpoint,
    sign_checkpoint,
    verify_checkpoint,
)
from understudy.transparency.database import Database, Row, connect, create
from understudy.transparency.draft import CommittedOpening
from understudy.transparency.errors import (
    StorageError,
    StoreDamagedError,
    StoreLockedError,
    TransparencyError,
)
from understudy.transparency.hashes import HashTable, TableTiles, hash_schema
from understudy.transparency.leaves import Opening
from understudy.transparency.merkle import EMPTY_ROOT, leaf_hash, split_hashes
from understudy.transparency.note import VerifierKey
from understudy.transparency.tiles import TILE_WIDTH

APPLICATION_ID: Final = 0x75_73_6C_67
"""``uslg``: marks the file as a log store."""

_SCHEMA: Final = """
    CREATE TABLE log(origin TEXT NOT NULL, public_key BLOB NOT NULL) STRICT;
    CREATE TABLE entries(
        position INTEGER PRIMARY KEY,
        leaf BLOB NOT NULL,
        appended_at INTEGER NOT NULL,
        request_key TEXT UNIQUE,
        content BLOB
    ) STRICT;
    CREATE TABLE openings(
        tag TEXT NOT NULL,
        n INTEGER NOT NULL,
        position INTEGER NOT NULL,
        prev TEXT NOT NULL,
        segments TEXT NOT NULL,
        salt TEXT NOT NULL,
        commitment TEXT NOT NULL,
        place INTEGER NOT NULL,
        count INTEGER NOT NULL,
        path BLOB NOT NULL,
        PRIMARY KEY(tag, n)
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX openings_by_position ON openings(position, place);
    CREATE TABLE participants(
        tag TEXT PRIMARY KEY,
        n INTEGER NOT NULL,
        commitment TEXT NOT NULL,
        erased_to INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE checkpoints(size INTEGER PRIMARY KEY, note BLOB NOT NULL, cosigned BLOB) STRICT;
    CREATE TABLE clock_steps(
        position INTEGER PRIMARY KEY, before INTEGER NOT NULL, after INTEGER NOT NULL
    ) STRICT;
    """ + hash_schema()
_OPENINGS: Final = (
    "SELECT position, tag, n, prev, segments, salt, commitment, place, count, path FROM openings "
)


class LogStore:
    """Reads the store, and writes to it inside a transaction of ``database``."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.hashes = HashTable(database)
        self.tiles = TableTiles(self.hashes, self.entries, self.published)

    @property
    def size(self) -> int:
        """How many entries are stored."""
        return int((self.database.row("SELECT coalesce(max(position) + 1, 0) FROM entries") or (0,))[0])

    @property
    def origin(self) -> str:
        """The log's origin."""
        return str(self._log()[0])

    @property
    def log_key(self) -> VerifierKey:
        """The key that checkpoints are signed with."""
        origin, public = self._log()
        return VerifierKey.log(origin, encode_bytes(public))

    def entry(self, index: int) -> bytes | None:
        """Return the leaf at ``index``, or None."""
        row = self.database.row("SELECT leaf FROM entries WHERE position = ?", index)
        return None if row is None else bytes(row[0])

    def entries(self, begin: int, end: int) -> tuple[bytes, ...]:
        """Return the leaves from ``begin`` up to ``end``, as many as there are."""
        sql = "SELECT leaf FROM entries WHERE position >= ? AND position < ? ORDER BY position"
        return tuple(row[0] for row in self.database.rows(sql, begin, end))

    def find(self, request_key: str) -> tuple[int, bytes] | None:
        """Return index and content digest of the entry made under ``request_key``, or None."""
        sql = "SELECT position, content FROM entries WHERE request_key = ?"
        row = self.database.row(sql, request_key)
        return None if row is None else (row[0], row[1])

    def head(self, tag: str) -> tuple[int, str] | None:
        """Return the participant's last number and its commitment, or None before the first."""
        row = self.database.row("SELECT n, commitment FROM participants WHERE tag = ?", tag)
        return None if row is None else (row[0], row[1])

    def numbers(self) -> tuple[tuple[str, int], ...]:
        """Return every participant's tag and last number, sorted by tag."""
        rows = self.database.rows("SELECT tag, n FROM participants ORDER BY tag")
        return tuple((row[0], row[1]) for row in rows)

    def openings_at(self, index: int) -> tuple[CommittedOpening, ...]:
        """Return the openings of one entry, sorted by tag."""
        sql = _OPENINGS + "WHERE position = ? ORDER BY place"
        return tuple(_opening(row) for row in self.database.rows(sql, index))

    def openings_of(self, tag: str, *, after: int = 0, limit: int = 1_000) -> tuple[CommittedOpening, ...]:
        """Return a participant's openings with numbers above ``after``, in order, at most ``limit``."""
        sql = _OPENINGS + "WHERE tag = ? AND n > ? ORDER BY n LIMIT ?"
        return tuple(_opening(row) for row in self.database.rows(sql, tag, after, limit))

    def last_time(self) -> int:
        """Return the time the last entry was given; 0 in an empty log."""
        row = self.database.row("SELECT appended_at FROM entries ORDER BY position DESC LIMIT 1")
        return 0 if row is None else int(row[0])

    def clock_steps(self) -> tuple[tuple[int, int, int], ...]:
        """Return where the clock went backwards: (index, time before, time given to that entry)."""
        sql = "SELECT position, before, after FROM clock_steps ORDER BY position"
        return tuple((row[0], row[1], row[2]) for row in self.database.rows(sql))

    def newest(self) -> bytes:
        """Return the newest checkpoint, signed by the log; one exists from the creation on."""
        row = self.database.row("SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1")
        if row is None:
            raise StoreDamagedError("the log has no checkpoint")
        return bytes(row[0])

    def published(self) -> bytes | None:
        """Return the newest checkpoint that was stored with its cosignatures, or None."""
        sql = "SELECT cosigned FROM checkpoints WHERE cosigned IS NOT NULL ORDER BY size DESC LIMIT 1"
        row = self.database.row(sql)
        return None if row is None else bytes(row[0])

    def add_checkpoint(self, size: int, note: bytes) -> None:
        """Store a signed checkpoint; part of the append's transaction."""
        self.database.write("INSERT INTO checkpoints(size, note) VALUES (?, ?)", size, note)

    def keep_cosigned(self, cosigned: CosignedCheckpoint) -> None:
        """Store a checkpoint's cosignatures beside it; part of a transaction."""
        sql = "UPDATE checkpoints SET cosigned = ? WHERE size = ?"
        self.database.write(sql, cosigned.note, cosigned.checkpoint.size)

    def erase(self, tag: str) -> int:
        """Delete a participant's openings and salts; part of a transaction. Return how many."""
        self.database.write("UPDATE participants SET erased_to = n WHERE tag = ?", tag)
        return self.database.write("DELETE FROM openings WHERE tag = ?", tag)

    def check_tail(self) -> Checkpoint:
        """Return the newest checkpoint, after comparing it with the stored hashes and the last 256 entries.

        Raises:
            StoreDamagedError: they contradict each other.
        """
        try:
            signed = verify_checkpoint(self.newest(), log_key=self.log_key, witnesses=(), quorum=0)
        except TransparencyError as error:
            raise StoreDamagedError("the newest checkpoint does not verify") from error
        tree = signed.checkpoint
        begin = max(tree.size - TILE_WIDTH, 0)
        tail = tuple(leaf_hash(leaf) for leaf in self.entries(begin, tree.size + 1))
        whole = len(tail) == tree.size - begin and self.size == tree.size
        if not whole or tail != self.hashes.hashes(0, begin, tree.size + 1):
            raise StoreDamagedError("the last entries are not those of the newest checkpoint")
        if self.hashes.root_at(tree.size) != tree.root:
            raise StoreDamagedError("the stored hashes do not lead to the newest checkpoint")
        return tree

    def close(self) -> None:
        """Close the connection."""
        self.database.close()

    def _log(self) -> tuple[str, bytes]:
        row = self.database.row("SELECT origin, public_key FROM log")
        if row is None:
            raise StoreDamagedError("the store does not say whose log it is")
        return row[0], row[1]


class WriterLock:
    """Held by the one process that writes; the system releases it when the process dies."""

    def __init__(self, path: Path) -> None:
        """Take the lock beside the store at ``path``.

        Raises:
            StoreLockedError: somebody else holds it.
            StorageError: the lock file cannot be made.
        """
        try:
            self._handle = os.open(path.with_name(path.name + ".lock"), os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise StorageError(f"cannot open the lock of {path.name}: {error.strerror}") from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._handle)
            raise StoreLockedError(f"another process writes to {path.name}") from error

    def release(self) -> None:
        """Let the next writer in."""
        os.close(self._handle)


def create_log(path: Path, *, origin: str, key: SigningKey) -> None:
    """Make the store of a new, empty log, with its signed checkpoint of size 0.

    Raises:
        StoreError: something stands at ``path`` already, or it cannot be written.
        MalformedError: ``origin`` cannot name a log.
    """
    note = sign_checkpoint(Checkpoint(origin, 0, EMPTY_ROOT), key)
    create(
        path,
        application=APPLICATION_ID,
        schema=_SCHEMA,
        rows=(
            ("INSERT INTO log(origin, public_key) VALUES (?, ?)", (origin, octets(key.public))),
            ("INSERT INTO checkpoints(size, note) VALUES (0, ?)", (note,)),
        ),
    )


def open_log(path: Path, *, readonly: bool = True) -> LogStore:
    """Open the store of a log, by default only to read it, beside a running sequencer or alone.

    Raises:
        StoreError: missing, damaged, or of another kind or version.
    """
    return LogStore(connect(path, application=APPLICATION_ID, readonly=readonly))


def _opening(row: Row) -> CommittedOpening:
    position, tag, n, prev, segments, salt, commitment, place, count, path = row
    return CommittedOpening(
        index=position,
        opening=Opening(tag=tag, n=n, prev=prev, segments=tuple(segments.split(" ")), salt=salt),
        commitment=commitment,
        place=place,
        count=count,
        path=tuple(encode_bytes(node) for node in split_hashes(path)),
    )


def opening_row(opening: CommittedOpening) -> tuple[int | str | bytes, ...]:
    """Return the row that ``openings`` holds for ``opening``."""
    hidden = opening.opening
    return (
        opening.index,
        hidden.tag,
        hidden.n,
        hidden.prev,
        " ".join(hidden.segments),
        hidden.salt,
        opening.commitment,
        opening.place,
        opening.count,
        b"".join(decode_bytes(node) for node in opening.path),
    )
