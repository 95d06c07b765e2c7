"""What the log holds: one leaf type per kind of entry, and the commitments of an ``open``.

Rules

* A leaf is canonical JSON, at most 65,535 bytes (C2SP tlog-tiles entry bundles). Kinds are append-only.
* A leaf names no participant. What concerns one is a salted commitment: SHA-256(context ‖ 0x00 ‖ salt ‖
  canonical ``{n, prev, segments, tag}``). The opening (salt and values) is kept beside the log and dies with
  the person.
* The entry root is the RFC 6962 tree over the commitments, leaves sorted by tag. Only ``open`` entries carry
  numbers: ``n`` counts one participant's entries and ``prev`` is their previous commitment, or the hash of
  enrolment record 1 for ``n`` = 1.
* Time-stamps are the sequencer's. An entry's place in the tree, not its time, orders it.

Example

>>> opening = Opening(tag="A" * 43, n=1, prev="A" * 43, segments=("seg_" + "A" * 22,), salt="A" * 43)
>>> len(commitment_of(opening))
32
"""

from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from understudy.consent.contexts import Context
from understudy.consent.keyset import Epoch
from understudy.consent.primitives import (
    Bytes,
    Count,
    Digest,
    Line,
    Name,
    ParticipantTag,
    ProgrammeId,
    SegmentId,
    Time,
    Value,
    encode_bytes,
)
from understudy.consent.purposes import Activity, Purpose
from understudy.sealing.canonical import canonical, digest_bytes, octets
from understudy.sealing.errors import FormatError
from understudy.sealing.signing import Signed
from understudy.transparency.merkle import leaf_hash

MAX_LEAF_BYTES: Final = 65_535
MAX_SEGMENTS: Final = 1_000
"""Segments one ``open`` entry may hold."""

Number = Annotated[int, Meta(ge=1, le=2**53 - 1)]
Version = Annotated[int, Meta(ge=1, le=1)]


class LeafKind(StrEnum):
    """The closed, append-only list of entry kinds."""

    PROGRAMME = "programme"
    OPEN = "open"
    DERIVED = "derived"
    POOLED = "pooled"
    DENIED = "denied"
    DENIALS = "denials"
    GRANT = "grant"
    CONSENTS = "consents"
    SWITCH = "switch"
    ROSTER = "roster"
    POLICY = "policy"
    TOMBSTONES = "tombstones"
    EPOCH = "epoch"


class ProgrammeLeaf(
    Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="programme", tag_field="kind"
):
    """A programme document with all its signatures; document 1 is leaf 0."""

    version: Version = 1
    document: Signed


class OpenLeaf(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="open", tag_field="kind"):
    """One opening of segments under one grant, for one ephemeral reader key."""

    version: Version = 1
    programme: ProgrammeId
    grant: Digest
    request: Digest
    purpose: Purpose
    actor: Digest
    reader_key: Digest
    object: Name
    policy: Digest
    time: Time
    not_after: Time
    participants: Annotated[int, Meta(ge=1, le=MAX_SEGMENTS)]
    root: Digest


class DeniedLeaf(
    Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="denied", tag_field="kind"
):
    """An authenticated request that was refused; the hash of what was asked and the reason code."""

    version: Version = 1
    programme: ProgrammeId
    request: Digest
    actor: Digest
    purpose: Purpose
    reason: Name
    policy: Digest
    time: Time


class DenialsLeaf(
    Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="denials", tag_field="kind"
):
    """Unauthenticated denials, as one count a minute."""

    version: Version = 1
    programme: ProgrammeId
    count: Count
    since: Time
    until: Time


class GrantLeaf(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="grant", tag_field="kind"):
    """A grant came into force."""

    version: Version = 1
    programme: ProgrammeId
    grant: Digest
    request: Digest
    purpose: Purpose
    approvers: Annotated[tuple[Digest, ...], Meta(max_length=16)]
    not_after: Time
    time: Time


class ConsentsLeaf(
    Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="consents", tag_field="kind"
):
    """A padded batch of commitments to consent-type events."""

    version: Version = 1
    programme: ProgrammeId
    count: Count
    root: Digest
    time: Time


class SwitchLeaf(
    Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="switch", tag_field="kind"
):
    """The switch was thrown or lifted; ``order`` is the hash of the signed order or bundle."""

    version: Version = 1
    programme: ProgrammeId
    order: Digest
    off: Annotated[tuple[Activity, ...], Meta(max_length=8)]
    revision: Count
    by: Name
    time: Time


class RosterLeaf(
    Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="roster", tag_field="kind"
):
    """The roster changed under a later programme document, signed by two existing members."""

    version: Version = 1
    programme: ProgrammeId
    change: Signed
    time: Time


class PolicyLeaf(
    Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="policy", tag_field="kind"
):
    """The policy set with this hash decides from here on."""

    version: Version = 1
    programme: ProgrammeId
    policy: Digest
    time: Time


class DerivedLeaf(
    Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="derived", tag_field="kind"
):
    """A derived object of one participant: the opens it came from and the root of its sources."""

    version: Version = 1
    programme: ProgrammeId
    object: Digest
    opens: Annotated[tuple[Digest, ...], Meta(min_length=1, max_length=1_000)]
    sources: Digest
    actor: Digest
    time: Time


class PooledLeaf(
    Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="pooled", tag_field="kind"
):
    """A pooled object (checkpoint, weights, report); moves nobody's number."""

    version: Version = 1
    programme: ProgrammeId
    object: Digest
    sources: Digest
    actor: Digest
    time: Time


class TombstonesLeaf(
    Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="tombstones", tag_field="kind"
):
    """The newest root and size of a key holder's register of erased ids."""

    version: Version = 1
    programme: ProgrammeId
    holder: Name
    size: Count
    root: Digest
    time: Time


class EpochLeaf(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="epoch", tag_field="kind"):
    """First entry of a new log epoch: the old checkpoint and the window that cannot be accounted for."""

    version: Version = 1
    programme: ProgrammeId
    epoch: Epoch
    old_checkpoint: Bytes
    since: Time
    until: Time
    reason: Line


Leaf = (
    ProgrammeLeaf
    | OpenLeaf
    | DerivedLeaf
    | PooledLeaf
    | DeniedLeaf
    | DenialsLeaf
    | GrantLeaf
    | ConsentsLeaf
    | SwitchLeaf
    | RosterLeaf
    | PolicyLeaf
    | TombstonesLeaf
    | EpochLeaf
)

_DECODER: Final = msgspec.json.Decoder(Leaf)


class Opening(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one commitment hides: whose, which number, and which segments (sorted, unique)."""

    tag: ParticipantTag
    n: Number
    prev: Digest
    segments: Annotated[tuple[SegmentId, ...], Meta(min_length=1, max_length=MAX_SEGMENTS)]
    salt: Digest


class _Committed(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The committed part of an opening; the salt is hashed in front of it."""

    tag: ParticipantTag
    n: Number
    prev: Digest
    segments: tuple[SegmentId, ...]


def commitment_of(opening: Opening) -> bytes:
    """Return the 32-byte commitment to ``opening``.

    Raises:
        FormatError: the segments are not sorted and unique.
    """
    if list(opening.segments) != sorted(set(opening.segments)):
        raise FormatError("the segments of an opening are not sorted and unique")
    committed = _Committed(tag=opening.tag, n=opening.n, prev=opening.prev, segments=opening.segments)
    return digest_bytes(Context.COMMITMENT, octets(opening.salt), canonical(committed))


def leaf_digest(raw: bytes) -> str:
    """Return the RFC 6962 leaf hash of ``raw`` as base64url: how others name an entry."""
    return encode_bytes(leaf_hash(raw))


def encode_leaf(leaf: Leaf) -> bytes:
    """Return the canonical bytes of ``leaf``.

    Raises:
        FormatError: longer than an entry bundle can hold.
    """
    raw = canonical(leaf)
    if len(raw) > MAX_LEAF_BYTES:
        raise FormatError(f"a leaf of {len(raw)} bytes is over the limit of {MAX_LEAF_BYTES}")
    return raw


def decode_leaf(raw: bytes) -> Leaf:
    """Return the leaf that ``raw`` canonically spells.

    Raises:
        FormatError: too large, an unknown kind or version, unknown fields, or not canonical.
    """
    if len(raw) > MAX_LEAF_BYTES:
        raise FormatError(f"a leaf of {len(raw)} bytes is over the limit of {MAX_LEAF_BYTES}")
    try:
        leaf: Leaf = _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError("not a valid log leaf") from error
    if canonical(leaf) != raw:
        raise FormatError("a log leaf that is not in canonical form")
    return leaf
