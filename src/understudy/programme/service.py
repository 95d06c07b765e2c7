"""A programme as the server runs it: enrolment, consent, standing, leases, switch and batches in one.

Rules

* It holds the server's key and the ports to the custodians, the key store and the log; it never holds a half.
* ``flush`` is called by the server's timer: it relays what waits, and logs documents, switch changes and
  batches.

Example::

    programme = Programme(engine, document, server_key, custodians, keystore, log, clock)
    answer = programme.enrol(record)
    receipt = programme.give_consent(consent)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine

from understudy.consent.clock import Clock
from understudy.consent.consent import StandingState
from understudy.consent.purposes import Activity
from understudy.contract.messages import EnrolAnswer, LeaseAnswer
from understudy.contract.ports import CustodianPort
from understudy.custody.switch import SwitchStatus
from understudy.programme.batches import ConsentBatches, EventOpening
from understudy.programme.consents import Consents
from understudy.programme.database import reading
from understudy.programme.documents import Documents
from understudy.programme.enrolment import Enrolments
from understudy.programme.errors import DocumentError
from understudy.programme.events import LogPort
from understudy.programme.leases import Leases
from understudy.programme.parts import EscrowIssuer, Parts
from understudy.programme.people import Enrolled, KnownConsent, enrolled, known_consent, standing_of
from understudy.programme.relay import Relay
from understudy.programme.switch import ServerSwitch
from understudy.sealing.signing import Signed, SigningKey


@dataclass(frozen=True, slots=True)
class Flushed:
    """What a call of ``flush`` did."""

    relays_waiting: int
    switch_changes: int
    batches: int


class Programme:
    """Who may be recorded now, and what they agreed to."""

    def __init__(
        self,
        engine: Engine,
        document: Signed,
        server_key: SigningKey,
        custodians: Sequence[CustodianPort],
        keystore: EscrowIssuer,
        log: LogPort,
        clock: Clock,
    ) -> None:
        """Take up a programme.

        Args:
            engine: the server's database, migrated.
            document: the programme document in force, or the successor of the one stored.
            server_key: the key that the key set calls ``server``.
            custodians: a port to every custodian of the key set.
            keystore: issues escrow keys.
            log: takes entries.
            clock: tells the time.

        Raises:
            DocumentError: the document breaks a rule, or the keys or custodians are not those it names.
            SignatureError: signatures are missing or wrong.
        """
        self.documents: Final = Documents(engine)
        self.documents.adopt(document)
        keys = self.documents.current.key_set
        if server_key.public != keys.server:
            raise DocumentError(("the server's key is not the one in the key set",))
        ports = {custodian.name: custodian for custodian in custodians}
        if set(ports) != {custodian.name for custodian in keys.custodians}:
            raise DocumentError(("the custodians are not those of the key set",))
        parts = Parts(engine, self.documents, clock, server_key, ports, keystore, log)
        self._parts: Final = parts
        self.relay: Final = Relay(parts)
        self.switch: Final = ServerSwitch(parts, self.relay)
        self._enrolments: Final = Enrolments(parts, self.relay)
        self._consents: Final = Consents(parts, self.relay)
        self._leases: Final = Leases(parts, self.switch)
        self._batches: Final = ConsentBatches(parts)

    def document(self) -> Signed:
        """Return the programme document in force, with its signatures."""
        return self.documents.signed

    def publish(self) -> int:
        """Log the programme documents that are not in the log yet; return the index of the one in force."""
        return self.documents.publish(self._parts.log)

    def enrol(self, record: Signed) -> EnrolAnswer:
        """Register an enrolment record; see ``Enrolments.enrol``."""
        return self._enrolments.enrol(record)

    def give_consent(self, consent: Signed) -> Signed:
        """Register a consent and return its receipt; see ``Consents.give``."""
        return self._consents.give(consent)

    def stand(self, standing: Signed) -> tuple[Signed, ...]:
        """Register a change of mind and return custodians' receipts; see ``Consents.stand``."""
        return self._consents.stand(standing)

    def lease(self, request: Signed) -> LeaseAnswer:
        """Return a lease and a switch statement; see ``Leases.lease``."""
        return self._leases.lease(request)

    def switch_status(self) -> SwitchStatus:
        """Return what is off at the server."""
        return self.switch.status()

    def switch_off(self, order: Signed) -> SwitchStatus:
        """Stop what an order names; see ``ServerSwitch.order``."""
        return self.switch.order(order)

    def lift(self, bundle: Signed) -> SwitchStatus:
        """Start again what a bundle names; see ``ServerSwitch.lift``."""
        return self.switch.lift(bundle)

    def is_off(self, activity: Activity) -> bool:
        """Return whether the activity is stopped at the server."""
        return self.switch.is_off(activity)

    def enrolled(self, tag: str) -> Enrolled | None:
        """Return a participant's enrolment, or None."""
        with reading(self._parts.engine) as session:
            return enrolled(session, tag, self.documents.current.key_set.custodian_threshold)

    def consent(self, consent_hash: str) -> KnownConsent | None:
        """Return a consent and the state of its receipt, or None."""
        with reading(self._parts.engine) as session:
            return known_consent(session, consent_hash, self.documents)

    def standing(self, tag: str) -> StandingState:
        """Return a participant's standing; ``active`` for one who never changed it."""
        with reading(self._parts.engine) as session:
            return standing_of(session, tag)

    def event_opening(self, document: str) -> EventOpening:
        """Return what proves that a consent-type event is in the log; see ``ConsentBatches.opening``."""
        return self._batches.opening(document)

    def flush(self) -> Flushed:
        """Relay and log what waits.

        Raises:
            TransparencyError: the log does not answer; what waits stays for the next call.
        """
        waiting = self.relay.flush()
        self.publish()
        return Flushed(
            relays_waiting=waiting, switch_changes=self.switch.log_changes(), batches=self._batches.flush()
        )
