"""What the server remembers about requests and grants.

Rules

* Rows hold the exact signed documents; columns beside them are only what a query needs.
* A grant is never changed once it is stored: SQLite refuses it by itself. Its end is a row of its own.
* Which grant was used, when and for whom, is in the log and nowhere else.
"""

from typing import Final

from sqlalchemy import BigInteger, Connection, ForeignKey, LargeBinary, MetaData, String, Table, event
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from understudy.programme.database import NAMING, SignedColumn
from understudy.sealing.signing import Signed

_DIGEST: Final = String(43)
_ID: Final = String(26)
_SIGNATURE: Final = String(86)


class Base(DeclarativeBase):
    """Base of this package's tables."""

    metadata = MetaData(naming_convention=NAMING)


class RequestRow(Base):
    """A submitted access request and the one grant it can become."""

    __tablename__ = "access_request"

    request: Mapped[str] = mapped_column(_ID, primary_key=True)
    hash: Mapped[str] = mapped_column(_DIGEST, unique=True)
    signed: Mapped[Signed] = mapped_column(SignedColumn)
    grant_hash: Mapped[str] = mapped_column(_DIGEST, unique=True)
    grant_body: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[int] = mapped_column(BigInteger, index=True)


class ApprovalRow(Base):
    """One approver's signature over a grant's bytes; ``place`` keeps their order."""

    __tablename__ = "access_approval"

    grant_hash: Mapped[str] = mapped_column(ForeignKey(RequestRow.grant_hash), primary_key=True)
    key: Mapped[str] = mapped_column(_DIGEST, primary_key=True)
    place: Mapped[int]
    signature: Mapped[str] = mapped_column(_SIGNATURE)


class GrantRow(Base):
    """A grant that came into force; ``request`` is none for a self-grant, ``log_index`` too."""

    __tablename__ = "access_grant"

    grant_hash: Mapped[str] = mapped_column(_DIGEST, primary_key=True)
    request: Mapped[str | None] = mapped_column(_ID, unique=True)
    signed: Mapped[Signed] = mapped_column(SignedColumn)
    in_force_at: Mapped[int] = mapped_column(BigInteger)
    log_index: Mapped[int | None] = mapped_column(BigInteger)


class ReaderRow(Base):
    """Who may read under a grant, to find the grants of a reader."""

    __tablename__ = "access_reader"

    credential: Mapped[str] = mapped_column(_DIGEST, primary_key=True)
    grant_hash: Mapped[str] = mapped_column(ForeignKey(GrantRow.grant_hash), primary_key=True)
    not_after: Mapped[int] = mapped_column(BigInteger)


class RevocationRow(Base):
    """The signed end of a grant."""

    __tablename__ = "access_revocation"

    grant_hash: Mapped[str] = mapped_column(ForeignKey(GrantRow.grant_hash), primary_key=True)
    signed: Mapped[Signed] = mapped_column(SignedColumn)


class PolicyRow(Base):
    """The policy sets that decided, in order; ``log_index`` once the change is in the log."""

    __tablename__ = "access_policy"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    policy_hash: Mapped[str] = mapped_column(_DIGEST)
    log_index: Mapped[int | None] = mapped_column(BigInteger)


IMMUTABLE: Final = ("access_request", "access_approval", "access_grant", "access_revocation")


def immutable_trigger(table: str) -> str:
    """Return the SQLite statement by which ``table`` refuses every update."""
    return (
        f"CREATE TRIGGER {table}_is_immutable BEFORE UPDATE ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is never changed'); END"
    )


def _guard(table: Table, connection: Connection, **_: object) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(immutable_trigger(table.name))


for _name in IMMUTABLE:
    event.listen(Base.metadata.tables[_name], "after_create", _guard)
