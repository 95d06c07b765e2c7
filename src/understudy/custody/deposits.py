"""Deposits: the custodian's half of a segment, kept sealed beside the device-signed header.

Rules

* The header is signed by a device of the participant's newest enrolment record, under a consent that is in
  force here and covers its application group, and names the pinned key set.
* The custodian opens its half, holds it against the commitment in the header, and forgets it again: what is
  stored is the sealed half as the device sent it.
* Write-once by segment id. The same deposit gets the same receipt, even after the switch or the consent
  changed; another one is a conflict. An erased id is never taken again.
* The receipt names the day of the deposit and no time: receipts are kept here and at the server, and would
  else add up to a record of when somebody works.
* Ingest that is switched off, a withdrawn consent, and a participant who withdrew or objects stop new
  deposits.

Example: ``Deposits(database, keys, enrolments, consents).deposit(pinned, header, half, off, now)``.
"""

from collections.abc import Collection
from functools import lru_cache
from typing import Final

from understudy.consent.consent import StandingState
from understudy.consent.primitives import encode_bytes, start_of_day
from understudy.consent.purposes import Activity
from understudy.custody.consents import Consents
from understudy.custody.enrolments import Enrolments
from understudy.custody.errors import CustodyConflictError, CustodyRefusedError
from understudy.custody.head import DepositReceipt
from understudy.custody.keys import CustodianKeyPair
from understudy.custody.pinning import Pinned
from understudy.custody.reasons import RefusalReason
from understudy.custody.store import load_signed, store_signed
from understudy.sealing.canonical import octets, parse
from understudy.sealing.errors import HalfError
from understudy.sealing.half import Half
from understudy.sealing.header import SealedHalf, SegmentHeader, Threshold, check_sealed_half, verify_header
from understudy.sealing.segment import open_half
from understudy.sealing.signing import Signed, sign
from understudy.transparency.database import Database

_CLOSED: Final = {
    StandingState.WITHDRAWN: RefusalReason.STANDING_WITHDRAWN,
    StandingState.OBJECTING: RefusalReason.STANDING_OBJECTING,
}


class Deposits:
    """Reads and writes deposits; every method runs inside the caller's transaction."""

    def __init__(
        self, database: Database, keys: CustodianKeyPair, enrolments: Enrolments, consents: Consents
    ) -> None:
        self._database: Final = database
        self._keys: Final = keys
        self._enrolments: Final = enrolments
        self._consents: Final = consents

    def deposit(
        self, pinned: Pinned, signed: Signed, half: SealedHalf, off: Collection[Activity], now: int
    ) -> Signed:
        """Store the half; return the signed ``DepositReceipt``.

        Raises:
            CustodyRefusedError: a rule says no.
            CustodyConflictError: the segment id was deposited with another header or half.
            SignatureError: the header is not signed by an enrolled device.
            FormatError: not a header.
        """
        header = signed.verify(SegmentHeader)
        hashed = signed.hash(SegmentHeader)
        segment = header.seal.segment
        known = self._database.row(
            "SELECT header_hash, sealed, receipt FROM deposits WHERE segment = ?", segment
        )
        if known is not None:
            if (known[0], bytes(known[1])) != (hashed, octets(half.sealed)) or half.role != pinned.role:
                raise CustodyConflictError(RefusalReason.DEPOSIT_CONFLICT)
            return load_signed(known[2])
        tag = self._check(pinned, signed, header, off)
        sealed = self._check_half(pinned, header, half)
        receipt = sign(
            DepositReceipt(
                segment=segment,
                header=hashed,
                role=pinned.role,
                sealed_hash=header.half(pinned.role).sealed_hash,
                custodian=self._keys.name,
                epoch=self._keys.epoch,
                received_at=start_of_day(now),
            ),
            self._keys.signing,
        )
        self._database.write(
            "INSERT INTO deposits(segment, tag, header_hash, header, sealed, receipt)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            segment,
            tag,
            hashed,
            store_signed(signed),
            sealed,
            store_signed(receipt),
        )
        return receipt

    def header(self, segment: str) -> SegmentHeader | None:
        """Return the deposited header of a segment, or None."""
        row = self._database.row("SELECT header FROM deposits WHERE segment = ?", segment)
        return None if row is None else _header(bytes(row[0]))

    def half(self, pinned: Pinned, header: SegmentHeader) -> Half:
        """Return this custodian's half of a deposited segment, opened and checked; the caller wipes it.

        Raises:
            CustodyRefusedError: it was erased meanwhile.
            HalfError: what is stored does not open.
        """
        row = self._database.row("SELECT sealed FROM deposits WHERE segment = ?", header.seal.segment)
        if row is None:
            raise CustodyRefusedError(RefusalReason.ERASED)
        sealed = SealedHalf(role=pinned.role, sealed=encode_bytes(row[0]))
        return open_half(pinned.role, header, sealed, self._keys.hpke)

    def is_erased(self, segment: str) -> bool:
        """Return whether the segment is in the register of erased ids."""
        return self._database.row("SELECT 1 FROM tombstones WHERE segment = ?", segment) is not None

    def erase(self, segments: Collection[str]) -> None:
        """Delete halves, and the stored replies that carry them; keep the ids in the register for ever."""
        for segment in segments:
            self._database.write("DELETE FROM deposits WHERE segment = ?", segment)
            self._database.write("INSERT OR IGNORE INTO tombstones(segment) VALUES (?)", segment)
            self._database.write(
                "DELETE FROM replies"
                " WHERE position IN (SELECT position FROM reply_segments WHERE segment = ?)",
                segment,
            )

    def _check(self, pinned: Pinned, signed: Signed, header: SegmentHeader, off: Collection[Activity]) -> str:
        """Return the participant's tag, after checking everything but the half."""
        seal = header.seal
        if self.is_erased(seal.segment):
            raise CustodyRefusedError(RefusalReason.ERASED)
        if Activity.INGEST in off:
            raise CustodyRefusedError(RefusalReason.SWITCH_OFF)
        if seal.programme != pinned.document.programme:
            raise CustodyRefusedError(RefusalReason.PROGRAMME)
        if seal.key_set != pinned.key_set:
            raise CustodyRefusedError(RefusalReason.KEY_SET)
        if seal.kind != "recording" or seal.tag is None:
            raise CustodyRefusedError(RefusalReason.DEPOSIT_KIND)
        record = self._enrolments.of(seal.tag)
        if header.device not in record.devices:
            raise CustodyRefusedError(RefusalReason.UNKNOWN_DEVICE)
        verify_header(signed, record.devices)
        found = self._consents.find(seal.consent)
        if found is None or found[0].tag != seal.tag:
            raise CustodyRefusedError(RefusalReason.UNKNOWN_CONSENT)
        consent, withdrawn = found
        if withdrawn:
            raise CustodyRefusedError(RefusalReason.STANDING_WITHDRAWN)
        closed = _CLOSED.get(self._consents.standing(seal.tag))
        if closed is not None:
            raise CustodyRefusedError(closed)
        if seal.application_group not in consent.application_groups:
            raise CustodyRefusedError(RefusalReason.CONSENT_TOO_WIDE)
        return seal.tag

    def _check_half(self, pinned: Pinned, header: SegmentHeader, half: SealedHalf) -> bytes:
        """Return the sealed bytes, after opening them and comparing with the header."""
        keys = pinned.document.key_set
        if header.custodians != Threshold(k=keys.custodian_threshold, n=len(keys.custodians)):
            raise CustodyRefusedError(RefusalReason.DEPOSIT_ROLE)
        if half.role != pinned.role:
            raise CustodyRefusedError(RefusalReason.DEPOSIT_ROLE)
        try:
            sealed = check_sealed_half(header, half)
            open_half(pinned.role, header, half, self._keys.hpke).wipe()
        except HalfError as error:
            raise CustodyRefusedError(RefusalReason.WRONG_HALF, message=str(error)) from error
        return sealed


@lru_cache(maxsize=4_096)
def _header(raw: bytes) -> SegmentHeader:
    """Return a stored header; its signature was checked when it was stored."""
    return parse(SegmentHeader, load_signed(raw).raw)
