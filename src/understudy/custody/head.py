"""What a custodian signs about its own work: receipts, heads, outcomes, replies.

Rules

* A head says: this many of your entries have I admitted, and this is the newest commitment. Two heads of
  one custodian epoch with the same ``n`` and different commitments are proof of a lie.
* A head that answers a question names it (``asked``), so that it cannot answer a later one.
* An outcome says what an admitted entry led to; it is stored before it is sent and never changes. While an
  entry is undecided its outcome reads ``admitted``: nothing was released by its ``time``.
* ``n`` = 0 is a participant without entries; the commitment is then the hash of enrolment record 1.
"""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from understudy.consent.contexts import Context
from understudy.consent.keyset import Epoch
from understudy.consent.primitives import (
    Bytes,
    Count,
    Day,
    Digest,
    Document,
    Name,
    ParticipantTag,
    ProgrammeId,
    SegmentId,
    Time,
    Value,
)
from understudy.sealing.half import Role
from understudy.sealing.signing import Signed


class DepositReceipt(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The custodian holds its half of this segment; only now does the segment count as shared.

    ``received_at`` is the day only.
    """

    CONTEXT: ClassVar[Context] = Context.DEPOSIT_RECEIPT

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    segment: SegmentId
    header: Digest
    role: Role
    sealed_hash: Digest
    custodian: Name
    epoch: Epoch
    received_at: Day


class Head(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The newest admitted entry of one participant.

    ``asked`` is the hash of the ``OpeningsRequest`` that the head answers; None in every other head.
    """

    CONTEXT: ClassVar[Context] = Context.HEAD

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    programme: ProgrammeId
    tag: ParticipantTag
    custodian: Name
    epoch: Epoch
    n: Count
    commitment: Digest
    tree_size: Count
    asked: Digest | None
    time: Time


class Outcome(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What came of one participant's part of one entry."""

    CONTEXT: ClassVar[Context] = Context.OUTCOME

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    programme: ProgrammeId
    tag: ParticipantTag
    n: Annotated[int, Meta(ge=1, le=2**53 - 1)]
    index: Count
    leaf: Digest
    commitment: Digest
    outcome: Literal["admitted", "released", "refused"]
    reason: Annotated[str, Meta(pattern=r"^([a-z][a-z0-9-]{0,62})?$(?!\n)")]
    custodian: Name
    epoch: Epoch
    time: Time


class OpeningMessage(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a participant or auditor reads about one entry; travels sealed."""

    CONTEXT: ClassVar[Context] = Context.SEALED_OPENING

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    leaf: Bytes
    index: Count
    position: Count
    path: Annotated[tuple[Digest, ...], Meta(max_length=64)]
    tag: ParticipantTag
    n: Annotated[int, Meta(ge=1, le=2**53 - 1)]
    prev: Digest
    segments: Annotated[tuple[SegmentId, ...], Meta(min_length=1, max_length=1_000)]
    salt: Digest


class OpeningAddress(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """HPKE ``info`` of a sealed opening: whose, which, and by which custodian."""

    tag: ParticipantTag
    n: Annotated[int, Meta(ge=1, le=2**53 - 1)]
    custodian: Name
    reader: Literal["participant", "auditor"]


class SealedOpening(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One opening sealed to one reader, followed by the custodian's signed outcome."""

    address: OpeningAddress
    sealed: Bytes
    outcome: Signed


class ReleaseReply(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One key holder's halves, sealed to the reader's ephemeral key."""

    CONTEXT: ClassVar[Context] = Context.RELEASE_REPLY

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    role: Role
    leaf: Digest
    request: Digest
    reader_key: Digest
    sealed: Bytes
    time: Time


class Released(
    Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="released", tag_field="kind"
):
    """The custodian's answer to an entry it admitted and released."""

    reply: Signed
    heads: Annotated[tuple[Signed, ...], Meta(max_length=1_000)]


class NotReleased(
    Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="refused", tag_field="kind"
):
    """Admitted, numbered, and refused; the outcome is stored and signed."""

    reason: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,62}$(?!\n)")]
    hint: str
    heads: Annotated[tuple[Signed, ...], Meta(max_length=1_000)]


class MissingEntry(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A numbered entry the custodian has not admitted yet."""

    tag: ParticipantTag
    n: Annotated[int, Meta(ge=1, le=2**53 - 1)]


class Behind(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="behind", tag_field="kind"):
    """Too early: deliver these first and try again."""

    missing: Annotated[tuple[MissingEntry, ...], Meta(min_length=1, max_length=1_000)]


CustodianAnswer = Released | NotReleased | Behind
