"""What was committed is on the disk; what was not, never was."""

import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from tests.cast import Cast
from understudy.programme.database import one_moment, open_database, reading, writing
from understudy.programme.documents import Documents
from understudy.programme.errors import StorageError
from understudy.programme.tables import Base, DocumentRow
from understudy.sealing.errors import FormatError


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = open_database(tmp_path / "server.db")
    with writing(engine) as session:
        session.execute(text("create table note (line text primary key)"))
    return engine


def lines(engine: Engine) -> list[str]:
    with reading(engine) as session:
        return list(session.scalars(text("select line from note")).all())


def test_every_commit_is_flushed_and_deleted_rows_are_overwritten(engine: Engine) -> None:
    with reading(engine) as session:
        found = {
            pragma: session.scalar(text(f"pragma {pragma}"))
            for pragma in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}


def test_the_file_is_its_owners_alone(engine: Engine, tmp_path: Path) -> None:
    assert lines(engine) == []
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_an_exception_undoes_everything(engine: Engine) -> None:
    def fail() -> None:
        with writing(engine) as session:
            session.execute(text("insert into note values ('a')"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert lines(engine) == []


def test_a_full_disk_is_told_and_nothing_is_half_written(engine: Engine) -> None:
    with writing(engine) as session:
        session.execute(text("insert into note values ('before')"))
        session.execute(text("pragma max_page_count = 1"))

    def fill() -> None:
        with writing(engine) as session:
            for number in range(100):
                session.execute(text("insert into note values (:line)"), {"line": f"{number}" * 4_000})

    with pytest.raises(StorageError) as caught:
        fill()
    assert caught.value.hint
    assert "00000" not in str(caught.value)
    assert lines(engine) == ["before"]


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        open_database(tmp_path / "nowhere" / "server.db")


def test_writers_wait_for_each_other_and_readers_for_nobody(engine: Engine) -> None:
    started = threading.Event()

    def write(name: str) -> None:
        with writing(engine) as session:
            count = session.scalar(text("select count(*) from note"))
            started.set()
            session.execute(text("insert into note values (:line)"), {"line": f"{name}-{count}"})

    threads = [threading.Thread(target=write, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    started.wait()
    lines(engine)
    for thread in threads:
        thread.join()
    assert sorted(line.partition("-")[2] for line in lines(engine)) == [str(number) for number in range(8)]


def test_a_broken_rule_of_a_table_is_the_callers_to_handle(engine: Engine) -> None:
    def twice() -> None:
        with writing(engine) as session:
            session.execute(text("insert into note values ('a')"))
            session.execute(text("insert into note values ('a')"))

    with pytest.raises(IntegrityError):
        twice()


def test_a_damaged_document_is_found_when_it_is_read(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "server.db")
    Base.metadata.create_all(engine)
    Documents(engine).adopt(Cast().signed_document())
    with writing(engine) as session:
        session.execute(text("update programme_document set signed = substr(signed, 2)"))
    with reading(engine) as session, pytest.raises(FormatError):
        session.get(DocumentRow, 1)


class TestOneMoment:
    def test_everything_read_in_the_block_is_of_one_state(self, engine: Engine) -> None:
        with one_moment(engine):
            assert lines(engine) == []
            with writing(engine) as session:
                session.execute(text("insert into note values ('later')"))
            assert lines(engine) == []
        assert lines(engine) == ["later"]

    def test_another_thread_does_not_join(self, engine: Engine) -> None:
        with one_moment(engine), ThreadPoolExecutor(1) as other:
            assert lines(engine) == []
            with writing(engine) as session:
                session.execute(text("insert into note values ('later')"))
            assert other.submit(lines, engine).result() == ["later"]
