"""Leases: the server's permission to record for a minute, given only while everything still says yes.

Rules

* The device is enrolled and signed the request; the consent is in force, is this device's, and was given
  under the same notice; the participant is active; capture is off neither at the server nor at any
  custodian that answers.
* No custodian's statement, no lease: the server cannot vouch for the switch.
* Nothing of it is stored. A lease would say when somebody works.

Example: ``leases.lease(signed_request)`` returns the lease and the statement for the request's own nonce.
"""

from typing import Final

from understudy.consent.consent import StandingState
from understudy.consent.errors import UnavailableError
from understudy.consent.lease import Lease, LeaseRequest
from understudy.consent.primitives import new_id
from understudy.consent.purposes import Activity
from understudy.contract.messages import LeaseAnswer
from understudy.contract.ports import CustodianPort
from understudy.custody.statement import verify_answer
from understudy.custody.switch import StatementForDevice
from understudy.programme.database import reading
from understudy.programme.errors import refusal
from understudy.programme.parts import Parts
from understudy.programme.people import KnownConsent, enrolled, known_consent, standing_of
from understudy.programme.switch import ServerSwitch
from understudy.sealing.errors import FormatError, SignatureError
from understudy.sealing.notice import notice_hash
from understudy.sealing.signing import Signed, sign

STANDING_REASONS: Final = {
    StandingState.PAUSED: "standing-paused",
    StandingState.WITHDRAWN: "standing-withdrawn",
    StandingState.OBJECTING: "standing-objecting",
}


class Leases:
    """Gives leases."""

    def __init__(self, parts: Parts, switch: ServerSwitch) -> None:
        self._parts: Final = parts
        self._switch: Final = switch

    def lease(self, signed: Signed) -> LeaseAnswer:
        """Return a lease and a switch statement for a signed ``LeaseRequest``.

        Raises:
            SignatureError: a signature on it is wrong.
            FormatError: not a canonical request.
            RefusedError: something no longer says yes; the reason says what.
            UnavailableError: no custodian can be reached.
        """
        request = signed.verify(LeaseRequest)
        now = self._parts.clock.now()
        document = self._parts.documents.current
        if request.programme != document.programme:
            raise refusal("programme-mismatch")
        if abs(request.asked_at - now) > document.delays.clock_skew_seconds:
            raise refusal("clock")
        if self._switch.is_off(Activity.CAPTURE):
            raise refusal("switch-off")
        self._check_person(request, signed)
        statement = self._statement(request.nonce)
        lease = Lease(
            lease=new_id("lea"),
            programme=document.programme,
            document=self._parts.documents.current_hash,
            device=request.device,
            consent=request.consent,
            streams=request.streams,
            not_before=now,
            not_after=now + document.delays.lease_seconds,
        )
        return LeaseAnswer(lease=sign(lease, self._parts.server), statement=statement)

    def _check_person(self, request: LeaseRequest, signed: Signed) -> None:
        documents = self._parts.documents
        with reading(self._parts.engine) as session:
            threshold = documents.current.key_set.custodian_threshold
            person = enrolled(session, request.tag, threshold)
            consent = known_consent(session, request.consent, documents)
            standing = standing_of(session, request.tag)
        if person is None or not person.is_confirmed:
            raise refusal("not-enrolled")
        if request.device not in person.devices or signed.signers != {request.device}:
            raise refusal("device-unknown")
        if consent is None or consent.consent.tag != request.tag or not consent.is_in_force:
            raise refusal("consent-unknown")
        self._check_consent(request, consent)
        if standing is not StandingState.ACTIVE:
            raise refusal(STANDING_REASONS[standing])

    def _check_consent(self, request: LeaseRequest, known: KnownConsent) -> None:
        if known.ended_by is not None:
            raise refusal("consent-ended")
        if known.consent.device != request.device:
            raise refusal("consent-device")
        if known.consent.notice != notice_hash(self._parts.documents.current.terms):
            raise refusal("consent-outdated")
        if not set(request.streams) <= set(known.consent.streams):
            raise refusal("stream-not-consented")

    def _statement(self, nonce: str) -> StatementForDevice:
        """Return a custodian's statement, after every custodian that answers has said that capture is on."""
        first: StatementForDevice | None = None
        for custodian in self._parts.custodians.values():
            try:
                presented = self._ask(custodian, nonce)
            except UnavailableError:
                continue
            first = first or presented
        if first is None:
            raise UnavailableError("no custodian can be reached", hint="nothing is recorded until one can")
        return first

    def _ask(self, custodian: CustodianPort, nonce: str) -> StatementForDevice:
        presented = custodian.statements((nonce,))[0]
        document = self._parts.documents.current
        try:
            statement = verify_answer(document.key_set, document.programme, presented, nonce)
        except (FormatError, SignatureError) as error:
            raise refusal("custodian-receipt") from error
        if statement.custodian != custodian.name:
            raise refusal("custodian-receipt")
        if Activity.CAPTURE in statement.off:
            raise refusal("switch-off")
        return presented
