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
* The openings are sealed to the personal key; neither server nor custodian learns what is looked at here.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

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


def reads_of_mine(
    personal: PersonalSeed,
    document: ProgrammeDocument,
    enrolment: str,
    custodians: Sequence[OpeningsSource],
    log: LogSource,
    clock: Clock,
    *,
    seen: Sequence[Signed] = (),
) -> Mine:
    """Return every read of the participant's recordings, each verified, none missing.

    Args:
        personal: the personal seed (the recovery code gives it back).
        document: the pinned programme document.
        enrolment: hash of enrolment record 1, where the chain begins.
        custodians: those that answer; at least n - k + 1.
        log: the public tiles and checkpoint.
        clock: for the request's time.
        seen: heads that this participant was shown before.

    Raises:
        EntryError: a number is missing, an entry does not verify, custodians contradict themselves,
            or the log is older than theirs.
        UnavailableError: too few custodians answered.
    """
    keys = document.key_set
    needed = len(keys.custodians) - keys.custodian_threshold + 1
    if len(custodians) < needed:
        raise EntryError(f"{needed} custodian(s) must answer, {len(custodians)} did")
    tag = participant_tag(document.programme, personal.signing.public)
    chains = [_chain(source, personal, document, tag, clock) for source in custodians]
    head, sealed, signed_head = max(chains, key=lambda chain: chain[0].n)
    cosigned = log_trust(keys).verify(log.checkpoint())
    if cosigned.checkpoint.size < head.tree_size:
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
    earlier = [_head(signed, document, tag) for signed in seen]
    for known in (*(chain[0] for chain in chains), *earlier):
        if known.n > head.n or known.commitment != commitments[known.n]:
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
                time=clock.now(),
            ),
            personal.signing,
        )
        answer = source.openings(request)
        head = _head(answer.head, document, tag)
        collected.extend(answer.openings)
        if not answer.openings or len(collected) >= head.n:
            return head, collected, answer.head


def _head(signed: Signed, document: ProgrammeDocument, tag: str) -> Head:
    """Return a head after checking that a custodian of the key set signed it, about this participant."""
    head = signed.verify(Head)
    signers = {
        custodian.signing for custodian in document.key_set.custodians if custodian.name == head.custodian
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
