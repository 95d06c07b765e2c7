"""The catalogue: which segments are shared, found by what their headers say.

Rules

* A segment is in it only when ciphertext, ``p`` half and every custodian's receipt are durable.
* A list is a page in order of segment id, which is random: order tells nothing about time.
* Scopes are asked here only to find candidates. What may be opened, the custodian decides on its own headers.

Example: ``catalogue.select(scope, limit=100, cursor="")``.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Engine, select
from sqlalchemy.orm import Session

from understudy.consent.primitives import decode_bytes
from understudy.consent.scope import Scope
from understudy.contract.messages import SegmentEntry, SegmentList
from understudy.programme.database import reading
from understudy.sealing.canonical import parse
from understudy.sealing.half import Role
from understudy.sealing.header import MAX_HEADER_BYTES, SegmentHeader
from understudy.sealing.signing import Signed, document_hash
from understudy.vault.errors import SegmentMissingError
from understudy.vault.tables import DepositReceiptRow, SegmentRow, SegmentState

MAX_PAGE: Final = 1_000


class Catalogue:
    """Finds shared segments."""

    def __init__(self, engine: Engine) -> None:
        self._engine: Final = engine

    def find(self, segment: str) -> SegmentRow | None:
        """Return the segment's row, or None."""
        with reading(self._engine) as session:
            return session.get(SegmentRow, segment)

    def header(self, segment: str) -> SegmentHeader:
        """Return the header of one segment.

        Raises:
            SegmentMissingError: it is not in the catalogue.
        """
        found = self.headers([segment])
        if segment not in found:
            raise SegmentMissingError("the segment is not in the catalogue")
        return found[segment]

    def headers(self, segments: Sequence[str]) -> dict[str, SegmentHeader]:
        """Return the headers of those segments that are shared, by id; they were verified when they came."""
        wanted = select(SegmentRow.id, SegmentRow.header).where(SegmentRow.id.in_(segments))
        with reading(self._engine) as session:
            found = session.execute(wanted.where(SegmentRow.state == SegmentState.SHARED.value))
            return {segment: stored_header(signed) for segment, signed in found}

    def receipts(self, segment: str) -> tuple[Signed, ...]:
        """Return the custodians' receipts of a segment, in order of role."""
        wanted = select(DepositReceiptRow.signed).where(DepositReceiptRow.segment == segment)
        with reading(self._engine) as session:
            return tuple(session.scalars(wanted.order_by(DepositReceiptRow.role)).all())

    def select(self, scope: Scope, *, limit: int = MAX_PAGE, cursor: str = "") -> SegmentList:
        """Return a page of the segments that ``scope`` covers.

        Args:
            scope: a conjunction over header fields; a field that is None does not restrict.
            limit: how many at most, 1 to ``MAX_PAGE``.
            cursor: ``next`` of the page before, or empty.
        """
        wanted = select(SegmentRow).where(SegmentRow.state == SegmentState.SHARED.value, *_covered(scope))
        wanted = wanted.where(SegmentRow.id > cursor).order_by(SegmentRow.id)
        size = min(max(limit, 1), MAX_PAGE)
        with reading(self._engine) as session:
            rows = session.scalars(wanted.limit(size + 1)).all()
        page = tuple(
            SegmentEntry(segment=row.id, header=row.header, upload_day=row.upload_day, bytes=row.bytes)
            for row in rows[:size]
        )
        return SegmentList(segments=page, next=page[-1].segment if len(rows) > size else "")

    def expired(self, now: int, retention_days: int, *, limit: int = MAX_PAGE) -> list[str]:
        """Return ids of segments that were uploaded more than ``retention_days`` days ago."""
        last = date.fromisoformat(day_of(now)) - timedelta(days=retention_days)
        wanted = select(SegmentRow.id).where(SegmentRow.upload_day < last.isoformat())
        with reading(self._engine) as session:
            return list(session.scalars(wanted.order_by(SegmentRow.id).limit(limit)).all())


def add_segment(
    session: Session, header: SegmentHeader, signed: Signed, receipts: Mapping[Role, Signed], now: int
) -> None:
    """Put a segment into the catalogue, in the caller's transaction.

    Args:
        session: a writing session.
        header: the verified header.
        signed: the same, as the device signed it.
        receipts: every custodian's receipt, by role.
        now: the time; only its day is kept.
    """
    seal = header.seal
    session.add(
        SegmentRow(
            id=seal.segment,
            tag=seal.tag,
            recording=seal.recording,
            application_group=seal.application_group,
            task_label=seal.task_label,
            consent=seal.consent,
            device=header.device,
            previous=header.previous or "",
            header=signed,
            header_hash=document_hash(header),
            bytes=header.ciphertext_bytes,
            upload_day=day_of(now),
            state=SegmentState.SHARED.value,
        )
    )
    session.flush()
    for role, receipt in receipts.items():
        session.add(DepositReceiptRow(segment=seal.segment, role=role, signed=receipt))


def stored_header(signed: Signed) -> SegmentHeader:
    """Return a header whose signature was verified before it was stored."""
    return parse(SegmentHeader, decode_bytes(signed.body), limit=MAX_HEADER_BYTES)


def day_of(now: int) -> str:
    """Return the UTC day of a time, ``YYYY-MM-DD``."""
    return datetime.fromtimestamp(now, UTC).date().isoformat()


def _covered(scope: Scope) -> list[ColumnElement[bool]]:
    fields = (
        (SegmentRow.tag, scope.tags),
        (SegmentRow.recording, scope.recordings),
        (SegmentRow.application_group, scope.application_groups),
        (SegmentRow.task_label, scope.task_labels),
        (SegmentRow.consent, scope.consents),
    )
    return [column.in_(values) for column, values in fields if values is not None]
