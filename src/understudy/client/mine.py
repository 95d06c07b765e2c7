"""``log mine``: every read of one's own recordings, and the check that the list is complete.

Rules

* The list runs from 1 to the highest head that the custodians signed; a missing number is an error, not a
  shorter list.
* Every line is checked by oneself: the opening's commitment recomputes, it leads to the root in the leaf,
  the leaf is in the tree of a witnessed checkpoint, and each entry names its predecessor.
* n - k + 1 custodians must answer (one of one in the embedded profile): then at least one of any k that
  released a key is among them.
* Custodians that answer tell one chain: a shorter one is the beginning of the longest; so was every head seen
  before.
* Answers are of now. Each head names the request it answers, which has a fresh nonce; head and checkpoint
  are at most ``cosignature_seconds`` + ``clock_skew_seconds`` old. A stale checkpoint is asked for once more,
  so that an idle log can be cosigned again.
* The openings are sealed to the personal key; neither server nor custodian learns what is looked at here.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from typing import Final, Literal, Protocol

from understudy.client.errors import EntryError
from understudy.consent.clock import Clock
from understudy.consent.primitives import Value, encode_bytes
from understudy.consent.programme import ProgrammeDocument
from understudy.contract.messages import OpeningsAnswer, OpeningsRequest
from understudy.custody.head import Head, OpeningMessage, Outcome, SealedOpening
from understudy.sealing.canonical import octets, parse
from understudy.sealing.info import info_for
from understudy.sealing.personal import PersonalSeed, participant_tag
from understudy.sealing.signing import Signed, sign
from understudy.transparency.checkpoint import CosignedCheckpoint
from understudy.transparency.leaves import Opening, OpenLeaf, commitment_of, decode_leaf, leaf_digest
from understudy.transparency.merkle import leaf_hash, verify_inclusion
from understudy.transparency.proofs import TileTree
from understudy.transparency.tiles import TileSource
from understudy.transparency.trust import log_trust

AGAIN_SECONDS: Final = 2.0
"""How long a server gets to have an idle log cosigned again."""


class OpeningsSource(Protocol):
    """A custodian, or a server that relays to one."""

    def openings(self, request: Signed) -> OpeningsAnswer:
        """Return sealed openings for a signed ``OpeningsRequest``."""
        ...


class LogSource(TileSource, Protocol):
    """The public side of a log."""

    def checkpoint(self) -> bytes:
        """Return the newest cosigned checkpoint."""
        ...


class Read(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One verified entry about one's own recordings."""

    n: int
    index: int
    purpose: str
    actor: str
    grant: str
    time: int
    segments: tuple[str, ...]
    outcome: Literal["admitted", "released", "refused"]
    """``admitted``: not decided yet; nothing was released by the time of the custodian's answer."""
    reason: str


class Mine(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The complete list, up to a witnessed tree size."""

    tag: str
    reads: tuple[Read, ...]
    tree_size: int
    custodian: str
    head: Signed
    heads: tuple[Signed, ...]
    """The head of every custodian that answered: what to pass as ``seen`` next time."""


def reads_of_mine(
    personal: PersonalSeed,
    document: ProgrammeDocument,
    enrolment: str,
    custodians: Sequence[OpeningsSource],
    log: LogSource,
    clock: Clock,
    *,
    seen: Sequence[Signed] = (),
    pause: Callable[[float], None] = time.sleep,
) -> Mine:
    """Return every read of the participant's recordings, each verified, none missing.

    Args:
        personal: the personal seed (the recovery code gives it back).
        document: the pinned programme document.
        enrolment: hash of enrolment record 1, where the chain begins.
        custodians: those that answer; at least n - k + 1.
        log: the public tiles and checkpoint.
        clock: by which requests, heads and checkpoint are of now.
        seen: heads that this participant was shown before.
        pause: waits so many seconds before a stale checkpoint is asked for again.

    Raises:
        EntryError: a number is missing, an entry does not verify, custodians contradict themselves or what
            they said before, an answer is to another question or not of now, or the log is older than theirs.
        UnavailableError: too few custodians answered.
    """
    keys = document.key_set
    needed = len(keys.custodians) - keys.custodian_threshold + 1
    if len(custodians) < needed:
        raise EntryError(f"{needed} custodian(s) must answer, {len(custodians)} did")
    tag = participant_tag(document.programme, personal.signing.public)
    chains = [_chain(source, personal, document, tag, clock) for source in custodians]
    head, sealed, signed_head = max(chains, key=lambda chain: chain[0].n)
    earlier = [_head(signed, document, tag) for signed in seen]
    known_heads = [*(chain[0] for chain in chains), *earlier]
    cosigned = _fresh_checkpoint(log, document, clock, pause)
    if cosigned.checkpoint.size < max(known.tree_size for known in known_heads):
        raise EntryError(
            "the log that is shown here is older than the custodian's", hint="ask another mirror"
        )
    tree = TileTree(log, cosigned.checkpoint.size)
    commitments = [enrolment]
    reads = []
    for number, opening in enumerate(sealed, start=1):
        read, commitment = _verified(opening, number, commitments[-1], personal, document, cosigned, tree)
        reads.append(read)
        commitments.append(commitment)
    if len(reads) != head.n:
        raise EntryError(
            f"the list ends at {len(reads)}, the custodian's head is {head.n}",
            hint="ask the auditor: an entry about you is being withheld",
        )
    for known in known_heads:
        if known.n > head.n:
            raise EntryError(
                f"a head with {known.n} entries contradicts the list, which went backwards, to {head.n}",
                hint="keep the head you were shown and ask the auditor: entries about you are being withheld",
            )
        if known.commitment != commitments[known.n]:
            raise EntryError(
                f"the head of custodian {known.custodian} with {known.n} entries contradicts the list",
                hint="keep it and show it to the auditor: two heads that differ prove a lie",
            )
    return Mine(
        tag=tag,
        reads=tuple(reads),
        tree_size=cosigned.checkpoint.size,
        custodian=head.custodian,
        head=signed_head,
        heads=tuple(chain[2] for chain in chains),
    )


def _chain(
    source: OpeningsSource, personal: PersonalSeed, document: ProgrammeDocument, tag: str, clock: Clock
) -> tuple[Head, list[SealedOpening], Signed]:
    """Fetch one custodian's whole chain and its verified head."""
    collected: list[SealedOpening] = []
    while True:
        request = sign(
            OpeningsRequest(
                programme=document.programme,
                tag=tag,
                after=len(collected),
                reader="participant",
                nonce=encode_bytes(secrets.token_bytes(32)),
                time=clock.now(),
            ),
            personal.signing,
        )
        answer = source.openings(request)
        head = _answering_head(answer.head, request, document, tag, clock)
        collected.extend(answer.openings)
        if not answer.openings or len(collected) >= head.n:
            return head, collected, answer.head


def _fresh_checkpoint(
    log: LogSource, document: ProgrammeDocument, clock: Clock, pause: Callable[[float], None]
) -> CosignedCheckpoint:
    """Return the log's checkpoint, cosigned by the quorum just now; a stale one is asked for once more."""
    trust = log_trust(document.key_set)
    cosigned = trust.verify(log.checkpoint())
    if not _is_of_now(cosigned.newest_quorum_time, document, clock):
        pause(AGAIN_SECONDS)
        cosigned = trust.verify(log.checkpoint())
    if not _is_of_now(cosigned.newest_quorum_time, document, clock):
        raise EntryError(
            "the log's checkpoint was not cosigned just now: newer entries may be missing",
            hint="try again, check this machine's clock, or ask another mirror",
        )
    return cosigned


def _is_of_now(moment: int, document: ProgrammeDocument, clock: Clock) -> bool:
    delays = document.delays
    return abs(clock.now() - moment) <= delays.cosignature_seconds + delays.clock_skew_seconds


def _answering_head(
    signed: Signed, request: Signed, document: ProgrammeDocument, tag: str, clock: Clock
) -> Head:
    """Return a head after checking that it answers this very request, now."""
    head = _head(signed, document, tag)
    if head.asked != request.hash(OpeningsRequest):
        raise EntryError(
            "the custodian's head answers another question",
            hint="an older answer was shown: ask the custodian itself, by --custodian",
        )
    if not _is_of_now(head.time, document, clock):
        raise EntryError(
            "the custodian's head is not of now", hint="check this machine's clock, then try again"
        )
    return head


def _head(signed: Signed, document: ProgrammeDocument, tag: str) -> Head:
    """Return a head after checking that a custodian of the key set signed it, about this participant."""
    head = signed.verify(Head)
    signers = {
        custodian.signing
        for custodian in document.key_set.custodians
        if (custodian.name, custodian.epoch) == (head.custodian, head.epoch)
    }
    if (head.programme, head.tag) != (document.programme, tag) or signed.signers != signers:
        raise EntryError("the head is not the custodian's, or not yours")
    return head


def _verified(
    sealed: SealedOpening,
    number: int,
    previous: str,
    personal: PersonalSeed,
    document: ProgrammeDocument,
    cosigned: CosignedCheckpoint,
    tree: TileTree,
) -> tuple[Read, str]:
    """Open and check one entry; return it with its commitment."""
    info = info_for(OpeningMessage.CONTEXT, sealed.address)
    message = parse(OpeningMessage, personal.hpke.open(info, octets(sealed.sealed)))
    tag = participant_tag(document.programme, personal.signing.public)
    if (message.tag, message.n, message.prev) != (tag, number, previous):
        raise EntryError(f"entry {number} is missing or does not follow its predecessor")
    raw = octets(message.leaf)
    leaf = decode_leaf(raw)
    if not isinstance(leaf, OpenLeaf):
        raise EntryError(f"entry {number} is not an open")
    opening = Opening(
        tag=message.tag, n=message.n, prev=message.prev, segments=message.segments, salt=message.salt
    )
    commitment = commitment_of(opening)
    steps = [octets(step) for step in message.path]
    verify_inclusion(leaf_hash(commitment), message.position, leaf.participants, steps, octets(leaf.root))
    checkpoint = cosigned.checkpoint
    proof = tree.inclusion(message.index)
    verify_inclusion(leaf_hash(raw), message.index, tree.size, proof, checkpoint.root)
    outcome = _outcome(sealed, document, leaf_digest(raw), encode_bytes(commitment))
    read = Read(
        n=number,
        index=message.index,
        purpose=leaf.purpose,
        actor=leaf.actor,
        grant=leaf.grant,
        time=leaf.time,
        segments=message.segments,
        outcome=outcome.outcome,
        reason=outcome.reason,
    )
    return read, encode_bytes(commitment)


def _outcome(sealed: SealedOpening, document: ProgrammeDocument, leaf: str, commitment: str) -> Outcome:
    """Return the custodian's signed outcome after checking that it is about this entry."""
    outcome = sealed.outcome.verify(Outcome)
    signers = {
        custodian.signing
        for custodian in document.key_set.custodians
        if custodian.name == sealed.address.custodian == outcome.custodian
    }
    if sealed.outcome.signers != signers or (outcome.leaf, outcome.commitment) != (leaf, commitment):
        raise EntryError(f"the outcome of entry {outcome.n} is about something else")
    return outcome
