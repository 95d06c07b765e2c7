"""What is known of a participant now: enrolment, consents, standing. Reading only.

Rules

* A participant is enrolled once enough custodians have given a receipt for enrolment record 1.
* A device counts when the newest record that has its receipts lists it and no later record has dropped
  it: adding waits for the custodian, removing does not.
* A consent is in force when the server and enough custodians have signed its receipt, and until a withdrawal.
* Nobody's standing is ``active`` until it was changed: no row means active, for consent is what permits.

Example: ``enrolled(session, tag, threshold=1).devices``.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from understudy.consent.consent import Consent, ConsentReceipt, StandingState
from understudy.consent.credentials import Credential
from understudy.consent.enrolment import EnrolmentRecord
from understudy.consent.primitives import decode_bytes
from understudy.programme.documents import Documents
from understudy.programme.tables import ConsentRow, EnrolmentReceiptRow, EnrolmentRow, StandingRow
from understudy.sealing.canonical import parse
from understudy.sealing.signing import Signed

MAX_BODY: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One participant's enrolment."""

    record: EnrolmentRecord
    """The newest record."""
    hash: str
    first_hash: str
    """Hash of record 1: ``prev`` of the participant's first numbered entry."""
    devices: frozenset[str]
    credentials: tuple[Credential, ...]
    is_confirmed: bool
    """Whether record 1 has its receipts."""


@dataclass(frozen=True, slots=True)
class KnownConsent:
    """One consent with the state of its receipt."""

    consent: Consent
    hash: str
    receipt: Signed
    in_force_at: int
    is_in_force: bool
    ended_by: int | None


def parsed_consent(signed: Signed) -> Consent:
    """Return a consent whose signatures were verified before it was stored."""
    return parse(Consent, decode_bytes(signed.body), limit=MAX_BODY)


def enrolled(session: Session, tag: str, threshold: int) -> Enrolled | None:
    """Return the participant's enrolment, or None.

    Args:
        session: an open session.
        tag: the participant.
        threshold: how many custodians' receipts a record needs.
    """
    rows = session.scalars(
        select(EnrolmentRow).where(EnrolmentRow.tag == tag).order_by(EnrolmentRow.number)
    ).all()
    if not rows:
        return None
    counted = select(EnrolmentReceiptRow.enrolment, func.count()).where(
        EnrolmentReceiptRow.enrolment.in_([row.hash for row in rows])
    )
    receipts = dict(session.execute(counted.group_by(EnrolmentReceiptRow.enrolment)).all())
    records = [parse(EnrolmentRecord, decode_bytes(row.signed.body), limit=MAX_BODY) for row in rows]
    confirmed = -1
    for place, row in enumerate(rows):
        if receipts.get(row.hash, 0) < threshold:
            break
        confirmed = place
    devices = frozenset(records[confirmed].devices) if confirmed >= 0 else frozenset()
    credentials = records[confirmed].credentials if confirmed >= 0 else ()
    for record in records[confirmed + 1 :]:
        devices &= frozenset(record.devices)
        credentials = tuple(credential for credential in credentials if credential in record.credentials)
    return Enrolled(
        record=records[-1],
        hash=rows[-1].hash,
        first_hash=rows[0].hash,
        devices=devices,
        credentials=credentials,
        is_confirmed=confirmed >= 0,
    )


def first_hash_of(session: Session, tag: str, threshold: int) -> str | None:
    """Return the hash of enrolment record 1 once enough custodians gave a receipt for it, else None."""
    first = select(EnrolmentRow.hash).where(EnrolmentRow.tag == tag, EnrolmentRow.number == 1)
    receipts = select(func.count()).where(EnrolmentReceiptRow.enrolment == EnrolmentRow.hash)
    return session.scalar(first.where(receipts.scalar_subquery() >= threshold))


def known_consent(session: Session, consent_hash: str, documents: Documents) -> KnownConsent | None:
    """Return the consent with this hash, or None.

    Args:
        session: an open session.
        consent_hash: the consent version.
        documents: the one that the consent names says who signs its receipt.
    """
    row = session.get(ConsentRow, consent_hash)
    if row is None:
        return None
    consent = parsed_consent(row.signed)
    document = documents.find(consent.document) or documents.current
    keys = document.key_set
    custodians = {custodian.signing for custodian in keys.custodians} & row.receipt.signers
    receipt = parse(ConsentReceipt, decode_bytes(row.receipt.body), limit=MAX_BODY)
    return KnownConsent(
        consent=consent,
        hash=row.hash,
        receipt=row.receipt,
        in_force_at=receipt.in_force_at,
        is_in_force=len(custodians) >= keys.custodian_threshold,
        ended_by=row.ended_by,
    )


def newest_standing(session: Session, tag: str) -> StandingRow | None:
    """Return the participant's newest standing, or None for a participant who never changed it."""
    return session.scalars(
        select(StandingRow).where(StandingRow.tag == tag).order_by(StandingRow.id.desc()).limit(1)
    ).first()


def highest_number(session: Session, tag: str) -> int:
    """Return the highest number among the participant's standings, 0 before the first."""
    return session.scalar(select(func.max(StandingRow.number)).where(StandingRow.tag == tag)) or 0


def standing_of(session: Session, tag: str) -> StandingState:
    """Return whether the participant may be recorded, and their recordings opened by others."""
    row = newest_standing(session, tag)
    return StandingState.ACTIVE if row is None else StandingState(row.state)
