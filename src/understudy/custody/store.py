"""The custodian's store: one SQLite file that holds everything it must not forget.

Rules

* WAL with ``synchronous=FULL``, deleted rows overwritten, one connection, one process (see
  ``transparency.database`` and the lock beside the file). A transaction is one flush; nothing is
  acknowledged before it.
* A missing store is never replaced by an empty one: that would start everybody's numbers again.
* Nothing is folded back from the WAL inside a commit that somebody waits for; ``maintain`` does it, and
  ``transaction`` itself after every 1,000 commits, so that the WAL stays bounded even if nobody calls it.
* Signed documents are stored as the bytes that were sent. Clear openings, salts and halves are never
  stored: openings go in sealed, halves stay sealed as the device sent them.

Example: ``Store.create(folder / "custodian.db")``, then ``with store.transaction(): ...``.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from understudy.custody.errors import (
    StorageError,
    StoreDamagedError,
    StoreExistsError,
    StoreLockedError,
    StoreMissingError,
)
from understudy.sealing.signing import Signed
from understudy.transparency import errors as log_errors
from understudy.transparency.database import Database, connect, create
from understudy.transparency.mirror import mirror_schema
from understudy.transparency.store import WriterLock

APPLICATION_ID: Final = 0x75_73_63_75
"""``uscu``: marks the file as a custodian's store."""

COMMITS_BETWEEN_FOLDS: Final = 1_000

_SCHEMA: Final = """
    CREATE TABLE programme(number INTEGER PRIMARY KEY, hash TEXT NOT NULL, document BLOB NOT NULL) STRICT;
    CREATE TABLE enrolments(
        tag TEXT NOT NULL, number INTEGER NOT NULL, hash TEXT NOT NULL,
        record BLOB NOT NULL, receipt BLOB NOT NULL, PRIMARY KEY(tag, number)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE consents(
        hash TEXT PRIMARY KEY, tag TEXT NOT NULL, consent BLOB NOT NULL, receipt BLOB NOT NULL,
        withdrawn INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX consents_by_tag ON consents(tag);
    CREATE TABLE standings(
        position INTEGER PRIMARY KEY, tag TEXT NOT NULL, number INTEGER NOT NULL, hash TEXT NOT NULL UNIQUE,
        state TEXT NOT NULL, standing BLOB NOT NULL, receipt BLOB NOT NULL
    ) STRICT;
    CREATE INDEX standings_by_tag ON standings(tag, number);
    CREATE TABLE deposits(
        segment TEXT PRIMARY KEY, tag TEXT NOT NULL, header_hash TEXT NOT NULL, header BLOB NOT NULL,
        sealed BLOB NOT NULL, receipt BLOB NOT NULL
    ) STRICT;
    CREATE TABLE tombstones(segment TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
    CREATE TABLE forks(checkpoint BLOB PRIMARY KEY, size INTEGER NOT NULL, seen_at INTEGER NOT NULL) STRICT;
    CREATE TABLE heads(
        tag TEXT PRIMARY KEY, n INTEGER NOT NULL, commitment TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE entries(
        position INTEGER PRIMARY KEY, leaf TEXT NOT NULL, not_after INTEGER NOT NULL,
        outcome TEXT CHECK(outcome IN ('released', 'refused')), reason TEXT
    ) STRICT;
    CREATE INDEX entries_undecided ON entries(not_after) WHERE outcome IS NULL;
    CREATE TABLE numbers(
        tag TEXT NOT NULL, n INTEGER NOT NULL, position INTEGER NOT NULL REFERENCES entries(position),
        commitment TEXT NOT NULL, for_participant BLOB NOT NULL, for_auditor BLOB NOT NULL, outcome BLOB,
        PRIMARY KEY(tag, n)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX numbers_by_position ON numbers(position);
    CREATE TABLE releases(
        request TEXT PRIMARY KEY, position INTEGER NOT NULL UNIQUE REFERENCES entries(position),
        grant_hash TEXT NOT NULL, segments INTEGER NOT NULL, released_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX releases_by_grant ON releases(grant_hash, released_at);
    CREATE TABLE replies(
        leaf TEXT NOT NULL, reader_key TEXT NOT NULL, position INTEGER NOT NULL, purpose TEXT NOT NULL,
        not_after INTEGER NOT NULL, answer BLOB NOT NULL, PRIMARY KEY(leaf, reader_key)
    ) STRICT;
    CREATE INDEX replies_by_end ON replies(not_after);
    CREATE TABLE reply_segments(
        segment TEXT NOT NULL, position INTEGER NOT NULL, PRIMARY KEY(segment, position)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE revocations(grant_hash TEXT PRIMARY KEY, revocation BLOB NOT NULL) STRICT;
    CREATE TABLE switch_changes(
        revision INTEGER PRIMARY KEY, order_hash TEXT NOT NULL UNIQUE, document BLOB NOT NULL,
        off TEXT NOT NULL, logged_at INTEGER
    ) STRICT;
    CREATE INDEX switch_unlogged ON switch_changes(revision) WHERE logged_at IS NULL;
    """ + mirror_schema()

_SIGNED: Final = msgspec.json.Decoder(Signed)


class Store:
    """The open store of one custodian."""

    def __init__(self, path: Path) -> None:
        """Open the store at ``path``, alone.

        Raises:
            StoreMissingError: there is none.
            StoreLockedError: another process has it open.
            StoreDamagedError: another kind or version, or damaged.
            StorageError: it cannot be read.
        """
        if not path.is_file():
            raise StoreMissingError(f"there is no custodian's store at {path.name}")
        self._commits = 0
        self._failed = False
        self._is_closed = False
        with _own_errors():
            self._lock = WriterLock(path)
        try:
            with _own_errors():
                self._database = connect(path, application=APPLICATION_ID)
                self._database.write("PRAGMA foreign_keys=ON")
        except BaseException:
            self._lock.release()
            raise

    @property
    def database(self) -> Database:
        """The database; to be used inside ``transaction`` only."""
        return self._database

    @classmethod
    def create(cls, path: Path) -> "Store":
        """Make an empty store at ``path`` and open it.

        Raises:
            StoreExistsError: something stands there already.
            StorageError: it cannot be written.
        """
        if path.exists():
            raise StoreExistsError(f"{path.name} exists already")
        with _own_errors():
            create(path, application=APPLICATION_ID, schema=_SCHEMA)
        return cls(path)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what the body did in one flush, or roll all of it back.

        Raises:
            StorageError: nothing of it may be acknowledged.
        """
        if self._failed:
            raise StorageError(
                "the store failed before", hint="look at the disk and start the custodian again"
            )
        try:
            with _own_errors(), self._database.transaction():
                yield
        except StorageError as error:
            self._failed = not _is_full(error)
            raise
        self._commits += 1
        if self._commits >= COMMITS_BETWEEN_FOLDS:
            self.fold()

    def fold(self, *, everything: bool = False) -> None:
        """Copy the WAL back into the file; ``everything`` also empties it, deleted rows included.

        Raises:
            StorageError: the disk is full or fails.
        """
        with _own_errors():
            self._database.fold(everything=everything)
        self._commits = 0

    def close(self) -> None:
        """Close the store and let the next process in. Idempotent."""
        if self._is_closed:
            return
        self._is_closed = True
        with _own_errors():
            self._database.close()
        self._lock.release()


def store_signed(document: Signed) -> bytes:
    """Return the bytes under which a signed document is stored."""
    return msgspec.json.encode(document)


def load_signed(raw: bytes) -> Signed:
    """Return the signed document that ``store_signed`` wrote.

    Raises:
        StoreDamagedError: it is not one.
    """
    try:
        return _SIGNED.decode(raw)
    except msgspec.DecodeError as error:
        raise StoreDamagedError("a stored document cannot be read") from error


@contextmanager
def _own_errors() -> Iterator[None]:
    """Turn the body's errors of ``transparency.database`` into this package's."""
    try:
        yield
    except log_errors.StoreLockedError as error:
        raise StoreLockedError("another process is this custodian") from error
    except log_errors.StorageError as error:
        raise StorageError(str(error)) from error
    except log_errors.StoreError as error:
        raise StoreDamagedError(str(error)) from error


def _is_full(error: StorageError) -> bool:
    """Return whether SQLite said that the disk is full, as against an unknown failure."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, sqlite3.Error):
            return getattr(cause, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
        cause = cause.__cause__
    return False
