"""Somebody who owns the broker: its machine, its files, its log and every key that lies there.

Rules

* The attacker appends what entries they like, and the honest witness cosigns whatever only extends the log;
  they bring the custodian whatever they like. They write to every table and file of the server.
* They may also have a reader, or approvers, on their side; a test says so where it is the case.
* They do not have the keys of custodian, witness, participants, devices, and of people on no side.
* ``loot`` is what they ever got out of the custodian: segments, and the entry that each half came under.

Example::

    broker = DishonestBroker(scene)
    request, key = broker.request(scene.grant, segments, by=world.cast.person("reader"))
    answer = broker.bring(broker.enter(request, {ana.tag: segments}), request)
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from tests.promises.scene import Scene
from understudy.consent.credentials import Ed25519Credential
from understudy.consent.errors import UnderstudyError
from understudy.consent.primitives import encode_bytes, new_id
from understudy.consent.purposes import Purpose, ReasonCode
from understudy.custody.custodian import Custodian
from understudy.custody.delivery import Delivery
from understudy.custody.grant import RAW, OpenRequest, segments_root
from understudy.custody.head import Behind, CustodianAnswer, Head, NotReleased, Released, ReleaseReply
from understudy.sealing.canonical import octets
from understudy.sealing.hpke import HpkePrivateKey
from understudy.sealing.release import ReleaseContext, open_halves
from understudy.sealing.signing import Signed, SigningKey, document_hash, sign
from understudy.transparency.checkpoint import Checkpoint, sign_checkpoint
from understudy.transparency.draft import Appended
from understudy.transparency.leaves import Opening, OpenLeaf, commitment_of, encode_leaf, leaf_digest
from understudy.transparency.merkle import MemoryTree, leaf_hash

OPEN_SECONDS: Final = 300
_ANSWER: Final = msgspec.json.Decoder(CustodianAnswer)


@dataclass(frozen=True)
class Asked:
    """A signed open request, and the ephemeral key that its answer is sealed to."""

    signed: Signed
    ephemeral: HpkePrivateKey

    @property
    def request(self) -> OpenRequest:
        """What was signed."""
        return msgspec.json.decode(self.signed.raw, type=OpenRequest)

    @property
    def hash(self) -> str:
        """Its hash."""
        return self.signed.hash(OpenRequest)


@dataclass(frozen=True)
class Entered:
    """An entry that stands in the log, and the openings that belong to it."""

    index: int
    leaf: OpenLeaf
    openings: tuple[Opening, ...]
    note: bytes


@dataclass
class DishonestBroker:
    """The attacker."""

    scene: Scene
    loot: dict[str, int] = field(default_factory=dict)
    heads: dict[str, tuple[int, str]] = field(default_factory=dict)

    @property
    def custodian(self) -> Custodian:
        """The honest custodian."""
        return self.scene.world.custodian

    def ask(
        self,
        segments: Iterable[str],
        *,
        by: SigningKey | None = None,
        grant: str | None = None,
        **changes: Any,
    ) -> Asked:
        """Return an open request signed by ``by``, the genuine reader if nobody is named."""
        world, names = self.scene.world, sorted(set(segments))
        key, ephemeral = by or world.cast.person("reader"), HpkePrivateKey.generate()
        request = OpenRequest(
            programme=world.programme.programme,
            grant=grant or self.scene.grant,
            credential=document_hash(Ed25519Credential(public_key=key.public)),
            segments_root=segments_root(names),
            segments=len(names),
            reader_key=ephemeral.public.text,
            reason=ReasonCode.MODEL_IMPROVEMENT,
            nonce=encode_bytes(secrets.token_bytes(32)),
            not_after=world.clock.now() + OPEN_SECONDS,
        )
        return Asked(sign(msgspec.structs.replace(request, **changes), key), ephemeral)

    def opening(self, tag: str, segments: Iterable[str], **changes: Any) -> Opening:
        """Return an opening with the participant's next number, or with ``changes``."""
        n, prev = self.heads.get(tag) or self._head(tag)
        opening = Opening(
            tag=tag,
            n=n + 1,
            prev=prev,
            segments=tuple(sorted(set(segments))),
            salt=encode_bytes(secrets.token_bytes(32)),
        )
        return msgspec.structs.replace(opening, **changes)

    def leaf(self, asked: Asked, openings: Iterable[Opening], **changes: Any) -> OpenLeaf:
        """Return the entry that an honest broker would make, or one with ``changes``."""
        world, request = self.scene.world, asked.request
        sorted_openings = sorted(openings, key=lambda opening: opening.tag)
        tree = MemoryTree([leaf_hash(commitment_of(opening)) for opening in sorted_openings])
        leaf = OpenLeaf(
            programme=request.programme,
            grant=request.grant,
            request=asked.hash,
            purpose=Purpose.TRAIN,
            actor=request.credential,
            reader_key=asked.ephemeral.public.key_hash,
            object=RAW,
            policy=world.server.grants.decider.policies.policy_hash,
            time=world.clock.now(),
            not_after=request.not_after,
            participants=len(sorted_openings),
            root=encode_bytes(tree.root),
        )
        return msgspec.structs.replace(leaf, **changes)

    def enter(self, leaf: OpenLeaf, openings: Iterable[Opening]) -> Entered:
        """Have an entry in the witnessed log, whatever it says."""
        appended = self.append(encode_leaf(leaf))
        found = tuple(sorted(openings, key=lambda opening: opening.tag))
        return Entered(appended.index, leaf, found, appended.checkpoint.note)

    def enter_privately(self, leaf: OpenLeaf, openings: Iterable[Opening]) -> tuple[Entered, bytes]:
        """Make an entry that only the attacker's own copy of the log holds; return it and its raw leaf.

        Its checkpoint is signed with the log's key, and cosigned by nobody.
        """
        raw = encode_leaf(leaf)
        store = self.scene.world.server.log.store
        tree = MemoryTree([leaf_hash(known) for known in (*store.entries(0, store.size), raw)])
        checkpoint = Checkpoint(store.origin, tree.size, tree.root)
        note = sign_checkpoint(checkpoint, self.scene.world.cast.checkpoint)
        return Entered(store.size, leaf, tuple(openings), note), raw

    def grant(self, *signers: str, **changes: Any) -> Signed:
        """Return a grant like the genuine one with ``changes``, signed by these people."""
        cast = self.scene.world.cast
        changed = msgspec.structs.replace(self.scene.terms, grant=new_id("grt"), **changes)
        return sign(changed, *(cast.person(name) for name in signers))

    def append(self, raw: bytes) -> Appended:
        """Append a leaf, and have it cosigned."""
        draft = _RawDraft(raw)
        return self.scene.world.server.log.append(draft)

    def enter_for(self, asked: Asked, segments: Mapping[str, Iterable[str]], **changes: Any) -> Entered:
        """Have the entry of an open in the log; ``segments`` by participant tag, ``changes`` of the leaf."""
        openings = [self.opening(tag, names) for tag, names in segments.items()]
        return self.enter(self.leaf(asked, openings, **changes), openings)

    def delivery(self, entered: Entered, asked: Asked | None, **changes: Any) -> Delivery:
        """Return what is brought to the custodian."""
        world = self.scene.world
        size = world.server.log.store.size
        delivery = Delivery(
            index=entered.index,
            openings=entered.openings,
            start=0,
            leaves=tuple(encode_bytes(leaf) for leaf in world.server.log.store.entries(0, min(size, 256))),
            checkpoint=encode_bytes(entered.note),
            grant=self.scene.signed_grant if asked else None,
            request=asked.signed if asked else None,
        )
        return msgspec.structs.replace(delivery, **changes)

    def bring(
        self, entered: Entered, asked: Asked | None, *, custodian: Custodian | None = None, **changes: Any
    ) -> str:
        """Bring an entry; return ``released``, or the reason why not. What is released is loot."""
        try:
            raw = (custodian or self.custodian).open(self.delivery(entered, asked, **changes))
        except UnderstudyError as error:
            return str(getattr(error, "reason", type(error).__name__))
        answer = _ANSWER.decode(raw)
        if isinstance(answer, Behind):
            return "behind"
        for opening in entered.openings:
            self.heads[opening.tag] = (opening.n, encode_bytes(commitment_of(opening)))
        if isinstance(answer, NotReleased):
            return answer.reason
        self._take(answer, entered, asked)
        return "released"

    def open(self, segments: Mapping[str, Iterable[str]], **changes: Any) -> str:
        """Ask as the genuine reader, enter and bring; return what became of it. ``changes`` of the leaf."""
        asked = self.ask(name for names in segments.values() for name in names)
        return self.bring(self.enter_for(asked, segments, **changes), asked)

    def _take(self, answer: Released, entered: Entered, asked: Asked | None) -> None:
        assert asked is not None
        reply = answer.reply.verify(ReleaseReply)
        context = ReleaseContext(role=reply.role, leaf=reply.leaf, request=reply.request)
        halves = open_halves(context, octets(reply.sealed), asked.ephemeral)
        self.loot.update(dict.fromkeys(halves, entered.index))
        assert reply.leaf == leaf_digest(encode_leaf(entered.leaf))

    def _head(self, tag: str) -> tuple[int, str]:
        head = self.custodian.head(tag).verify(Head)
        return head.n, head.commitment


class _RawDraft:
    """A draft that is a leaf already; the log numbers nobody for it."""

    request_key = None
    participants: Mapping[str, Any] = {}

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def leaf(self, index: int, time: int, root: bytes | None) -> bytes:
        """Return the leaf."""
        del index, time, root
        return self._raw
