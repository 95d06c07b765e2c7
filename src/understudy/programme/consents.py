"""Consent and standing: a person's yes, and every later change of mind.

Rules

* A consent is an explicit document under the personal key, no wider than the terms in force. It is in
  force when server and custodians have signed one receipt; a receipt is made once and never changes.
* A change of mind takes effect first: it is stored, and only then relayed and logged. A custodian that
  cannot be reached, or refuses, changes nothing about that; a refusal is told, for the participant to know.
* A device may pause what is active. Everything else takes the personal key.
* A withdrawal ends, for good, every consent given before it. Recording again takes a new consent and
  ``active``. It takes effect whatever its number, so that nobody who uses up numbers can prevent it.
* Numbers go up, at most ``STANDING_STEP`` at a time; the one stored last counts. A lower one that comes late
  changes nothing and is refused.

Example: ``consents.give(signed)`` returns the receipt; ``consents.stand(signed)`` the custodians' receipts.
"""

from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from understudy.consent.consent import STANDING_STEP, Consent, ConsentReceipt, Standing, StandingState
from understudy.consent.errors import RefusedError, UnavailableError
from understudy.programme.batches import record_event
from understudy.programme.database import reading, writing
from understudy.programme.errors import conflict, refusal
from understudy.programme.events import EventKind
from understudy.programme.parts import Parts
from understudy.programme.people import (
    Enrolled,
    KnownConsent,
    enrolled,
    highest_number,
    known_consent,
    standing_of,
)
from understudy.programme.relay import Relay, RelayKind
from understudy.programme.tables import ConsentRow, StandingRow
from understudy.sealing.notice import notice_hash
from understudy.sealing.signing import Signed, sign

_A_DEVICE_MAY_PAUSE: Final = frozenset({StandingState.ACTIVE, StandingState.PAUSED})


class Consents:
    """Registers consents and standings."""

    def __init__(self, parts: Parts, relay: Relay) -> None:
        self._parts: Final = parts
        self._relay: Final = relay

    def give(self, signed: Signed) -> Signed:
        """Register a consent; return its receipt, signed by server and custodians. Idempotent.

        Raises:
            SignatureError: a signature on it is wrong.
            FormatError: not a canonical consent.
            RefusedError: it breaks a rule, or a custodian refused it.
            UnavailableError: too few custodians can be reached; send it again.
        """
        consent = signed.verify(Consent)
        found = signed.hash(Consent)
        with writing(self._parts.engine) as session:
            row = session.get(ConsentRow, found)
            if row is None:
                self._check_consent(session, consent, signed)
                receipt = sign(self._receipt(consent, found), self._parts.server)
                session.add(ConsentRow(hash=found, tag=consent.tag, signed=signed, receipt=receipt))
                record_event(session, EventKind.CONSENT, found, consent.tag)
                self._relay.queue(session, RelayKind.CONSENT, found)
            elif row.ended_by is not None:
                raise refusal("consent-ended")
        # A withdrawal that still waits would end this consent, too, if it came after it.
        self._relay.send_standings(consent.tag)
        refused = self._relay.send(RelayKind.CONSENT, found)
        known = self._known(found)
        if known.is_in_force:
            return known.receipt
        if refused is not None:
            raise RefusedError(refused, hint="the custodian refused this consent")
        raise UnavailableError("too few custodians can be reached", hint="send the same consent again")

    def stand(self, signed: Signed) -> tuple[Signed, ...]:
        """Register a change of mind; it is in effect here when this returns, whoever can be reached.

        Returns:
            The signed ``StandingReceipt`` of every custodian that could be reached.

        Raises:
            SignatureError: a signature on it is wrong.
            FormatError: not a canonical standing.
            RefusedError: it breaks a rule; or it is in effect here, and a custodian refused it.
            ConflictError: its number was used, lies below an earlier one, or too far above it.
        """
        standing = signed.verify(Standing)
        found = signed.hash(Standing)
        with writing(self._parts.engine) as session:
            if not _is_stored(session, found):
                self._check_standing(session, standing, signed)
                session.add(
                    StandingRow(
                        tag=standing.tag,
                        number=standing.number,
                        hash=found,
                        state=standing.state.value,
                        signed=signed,
                    )
                )
                if standing.state is StandingState.WITHDRAWN:
                    given = (ConsentRow.tag == standing.tag) & ConsentRow.ended_by.is_(None)
                    session.execute(update(ConsentRow).where(given).values(ended_by=standing.number))
                record_event(session, EventKind.STANDING, found, standing.tag)
            self._relay.queue(session, RelayKind.STANDING, found)
        sent = self._relay.send_standings(standing.tag, found)
        if sent.refused is not None:
            raise RefusedError(sent.refused, hint="it is in effect at the server; the custodian refused it")
        return sent.receipts

    def _known(self, found: str) -> KnownConsent:
        with reading(self._parts.engine) as session:
            known = known_consent(session, found, self._parts.documents)
        if known is None:
            raise refusal("consent-unknown")
        return known

    def _enrolled(self, session: Session, tag: str) -> Enrolled:
        threshold = self._parts.documents.current.key_set.custodian_threshold
        person = enrolled(session, tag, threshold)
        if person is None or not person.is_confirmed:
            raise refusal("not-enrolled")
        return person

    def _check_consent(self, session: Session, consent: Consent, signed: Signed) -> None:
        documents, terms = self._parts.documents, self._parts.documents.current.terms
        if consent.programme != documents.current.programme:
            raise refusal("programme-mismatch")
        person = self._enrolled(session, consent.tag)
        if signed.signers != {person.record.personal_signing}:
            raise refusal("standing-signature")
        if consent.device not in person.devices:
            raise refusal("device-unknown")
        if consent.document != documents.current_hash or consent.notice != notice_hash(terms):
            raise refusal("document-mismatch")
        groups = {group.name for group in terms.application_groups}
        if not (
            set(consent.purposes) <= set(terms.purposes)
            and set(consent.streams) <= set(terms.streams)
            and set(consent.application_groups) <= groups
        ):
            raise refusal("consent-wider")
        skew = documents.current.delays.clock_skew_seconds
        if consent.given_at > self._parts.clock.now() + skew:
            raise refusal("clock")

    def _receipt(self, consent: Consent, found: str) -> ConsentReceipt:
        return ConsentReceipt(
            consent=found,
            programme=consent.programme,
            document=consent.document,
            tag=consent.tag,
            in_force_at=self._parts.clock.now(),
        )

    def _check_standing(self, session: Session, standing: Standing, signed: Signed) -> None:
        if standing.programme != self._parts.documents.current.programme:
            raise refusal("programme-mismatch")
        person = self._enrolled(session, standing.tag)
        if signed.signers != {person.record.personal_signing} and not (
            standing.state is StandingState.PAUSED
            and signed.signers <= person.devices
            and standing_of(session, standing.tag) in _A_DEVICE_MAY_PAUSE
        ):
            raise refusal("standing-signature")
        if standing.state is StandingState.WITHDRAWN:
            return
        if not 0 < standing.number - highest_number(session, standing.tag) <= STANDING_STEP:
            raise conflict("standing-number")


def _is_stored(session: Session, found: str) -> bool:
    """Return whether this very standing was stored before."""
    return session.scalar(select(StandingRow.id).where(StandingRow.hash == found)) is not None
