"""Requests and grants: who may open what, why, until when, and who approved it.

Rules

* A grant for other people's data is signed by at least two approvers of the roster, none of them its
  requester and none of them one of its readers. Its purpose is one a programme may offer.
* A self-grant has purpose ``own``, names exactly one tag, and is signed by that participant's personal key
  or by a credential of their enrolment record, which is also its one reader. It has no approvers.
* ``ceiling`` bounds segments per hour; ``not_after - not_before`` is bounded by the programme.
* An open request is signed by a reader the grant names, over the exact segments (as an RFC 6962 root over
  their sorted ids) and over a fresh ephemeral key.
"""

from collections.abc import Iterable
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from understudy.consent.contexts import Context
from understudy.consent.credentials import Credential
from understudy.consent.primitives import (
    Digest,
    Document,
    GrantId,
    HpkePublic,
    Line,
    Name,
    ProgrammeId,
    RequestId,
    Time,
    encode_bytes,
)
from understudy.consent.purposes import Purpose, ReasonCode
from understudy.consent.scope import Scope
from understudy.transparency.merkle import tree_root

RAW: Final = "raw"
"""Label of participants' own segments, as against derived objects."""

APPROVALS_FOR_RAW: Final = 2
MAX_READERS: Final = 10

Readers = Annotated[tuple[Credential, ...], Meta(min_length=1, max_length=MAX_READERS)]


class AccessRequest(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Asking to open data; signed by the requester."""

    CONTEXT: ClassVar[Context] = Context.ACCESS_REQUEST

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    request: RequestId
    requester: Digest
    scope: Scope
    purpose: Purpose
    reason: ReasonCode
    ticket: Line
    label: Name = RAW
    readers: Readers
    not_before: Time
    not_after: Time
    ceiling: Annotated[int, Meta(ge=1, le=100_000)]
    made_at: Time


class Grant(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The permission that results; signed by its approvers, or by the participant for a self-grant."""

    CONTEXT: ClassVar[Context] = Context.GRANT

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    grant: GrantId
    programme: ProgrammeId
    request: Digest | None
    requester: Digest
    scope: Scope
    purpose: Purpose
    reason: ReasonCode
    label: Name = RAW
    readers: Readers
    not_before: Time
    not_after: Time
    ceiling: Annotated[int, Meta(ge=1, le=100_000)]


class GrantRevocation(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ends a grant early; one roster member's signature is enough."""

    CONTEXT: ClassVar[Context] = Context.GRANT_REVOCATION

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    programme: ProgrammeId
    grant: Digest
    made_at: Time


class OpenRequest(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reader asks for keys to exactly these segments, sealed to this ephemeral key."""

    CONTEXT: ClassVar[Context] = Context.OPEN_REQUEST

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    programme: ProgrammeId
    grant: Digest
    credential: Digest
    segments_root: Digest
    segments: Annotated[int, Meta(ge=1, le=1_000)]
    reader_key: HpkePublic
    reason: ReasonCode
    nonce: Digest
    not_after: Time


def segments_root(segments: Iterable[str]) -> str:
    """Return the RFC 6962 root over the sorted, distinct segment ids (each leaf is the id in UTF-8)."""
    leaves = [segment.encode("ascii") for segment in sorted(set(segments))]
    return encode_bytes(tree_root(leaves))
