"""The programme's entries in the log, as drafts for the sequencer.

Rules

* Each draft has a request key, so that appending it again after a crash gives the same entry.
* Consent-type events (enrolment, consent, standing) never appear singly: a batch holds one salted
  commitment for each, random ones beside them up to a multiple, all sorted, so that neither number nor
  order tells anything.
* A commitment is SHA-256(context ‖ 0x00 ‖ salt ‖ canonical ``{document, kind}``); the salt opens it.

Example

>>> event = ConsentEvent(kind=EventKind.CONSENT, document="A" * 43)
>>> len(event_commitment(event, "A" * 43))
32
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from understudy.consent.contexts import Context
from understudy.consent.primitives import Digest, Value, encode_bytes
from understudy.consent.programme import ProgrammeDocument
from understudy.consent.purposes import Activity
from understudy.sealing.canonical import canonical, digest_bytes, octets
from understudy.sealing.signing import Signed
from understudy.transparency.draft import Appended, Draft, DraftParticipant
from understudy.transparency.leaves import ConsentsLeaf, Leaf, ProgrammeLeaf, SwitchLeaf, encode_leaf
from understudy.transparency.merkle import tree_root

COMMITMENT_BYTES: Final = 32


class LogPort(Protocol):
    """The log, as whoever adds entries sees it."""

    def append(self, draft: Draft) -> Appended:
        """Return the entry once it is durable and cosigned."""
        ...


class EventKind(StrEnum):
    """What a consent-type event is about."""

    ENROLMENT = "enrolment"
    CONSENT = "consent"
    STANDING = "standing"


class ConsentEvent(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The committed part of a consent-type event: which signed document, by its hash."""

    kind: EventKind
    document: Digest


@dataclass(frozen=True, slots=True)
class PlainDraft:
    """A draft of a kind without numbers."""

    request_key: str
    build: Callable[[int], Leaf]
    """Makes the leaf from the sequencer's time."""
    participants: Mapping[str, DraftParticipant] = field(default_factory=dict)

    def leaf(self, index: int, time: int, root: bytes | None) -> bytes:
        """Return the canonical leaf; place and root do not matter to it."""
        del index, root
        return encode_leaf(self.build(time))


def new_salt() -> str:
    """Return 32 random bytes as base64url."""
    return encode_bytes(secrets.token_bytes(COMMITMENT_BYTES))


def event_commitment(event: ConsentEvent, salt: str) -> bytes:
    """Return the 32-byte commitment to ``event``."""
    return digest_bytes(Context.CONSENT_EVENT, octets(salt), canonical(event))


def padded_commitments(commitments: Sequence[bytes], multiple: int) -> bytes:
    """Return the commitments with random ones up to the next multiple, sorted, 32 bytes each.

    An empty batch is padded too: an hour in which nobody did anything looks like any other.
    """
    wanted = max(1, -(-len(commitments) // multiple)) * multiple
    padding = (secrets.token_bytes(COMMITMENT_BYTES) for _ in range(wanted - len(commitments)))
    return b"".join(sorted((*commitments, *padding)))


def split_commitments(joined: bytes) -> list[bytes]:
    """Return the 32-byte commitments that ``padded_commitments`` joined."""
    return [joined[at : at + COMMITMENT_BYTES] for at in range(0, len(joined), COMMITMENT_BYTES)]


def document_draft(signed: Signed) -> PlainDraft:
    """Return the entry of a programme document; document 1 is leaf 0."""
    return PlainDraft(
        request_key=f"programme:{signed.hash(ProgrammeDocument)}",
        build=lambda _: ProgrammeLeaf(document=signed),
    )


def consents_draft(programme: str, commitments: bytes) -> PlainDraft:
    """Return the entry of one padded batch."""
    leaves = split_commitments(commitments)
    root = encode_bytes(tree_root(leaves))
    return PlainDraft(
        request_key=f"consents:{root}",
        build=lambda time: ConsentsLeaf(programme=programme, count=len(leaves), root=root, time=time),
    )


def switch_draft(
    programme: str, *, order: str, off: tuple[Activity, ...], revision: int, by: str
) -> PlainDraft:
    """Return the entry of one change of a switch, the server's own or a custodian's."""
    return PlainDraft(
        request_key=f"switch:{by}:{revision}:{order}",
        build=lambda time: SwitchLeaf(
            programme=programme, order=order, off=off, revision=revision, by=by, time=time
        ),
    )
