"""The programme document: terms, purposes, delays, people and keys, signed as a whole.

Rules

* Document 1 is leaf 0 of the log. Every later one names its predecessor's hash and raises ``number`` by one.
* It is in force only when steward, custodians, witnesses, log, escrow issuer, server and every roster member
  have signed it; custodian and witness pin its hash from their own command line.
* Every delay is a field. Profile ``production`` enforces ``PRODUCTION_MINIMUMS``; ``embedded`` may shorten
  them and says so.

Example

>>> Delays().lease_seconds
60
"""

from enum import StrEnum
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from understudy.consent.contexts import Context
from understudy.consent.credentials import Credential
from understudy.consent.keyset import KeySet
from understudy.consent.primitives import (
    Count,
    Digest,
    Document,
    Line,
    Name,
    ProgrammeId,
    PublicKey,
    Seconds,
    Text,
    Time,
    Value,
)
from understudy.consent.purposes import Purpose, Stream


class Role(StrEnum):
    """What a roster member may do."""

    STEWARD = "steward"
    APPROVER = "approver"
    RESEARCHER = "researcher"
    RESPONDER = "responder"
    AUDITOR = "auditor"
    SERVICE = "service"


class Profile(StrEnum):
    """How much one machine or one person may hold together."""

    EMBEDDED = "embedded"
    PRODUCTION = "production"


class RosterMember(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person or service that may sign: a pseudonymous name, roles, a credential."""

    name: Name
    roles: Annotated[tuple[Role, ...], Meta(min_length=1, max_length=6)]
    credential: Credential


class Threshold(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``threshold`` of these keys together may do one thing."""

    threshold: Annotated[int, Meta(ge=1, le=16)]
    keys: Annotated[tuple[PublicKey, ...], Meta(min_length=1, max_length=16)]


class Delays(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every waiting time and bound, in seconds unless the name says otherwise."""

    segment_seconds: Seconds = 60
    raw_max_seconds: Seconds = 900
    redact_seconds: Seconds = 10
    hold_seconds: Seconds = 86_400
    upload_spread_seconds: Seconds = 3_600
    lease_seconds: Seconds = 60
    statement_seconds: Seconds = 60
    open_seconds: Seconds = 600
    cosignature_seconds: Seconds = 60
    clock_skew_seconds: Seconds = 5
    consent_batch_seconds: Seconds = 3_600
    consent_batch_multiple: Count = 64
    grant_seconds: Seconds = 8 * 3_600
    grant_unused_seconds: Seconds = 30 * 86_400
    backup_seconds: Seconds = 14 * 86_400
    release_seconds: Seconds = 30 * 86_400


PRODUCTION_MINIMUMS: Final = {
    "hold_seconds": 86_400,
    "upload_spread_seconds": 600,
    "consent_batch_seconds": 3_600,
    "consent_batch_multiple": 64,
}
"""Shortest values profile ``production`` accepts: they protect people, not machines."""

MAXIMUMS: Final = {
    "raw_max_seconds": 900,
    "redact_seconds": 10,
    "lease_seconds": 60,
    "statement_seconds": 60,
    "open_seconds": 600,
    "cosignature_seconds": 60,
    "clock_skew_seconds": 5,
    "grant_seconds": 8 * 3_600,
    "grant_unused_seconds": 30 * 86_400,
    "backup_seconds": 14 * 86_400,
    "release_seconds": 30 * 86_400,
}
"""Longest values any profile accepts: beyond them a promise would no longer hold."""


class ApplicationGroup(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Applications and sites that are consented to together; nothing outside a group is recorded."""

    name: Name
    applications: Annotated[tuple[Line, ...], Meta(max_length=200)] = ()
    sites: Annotated[tuple[Line, ...], Meta(max_length=500)] = ()


class Terms(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a participant is told and asked."""

    title: Line
    notice: Text
    contact: Line
    purposes: Annotated[tuple[Purpose, ...], Meta(min_length=1, max_length=4)]
    streams: Annotated[tuple[Stream, ...], Meta(min_length=1, max_length=8)]
    application_groups: Annotated[tuple[ApplicationGroup, ...], Meta(min_length=1, max_length=50)]
    recipients: Annotated[tuple[Line, ...], Meta(max_length=20)] = ()
    retention_days: Annotated[int, Meta(ge=1, le=3_650)] = 180


class ProgrammeDocument(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole agreement, as every party signed it."""

    CONTEXT: ClassVar[Context] = Context.PROGRAMME

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    programme: ProgrammeId
    number: Annotated[int, Meta(ge=1, le=1_000_000)]
    previous: Digest | None
    profile: Profile
    terms: Terms
    delays: Delays
    roster: Annotated[tuple[RosterMember, ...], Meta(min_length=1, max_length=64)]
    key_set: KeySet
    recovery: Threshold
    lift: Threshold
    made_at: Time

    def members(self, role: Role) -> tuple[RosterMember, ...]:
        """Return the roster members that hold ``role``."""
        return tuple(member for member in self.roster if role in member.roles)
