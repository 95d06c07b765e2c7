"""One store, one process; nothing acknowledged that is not on the disk."""

import multiprocessing
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from tests.unit.custody.world import Participant, World, seal
from understudy.custody.errors import (
    StorageError,
    StoreDamagedError,
    StoreExistsError,
    StoreLockedError,
    StoreMissingError,
)
from understudy.custody.store import Store, load_signed


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "custodian.db"


def _try_to_open(path: str, answer: "multiprocessing.Queue[str]") -> None:
    try:
        Store(Path(path)).close()
        answer.put("opened")
    except StoreLockedError as error:
        answer.put(error.hint)


def test_a_missing_store_is_never_replaced_by_an_empty_one(path: Path) -> None:
    with pytest.raises(StoreMissingError):
        Store(path)
    assert not path.exists()


def test_an_existing_store_is_not_created_over(path: Path) -> None:
    Store.create(path).close()
    with pytest.raises(StoreExistsError):
        Store.create(path)


def test_a_second_process_is_refused_until_the_first_has_gone(path: Path) -> None:
    store = Store.create(path)
    spawn = multiprocessing.get_context("spawn")
    for expected in ("one process is one custodian; stop the other one first", "opened"):
        answer = spawn.Queue()
        process = spawn.Process(target=_try_to_open, args=(str(path), answer))
        process.start()
        assert answer.get(timeout=60) == expected
        process.join()
        if expected != "opened":
            store.close()


def test_a_second_custodian_in_one_process_is_refused_too(path: Path) -> None:
    store = Store.create(path)
    with pytest.raises(StoreLockedError):
        Store(path)
    store.close()
    Store(path).close()


def test_only_its_owner_can_read_the_store(path: Path) -> None:
    store = Store.create(path)
    with store.transaction():
        store.database.write("INSERT INTO tombstones(segment) VALUES ('x')")
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    store.close()


@pytest.mark.parametrize("pragma", ["user_version = 2", "application_id = 7"])
def test_another_version_or_kind_is_refused(path: Path, pragma: str) -> None:
    Store.create(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA {pragma}")
    with pytest.raises(StoreDamagedError):
        Store(path)


def test_a_refused_store_is_not_left_locked(path: Path) -> None:
    Store.create(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    with pytest.raises(StoreDamagedError):
        Store(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 1")
    Store(path).close()


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.write_bytes(b"not a database, but long enough to look like one" * 100)
    with pytest.raises(StoreDamagedError):
        Store(path)


def test_every_commit_is_flushed(path: Path) -> None:
    store = Store.create(path)
    assert store.database.row("PRAGMA synchronous") == (2,)
    assert store.database.row("PRAGMA journal_mode") == ("wal",)
    assert store.database.row("PRAGMA secure_delete") == (1,)
    assert store.database.row("PRAGMA foreign_keys") == (1,)
    store.close()


def test_a_failed_transaction_leaves_nothing(path: Path) -> None:
    store = Store.create(path)
    with pytest.raises(StorageError), store.transaction():
        store.database.write_many("INSERT INTO tombstones(segment) VALUES (?)", [("x",), ("y",), ("x",)])
    assert store.database.rows("SELECT * FROM tombstones") == []
    store.close()


def test_after_an_unknown_failure_the_store_stays_closed_until_it_is_opened_again(path: Path) -> None:
    store = Store.create(path)
    with pytest.raises(StorageError), store.transaction():
        store.database.write("INSERT INTO nowhere VALUES (1)")
    with pytest.raises(StorageError, match="failed before"), store.transaction():
        pass
    store.close()
    store = Store(path)
    with store.transaction():
        store.database.write("INSERT INTO tombstones(segment) VALUES ('x')")
    store.close()


def test_the_wal_is_folded_back_even_if_nobody_calls_maintain(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy.custody.store.COMMITS_BETWEEN_FOLDS", 5)
    store = Store.create(path)
    size = path.stat().st_size
    for number in range(400):
        with store.transaction():
            store.database.write("INSERT INTO tombstones(segment) VALUES (?)", f"{number:0200}")
    assert path.stat().st_size > size
    assert path.with_name("custodian.db-wal").stat().st_size < path.stat().st_size
    store.close()


def test_an_unreadable_document_is_damage() -> None:
    with pytest.raises(StoreDamagedError):
        load_signed(b"{")


class TestFullDisk:
    """SQLite is told that the disk is full, with ``max_page_count``: it fails as it would then."""

    def _fill(self, world: World, *, spare: int = 0) -> None:
        database = world.store.database
        pages = database.row("PRAGMA page_count") or (0,)
        database.row(f"PRAGMA max_page_count = {pages[0] + spare}")

    def _free(self, world: World) -> None:
        world.store.database.row("PRAGMA max_page_count = 1000000")

    def test_a_deposit_is_not_acknowledged_and_can_be_made_again(self, world: World) -> None:
        one = Participant("one")
        sealed = [seal(one, one.consent()) for _ in range(20)]
        self._fill(world)
        kept = 0
        for bundle in sealed:
            try:
                world.custodian.deposit(bundle.header, bundle.halves[1])
            except StorageError:
                continue
            else:
                kept += 1
        assert kept < len(sealed)
        assert world.store.database.row("SELECT count(*) FROM deposits") == (kept,)
        self._free(world)
        for bundle in sealed:
            world.custodian.deposit(bundle.header, bundle.halves[1])
        assert world.store.database.row("SELECT count(*) FROM deposits") == (len(sealed),)

    @pytest.mark.parametrize("spare", range(4))
    def test_an_open_is_wholly_there_or_not_at_all(self, world: World, spare: int) -> None:
        one = Participant("one")
        segments = [world.share(one) for _ in range(40)]
        grant = world.grant()
        request = world.request(grant, segments)
        entered = world.enter(grant, request, {one.tag: segments})
        delivery = world.delivery(entered, grant, request)
        self._fill(world, spare=spare)
        before = world.store.database.row("SELECT size FROM mirror")
        with pytest.raises(StorageError, match="full"):
            world.custodian.open(delivery)
        database = world.store.database
        for table in ("entries", "numbers", "heads", "releases", "replies", "reply_segments"):
            assert database.row(f"SELECT count(*) FROM {table}") == (0,), table  # noqa: S608  names above
        assert database.row("SELECT size FROM mirror") == before
        self._free(world)
        answer = world.custodian.open(delivery)
        assert world.custodian.open(delivery) == answer
