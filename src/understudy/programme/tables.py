"""What the server remembers about a programme and its participants.

Rules

* Rows hold the exact signed documents; columns beside them are only what a query needs.
* Nothing here names a person. Leases are not stored: they would be a record of working hours.
* A document, enrolment record, consent or standing is never changed once it is stored.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from understudy.programme.database import NAMING, SignedColumn
from understudy.sealing.signing import Signed

_DIGEST: Final = String(43)
_NAME: Final = String(63)


class Base(DeclarativeBase):
    """Base of this package's tables."""

    metadata = MetaData(naming_convention=NAMING)


class DocumentRow(Base):
    """A programme document; ``log_index`` is its place in the log once it has one."""

    __tablename__ = "programme_document"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[str] = mapped_column(_DIGEST, unique=True)
    signed: Mapped[Signed] = mapped_column(SignedColumn)
    succession: Mapped[Signed | None] = mapped_column(SignedColumn)
    log_index: Mapped[int | None] = mapped_column(BigInteger)


class EnrolmentRow(Base):
    """One enrolment record of a participant."""

    __tablename__ = "enrolment"

    tag: Mapped[str] = mapped_column(_DIGEST, primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[str] = mapped_column(_DIGEST, unique=True)
    signed: Mapped[Signed] = mapped_column(SignedColumn)


class EnrolmentReceiptRow(Base):
    """A custodian's receipt for an enrolment record."""

    __tablename__ = "enrolment_receipt"
    __table_args__ = (ForeignKeyConstraint(["enrolment"], ["enrolment.hash"]),)

    enrolment: Mapped[str] = mapped_column(_DIGEST, primary_key=True)
    custodian: Mapped[str] = mapped_column(_NAME, primary_key=True)
    signed: Mapped[Signed] = mapped_column(SignedColumn)


class ConsentRow(Base):
    """A consent and its receipt, which gains signatures.

    ``ended_by`` is the number of the withdrawal that ended it, for good.
    """

    __tablename__ = "consent"

    hash: Mapped[str] = mapped_column(_DIGEST, primary_key=True)
    tag: Mapped[str] = mapped_column(_DIGEST, index=True)
    signed: Mapped[Signed] = mapped_column(SignedColumn)
    receipt: Mapped[Signed] = mapped_column(SignedColumn)
    ended_by: Mapped[int | None] = mapped_column(BigInteger)


class StandingRow(Base):
    """One change of mind of a participant; the one stored last counts."""

    __tablename__ = "standing"

    id: Mapped[int] = mapped_column(primary_key=True)
    tag: Mapped[str] = mapped_column(_DIGEST, index=True)
    number: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(_DIGEST, unique=True)
    state: Mapped[str] = mapped_column(_NAME)
    signed: Mapped[Signed] = mapped_column(SignedColumn)


class RelayRow(Base):
    """A signed document that one custodian has not taken yet; deleted when it has.

    ``kind`` says which table holds the document with this ``hash``; ``refused`` is the custodian's reason if
    it said no, and then the row stays for the operator to see.
    """

    __tablename__ = "relay"
    __table_args__ = (UniqueConstraint("custodian", "kind", "hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    custodian: Mapped[str] = mapped_column(_NAME)
    kind: Mapped[str] = mapped_column(_NAME)
    hash: Mapped[str] = mapped_column(_DIGEST)
    refused: Mapped[str | None] = mapped_column(_NAME)


class SwitchRow(Base):
    """What is off at the server: one row per activity."""

    __tablename__ = "switch"

    activity: Mapped[str] = mapped_column(_NAME, primary_key=True)
    is_off: Mapped[bool]


class SwitchChangeRow(Base):
    """A change of the server's switch, numbered by its revision; ``log_index`` once it is in the log."""

    __tablename__ = "switch_change"

    revision: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    order: Mapped[str] = mapped_column("order_hash", _DIGEST, unique=True)
    signed: Mapped[Signed] = mapped_column(SignedColumn)
    off: Mapped[str] = mapped_column(String(200))
    log_index: Mapped[int | None] = mapped_column(BigInteger)


class ConsentBatchRow(Base):
    """One padded batch of commitments; ``commitments`` are 32 bytes each, sorted."""

    __tablename__ = "consent_batch"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    made_at: Mapped[int] = mapped_column(BigInteger)
    commitments: Mapped[bytes] = mapped_column(LargeBinary)
    log_index: Mapped[int | None] = mapped_column(BigInteger)


class ConsentEventRow(Base):
    """A consent-type event and the salt that opens its commitment; ``batch`` once it is in one."""

    __tablename__ = "consent_event"
    __table_args__ = (
        ForeignKeyConstraint(["batch"], ["consent_batch.number"]),
        Index("ix_consent_event_tag", "tag"),
        Index("ix_consent_event_batch", "batch"),
    )

    document: Mapped[str] = mapped_column(_DIGEST, primary_key=True)
    kind: Mapped[str] = mapped_column(_NAME)
    tag: Mapped[str] = mapped_column(_DIGEST)
    salt: Mapped[str] = mapped_column(_DIGEST)
    batch: Mapped[int | None]
