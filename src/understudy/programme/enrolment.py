"""Enrolling a participant: their record is stored, relayed, and answered with receipts and an escrow key.

Rules

* The record is signed by the personal key and by every device it lists for the first time; nobody else
  signs it.
* The tag is computed from programme and personal key, so nobody can enrol under somebody else's.
* Record 1 has no predecessor; each later one names the one before and keeps the personal keys. Two
  records under one number are a conflict.
* The same record gets the same receipts. The answer comes only when enough custodians hold the record.

Example: ``enrolment.enrol(signed_record).receipts``.
"""

from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from understudy.consent.enrolment import EnrolmentRecord
from understudy.consent.errors import RefusedError, UnavailableError
from understudy.consent.primitives import decode_bytes
from understudy.contract.messages import EnrolAnswer
from understudy.programme.batches import record_event
from understudy.programme.database import reading, writing
from understudy.programme.errors import conflict, refusal
from understudy.programme.events import EventKind
from understudy.programme.parts import Parts
from understudy.programme.people import MAX_BODY
from understudy.programme.relay import Relay, RelayKind
from understudy.programme.tables import EnrolmentReceiptRow, EnrolmentRow
from understudy.sealing.canonical import parse
from understudy.sealing.personal import participant_tag
from understudy.sealing.signing import Signed


class Enrolments:
    """Registers enrolment records."""

    def __init__(self, parts: Parts, relay: Relay) -> None:
        self._parts: Final = parts
        self._relay: Final = relay

    def enrol(self, signed: Signed) -> EnrolAnswer:
        """Register a record; return the custodians' receipts and the escrow key. Idempotent.

        Raises:
            SignatureError: a signature on it is wrong.
            FormatError: not a canonical record.
            RefusedError: it breaks a rule, or a custodian refused it.
            ConflictError: its number was used for another record.
            UnavailableError: too few custodians can be reached; send it again.
        """
        record = signed.verify(EnrolmentRecord)
        found = signed.hash(EnrolmentRecord)
        with writing(self._parts.engine) as session:
            if not self._is_stored(session, record, found):
                self._check(session, record, signed)
                session.add(EnrolmentRow(tag=record.tag, number=record.number, hash=found, signed=signed))
                record_event(session, EventKind.ENROLMENT, found, record.tag)
                self._relay.queue(session, RelayKind.ENROLMENT, found)
        refused = self._relay.send(RelayKind.ENROLMENT, found)
        receipts = self._receipts(found)
        if len(receipts) < self._parts.documents.current.key_set.custodian_threshold:
            if refused is not None:
                raise RefusedError(refused, hint="the custodian refused this record")
            raise UnavailableError("too few custodians can be reached", hint="send the same record again")
        escrow_key = self._parts.escrow.issue(
            record.programme, record.tag, self._parts.documents.key_set_hash, self._parts.clock.now()
        )
        return EnrolAnswer(receipts=receipts, escrow_key=escrow_key)

    def _is_stored(self, session: Session, record: EnrolmentRecord, found: str) -> bool:
        row = session.get(EnrolmentRow, (record.tag, record.number))
        if row is not None and row.hash != found:
            raise conflict("enrolment-number")
        return row is not None

    def _check(self, session: Session, record: EnrolmentRecord, signed: Signed) -> None:
        document = self._parts.documents.current
        if record.programme != document.programme:
            raise refusal("programme-mismatch")
        if record.tag != participant_tag(record.programme, record.personal_signing):
            raise refusal("enrolment-tag")
        if record.key_set != self._parts.documents.key_set_hash:
            raise refusal("key-set")
        if record.made_at > self._parts.clock.now() + document.delays.clock_skew_seconds:
            raise refusal("clock")
        former = self._former(session, record)
        new = set(record.devices) - (set(former.devices) if former else set())
        if not {record.personal_signing} | new <= signed.signers:
            raise refusal("enrolment-signatures")
        if not signed.signers <= {record.personal_signing, *record.devices}:
            raise refusal("enrolment-signatures")
        if len(set(record.devices)) != len(record.devices) or record.personal_signing in record.devices:
            raise refusal("enrolment-signatures")

    def _former(self, session: Session, record: EnrolmentRecord) -> EnrolmentRecord | None:
        """Return the record before this one, after checking that this one continues it."""
        number = session.scalar(select(func.max(EnrolmentRow.number)).where(EnrolmentRow.tag == record.tag))
        if record.number != (number or 0) + 1:
            raise refusal("enrolment-number")
        if number is None:
            if record.previous is not None:
                raise refusal("enrolment-number")
            return None
        row = session.get_one(EnrolmentRow, (record.tag, number))
        former = parse(EnrolmentRecord, decode_bytes(row.signed.body), limit=MAX_BODY)
        if record.previous != row.hash or record.personal_hpke != former.personal_hpke:
            raise refusal("enrolment-number")
        return former

    def _receipts(self, found: str) -> tuple[Signed, ...]:
        wanted = select(EnrolmentReceiptRow).where(EnrolmentReceiptRow.enrolment == found)
        with reading(self._parts.engine) as session:
            rows = session.scalars(wanted.order_by(EnrolmentReceiptRow.custodian)).all()
        return tuple(row.signed for row in rows)
