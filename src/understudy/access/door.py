"""The door: the only way to a key.

Rules

* The order is fixed: signature, decision, entry, custodians, own halves. Nothing leaves before the entry is
  durable and cosigned, and the custodian is asked only then. It gets openings from the door, never halves.
* The only durable write is the entry. The same signed request is the same entry, for ever: asking again
  after a lost answer brings the custodian's stored reply and our halves sealed anew.
* Every decision is made anew, also for a request that was opened before: what was stopped or withdrawn since
  counts.
* A known credential's denial is an entry; a stranger's is counted. What the custodian refuses stays in the
  log as an entry that opened nothing.
* No other way in: no administrator's read, none for debugging, none for a job of the system.

Example: ``door.open(OpenCall(request=signed, segments=ids))`` is an ``OpenAnswer``, or raises the reason.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from understudy.access import events
from understudy.access.carrier import Carrier
from understudy.access.ceiling import Ceiling
from understudy.access.errors import AccessError, CustodianAnswerError, NotDeliveredError, refusal
from understudy.access.grants import HeldGrant
from understudy.access.ports import Log, Said, SealedStore
from understudy.access.reads import Reads
from understudy.consent.decisions import Refused
from understudy.consent.errors import NotFoundError, RefusedError, UnavailableError, UnderstudyError
from understudy.consent.primitives import encode_bytes
from understudy.consent.purposes import Purpose, ReasonCode
from understudy.contract.messages import OpenAnswer, OpenCall
from understudy.custody.grant import OpenRequest, segments_root
from understudy.custody.head import Released, ReleaseReply
from understudy.sealing.errors import FormatError, SignatureError
from understudy.sealing.header import SegmentHeader
from understudy.sealing.hpke import HpkePublicKey
from understudy.sealing.release import ReleaseContext, seal_halves
from understudy.sealing.signing import Signed, SigningKey, sign
from understudy.transparency.draft import Appended, DraftParticipant
from understudy.transparency.leaves import leaf_digest
from understudy.transparency.merkle import inclusion_path

BESIDE_WORKERS: Final = 4
"""Threads that make the broker's own replies while custodians are asked."""

PURPOSE_OF: Final = {
    ReasonCode.MODEL_IMPROVEMENT: Purpose.TRAIN,
    ReasonCode.MODEL_EVALUATION: Purpose.EVALUATE,
    ReasonCode.SAFETY_RESEARCH: Purpose.RESEARCH_ON_SAFETY,
    ReasonCode.DEFECT_INVESTIGATION: Purpose.DEBUG,
    ReasonCode.QUALITY_CHECK: Purpose.DEBUG,
    ReasonCode.OWN_COPY: Purpose.OWN,
    ReasonCode.LEGAL_HOLD: Purpose.EVIDENCE,
    ReasonCode.MODEL_ASSESSMENT: Purpose.ASSESSMENT,
}
"""What a denial is filed under when the request names no grant that exists."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """An open request whose signature is right, by a credential that is known here."""

    signed: Signed
    request: OpenRequest
    hash: str
    signer: str
    segments: tuple[str, ...]
    reader: HpkePublicKey


@dataclass(frozen=True, slots=True)
class _Allowed:
    """What the policies let pass; ``is_counted_now``: the ceiling had not counted this request before."""

    held: HeldGrant
    headers: Sequence[SegmentHeader]
    draft: events.OpenDraft
    is_counted_now: bool


class Door:
    """Opens segments. Safe to share between threads."""

    def __init__(
        self,
        reads: Reads,
        *,
        log: Log,
        store: SealedStore,
        carriers: Sequence[Carrier],
        key: SigningKey,
    ) -> None:
        """Build the door.

        Args:
            reads: gathers facts and holds grants, policies, clock and denials.
            log: where entries go.
            store: headers, and the broker's halves.
            carriers: the way to each custodian of the key set.
            key: the server's key; signs the broker's replies.
        """
        self._reads: Final = reads
        self._grants: Final = reads.grants
        self._log = log
        self._store = store
        self._carriers = tuple(carriers)
        self._key = key
        self._ceiling = Ceiling()
        self._beside = ThreadPoolExecutor(BESIDE_WORKERS, thread_name_prefix="door")

    def open(self, call: OpenCall) -> OpenAnswer:
        """Open the segments of a signed request; idempotent until the request expires.

        Raises:
            RefusedError: the reason why not, of a policy here or of a custodian.
            SignatureError, FormatError: not an open request.
            NotLoggedError: the entry was not acknowledged; nothing was opened.
            NotDeliveredError: the entry is there, but too few custodians answered; ask again.
        """
        with self._grants.one_moment():
            asked = self._authenticated(call)
            held = self._grants.find(asked.request.grant)
            allowed = self._decided(asked, held)
        if isinstance(allowed, RefusedError):
            purpose = PURPOSE_OF[asked.request.reason] if held is None else held.terms.purpose
            raise self._grants.denials.authenticated(
                allowed, request=asked.hash, actor=asked.signer, purpose=purpose
            )
        try:
            entry = events.enter(self._log, allowed.draft)
            # The entry is durable and cosigned: our own reply is made while custodians make theirs, and is
            # dropped if they refuse.
            own = self._beside.submit(self._own_reply, entry, asked, allowed.headers)
            released = self._released(entry, allowed.held, asked)
        except RefusedError:
            if allowed.is_counted_now:
                self._ceiling.release(asked.request.grant, asked.hash)
            raise
        return self._answer(entry, own.result(), released)

    def _decided(self, asked: _Asked, held: HeldGrant | None) -> _Allowed | RefusedError:
        try:
            return self._allowed(asked, held)
        except RefusedError as error:
            return error

    def _authenticated(self, call: OpenCall) -> _Asked:
        """Return the request, signed once by somebody who is known here.

        Raises:
            SignatureError, FormatError: not an open request.
            RefusedError: ``unauthenticated``.
        """
        signer, request = self._grants.signer(call.request, OpenRequest)
        if not self._grants.actors.is_member(signer) and not self._grants.is_reader(signer):
            raise self._grants.denials.unauthenticated()
        return _Asked(
            signed=call.request,
            request=request,
            hash=call.request.hash(OpenRequest),
            signer=signer,
            segments=call.segments,
            reader=HpkePublicKey.from_text(request.reader_key),
        )

    def _allowed(self, asked: _Asked, held: HeldGrant | None) -> _Allowed:
        """Return the entry to make for a request that every rule lets pass.

        Raises:
            RefusedError: the first reason why not.
        """
        request = asked.request
        if request.programme != self._grants.documents.current.programme:
            raise refusal("programme-mismatch")
        if request.credential != asked.signer:
            raise refusal("request-mismatch")
        if len(set(asked.segments)) != len(asked.segments) or len(asked.segments) != request.segments:
            raise refusal("request-mismatch")
        if segments_root(asked.segments) != request.segments_root:
            raise refusal("request-mismatch")
        if held is None:
            raise refusal("grant-unknown")
        headers = self._reads.headers(asked.segments)
        said = self._reads.said(headers)
        draft = self._draft(asked, held, headers, said)
        facts = self._reads.groups(headers, said)
        now = self._grants.clock.now()
        counted = self._ceiling.reserve(request.grant, asked.hash, segments=request.segments, now=now)
        decision = self._grants.decider.decide_all(
            self._reads.open_queries(held, request, facts, now=now, opened_this_hour=counted.others)
        )
        if isinstance(decision, Refused):
            if counted.is_new:
                self._ceiling.release(request.grant, asked.hash)
            raise RefusedError(decision.reason, hint=decision.hint)
        return _Allowed(held, headers, draft, counted.is_new)

    def _draft(
        self,
        asked: _Asked,
        held: HeldGrant,
        headers: Sequence[SegmentHeader],
        said: Mapping[tuple[str, str], Said],
    ) -> events.OpenDraft:
        """Return the entry: who asks for what, and a hidden part for each participant."""
        segments: defaultdict[str, list[str]] = defaultdict(list)
        for header in headers:
            if header.seal.tag is None:
                raise refusal("object-label")
            segments[header.seal.tag].append(header.seal.segment)
        first_hashes = {tag: known.first_hash for (tag, _), known in said.items()}
        participants = {}
        for tag, ids in segments.items():
            first = first_hashes.get(tag)
            if first is None:
                raise refusal("unknown-participant")
            participants[tag] = DraftParticipant(segments=tuple(sorted(ids)), first_prev=first)
        return events.OpenDraft(
            request=asked.request,
            grant=held.terms,
            reader_key=asked.reader.key_hash,
            policy=self._grants.decider.policies.policy_hash,
            open_seconds=self._grants.documents.current.delays.open_seconds,
            participants=participants,
        )

    def _released(self, entry: Appended, held: HeldGrant, asked: _Asked) -> list[Released]:
        """Return the answers of enough custodians that released their halves.

        Every custodian gets the entry, also when enough have answered.

        Raises:
            RefusedError: too few released, and this is why.
            NotDeliveredError: too few answered.
        """
        needed = self._grants.documents.current.key_set.custodian_threshold
        released: list[Released] = []
        refused: list[RefusedError] = []
        failed: list[UnderstudyError] = []
        for carrier in self._carriers:
            try:
                answer = carrier.open(entry, held.signed, asked.signed)
                if isinstance(answer, Released):
                    self._check_reply(carrier, answer, entry, asked)
                    released.append(answer)
                else:
                    refused.append(RefusedError(answer.reason, hint=answer.hint))
            except RefusedError as error:
                refused.append(error)
            except (UnavailableError, AccessError) as error:
                failed.append(error)
        if len(released) >= needed:
            return released
        if refused:
            raise refused[0]
        raise NotDeliveredError(f"too few custodians answered: {failed[0]}") from failed[0]

    def _check_reply(self, carrier: Carrier, answer: Released, entry: Appended, asked: _Asked) -> None:
        """Check that a custodian's reply is its own and for this entry; the reader checks it again."""
        try:
            reply = answer.reply.verify(ReleaseReply, [carrier.signing])
        except (SignatureError, FormatError) as error:
            raise CustodianAnswerError(f"{carrier.name} gave a reply that is not its own") from error
        if (reply.leaf, reply.request) != (leaf_digest(entry.leaf), asked.hash) or reply.role == "p":
            raise CustodianAnswerError(f"{carrier.name} gave a reply for something else")

    def _answer(
        self,
        entry: Appended,
        own: Signed,
        released: Sequence[Released],
    ) -> OpenAnswer:
        """Return the whole answer: the entry with its proof, and every key holder's reply."""
        tree = entry.checkpoint.checkpoint
        path = inclusion_path(entry.index, tree.size, self._log.store.hashes.node)
        return OpenAnswer(
            index=entry.index,
            leaf=encode_bytes(entry.leaf),
            path=tuple(encode_bytes(node) for node in path),
            checkpoint=encode_bytes(entry.checkpoint.note),
            replies=(own, *(answer.reply for answer in released)),
            heads=tuple(head for answer in released for head in answer.heads),
        )

    def _own_reply(self, entry: Appended, asked: _Asked, headers: Sequence[SegmentHeader]) -> Signed:
        context = ReleaseContext(role="p", leaf=leaf_digest(entry.leaf), request=asked.hash)
        try:
            halves = self._store.open_halves(headers)
        except NotFoundError as error:
            raise refusal("erased") from error
        try:
            sealed = seal_halves(context, halves, asked.reader)
        finally:
            for half in halves.values():
                half.wipe()
        return sign(
            ReleaseReply(
                role="p",
                leaf=context.leaf,
                request=context.request,
                reader_key=asked.reader.key_hash,
                sealed=encode_bytes(sealed),
                time=self._grants.clock.now(),
            ),
            self._key,
        )
