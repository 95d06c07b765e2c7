"""Enrolment records: who a participant is to this custodian, and which devices speak for them.

Rules

* A record is signed by the personal key and by every device that it lists for the first time. The tag is
  recomputed from the programme and the personal signing key; the key-set hash is that of the pinned
  document.
* Record 1 has no predecessor; each later one names the newest record's hash and has the next number. The
  personal keys of a tag never change, because openings are sealed to them.
* The same record gets the same receipt; another record under a used number is a conflict.

Example: ``Enrolments(database, keys).enrol(pinned, record, now)`` returns the signed receipt.
"""

from functools import lru_cache
from typing import Final

from understudy.consent.credentials import Ed25519Credential
from understudy.consent.enrolment import EnrolmentReceipt, EnrolmentRecord
from understudy.custody.errors import CustodyConflictError, CustodyRefusedError, ParticipantNotFoundError
from understudy.custody.head import OpeningAddress, OpeningMessage
from understudy.custody.keys import CustodianKeyPair
from understudy.custody.pinning import Pinned
from understudy.custody.reasons import RefusalReason
from understudy.custody.store import load_signed, store_signed
from understudy.sealing.canonical import parse
from understudy.sealing.errors import SealError, SignatureError
from understudy.sealing.hpke import HpkePublicKey
from understudy.sealing.info import info_for
from understudy.sealing.personal import participant_tag
from understudy.sealing.signing import Signed, sign
from understudy.transparency.database import Database


class Enrolments:
    """Reads and writes enrolment records; every method runs inside the caller's transaction."""

    def __init__(self, database: Database, keys: CustodianKeyPair) -> None:
        self._database: Final = database
        self._keys: Final = keys

    def enrol(self, pinned: Pinned, signed: Signed, now: int) -> Signed:
        """Store a record; return the signed ``EnrolmentReceipt``.

        Raises:
            CustodyRefusedError: tag, key set, programme, number or keys are wrong.
            CustodyConflictError: another record has this number.
            SignatureError: the personal key or a new device has not signed.
            FormatError: not an enrolment record.
        """
        record = signed.verify(EnrolmentRecord)
        hashed = signed.hash(EnrolmentRecord)
        sql = "SELECT hash, receipt FROM enrolments WHERE tag = ? AND number = ?"
        known = self._database.row(sql, record.tag, record.number)
        if known is not None:
            if known[0] != hashed:
                raise CustodyConflictError(RefusalReason.ENROLMENT_CONFLICT)
            return load_signed(known[1])
        self._check(pinned, signed, record)
        receipt = sign(
            EnrolmentReceipt(
                enrolment=hashed,
                tag=record.tag,
                number=record.number,
                custodian=self._keys.name,
                epoch=self._keys.epoch,
                received_at=now,
            ),
            self._keys.signing,
        )
        self._database.write(
            "INSERT INTO enrolments(tag, number, hash, record, receipt) VALUES (?, ?, ?, ?, ?)",
            record.tag,
            record.number,
            hashed,
            store_signed(signed),
            store_signed(receipt),
        )
        return receipt

    def newest(self, tag: str) -> EnrolmentRecord | None:
        """Return the record in force, or None if the tag is not enrolled."""
        sql = "SELECT record FROM enrolments WHERE tag = ? ORDER BY number DESC LIMIT 1"
        row = self._database.row(sql, tag)
        return None if row is None else _record(bytes(row[0]))

    def of(self, tag: str) -> EnrolmentRecord:
        """Return the record in force.

        Raises:
            CustodyRefusedError: the tag is not enrolled here.
        """
        record = self.newest(tag)
        if record is None:
            raise CustodyRefusedError(RefusalReason.UNKNOWN_PARTICIPANT)
        return record

    def first_hash(self, tag: str) -> str:
        """Return the hash of enrolment record 1, where the participant's chain of entries begins.

        Raises:
            ParticipantNotFoundError: the tag is not enrolled here.
        """
        row = self._database.row("SELECT hash FROM enrolments WHERE tag = ? AND number = 1", tag)
        if row is None:
            raise ParticipantNotFoundError("nobody is enrolled under this tag")
        return str(row[0])

    def _check(self, pinned: Pinned, signed: Signed, record: EnrolmentRecord) -> None:
        if record.programme != pinned.document.programme:
            raise CustodyRefusedError(RefusalReason.PROGRAMME)
        if record.key_set != pinned.key_set:
            raise CustodyRefusedError(RefusalReason.KEY_SET)
        if record.tag != participant_tag(record.programme, record.personal_signing):
            raise CustodyRefusedError(RefusalReason.WRONG_TAG)
        _check_hpke(record.personal_hpke)
        keys = (record.personal_signing, *record.devices)
        if len(set(keys)) != len(keys):
            raise CustodyRefusedError(RefusalReason.ENROLMENT_KEYS)
        before = self.newest(record.tag)
        self._check_predecessor(record, before)
        known = set() if before is None else set(before.devices)
        signed.verify(EnrolmentRecord, {record.personal_signing, *(set(record.devices) - known)})
        if not signed.signers <= set(keys):
            raise SignatureError("an enrolment record is signed by its own keys, and by nobody else")

    def _check_predecessor(self, record: EnrolmentRecord, before: EnrolmentRecord | None) -> None:
        if before is None:
            if record.number != 1 or record.previous is not None:
                raise CustodyRefusedError(RefusalReason.ENROLMENT_NUMBER)
            return
        row = self._database.row(
            "SELECT hash FROM enrolments WHERE tag = ? AND number = ?", record.tag, before.number
        )
        if row is None or (record.number, record.previous) != (before.number + 1, row[0]):
            raise CustodyRefusedError(RefusalReason.ENROLMENT_NUMBER)
        if record.personal_hpke != before.personal_hpke:
            raise CustodyRefusedError(RefusalReason.ENROLMENT_KEYS)


def may_read_own(record: EnrolmentRecord, public: str) -> bool:
    """Return whether ``public`` is the personal key or an enrolled Ed25519 credential of ``record``."""
    enrolled = {
        credential.public_key
        for credential in record.credentials
        if isinstance(credential, Ed25519Credential)
    }
    return public == record.personal_signing or public in enrolled


def _check_hpke(public: str) -> None:
    """Check that something can be sealed to a personal key: openings will have to be.

    Raises:
        CustodyRefusedError: nothing can.
        FormatError: not an HPKE public key.
    """
    address = OpeningAddress(tag="", n=1, custodian="", reader="participant")
    try:
        HpkePublicKey.from_text(public).seal(info_for(OpeningMessage.CONTEXT, address), b"")
    except SealError as error:
        raise CustodyRefusedError(RefusalReason.ENROLMENT_KEYS) from error


@lru_cache(maxsize=1_024)
def _record(raw: bytes) -> EnrolmentRecord:
    """Return a stored record; its signatures were checked when it was stored."""
    return parse(EnrolmentRecord, load_signed(raw).raw)
