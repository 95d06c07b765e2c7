"""A whole server on one disk, from real parts: database, key store, log, witness, custodian, programme.

Rules

* Everything is real except the network: a ``Line`` stands for it, and can be cut, or lose an answer.
* Time stands still unless a test moves it.
* Participants are synthetic; their keys follow from their names.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Self, cast

from tests.cast import ORIGIN, PROGRAMME, STARTED_AT, TERMS, WITNESS, Cast, personal_seed
from understudy.consent.clock import FixedClock
from understudy.consent.consent import Consent, Standing, StandingState
from understudy.consent.enrolment import EnrolmentRecord
from understudy.consent.errors import UnavailableError
from understudy.consent.lease import LeaseRequest
from understudy.consent.primitives import encode_bytes
from understudy.consent.programme import Delays
from understudy.consent.purposes import Activity, Purpose, Stream
from understudy.contract.messages import LeaseAnswer
from understudy.contract.ports import CustodianPort
from understudy.custody.custodian import Custodian
from understudy.custody.store import Store
from understudy.custody.switch import LiftBundle, SwitchOrder
from understudy.programme.database import open_database
from understudy.programme.service import Programme
from understudy.sealing.notice import notice_hash
from understudy.sealing.shred import ShredKey
from understudy.sealing.signing import Signed, SigningKey, document_hash, sign
from understudy.transparency.cosigning import WitnessLink
from understudy.transparency.note import VerifierKey
from understudy.transparency.sequencer import Sequencer
from understudy.transparency.store import create_log
from understudy.transparency.witness import LocalCosigner, Witness
from understudy.vault.keystore import KeyStore
from understudy.web.migrations import migrate

ALL: Final = tuple(Activity)


class Line:
    """A line to another party: forwards every call, unless it is cut or loses the answer."""

    def __init__(self, party: object) -> None:
        self.party = party
        self.is_cut = False
        self.loses_answers = False

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.party, name)
        if not callable(found):
            return found

        def call(*args: object, **keywords: object) -> object:
            if self.is_cut:
                raise UnavailableError("the line is cut")
            answer = found(*args, **keywords)
            if self.loses_answers:
                raise UnavailableError("the answer was lost")
            return answer

        return call


class LogReader:
    """The log as the custodian reads it."""

    def __init__(self, log: Sequencer) -> None:
        self._log = log

    def entries(self, start: int, end: int) -> Sequence[bytes]:
        return self._log.store.entries(start, end)

    def checkpoint(self) -> bytes:
        newest = self._log.newest
        if newest is None:
            raise UnavailableError("no checkpoint yet")
        return newest.note


class Person:
    """A synthetic participant with one device."""

    def __init__(self, name: str) -> None:
        self.seed = personal_seed(name)
        self.device = SigningKey.from_seed(personal_seed(f"{name}'s device").raw)
        self.tag = self.seed.tag(PROGRAMME)
        self.standings = 0


class Stage:
    """The parts, composed as the server composes them."""

    def __init__(self, home: Path, *, delays: Delays | None = None) -> None:
        self.home = home
        self.cast = Cast(delays)
        self.clock = FixedClock(STARTED_AT)
        home.mkdir(parents=True, exist_ok=True)
        create_log(home / "log.db", origin=ORIGIN, key=self.cast.checkpoint)
        Witness.create(home / "witness.db", name=WITNESS, key=self.cast.cosigning)
        log_key = VerifierKey.log(ORIGIN, self.cast.checkpoint.public)
        self.witness = Witness(
            home / "witness.db", name=WITNESS, key=self.cast.cosigning, logs=[log_key], clock=self.clock
        )
        link = WitnessLink(self.witness.key, LocalCosigner(self.witness))
        self.log = Sequencer(
            home / "log.db", key=self.cast.checkpoint, witnesses=[link], quorum=1, clock=self.clock
        )
        self.custodian = Custodian(
            Store.create(home / "custodian.db"), self.cast.custodian, self.clock, LogReader(self.log)
        )
        self.document = self.cast.signed_document()
        self.custodian.pin(self.document, document_hash(self.cast.document()))
        self.line = Line(self.custodian)
        self.custodians = [cast("CustodianPort", self.line)]
        self.log_line = Line(self.log)
        self.shred = ShredKey.generate()
        self.start()
        self.programme.publish()

    def start(self) -> None:
        """Start the server's own parts on what is on the disk."""
        self.engine = open_database(self.home / "server.db")
        migrate(self.engine)
        self.keystore = KeyStore(self.home / "keystore.db", self.cast.escrow_issuer, self.shred)
        self.programme = Programme(
            self.engine,
            self.document,
            self.cast.server,
            self.custodians,
            self.keystore,
            cast("Sequencer", self.log_line),
            self.clock,
        )

    def restart(self) -> None:
        """Forget everything that is in memory, and start again."""
        self.engine.dispose()
        self.keystore.close()
        self.start()

    def close(self) -> None:
        self.engine.dispose()
        self.keystore.close()
        self.log.close()
        self.custodian.close()
        self.witness.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def bundle(self, *activities: Activity, revision: int | None = None) -> Signed:
        """Return a lift bundle for the custodian as it stands now."""
        status = self.custodian.switch_status()
        bundle = LiftBundle(
            programme=PROGRAMME,
            on=activities or ALL,
            custodian=self.custodian.name,
            epoch=1,
            revision=status.revision if revision is None else revision,
            made_at=self.clock.now(),
        )
        return sign(bundle, self.cast.person("lift-1"), self.cast.person("lift-2"))

    def order(self, *activities: Activity, by: str = "steward", nonce: int = 0) -> Signed:
        """Return an order to stop."""
        order = SwitchOrder(
            programme=PROGRAMME,
            off=activities or ALL,
            nonce=encode_bytes(nonce.to_bytes(32, "big")),
            reason="a test",
            ordered_at=self.clock.now(),
        )
        return sign(order, self.cast.person(by))

    def lift(self) -> None:
        """Switch everything on, for the first time or again."""
        self.programme.lift(self.bundle())

    def record(self, person: Person, **changes: Any) -> EnrolmentRecord:
        """Return the person's enrolment record 1, or one that differs in ``changes``."""
        fields: dict[str, Any] = {
            "programme": PROGRAMME,
            "tag": person.tag,
            "number": 1,
            "previous": None,
            "personal_signing": person.seed.signing.public,
            "personal_hpke": person.seed.hpke.public.text,
            "devices": (person.device.public,),
            "key_set": document_hash(self.cast.key_set()),
            "made_at": self.clock.now(),
        }
        return EnrolmentRecord(**(fields | changes))

    def enrol(self, person: Person) -> Signed:
        """Enrol the person; return the signed record."""
        signed = sign(self.record(person), person.seed.signing, person.device)
        self.programme.enrol(signed)
        return signed

    def consent(self, person: Person, **changes: Any) -> Consent:
        """Return a consent to everything, or one that differs in ``changes``."""
        fields: dict[str, Any] = {
            "programme": PROGRAMME,
            "document": document_hash(self.cast.document()),
            "tag": person.tag,
            "device": person.device.public,
            "purposes": (Purpose.TRAIN,),
            "streams": (Stream.ELEMENTS, Stream.FRAMES),
            "application_groups": ("forms",),
            "notice": notice_hash(TERMS),
            "given_at": self.clock.now(),
        }
        return Consent(**(fields | changes))

    def agree(self, person: Person) -> str:
        """Enrol the person and give their consent; return its hash."""
        self.enrol(person)
        signed = sign(self.consent(person), person.seed.signing)
        self.programme.give_consent(signed)
        return signed.hash(Consent)

    def standing(self, person: Person, state: StandingState, *, number: int | None = None) -> Standing:
        """Return the person's next standing."""
        if number is None:
            person.standings += 1
        return Standing(
            programme=PROGRAMME,
            tag=person.tag,
            number=person.standings if number is None else number,
            state=state,
            made_at=self.clock.now(),
        )

    def stand(self, person: Person, state: StandingState) -> None:
        """Change the person's mind."""
        self.programme.stand(sign(self.standing(person, state), person.seed.signing))

    def lease_request(self, person: Person, consent: str, **changes: Any) -> LeaseRequest:
        """Return a lease request for the person's device."""
        fields: dict[str, Any] = {
            "programme": PROGRAMME,
            "tag": person.tag,
            "device": person.device.public,
            "consent": consent,
            "streams": (Stream.ELEMENTS,),
            "nonce": encode_bytes(bytes(32)),
            "asked_at": self.clock.now(),
        }
        return LeaseRequest(**(fields | changes))

    def lease(self, person: Person, consent: str) -> LeaseAnswer:
        """Ask for a lease."""
        return self.programme.lease(sign(self.lease_request(person, consent), person.device))
