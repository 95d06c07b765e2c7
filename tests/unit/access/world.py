"""A server with its door on one disk: real log, witness, custodian, programme, vault and policies.

Rules

* Everything is real except the network: a ``Wire`` stands for the line to the custodian and keeps what went
  over it.
* Segments are sealed by synthetic devices and put into key store, custodian and catalogue; ingest has tests
  of its own.
* Time stands still unless a test moves it.
"""

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Self, cast

from tests.cast import ORIGIN, PROGRAMME, STARTED_AT, TERMS, WITNESS, Cast, personal_seed
from understudy.access.actors import credential_of
from understudy.access.carrier import Carrier
from understudy.access.completeness import Completeness
from understudy.access.decide import Decider
from understudy.access.denials import Denials
from understudy.access.door import Door
from understudy.access.explainer import Explainer
from understudy.access.grants import Grants
from understudy.access.participants import StoredParticipants
from understudy.access.policy import Policies, shipped
from understudy.access.reads import Reads
from understudy.access.record import PolicyRecord
from understudy.access.requests import Requests
from understudy.consent.clock import FixedClock
from understudy.consent.consent import Consent, Standing, StandingState
from understudy.consent.credentials import Ed25519Credential
from understudy.consent.enrolment import EnrolmentRecord
from understudy.consent.errors import UnavailableError
from understudy.consent.keyset import EscrowKey
from understudy.consent.primitives import encode_bytes, new_id
from understudy.consent.programme import Delays
from understudy.consent.purposes import Activity, Purpose, ReasonCode, Stream
from understudy.consent.scope import Scope
from understudy.contract.messages import OpenAnswer, OpenCall
from understudy.contract.ports import CustodianPort
from understudy.custody.custodian import Custodian
from understudy.custody.grant import AccessRequest, Grant, OpenRequest, segments_root
from understudy.custody.head import ReleaseReply
from understudy.custody.store import Store
from understudy.custody.switch import LiftBundle, SwitchOrder
from understudy.programme.database import open_database, writing
from understudy.programme.service import Programme
from understudy.sealing.canonical import octets, parse
from understudy.sealing.half import Half
from understudy.sealing.header import SealContext, SegmentHeader, verify_header
from understudy.sealing.hpke import HpkePrivateKey, HpkePublicKey
from understudy.sealing.notice import notice_hash
from understudy.sealing.release import ReleaseContext, open_halves
from understudy.sealing.segment import SealedSegment, open_segment, seal_segment
from understudy.sealing.shred import ShredKey
from understudy.sealing.signing import Signed, SigningKey, document_hash, sign
from understudy.transparency.cosigning import WitnessLink
from understudy.transparency.leaves import Leaf, decode_leaf, leaf_digest
from understudy.transparency.note import VerifierKey
from understudy.transparency.sequencer import Sequencer
from understudy.transparency.store import create_log
from understudy.transparency.witness import LocalCosigner, Witness
from understudy.vault.catalogue import add_segment
from understudy.vault.keystore import KeyStore
from understudy.vault.service import Vault
from understudy.web.migrations import migrate

ALL: Final = tuple(sorted(Activity))
DIGEST: Final = encode_bytes(bytes(32))


class Wire:
    """The line to the custodian: forwards every call, and keeps what went over it.

    ``watch`` is called with name and arguments before a call is forwarded.
    """

    name = "first"

    def __init__(self, party: Callable[[], object]) -> None:
        self._party = party
        self.is_cut = False
        self.loses_answers = False
        self.watch: Callable[[str, tuple[Any, ...]], None] = lambda _name, _args: None
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any) -> Any:
            if self.is_cut:
                raise UnavailableError("the line is cut")
            self.watch(name, args)
            self.calls.append(name)
            answer = getattr(self._party(), name)(*args)
            if self.loses_answers:
                raise UnavailableError("the answer was lost")
            return answer

        return call


class LogReader:
    """The log as the custodian reads it."""

    def __init__(self, log: Callable[[], Sequencer]) -> None:
        self._log = log

    def entries(self, start: int, end: int) -> Sequence[bytes]:
        return self._log().store.entries(start, end)

    def checkpoint(self) -> bytes:
        newest = self._log().newest
        if newest is None:
            raise UnavailableError("no checkpoint yet")
        return newest.note


class Person:
    """A synthetic participant with one device and one console credential."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.seed = personal_seed(name)
        self.device = SigningKey.from_seed(personal_seed(f"{name}'s device").raw)
        self.console = SigningKey.from_seed(personal_seed(f"{name}'s console").raw)
        self.tag = self.seed.tag(PROGRAMME)
        self.consent = ""
        self.standings = 0
        self.escrow: EscrowKey | None = None


class World:
    """The parts, composed as the server composes them."""

    def __init__(self, home: Path, *, delays: Delays | None = None, policies: Policies | None = None) -> None:
        self.home = home
        self.cast = Cast(delays)
        self.clock = FixedClock(STARTED_AT)
        self.policies = policies or shipped()
        self.sealed: dict[str, tuple[SealedSegment, bytes]] = {}
        home.mkdir(parents=True, exist_ok=True)
        create_log(home / "log.db", origin=ORIGIN, key=self.cast.checkpoint)
        Witness.create(home / "witness.db", name=WITNESS, key=self.cast.cosigning)
        self.witness = Witness(
            home / "witness.db",
            name=WITNESS,
            key=self.cast.cosigning,
            logs=[VerifierKey.log(ORIGIN, self.cast.checkpoint.public)],
            clock=self.clock,
        )
        self.log = self.sequencer()
        self.custodian = Custodian(
            Store.create(home / "custodian.db"),
            self.cast.custodian,
            self.clock,
            LogReader(lambda: self.log),
        )
        self.document = self.cast.signed_document()
        self.custodian.pin(self.document, document_hash(self.cast.document()))
        self.wire = Wire(lambda: self.custodian)
        self.shred = ShredKey.generate()
        self.start()
        self.record.publish(self.policies.policy_hash)
        self.lift()

    def start(self) -> None:
        """Start the server's own parts on what is on the disk."""
        port = cast("CustodianPort", self.wire)
        self.engine = open_database(self.home / "server.db")
        migrate(self.engine)
        self.keystore = KeyStore(self.home / "keystore.db", self.cast.escrow_issuer, self.shred)
        self.programme = Programme(
            self.engine, self.document, self.cast.server, [port], self.keystore, self.log, self.clock
        )
        self.programme.publish()
        self.vault = Vault(self.engine, self.programme, self.keystore, self.home, [port], self.clock)
        documents = self.programme.documents
        self.participants = StoredParticipants(self.engine, documents)
        self.decider = Decider(self.policies)
        self.denials = Denials(self.log, documents, self.clock, policy=self.policies.policy_hash)
        self.grants = Grants(
            self.engine,
            documents=documents,
            participants=self.participants,
            decider=self.decider,
            denials=self.denials,
            clock=self.clock,
        )
        self.requests = Requests(self.engine, self.grants, self.log)
        self.reads = Reads(self.grants, self.vault, self.participants, self.programme.switch)
        self.explainer = Explainer(self.reads)
        age = documents.current.delays.cosignature_seconds
        signing = self.cast.custodian.signing.public
        self.carrier = Carrier(port, self.log, self.clock, signing=signing, max_age=age)
        self.completeness = Completeness(self.log, [self.carrier], max_age=age)
        self.record = PolicyRecord(self.engine, self.log, documents)
        self.door = Door(
            self.reads,
            log=self.log,
            store=self.vault,
            carriers=[self.carrier],
            key=self.cast.server,
        )

    def sequencer(self) -> Sequencer:
        """Return a sequencer on the log's store."""
        return Sequencer(
            self.home / "log.db",
            key=self.cast.checkpoint,
            witnesses=[WitnessLink(self.witness.key, LocalCosigner(self.witness))],
            quorum=1,
            clock=self.clock,
        )

    def reopen_log(self) -> None:
        """Start the log again after it was closed, and the server with it."""
        self.log = self.sequencer()
        self.restart()

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

    def lift(self) -> None:
        """Switch everything on, and log it."""
        self.programme.flush()
        bundle = LiftBundle(
            programme=PROGRAMME,
            on=ALL,
            custodian="first",
            epoch=1,
            revision=self.custodian.switch_status().revision,
            made_at=self.clock.now(),
        )
        self.programme.lift(sign(bundle, self.cast.person("lift-1"), self.cast.person("lift-2")))
        self.programme.flush()

    def stop(self, *activities: Activity) -> None:
        """Stop activities at the server only."""
        order = SwitchOrder(
            programme=PROGRAMME,
            off=activities or ALL,
            nonce=encode_bytes(secrets.token_bytes(32)),
            reason="a test",
            ordered_at=self.clock.now(),
        )
        self.wire.is_cut = True
        self.programme.switch_off(sign(order, self.cast.person("steward")))
        self.wire.is_cut = False

    def join(self, name: str, *purposes: Purpose) -> Person:
        """Enrol a synthetic participant who consents to ``purposes`` (training, unless others are named)."""
        person = Person(name)
        record = EnrolmentRecord(
            programme=PROGRAMME,
            tag=person.tag,
            number=1,
            previous=None,
            personal_signing=person.seed.signing.public,
            personal_hpke=person.seed.hpke.public.text,
            devices=(person.device.public,),
            credentials=(Ed25519Credential(public_key=person.console.public),),
            key_set=document_hash(self.cast.key_set()),
            made_at=self.clock.now(),
        )
        answer = self.programme.enrol(sign(record, person.seed.signing, person.device))
        person.escrow = answer.escrow_key.verify(EscrowKey)
        consent = Consent(
            programme=PROGRAMME,
            document=document_hash(self.cast.document()),
            tag=person.tag,
            device=person.device.public,
            purposes=purposes or (Purpose.TRAIN,),
            streams=(Stream.ELEMENTS, Stream.FRAMES),
            application_groups=("forms", "mail"),
            notice=notice_hash(TERMS),
            given_at=self.clock.now(),
        )
        self.programme.give_consent(sign(consent, person.seed.signing))
        person.consent = document_hash(consent)
        return person

    def stand(self, person: Person, state: StandingState) -> None:
        """Change a participant's mind."""
        person.standings += 1
        standing = Standing(
            programme=PROGRAMME,
            tag=person.tag,
            number=person.standings,
            state=state,
            made_at=self.clock.now(),
        )
        self.programme.stand(sign(standing, person.seed.signing))

    def share(self, person: Person, payload: bytes = b"synthetic", **changes: Any) -> str:
        """Seal a segment and put it where shared segments are; return its id."""
        assert person.escrow is not None
        fields: dict[str, Any] = {
            "kind": "recording",
            "programme": PROGRAMME,
            "tag": person.tag,
            "recording": "rec_" + "A" * 22,
            "segment": new_id("seg"),
            "consent": person.consent,
            "key_set": document_hash(self.cast.key_set()),
            "escrow_key": person.escrow.escrow_key,
            "application_group": "forms",
            "task_label": "form",
        }
        bundle = seal_segment(
            payload,
            SealContext(**(fields | changes)),
            previous=encode_bytes(secrets.token_bytes(32)),
            lease_root=DIGEST,
            redaction=DIGEST,
            device=person.device,
            escrow=HpkePublicKey.from_text(person.escrow.public),
            custodian=self.cast.custodian.hpke.public,
        )
        header = verify_header(bundle.header, {person.device.public})
        self.keystore.put_half(header, bundle.halves[0])
        receipt = self.custodian.deposit(bundle.header, bundle.halves[1])
        with writing(self.engine) as session:
            add_segment(session, header, bundle.header, {"c": receipt}, self.clock.now())
        self.sealed[header.seal.segment] = (bundle, payload)
        return header.seal.segment

    def access_request(self, requester: str = "researcher", **changes: Any) -> AccessRequest:
        """Return a request to train on everything, or one that differs in ``changes``."""
        now = self.clock.now()
        fields: dict[str, Any] = {
            "request": new_id("req"),
            "requester": self.cast.credential_hash(requester),
            "scope": Scope(programme=PROGRAMME),
            "purpose": Purpose.TRAIN,
            "reason": ReasonCode.MODEL_IMPROVEMENT,
            "ticket": "T-1",
            "readers": (self.cast.credential("reader"),),
            "not_before": now,
            "not_after": now + 3_600,
            "ceiling": 100,
            "made_at": now,
        }
        return AccessRequest(**(fields | changes))

    def submit(self, requester: str = "researcher", **changes: Any) -> str:
        """Submit a request; return its id."""
        asked = self.access_request(requester, **changes)
        self.requests.submit(sign(asked, self.cast.person(requester)))
        return asked.request

    def approval(self, request: str, key: SigningKey) -> Signed:
        """Return the grant of a request, signed by one key."""
        return sign(parse(Grant, octets(self.requests.state(request).grant_body)), key)

    def approve(self, request: str, *approvers: str) -> Signed | None:
        """Have a request approved; return the grant with the signatures it then has."""
        for approver in approvers:
            self.requests.approve(request, self.approval(request, self.cast.person(approver)))
        return self.requests.state(request).grant

    def grant(self, **changes: Any) -> str:
        """Return the hash of a grant in force, for the reader."""
        signed = self.approve(self.submit(**changes), "approver-1", "approver-2")
        assert signed is not None
        return signed.hash(Grant)

    def own_grant(self, person: Person, key: SigningKey | None = None, **changes: Any) -> Signed:
        """Return a self-grant, signed by the personal key unless another is named."""
        signer = key or person.seed.signing
        now = self.clock.now()
        fields: dict[str, Any] = {
            "grant": new_id("grt"),
            "programme": PROGRAMME,
            "request": None,
            "requester": credential_of(signer.public),
            "scope": Scope(programme=PROGRAMME, tags=(person.tag,)),
            "purpose": Purpose.OWN,
            "reason": ReasonCode.OWN_COPY,
            "readers": (Ed25519Credential(public_key=signer.public),),
            "not_before": now,
            "not_after": now + 3_600,
            "ceiling": 100,
        }
        return sign(Grant(**(fields | changes)), signer)

    def asking(
        self, grant: str, segments: Sequence[str], *, key: SigningKey | None = None, **changes: Any
    ) -> "Asking":
        """Return an open request and the ephemeral key it names."""
        signer = key or self.cast.person("reader")
        ephemeral = HpkePrivateKey.generate()
        fields: dict[str, Any] = {
            "programme": PROGRAMME,
            "grant": grant,
            "credential": credential_of(signer.public),
            "segments_root": segments_root(segments),
            "segments": len(set(segments)),
            "reader_key": ephemeral.public.text,
            "reason": ReasonCode.MODEL_IMPROVEMENT,
            "nonce": encode_bytes(secrets.token_bytes(32)),
            "not_after": self.clock.now() + 600,
        }
        request = OpenRequest(**(fields | changes))
        return Asking(self, OpenCall(request=sign(request, signer), segments=tuple(segments)), ephemeral)

    def open(self, grant: str, segments: Sequence[str], **changes: Any) -> dict[str, bytes]:
        """Open segments and return what was recorded in them."""
        asking = self.asking(grant, segments, **changes)
        return asking.payloads(self.door.open(asking.call))

    def leaves(self, kind: type[Leaf]) -> list[Any]:
        """Return the log's leaves of one kind, in order."""
        found = (decode_leaf(raw) for raw in self.log.store.entries(0, self.log.store.size))
        return [leaf for leaf in found if isinstance(leaf, kind)]


class Asking:
    """A request on its way, and the key its answer is sealed to."""

    def __init__(self, world: World, call: OpenCall, ephemeral: HpkePrivateKey) -> None:
        self.world = world
        self.call = call
        self.ephemeral = ephemeral

    @property
    def hash(self) -> str:
        """The request's hash."""
        return self.call.request.hash(OpenRequest)

    def halves(self, answer: OpenAnswer) -> dict[str, dict[str, Half]]:
        """Return the halves of an answer by role and segment."""
        leaf = leaf_digest(octets(answer.leaf))
        found = {}
        for signed in answer.replies:
            reply = signed.verify(ReleaseReply)
            context = ReleaseContext(role=reply.role, leaf=leaf, request=self.hash)
            found[reply.role] = open_halves(context, octets(reply.sealed), self.ephemeral)
        return {str(role): halves for role, halves in found.items()}

    def payloads(self, answer: OpenAnswer) -> dict[str, bytes]:
        """Return what the segments hold, opened with the answer's halves."""
        halves = self.halves(answer)
        opened = {}
        for segment in self.call.segments:
            bundle, _ = self.world.sealed[segment]
            header = parse(SegmentHeader, bundle.header.raw)
            opened[segment] = open_segment(
                header, bundle.ciphertext, halves["p"][segment], halves["c"][segment]
            )
        return opened
