"""Consents and standing: what a participant said yes to, and whether it still stands.

Rules

* A consent is signed by the personal key for an enrolled device, names the pinned document, and is no wider
  than its terms. It is in force once server and custodian have signed one receipt over it; the first
  receipt stays the receipt.
* Standing goes up by numbers, at most ``STANDING_STEP`` at a time, and acts at once: the one accepted last
  counts. The personal key may say anything; an enrolled device says ``paused``, over ``active`` or ``paused``
  and over nothing stricter.
* ``withdrawn`` ends, for good, every consent that this custodian holds of that tag. A new consent is a new
  document. It takes effect whatever its number, so that nobody who uses up numbers can prevent it.
* Every standing is answered by a signed receipt; the same standing by the same receipt.

Example: ``Consents(database, keys, enrolments).stand(pinned, standing, now)`` takes effect with the caller's
commit.
"""

from functools import lru_cache
from typing import Final

from understudy.consent.consent import (
    STANDING_STEP,
    Consent,
    ConsentReceipt,
    Standing,
    StandingReceipt,
    StandingState,
)
from understudy.custody.enrolments import Enrolments
from understudy.custody.errors import CustodyConflictError, CustodyRefusedError
from understudy.custody.keys import CustodianKeyPair
from understudy.custody.pinning import Pinned
from understudy.custody.reasons import RefusalReason
from understudy.custody.store import load_signed, store_signed
from understudy.sealing.canonical import parse
from understudy.sealing.errors import SignatureError
from understudy.sealing.notice import notice_hash
from understudy.sealing.signing import Signed, sign
from understudy.transparency.database import Database

_A_DEVICE_MAY_PAUSE: Final = frozenset({StandingState.ACTIVE, StandingState.PAUSED})


class Consents:
    """Reads and writes consents and standing; every method runs inside the caller's transaction."""

    def __init__(self, database: Database, keys: CustodianKeyPair, enrolments: Enrolments) -> None:
        self._database: Final = database
        self._keys: Final = keys
        self._enrolments: Final = enrolments

    def countersign(self, pinned: Pinned, signed: Signed, receipt: Signed, now: int) -> Signed:
        """Store a consent; return its ``ConsentReceipt`` signed by server and custodian.

        Raises:
            CustodyRefusedError: consent or receipt break a rule, or the consent was withdrawn.
            SignatureError: the personal key or the server has not signed.
            FormatError: not a consent, or not a receipt.
        """
        consent = signed.verify(Consent)
        hashed = signed.hash(Consent)
        sql = "SELECT receipt, withdrawn FROM consents WHERE hash = ?"
        known = self._database.row(sql, hashed)
        if known is not None:
            if known[1]:
                raise CustodyRefusedError(RefusalReason.STANDING_WITHDRAWN)
            return load_signed(known[0])
        self._check(pinned, signed, consent)
        _check_receipt(pinned, consent, hashed, receipt, now)
        both = receipt.with_signature(ConsentReceipt, self._keys.signing)
        self._database.write(
            "INSERT INTO consents(hash, tag, consent, receipt) VALUES (?, ?, ?, ?)",
            hashed,
            consent.tag,
            store_signed(signed),
            store_signed(both),
        )
        return both

    def stand(self, pinned: Pinned, signed: Signed, now: int) -> Signed:
        """Store a standing; return the signed ``StandingReceipt``.

        Raises:
            CustodyRefusedError: another programme, not enrolled, or not for this key to say.
            CustodyConflictError: the number was used, lies below an earlier one, or too far above it.
            SignatureError: a signature is wrong.
            FormatError: not a standing.
        """
        standing = signed.verify(Standing)
        hashed = signed.hash(Standing)
        if standing.programme != pinned.document.programme:
            raise CustodyRefusedError(RefusalReason.PROGRAMME)
        record = self._enrolments.of(standing.tag)
        known = self._database.row("SELECT receipt FROM standings WHERE hash = ?", hashed)
        by_participant = signed.signers == {record.personal_signing}
        by_device = standing.state is StandingState.PAUSED and signed.signers <= set(record.devices)
        if not by_participant and not by_device:
            raise CustodyRefusedError(RefusalReason.STANDING_SIGNER)
        if known is not None:
            return load_signed(known[0])
        if not by_participant and self.standing(standing.tag) not in _A_DEVICE_MAY_PAUSE:
            raise CustodyRefusedError(RefusalReason.STANDING_SIGNER)
        if standing.state is not StandingState.WITHDRAWN:
            highest = self._highest(standing.tag)
            if not highest < standing.number <= highest + STANDING_STEP:
                raise CustodyConflictError(RefusalReason.STANDING_NUMBER)
        receipt = sign(
            StandingReceipt(
                standing=hashed,
                tag=standing.tag,
                number=standing.number,
                state=standing.state,
                custodian=self._keys.name,
                epoch=self._keys.epoch,
                received_at=now,
            ),
            self._keys.signing,
        )
        self._database.write(
            "INSERT INTO standings(tag, number, hash, state, standing, receipt) VALUES (?, ?, ?, ?, ?, ?)",
            standing.tag,
            standing.number,
            hashed,
            standing.state.value,
            store_signed(signed),
            store_signed(receipt),
        )
        if standing.state is StandingState.WITHDRAWN:
            self._database.write("UPDATE consents SET withdrawn = 1 WHERE tag = ?", standing.tag)
        return receipt

    def standing(self, tag: str) -> StandingState:
        """Return how the participant stands now; active if they never said otherwise."""
        sql = "SELECT state FROM standings WHERE tag = ? ORDER BY position DESC LIMIT 1"
        row = self._database.row(sql, tag)
        return StandingState.ACTIVE if row is None else StandingState(row[0])

    def find(self, consent: str) -> tuple[Consent, bool] | None:
        """Return the consent with this hash and whether it was withdrawn, or None."""
        row = self._database.row("SELECT consent, withdrawn FROM consents WHERE hash = ?", consent)
        if row is None:
            return None
        return _consent(bytes(row[0])), bool(row[1])

    def _highest(self, tag: str) -> int:
        """Return the highest number among the participant's standings, 0 before the first."""
        row = self._database.row("SELECT max(number) FROM standings WHERE tag = ?", tag)
        return 0 if row is None or row[0] is None else int(row[0])

    def _check(self, pinned: Pinned, signed: Signed, consent: Consent) -> None:
        if consent.programme != pinned.document.programme:
            raise CustodyRefusedError(RefusalReason.PROGRAMME)
        if consent.document != pinned.hash or consent.notice != notice_hash(pinned.document.terms):
            raise CustodyRefusedError(RefusalReason.CONSENT_DOCUMENT)
        record = self._enrolments.of(consent.tag)
        signed.verify(Consent, {record.personal_signing})
        if len(signed.signers) > 1:
            raise SignatureError("a consent is signed by the personal key alone")
        if consent.device not in record.devices:
            raise CustodyRefusedError(RefusalReason.UNKNOWN_DEVICE)
        terms = pinned.document.terms
        if (
            not set(consent.purposes) <= set(terms.purposes)
            or not set(consent.streams) <= set(terms.streams)
            or not set(consent.application_groups) <= {group.name for group in terms.application_groups}
        ):
            raise CustodyRefusedError(RefusalReason.CONSENT_TOO_WIDE)


def _check_receipt(pinned: Pinned, consent: Consent, hashed: str, signed: Signed, now: int) -> None:
    """Check that the server signed a receipt for exactly this consent.

    Raises:
        CustodyRefusedError: it is for something else, or from the future.
        SignatureError: the server has not signed it, or somebody else has.
    """
    keys = pinned.document.key_set
    receipt = signed.verify(ConsentReceipt, {keys.server})
    if not signed.signers <= {keys.server, *(custodian.signing for custodian in keys.custodians)}:
        raise SignatureError("a consent receipt is signed by server and custodians, and by nobody else")
    if (receipt.consent, receipt.programme, receipt.document, receipt.tag) != (
        hashed,
        consent.programme,
        consent.document,
        consent.tag,
    ):
        raise CustodyRefusedError(RefusalReason.CONSENT_RECEIPT)
    if receipt.in_force_at > now + pinned.document.delays.clock_skew_seconds:
        raise CustodyRefusedError(RefusalReason.CLOCK)


@lru_cache(maxsize=1_024)
def _consent(raw: bytes) -> Consent:
    """Return a stored consent; its signature was checked when it was stored."""
    return parse(Consent, load_signed(raw).raw)
