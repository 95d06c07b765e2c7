"""What the server knows of shared segments.

Rules

* The header is kept as the device signed it; columns beside it are only what a query needs.
* No title, no time of day: the upload day is all. The catalogue must not be a record of anybody's working
  hours.
* Halves are not here: ``p`` is in the key store, ``c`` at the custodian.
"""

from enum import StrEnum
from typing import Final

from sqlalchemy import BigInteger, ForeignKey, MetaData, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from understudy.programme.database import NAMING, SignedColumn
from understudy.sealing.signing import Signed

_DIGEST: Final = String(43)
_ID: Final = String(26)
_NAME: Final = String(63)


class SegmentState(StrEnum):
    """Whether a segment can be asked for."""

    SHARED = "shared"


class Base(DeclarativeBase):
    """Base of this package's tables."""

    metadata = MetaData(naming_convention=NAMING)


class SegmentRow(Base):
    """One shared segment; ``previous`` is empty for a device's first."""

    __tablename__ = "segment"
    __table_args__ = (UniqueConstraint("device", "previous"),)

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    tag: Mapped[str] = mapped_column(_DIGEST, index=True)
    recording: Mapped[str] = mapped_column(_ID, index=True)
    application_group: Mapped[str] = mapped_column(_NAME, index=True)
    task_label: Mapped[str] = mapped_column(_NAME)
    consent: Mapped[str] = mapped_column(_DIGEST)
    device: Mapped[str] = mapped_column(_DIGEST)
    previous: Mapped[str] = mapped_column(_DIGEST)
    header: Mapped[Signed] = mapped_column(SignedColumn)
    header_hash: Mapped[str] = mapped_column(_DIGEST, unique=True)
    bytes: Mapped[int] = mapped_column(BigInteger)
    upload_day: Mapped[str] = mapped_column(String(10), index=True)
    state: Mapped[str] = mapped_column(_NAME)


class DepositReceiptRow(Base):
    """A custodian's receipt for its half of a segment."""

    __tablename__ = "deposit_receipt"

    segment: Mapped[str] = mapped_column(ForeignKey("segment.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(2), primary_key=True)
    signed: Mapped[Signed] = mapped_column(SignedColumn)
