"""A database is brought to this program's schema in one step, and a newer one is left alone."""

from pathlib import Path
from typing import cast

import pytest
from alembic.autogenerate import produce_migrations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, MetaData, inspect, text

from tests.unit.vault.full_disk import full_disk
from understudy.programme.database import open_database, reading, writing
from understudy.programme.errors import StorageError
from understudy.web.migrations import SchemaError, metadatas, migrate


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_database(tmp_path / "server.db")


def revision(engine: Engine) -> str | None:
    with reading(engine) as session:
        return MigrationContext.configure(session.connection()).get_current_revision()


def differences(context: MigrationContext) -> list[object]:
    """Return what autogeneration would change, over every package's tables."""
    script = produce_migrations(context, cast("MetaData", metadatas()))
    return [] if script.upgrade_ops is None else list(script.upgrade_ops.as_diffs())


def test_an_empty_database_gets_every_table(engine: Engine) -> None:
    head = migrate(engine)
    assert revision(engine) == head
    tables = {table.name for metadata in metadatas() for table in metadata.tables.values()}
    assert set(inspect(engine).get_table_names()) == tables | {"alembic_version"}


def test_the_revisions_make_what_the_packages_declare(engine: Engine) -> None:
    migrate(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert differences(context) == []


def test_a_missing_column_would_be_found(engine: Engine) -> None:
    migrate(engine)
    with writing(engine) as session:
        session.execute(text("alter table segment drop column task_label"))
    with engine.connect() as connection:
        assert differences(MigrationContext.configure(connection))


def test_a_second_start_changes_nothing(engine: Engine) -> None:
    head = migrate(engine)
    with writing(engine) as session:
        session.execute(text("insert into switch values ('capture', 1)"))
    assert migrate(engine) == head
    with reading(engine) as session:
        assert session.scalar(text("select count(*) from switch")) == 1


def test_an_older_database_is_upgraded_with_what_it_holds(engine: Engine) -> None:
    migrate(engine)
    with writing(engine) as session:
        session.execute(text("insert into switch values ('capture', 1)"))
        for table in metadatas()[2].sorted_tables[::-1]:
            session.execute(text(f"drop table {table.name}"))
        session.execute(text("update alembic_version set version_num = '0001_programme_vault'"))
    migrate(engine)
    with reading(engine) as session:
        assert session.scalar(text("select count(*) from switch")) == 1
    assert "access_grant" in inspect(engine).get_table_names()


def test_a_newer_database_is_refused_and_not_touched(engine: Engine) -> None:
    migrate(engine)
    with writing(engine) as session:
        session.execute(text("update alembic_version set version_num = '9999_tomorrow'"))
    with pytest.raises(SchemaError) as caught:
        migrate(engine)
    assert caught.value.hint
    assert revision(engine) == "9999_tomorrow"


def test_a_full_disk_leaves_the_database_as_it_was(engine: Engine) -> None:
    with full_disk(after=4096), pytest.raises(StorageError):
        migrate(engine)
    assert revision(engine) is None
    assert inspect(engine).get_table_names() == []
    migrate(engine)


def test_two_columns_of_one_name_never_mean_two_packages() -> None:
    names = [table for metadata in metadatas() for table in metadata.tables]
    assert len(names) == len(set(names))
