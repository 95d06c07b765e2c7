"""A small programme around one custodian: everybody's keys, participants with devices, and a log.

Rules

* Everything is real: documents, signatures, HPKE, segments, Merkle trees, notes. Only the log's store is a
  list.
* ``Log`` holds the genuine log and witness keys and signs what it is told, so tests can make it dishonest.
* Keys come from their labels, so that a second process builds the same world.
"""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from understudy.consent.clock import FixedClock
from understudy.consent.consent import Consent, ConsentReceipt, Standing, StandingState
from understudy.consent.credentials import Ed25519Credential
from understudy.consent.enrolment import EnrolmentRecord
from understudy.consent.keyset import AuditorKey, KeySet, LogKey, WitnessKey
from understudy.consent.primitives import encode_bytes, new_id
from understudy.consent.programme import (
    ApplicationGroup,
    Delays,
    Profile,
    ProgrammeDocument,
    Role,
    RosterMember,
    Terms,
    Threshold,
)
from understudy.consent.purposes import Activity, Purpose, ReasonCode, Stream
from understudy.consent.scope import Scope
from understudy.custody.custodian import Custodian
from understudy.custody.delivery import Delivery
from understudy.custody.grant import RAW, Grant, OpenRequest, segments_root
from understudy.custody.head import Behind, CustodianAnswer, Released, ReleaseReply
from understudy.custody.keys import CustodianKeyPair
from understudy.custody.rules import RULES, Rule
from understudy.custody.store import Store
from understudy.custody.switch import LiftBundle
from understudy.sealing.canonical import canonical, octets
from understudy.sealing.header import SealContext
from understudy.sealing.hpke import HpkePrivateKey
from understudy.sealing.notice import notice_hash
from understudy.sealing.personal import PersonalSeed
from understudy.sealing.release import ReleaseContext, open_halves
from understudy.sealing.segment import SealedSegment, seal_segment
from understudy.sealing.signing import Document, Signature, Signed, SigningKey, document_hash, sign
from understudy.transparency.checkpoint import Checkpoint, add_cosignatures, sign_checkpoint
from understudy.transparency.leaves import (
    Leaf,
    Opening,
    OpenLeaf,
    ProgrammeLeaf,
    SwitchLeaf,
    commitment_of,
    encode_leaf,
    leaf_digest,
)
from understudy.transparency.merkle import tree_root
from understudy.transparency.note import cosign_text

NOW = 1_800_000_000
ORIGIN = "log.test/1"
WITNESS = "witness.test/1"
GROUPS = ("mail", "office")


def key(label: str) -> SigningKey:
    """Return the signing key of a label."""
    return SigningKey.from_seed(hashlib.sha256(label.encode()).digest())


@lru_cache
def hpke(label: str) -> HpkePrivateKey:
    """Return the HPKE key of a label."""
    return HpkePrivateKey.from_seed(hashlib.sha256(f"hpke {label}".encode()).digest())


def fixed_id(prefix: str, label: str) -> str:
    """Return the id of a label."""
    return f"{prefix}_{encode_bytes(hashlib.sha256(label.encode()).digest()[:16])}"


def digest_of(label: str) -> str:
    """Return some digest, the same for the same label."""
    return encode_bytes(hashlib.sha256(label.encode()).digest())


def credential(signing: SigningKey) -> Ed25519Credential:
    """Return the credential of a key."""
    return Ed25519Credential(public_key=signing.public)


def credential_hash(label: str) -> str:
    """Return the hash of a label's credential."""
    return document_hash(credential(key(label)))


PROGRAMME = fixed_id("prg", "programme")
MEMBERS: Mapping[str, tuple[Role, ...]] = {
    "steward": (Role.STEWARD,),
    "approver-1": (Role.APPROVER,),
    "approver-2": (Role.APPROVER,),
    "approver-3": (Role.APPROVER, Role.RESEARCHER),
    "researcher": (Role.RESEARCHER,),
    "responder": (Role.RESPONDER,),
}
LIFTERS = ("lift-1", "lift-2", "lift-3")


def custodian_keys(name: str = "first", epoch: int = 1) -> CustodianKeyPair:
    """Return the keys of the custodian of this name."""
    return CustodianKeyPair(name=name, epoch=epoch, signing=key(f"custodian {name}"), hpke=hpke(name))


def key_set(**changes: Any) -> KeySet:
    """Return the key set of the programme."""
    fields: dict[str, Any] = {
        "server": key("server").public,
        "escrow_issuer": key("issuer").public,
        "custodians": (custodian_keys().public,),
        "custodian_threshold": 1,
        "witnesses": (
            WitnessKey(
                name=WITNESS, cosigning=key("witness cosigning").public, signing=key("witness").public
            ),
        ),
        "witness_quorum": 1,
        "log": LogKey(
            origin=ORIGIN, epoch=1, checkpoint=key("log checkpoint").public, signing=key("log").public
        ),
        "auditor": AuditorKey(epoch=1, hpke=hpke("auditor").public.text, signing=key("auditor").public),
    }
    return KeySet(**(fields | changes))


def programme_document(**changes: Any) -> ProgrammeDocument:
    """Return programme document 1."""
    fields: dict[str, Any] = {
        "programme": PROGRAMME,
        "number": 1,
        "previous": None,
        "profile": Profile.EMBEDDED,
        "terms": Terms(
            title="A synthetic programme",
            notice="Synthetic: nobody is recorded.",
            contact="nobody",
            purposes=(Purpose.TRAIN, Purpose.EVALUATE),
            streams=(Stream.INPUT, Stream.ELEMENTS),
            application_groups=tuple(ApplicationGroup(name=name, sites=("test",)) for name in GROUPS),
        ),
        "delays": Delays(),
        "roster": tuple(
            RosterMember(name=name, roles=roles, credential=credential(key(name)))
            for name, roles in MEMBERS.items()
        ),
        "key_set": key_set(),
        "recovery": Threshold(threshold=2, keys=tuple(key(f"recovery-{n}").public for n in (1, 2, 3))),
        "lift": Threshold(threshold=2, keys=tuple(key(name).public for name in LIFTERS)),
        "made_at": NOW - 1_000,
    }
    return ProgrammeDocument(**(fields | changes))


SIGNERS = (*MEMBERS, "server", "issuer", "log", "witness", "custodian first")


def signed_document(document: ProgrammeDocument | None = None) -> Signed:
    """Return the document signed by everybody."""
    return sign(document or programme_document(), *(key(label) for label in SIGNERS))


def sign_raw(kind: type[Document], fields: Mapping[str, Any], *keys: SigningKey) -> Signed:
    """Return ``fields`` signed as a ``kind``, whatever they are."""
    raw = msgspec.json.encode(fields, order="deterministic")
    return Signed(
        body=encode_bytes(raw),
        signatures=tuple(
            Signature(key=signer.public, signature=signer.sign_bytes(kind.CONTEXT, raw)) for signer in keys
        ),
    )


@dataclass(frozen=True)
class Entered:
    """An entry as the broker knows it."""

    index: int
    openings: tuple[Opening, ...]
    raw: bytes


class Log:
    """A log in memory with the genuine keys of log and witness; it signs whatever it is told."""

    def __init__(self, clock: FixedClock, document: Signed) -> None:
        self.clock = clock
        self.leaves: list[bytes] = []
        self.heads: dict[str, tuple[int, str]] = {}
        self.pulled = 0
        self.append(ProgrammeLeaf(document=document))

    def append(self, leaf: Leaf) -> int:
        """Append a leaf; return its index."""
        self.leaves.append(encode_leaf(leaf))
        return len(self.leaves) - 1

    def note(
        self,
        *,
        size: int | None = None,
        at: int | None = None,
        leaves: Sequence[bytes] | None = None,
        witnesses: Sequence[str] = ("witness cosigning",),
        log_key: str = "log checkpoint",
    ) -> bytes:
        """Return a checkpoint of the first ``size`` leaves, cosigned at ``at``."""
        chosen = self.leaves if leaves is None else leaves
        chosen = chosen[: len(chosen) if size is None else size]
        tree = Checkpoint(ORIGIN, len(chosen), tree_root(chosen))
        time = self.clock.now() if at is None else at
        signed = sign_checkpoint(tree, key(log_key))
        cosigned = [cosign_text(tree.text, WITNESS, key(label), time) for label in witnesses]
        return add_cosignatures(signed, *cosigned)

    def checkpoint(self) -> bytes:
        """Return the newest checkpoint."""
        return self.note()

    def entries(self, start: int, end: int) -> tuple[bytes, ...]:
        """Return leaves."""
        self.pulled += 1
        return tuple(self.leaves[start:end])

    def opening(self, tag: str, segments: Sequence[str], **changes: Any) -> Opening:
        """Return the next opening of ``tag``, which moves its head on."""
        n, previous = self.heads[tag]
        opening = Opening(
            tag=tag,
            n=n + 1,
            prev=previous,
            segments=tuple(sorted(segments)),
            salt=digest_of(f"salt {tag} {n} {len(self.leaves)}"),
        )
        opening = msgspec.structs.replace(opening, **changes)
        self.heads[tag] = (opening.n, encode_bytes(commitment_of(opening)))
        return opening

    def enter(self, fields: Mapping[str, Any], openings: Sequence[Opening]) -> Entered:
        """Append an ``open`` entry."""
        ordered = tuple(sorted(openings, key=lambda opening: opening.tag))
        root = tree_root([commitment_of(opening) for opening in ordered])
        committed: dict[str, Any] = {"participants": len(ordered), "root": encode_bytes(root)}
        leaf = OpenLeaf(**(committed | dict(fields)))
        index = self.append(leaf)
        return Entered(index=index, openings=ordered, raw=self.leaves[index])


@dataclass
class Participant:
    """A synthetic participant: seed, device and what they signed."""

    label: str
    seed: PersonalSeed = field(init=False)
    device: SigningKey = field(init=False)

    def __post_init__(self) -> None:
        self.seed = PersonalSeed(hashlib.sha256(f"seed {self.label}".encode()).digest())
        self.device = key(f"device {self.label}")

    @property
    def tag(self) -> str:
        """The participant's tag."""
        return self.seed.tag(PROGRAMME)

    def record(self, **changes: Any) -> EnrolmentRecord:
        """Return enrolment record 1."""
        fields: dict[str, Any] = {
            "programme": PROGRAMME,
            "tag": self.tag,
            "number": 1,
            "previous": None,
            "personal_signing": self.seed.signing.public,
            "personal_hpke": self.seed.hpke.public.text,
            "devices": (self.device.public,),
            "credentials": (credential(key(f"console {self.label}")),),
            "key_set": document_hash(key_set()),
            "made_at": NOW,
        }
        return EnrolmentRecord(**(fields | changes))

    def enrolment(self, **changes: Any) -> Signed:
        """Return the record, signed by personal key and device."""
        return sign(self.record(**changes), self.seed.signing, self.device)

    def consent(self, **changes: Any) -> Consent:
        """Return a consent to everything the programme offers."""
        document = programme_document()
        fields: dict[str, Any] = {
            "programme": PROGRAMME,
            "document": document_hash(document),
            "tag": self.tag,
            "device": self.device.public,
            "purposes": document.terms.purposes,
            "streams": document.terms.streams,
            "application_groups": GROUPS,
            "notice": notice_hash(document.terms),
            "given_at": NOW,
        }
        return Consent(**(fields | changes))

    def standing(self, state: StandingState, number: int) -> Signed:
        """Return a standing, signed by the personal key."""
        standing = Standing(programme=PROGRAMME, tag=self.tag, number=number, state=state, made_at=NOW)
        return sign(standing, self.seed.signing)


def receipt_for(consent: Consent, /, **changes: Any) -> Signed:
    """Return the server's receipt for a consent."""
    fields: dict[str, Any] = {
        "consent": document_hash(consent),
        "programme": consent.programme,
        "document": consent.document,
        "tag": consent.tag,
        "in_force_at": NOW,
    }
    return sign(ConsentReceipt(**(fields | changes)), key("server"))


def seal(participant: Participant, consent: Consent, /, **changes: Any) -> SealedSegment:
    """Return a sealed synthetic segment; ``changes`` go into the seal context."""
    custodian = changes.pop("custodian", hpke("first").public)
    fields: dict[str, Any] = {
        "kind": "recording",
        "programme": PROGRAMME,
        "tag": participant.tag,
        "recording": fixed_id("rec", participant.label),
        "segment": new_id("seg"),
        "consent": document_hash(consent),
        "key_set": document_hash(key_set()),
        "escrow_key": fixed_id("esc", participant.label),
        "application_group": "mail",
        "task_label": "form",
    }
    device = changes.pop("device", participant.device)
    return seal_segment(
        b"synthetic",
        SealContext(**(fields | changes)),
        previous=None,
        lease_root=digest_of("leases"),
        redaction=digest_of("redaction"),
        device=device,
        escrow=hpke("escrow").public,
        custodian=custodian,
    )


class World:
    """The custodian, its surroundings, and shortcuts through the happy path."""

    def __init__(self, folder: Path, *, rules: Sequence[Rule] = RULES, fresh: bool = True) -> None:
        self.folder = folder
        self.clock = FixedClock(NOW)
        self.document = signed_document()
        self.log = Log(self.clock, self.document)
        self.rules = rules
        self.table: dict[tuple[str, int], Entered] = {}
        self.store = Store.create(self.path) if fresh else Store(self.path)
        self.custodian = Custodian(self.store, custodian_keys(), self.clock, self.log, rules=rules)

    @property
    def path(self) -> Path:
        """The store."""
        return self.folder / "custodian.db"

    def reopen(self) -> Custodian:
        """Close the custodian and take it up again from its store."""
        self.custodian.close()
        self.store = Store(self.path)
        self.custodian = Custodian(self.store, custodian_keys(), self.clock, self.log, rules=self.rules)
        return self.custodian

    def copy(self, folder: Path, *, rules: Sequence[Rule] = RULES) -> "World":
        """Return another world in ``folder`` that stands where this one does."""
        self.store.fold(everything=True)
        shutil.copy(self.path, folder)
        twin = World(folder, rules=rules, fresh=False)
        twin.log.leaves = list(self.log.leaves)
        twin.log.heads = dict(self.log.heads)
        return twin

    def pin(self) -> None:
        """Pin the document."""
        self.custodian.pin(self.document, self.document.hash(ProgrammeDocument))

    def join(self, label: str, **consent: Any) -> Participant:
        """Enrol a participant and give consent."""
        participant = Participant(label)
        record = participant.enrolment()
        self.custodian.enrol(record)
        self.log.heads[participant.tag] = (0, record.hash(EnrolmentRecord))
        self.consent(participant, **consent)
        return participant

    def consent(self, participant: Participant, **changes: Any) -> Consent:
        """Have a consent countersigned."""
        consent = participant.consent(**changes)
        signed = sign(consent, participant.seed.signing)
        self.custodian.countersign(signed, receipt_for(consent))
        return consent

    def share(self, participant: Participant, *, consent: Consent | None = None, **changes: Any) -> str:
        """Seal and deposit a segment; return its id."""
        sealed = seal(participant, consent or participant.consent(), **changes)
        half = sealed.halves[1]
        self.custodian.deposit(sealed.header, half)
        header = msgspec.json.decode(sealed.header.raw)
        return str(header["seal"]["segment"])

    def lift(self, *activities: Activity, log: bool = True) -> None:
        """Lift the switch (everything by default), and log the change."""
        bundle = LiftBundle(
            programme=PROGRAMME,
            on=activities or tuple(sorted(Activity)),
            custodian="first",
            epoch=1,
            revision=self.custodian.switch_status().revision,
            made_at=self.clock.now(),
        )
        self.custodian.lift(sign(bundle, key("lift-1"), key("lift-2")))
        if log:
            self.log_switch()

    def log_switch(self) -> None:
        """Log every queued change of the switch and let the custodian see it."""
        for change in self.custodian.queue():
            self.log.append(
                SwitchLeaf(
                    programme=PROGRAMME,
                    order=change.order,
                    off=change.off,
                    revision=change.revision,
                    by="first",
                    time=self.clock.now(),
                )
            )
        self.custodian.sync()

    def start(self) -> None:
        """Pin, and lift everything."""
        self.pin()
        self.lift()

    def grant(self, *approvers: str, **changes: Any) -> Signed:
        """Return a grant for training, signed by two approvers unless others are named."""
        fields: dict[str, Any] = {
            "grant": new_id("grt"),
            "programme": PROGRAMME,
            "request": digest_of("access request"),
            "requester": credential_hash("researcher"),
            "scope": Scope(programme=PROGRAMME),
            "purpose": Purpose.TRAIN,
            "reason": ReasonCode.MODEL_IMPROVEMENT,
            "label": RAW,
            "readers": (credential(key("reader")),),
            "not_before": NOW,
            "not_after": NOW + 3_600,
            "ceiling": 100,
        }
        grant = Grant(**(fields | changes))
        return sign(grant, *(key(label) for label in approvers or ("approver-1", "approver-2")))

    def own_grant(self, participant: Participant, signer: SigningKey | None = None, **changes: Any) -> Signed:
        """Return a self-grant of a participant."""
        own = signer or participant.seed.signing
        fields: dict[str, Any] = {
            "request": None,
            "requester": document_hash(credential(own)),
            "scope": Scope(programme=PROGRAMME, tags=(participant.tag,)),
            "purpose": Purpose.OWN,
            "reason": ReasonCode.OWN_COPY,
            "readers": (credential(own),),
        }
        grant = msgspec.json.decode(self.grant(**(fields | changes)).raw, type=Grant)
        return sign(grant, own)

    def request(self, grant: Signed, segments: Sequence[str], /, **changes: Any) -> Signed:
        """Return a reader's request for segments."""
        signer = changes.pop("signer", key("reader"))
        fields: dict[str, Any] = {
            "programme": PROGRAMME,
            "grant": grant.hash(Grant),
            "credential": document_hash(credential(signer)),
            "segments_root": segments_root(segments),
            "segments": len(set(segments)),
            "reader_key": hpke("ephemeral").public.text,
            "reason": ReasonCode.MODEL_IMPROVEMENT,
            "nonce": encode_bytes(hashlib.sha256(new_id("req").encode()).digest()),
            "not_after": self.clock.now() + 600,
        }
        return sign(OpenRequest(**(fields | changes)), signer)

    def leaf_fields(self, grant: Signed, request: Signed, /, **changes: Any) -> dict[str, Any]:
        """Return what an honest server writes into the entry of a request."""
        terms = msgspec.json.decode(grant.raw, type=Grant)
        asked = msgspec.json.decode(request.raw, type=OpenRequest)
        fields: dict[str, Any] = {
            "programme": PROGRAMME,
            "grant": grant.hash(Grant),
            "request": request.hash(OpenRequest),
            "purpose": terms.purpose,
            "actor": asked.credential,
            "reader_key": hpke("ephemeral").public.key_hash,
            "object": terms.label,
            "policy": digest_of("policy"),
            "time": self.clock.now(),
            "not_after": min(asked.not_after, self.clock.now() + 600),
        }
        return fields | changes

    def enter(
        self, grant: Signed, request: Signed, parts: Mapping[str, Sequence[str]], **changes: Any
    ) -> Entered:
        """Log the entry of a request; ``parts`` are the segments by tag."""
        openings = [self.log.opening(tag, segments) for tag, segments in parts.items()]
        entered = self.log.enter(self.leaf_fields(grant, request, **changes), openings)
        self.table.update({(opening.tag, opening.n): entered for opening in openings})
        return entered

    def delivery(
        self, entered: Entered, grant: Signed | None = None, request: Signed | None = None, /, **changes: Any
    ) -> Delivery:
        """Return what an honest broker brings."""
        start = max(len(self.log.leaves) - 8, 0)
        fields: dict[str, Any] = {
            "index": entered.index,
            "openings": entered.openings,
            "start": start,
            "leaves": tuple(encode_bytes(leaf) for leaf in self.log.leaves[start:]),
            "checkpoint": encode_bytes(self.log.note()),
            "grant": grant,
            "request": request,
        }
        return Delivery(**(fields | changes))

    def open(self, delivery: Delivery) -> CustodianAnswer:
        """Deliver; return the decoded answer."""
        return decoded(self.custodian.open(delivery))

    def bring(self, delivery: Delivery) -> CustodianAnswer:
        """Deliver; bring what is missing first, as a broker does."""
        while isinstance(answer := self.open(delivery), Behind):
            for missing in answer.missing:
                self.open(self.delivery(self.table[missing.tag, missing.n]))
        return answer

    def ask(
        self,
        participant: Participant,
        segments: Sequence[str],
        *,
        grant: Signed | None = None,
        request: Signed | None = None,
        **leaf: Any,
    ) -> CustodianAnswer:
        """Go the whole honest way for one participant's segments."""
        granted = grant or self.grant()
        asked = request or self.request(granted, segments)
        entered = self.enter(granted, asked, {participant.tag: segments}, **leaf)
        return self.open(self.delivery(entered, granted, asked))


def decoded(raw: bytes) -> CustodianAnswer:
    """Return a custodian's answer after checking that it is canonical."""
    answer: CustodianAnswer = msgspec.json.decode(raw, type=CustodianAnswer)
    assert canonical(answer) == raw
    return answer


def reason_of(answer: CustodianAnswer) -> str:
    """Return the reason of a refusal, or ``released`` or ``behind``."""
    return getattr(answer, "reason", type(answer).__name__.lower())


def released_halves(answer: CustodianAnswer, raw: bytes, request: Signed) -> dict[str, bytes]:
    """Return the halves of an answer, opened as the reader does."""
    assert isinstance(answer, Released)
    reply = answer.reply.verify(ReleaseReply, {key("custodian first").public})
    context = ReleaseContext(role="c", leaf=leaf_digest(raw), request=request.hash(OpenRequest))
    halves = open_halves(context, octets(reply.sealed), hpke("ephemeral"))
    return {segment: bytes(half.raw) for segment, half in halves.items()}
