"""The bodies of the server's and the custodian's HTTP calls.

Rules

* Every body is strict JSON of one of these values: unknown fields are refused. Signed documents travel
  inside as the exact bytes that were signed.
* Nothing here is trusted because of where it came from: each signed part is verified by whoever uses it.
* ``Problem`` is the one shape of an error (RFC 9457), with a stable ``reason`` and a ``hint``.
"""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from understudy.consent.contexts import Context
from understudy.consent.primitives import (
    Bytes,
    Count,
    Digest,
    Document,
    Line,
    PublicKey,
    SegmentId,
    Time,
    Value,
)
from understudy.custody.openings import OpeningsAnswer as OpeningsAnswer  # noqa: PLC0414  (part of the contract, made below)
from understudy.custody.openings import OpeningsRequest as OpeningsRequest  # noqa: PLC0414  (part of the contract, made below)
from understudy.custody.switch import QueuedChange as QueuedChange  # noqa: PLC0414  (part of the contract, made below)
from understudy.custody.switch import StatementForDevice
from understudy.custody.switch import SwitchStatus as SwitchStatus  # noqa: PLC0414  (part of the contract, made below)
from understudy.sealing.header import SealedHalf
from understudy.sealing.signing import Signed


class Problem(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """RFC 9457 problem details; ``type`` names the error class."""

    type: str
    title: str
    status: int
    detail: str = ""
    reason: str = ""
    hint: str = ""


class HttpRequest(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a caller signs to authenticate a call that carries no signed document of its own."""

    CONTEXT: ClassVar[Context] = Context.HTTP_REQUEST

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    audience: PublicKey
    method: Literal["GET", "POST", "PUT"]
    target: Annotated[str, Meta(max_length=2_000)]
    body_hash: Digest
    nonce: Digest
    time: Time


class EnrolCall(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Register an enrolment record; the server relays it to every custodian."""

    record: Signed


class EnrolAnswer(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The custodians' receipts, and the participant's escrow key signed by the issuer."""

    receipts: Annotated[tuple[Signed, ...], Meta(min_length=1, max_length=3)]
    escrow_key: Signed


class ConsentCall(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Give consent."""

    consent: Signed


class CountersignCall(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Server to custodian: countersign this receipt for this consent."""

    consent: Signed
    receipt: Signed


class ReceiptAnswer(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signed receipt of any kind."""

    receipt: Signed


class ReceiptsAnswer(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What each custodian that could be reached signed; fewer than there are custodians means: not yet."""

    receipts: Annotated[tuple[Signed, ...], Meta(max_length=8)]


class LeaseAnswer(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A lease and the custodian's statement for the nonce of the request."""

    lease: Signed
    statement: StatementForDevice


class StatementsCall(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Server to custodian: one statement for these device nonces."""

    nonces: Annotated[tuple[Digest, ...], Meta(min_length=1, max_length=1_000)]


class StatementsAnswer(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """In the order of the nonces."""

    statements: tuple[StatementForDevice, ...]


class DepositCall(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Server to custodian: the custodian's sealed half beside the device-signed header."""

    header: Signed
    half: SealedHalf


class UploadCall(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Begin, or ask about, the upload of one sealed segment."""

    header: Signed
    halves: Annotated[tuple[SealedHalf, ...], Meta(min_length=2, max_length=4)]
    presentation: Signed


class UploadState(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many ciphertext bytes are durable, and the custodians' receipts once all is."""

    segment: SegmentId
    offset: Count
    length: Count
    receipts: tuple[Signed, ...] = ()


class RequestState(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An access request, the exact bytes of the grant it would become, and the signatures so far."""

    request: Signed
    grant_body: Bytes
    grant: Signed | None
    state: Literal["waiting", "in-force", "expired", "revoked", "lapsed"]
    approvals: Count
    needed: Count


class OpenCall(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signed open request, its grant's hash inside, and the segments its root commits to."""

    request: Signed
    segments: Annotated[tuple[SegmentId, ...], Meta(min_length=1, max_length=1_000)]


class OpenAnswer(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a reader needs to check the entry and to open the halves."""

    index: Count
    leaf: Bytes
    path: Annotated[tuple[Digest, ...], Meta(max_length=64)]
    checkpoint: Bytes
    replies: Annotated[tuple[Signed, ...], Meta(min_length=2, max_length=4)]
    heads: Annotated[tuple[Signed, ...], Meta(max_length=3_000)]


class SegmentEntry(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the catalogue knows of a segment: never a time of day, never a title."""

    segment: SegmentId
    header: Signed
    upload_day: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$(?!\n)")]
    bytes: Count


class SegmentList(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of the catalogue; ``next`` is the cursor of the following page, empty at the end."""

    segments: tuple[SegmentEntry, ...]
    next: str = ""


class SignedCall(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A call whose body is one signed document."""

    document: Signed


class QueueAnswer(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The custodian's switch changes that wait to be logged, oldest first."""

    changes: Annotated[tuple[QueuedChange, ...], Meta(max_length=10_000)]


class RequestList(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Access requests, newest first."""

    requests: tuple[RequestState, ...]


class GrantAnswer(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The hash of a grant that is in force."""

    grant: Digest


class Health(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether the party that answers can do its work; ``why`` says what it waits for."""

    role: Literal["server", "custodian", "witness"]
    is_ready: bool
    why: Annotated[str, Meta(max_length=200)] = ""


class Host(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a party runs: digests that are equal on one machine and say nothing else about it.

    ``boot`` is equal in containers of one machine too; ``machine`` is absent where the system has no machine
    id.
    """

    boot: Digest | None
    machine: Digest | None


class Identity(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who answers here: its name, signing key and host, and the programme document it has pinned."""

    name: Line
    role: Literal["server", "custodian", "witness"]
    epoch: Count
    key_set: Digest | None
    document: Digest | None
    signing: PublicKey
    host: Host
