import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from understudy.transparency.database import Database, connect, create
from understudy.transparency.errors import (
    StorageError,
    StoreDamagedError,
    StoreError,
    StoreLockedError,
    StoreMissingError,
)

KIND = 0x1234
SCHEMA = "CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB) STRICT;"
FULL = 2


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A new database."""
    made = tmp_path / "some.db"
    create(made, application=KIND, schema=SCHEMA)
    return made


def opened(path: Path, *, readonly: bool = False) -> Database:
    return connect(path, application=KIND, readonly=readonly)


def test_commits_are_flushed_and_deleted_rows_overwritten(path: Path) -> None:
    database = opened(path)
    assert database.row("PRAGMA synchronous") == (FULL,)
    assert database.row("PRAGMA journal_mode") == ("wal",)
    assert database.row("PRAGMA secure_delete") == (1,)
    assert database.row("PRAGMA wal_autocheckpoint") == (0,)
    database.close()


def test_only_the_owner_can_read_it(path: Path) -> None:
    database = opened(path)
    database.write("INSERT INTO t VALUES (1, NULL)")
    for file in (path, path.with_name("some.db-wal"), path.with_name("some.db-shm")):
        assert file.stat().st_mode & 0o777 == 0o600
    database.close()


def test_a_missing_store_is_never_replaced_by_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(StoreMissingError):
        opened(tmp_path / "gone.db")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_created_over_what_stands_there(path: Path) -> None:
    with pytest.raises(StoreError):
        create(path, application=KIND, schema=SCHEMA)
    with pytest.raises(StorageError):
        create(path / "below-a-file", application=KIND, schema=SCHEMA)


def test_an_interrupted_creation_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    with pytest.raises(StorageError):
        create(path, application=KIND, schema="CREATE TABLE broken(")
    assert not path.exists()
    path.with_name("some.db.new").write_bytes(b"half of it")
    create(path, application=KIND, schema=SCHEMA, rows=[("INSERT INTO t VALUES (?, ?)", (1, b"x"))])
    assert [file.name for file in tmp_path.iterdir()] == ["some.db"]
    database = opened(path)
    assert database.rows("SELECT * FROM t") == [(1, b"x")]
    database.close()


def test_another_kind_version_or_file_is_refused(path: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreDamagedError):
        connect(path, application=KIND + 1)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=2")
    with pytest.raises(StoreDamagedError):
        opened(path)
    text = tmp_path / "text.db"
    text.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreDamagedError):
        connect(text, application=KIND)


def test_a_transaction_that_fails_leaves_no_trace(path: Path) -> None:
    database = opened(path)
    with pytest.raises(ZeroDivisionError), database.transaction():
        database.write("INSERT INTO t VALUES (1, ?)", 1 // 0)
    with pytest.raises(StorageError), database.transaction():
        database.write_many("INSERT INTO t VALUES (?, ?)", [(1, None), (2, "text where bytes belong")])
    assert database.rows("SELECT * FROM t") == []
    with pytest.raises(StorageError), database.transaction():
        database.write_many("INSERT INTO t VALUES (?, NULL)", [(1,), (1,)])
    assert database.rows("SELECT * FROM t") == []
    database.close()


def test_a_reader_cannot_write(path: Path) -> None:
    database = opened(path, readonly=True)
    with pytest.raises(StorageError):
        database.write("INSERT INTO t VALUES (1, NULL)")
    database.close()


def test_a_database_held_by_another_is_named_as_locked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("understudy.transparency.database._BUSY_SECONDS", 0.05)
    one, other = opened(path), opened(path)
    with one.transaction(), pytest.raises(StoreLockedError), other.transaction():
        pass
    one.close()
    other.close()


def test_folding_everything_leaves_nothing_of_a_deleted_row_on_disk(path: Path) -> None:
    secret = b"a salt that has to be gone"
    database = opened(path)
    database.write("INSERT INTO t VALUES (1, ?)", secret)
    wal = path.with_name("some.db-wal")
    assert secret in wal.read_bytes()
    database.write("DELETE FROM t")
    assert database.fold(everything=True)
    assert secret not in wal.read_bytes() + path.read_bytes()
    database.close()


def test_a_closed_database_is_an_error_of_this_package(path: Path) -> None:
    database = opened(path)
    database.close()
    with pytest.raises(StorageError):
        database.rows("SELECT 1")
