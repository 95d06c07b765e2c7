"""SQLite files that must never lose what was acknowledged: the log, the witness's memory.

Rules

* WAL with ``synchronous=FULL``: a commit returns after its flush. ``NORMAL`` would not flush on commit.
* Nothing is folded back from the WAL inside a commit; the writer does that when nobody waits (``fold``).
* A missing file is an error. Files are made only by ``create``, owner-readable only, and never over another.
* Deleted rows are overwritten with zeros, because a deleted salt has to be gone.
* Every ``sqlite3`` error leaves this package as a ``StoreError``.

Example

>>> database = Database(sqlite3.connect(":memory:", isolation_level=None))
>>> with database.transaction():
...     _ = database.write("CREATE TABLE t(a INTEGER) STRICT")
...     _ = database.write("INSERT INTO t VALUES (?)", 7)
>>> database.rows("SELECT a FROM t")
[(7,)]
"""

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from understudy.transparency.errors import (
    StorageError,
    StoreDamagedError,
    StoreError,
    StoreLockedError,
    StoreMissingError,
)

SCHEMA_VERSION: Final = 1
_BUSY_SECONDS: Final = 5.0
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT})
_LOCKED: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})

Cell = int | str | bytes | None
Row = tuple[Any, ...]


class Database:
    """One connection, safe to share between threads."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = threading.RLock()

    def rows(self, sql: str, *cells: Cell) -> list[Row]:
        """Return all rows of a query."""
        with self._lock, storage_errors():
            return self._connection.execute(sql, cells).fetchall()

    def row(self, sql: str, *cells: Cell) -> Row | None:
        """Return the first row of a query, or None."""
        # Reading to the end closes the read transaction; a half-read query would keep the WAL from being
        # folded.
        rows = self.rows(sql, *cells)
        return rows[0] if rows else None

    def write(self, sql: str, *cells: Cell) -> int:
        """Run one statement; return how many rows it changed."""
        with self._lock, storage_errors():
            return self._connection.execute(sql, cells).rowcount

    def write_many(self, sql: str, rows: Iterable[tuple[Cell, ...]]) -> None:
        """Run one statement for every one of ``rows``."""
        with self._lock, storage_errors():
            self._connection.executemany(sql, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what the body did, durably, or roll all of it back.

        Raises:
            StoreError: the commit failed; nothing of it may be acknowledged.
        """
        with self._lock, storage_errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def fold(self, *, everything: bool = False) -> bool:
        """Copy the WAL back into the database; ``everything`` also empties it, deleted rows included.

        Returns:
            Whether all of it was done; a reader in the middle of something may be in the way.
        """
        mode = "TRUNCATE" if everything else "PASSIVE"
        busy, frames, copied = self.row(f"PRAGMA wal_checkpoint({mode})") or (1, 0, 0)
        return not busy and frames == copied

    def close(self) -> None:
        """Close the connection."""
        with self._lock, storage_errors():
            self._connection.close()


def create(
    path: Path, *, application: int, schema: str, rows: Sequence[tuple[str, tuple[Cell, ...]]] = ()
) -> None:
    """Make a new database; durable, and there as a whole or not at all.

    Args:
        path: where it will stand.
        application: the kind of store, for ``connect`` to compare.
        schema: the SQL that makes its tables.
        rows: statements with their cells, run in the same transaction.

    Raises:
        StoreError: something stands there already, or it cannot be written.
    """
    beside = path.with_name(f"{path.name}.new")
    try:
        beside.unlink(missing_ok=True)  # of a creation that was interrupted
        os.close(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with storage_errors(), closing(_connect(beside, readonly=False)) as connection:
            connection.executescript(f"BEGIN; {schema}")
            for sql, cells in rows:
                connection.execute(sql, cells)
            connection.execute(f"PRAGMA application_id={application}")
            connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
            connection.execute("COMMIT")
        # Closing folded the WAL back, so this one file is all of it. A link never replaces what stands there.
        os.link(beside, path)
        beside.unlink()
        _flush_folder(path.parent)
    except FileExistsError as error:
        beside.unlink(missing_ok=True)
        raise StoreError(f"{path.name} exists already", hint="open it, or choose another place") from error
    except OSError as error:
        raise StorageError(f"cannot create {path.name}: {error.strerror}") from error


def connect(path: Path, *, application: int, readonly: bool = False) -> Database:
    """Open an existing database.

    Raises:
        StoreMissingError: no file.
        StoreDamagedError: not a database of this kind and version.
        StorageError: it cannot be read.
    """
    if not path.is_file():
        raise StoreMissingError(f"there is no store at {path.name}")
    with storage_errors():
        connection = _connect(path, readonly=readonly)
    database = Database(connection)
    try:
        kind = (database.row("PRAGMA application_id"), database.row("PRAGMA user_version"))
    except StoreError:
        database.close()
        raise
    if kind != ((application,), (SCHEMA_VERSION,)):
        database.close()
        raise StoreDamagedError(
            f"{path.name} is not a store of this kind and version",
            hint="check the path; a newer version's store needs the newer program",
        )
    return database


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn the body's ``sqlite3`` errors into this package's."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in _DAMAGED:
            raise StoreDamagedError("the database file is damaged") from error
        if code in _LOCKED:
            raise StoreLockedError("the database is locked by another process") from error
        if code == sqlite3.SQLITE_FULL:
            raise StorageError("the disk is full") from error
        raise StorageError(f"the database failed: {type(error).__name__}") from error


def _connect(path: Path, *, readonly: bool) -> sqlite3.Connection:
    mode = "ro" if readonly else "rw"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=_BUSY_SECONDS,
    )
    if not readonly:
        connection.execute("PRAGMA journal_mode=WAL").fetchall()
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA secure_delete=ON").fetchall()
        connection.execute("PRAGMA wal_autocheckpoint=0").fetchall()
    connection.execute("PRAGMA trusted_schema=OFF")
    return connection


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
