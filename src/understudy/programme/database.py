"""The server's SQLite files: opened one way, so that what was committed is on the disk.

Rules

* WAL with ``synchronous=FULL``: a commit returns after its flush. Files are readable by their owner only.
* Deleted rows are overwritten with zeros (``secure_delete``): what a person has erased has to be gone.
* A transaction that will write takes the write lock when it begins (``BEGIN IMMEDIATE``), so that two of
  them never find out at commit that they disagree. Readers never wait for it.
* Input/output errors leave as ``StorageError``; then nothing was acknowledged.

Example

>>> import tempfile
>>> from pathlib import Path
>>> from sqlalchemy import text
>>> with tempfile.TemporaryDirectory() as folder:
...     engine = open_database(Path(folder) / "server.db")
...     with writing(engine) as session:
...         _ = session.execute(text("create table note (line text)"))
...     engine.dispose()
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Engine, LargeBinary, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeDecorator

from understudy.programme.errors import StorageError
from understudy.sealing.canonical import canonical, parse
from understudy.sealing.signing import Signed

NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
"""Names of constraints, fixed so that a later migration can speak of them."""

_WRITES: Final = "understudy_writes"
_moments: Final = threading.local()
_BUSY_SECONDS: Final = 10.0
_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",
    "PRAGMA trusted_schema=OFF",
)


class SignedColumn(TypeDecorator[Signed]):
    """A ``Signed`` value, stored as its canonical bytes and checked when read."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Signed | None, dialect: Dialect) -> bytes | None:
        """Return the canonical bytes."""
        del dialect
        return None if value is None else canonical(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Signed | None:
        """Return the value; ``FormatError`` if the bytes were damaged."""
        del dialect
        return None if value is None else parse(Signed, value)


def open_database(path: Path) -> Engine:
    """Return an engine on the SQLite file at ``path``, which is made (mode 0600) if it is absent.

    Raises:
        StorageError: the file cannot be made.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StorageError(f"cannot open the database {path.name}: {error.strerror}") from error
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": _BUSY_SECONDS})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Give a session on one consistent state of the database.

    Raises:
        StorageError: the database cannot be read.
    """
    joined: dict[Engine, Session] = getattr(_moments, "sessions", {})
    if engine in joined:
        yield joined[engine]
        return
    with _storage_errors(), Session(engine, expire_on_commit=False) as session:
        yield session


@contextmanager
def one_moment(engine: Engine) -> Iterator[None]:
    """Let everything this thread reads in the block see one state of the database, through one session.

    A decision that gathers its facts in several places is then about one moment. Writes do not join.

    Raises:
        StorageError: the database cannot be read.
    """
    joined: dict[Engine, Session] = getattr(_moments, "sessions", {})
    if engine in joined:
        yield
        return
    with _storage_errors(), Session(engine, expire_on_commit=False) as session:
        _moments.sessions = {**joined, engine: session}
        try:
            yield
        finally:
            _moments.sessions = joined


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """Give a session whose changes are durable when the block is left, or gone if it raises.

    Raises:
        StorageError: disk full, locked for too long, or an input/output error.
    """
    writer = engine.execution_options(**{_WRITES: True})
    with _storage_errors(), Session(writer, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def _storage_errors() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as error:
        raise StorageError(f"the database refused: {error.orig}") from error


def _prepare(connection: Any, record: object) -> None:
    """Set up a new connection; sqlite3's own transaction handling is switched off."""
    del record
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
