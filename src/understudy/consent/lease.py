"""Leases: the short permission without which a recorder records nothing.

Rules

* A lease binds one device, one consent, its streams and the programme document; it lasts at most 60 s.
* It counts only together with a custodian's fresh "switch on" (see ``custody.switch``), whose age runs from
  the moment the device sent its nonce.
* Server and custodian keep no lease beyond ten minutes: leases would be a record of working hours.
"""

from typing import Annotated, ClassVar

from msgspec import Meta

from understudy.consent.contexts import Context
from understudy.consent.primitives import (
    Digest,
    Document,
    LeaseId,
    ParticipantTag,
    ProgrammeId,
    PublicKey,
    Time,
)
from understudy.consent.purposes import Stream


class LeaseRequest(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A device asks to record; ``nonce`` is fresh and proves the switch statement's age."""

    CONTEXT: ClassVar[Context] = Context.LEASE_REQUEST

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    programme: ProgrammeId
    tag: ParticipantTag
    device: PublicKey
    consent: Digest
    streams: Annotated[tuple[Stream, ...], Meta(min_length=1, max_length=8)]
    nonce: Digest
    asked_at: Time


class Lease(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The server's permission to record from ``not_before`` until ``not_after``."""

    CONTEXT: ClassVar[Context] = Context.LEASE

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    lease: LeaseId
    programme: ProgrammeId
    document: Digest
    device: PublicKey
    consent: Digest
    streams: Annotated[tuple[Stream, ...], Meta(min_length=1, max_length=8)]
    not_before: Time
    not_after: Time
