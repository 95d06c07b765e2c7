"""Consent, its receipt, and standing: what one person said yes to, and whether it still stands.

Rules

* Consent is an explicit document signed by the personal key. Silence makes none.
* It is in force when server and custodian have both signed one receipt over its hash. Its hash is the
  *consent version* in every segment header.
* It can only narrow the programme's terms: purposes, streams and application groups are subsets.
* Standing (active, paused, withdrawn, objecting) goes to server and custodian alike; either acts alone. A
  device may pause; only the personal key may make it active again. ``withdrawn`` is final for that consent.
* A standing is known to have reached a custodian by that custodian's signed receipt, and by nothing else.
"""

from enum import StrEnum
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from understudy.consent.contexts import Context
from understudy.consent.keyset import Epoch
from understudy.consent.primitives import (
    Digest,
    Document,
    Name,
    ParticipantTag,
    ProgrammeId,
    PublicKey,
    Time,
)
from understudy.consent.purposes import Purpose, Stream

STANDING_STEP: Final = 1_000
"""A standing's number is at most this much above the highest before it: no key uses up the numbers."""


class Consent(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One participant's explicit yes, no wider than the programme's terms."""

    CONTEXT: ClassVar[Context] = Context.CONSENT

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    programme: ProgrammeId
    document: Digest
    tag: ParticipantTag
    device: PublicKey
    purposes: Annotated[tuple[Purpose, ...], Meta(max_length=4)]
    streams: Annotated[tuple[Stream, ...], Meta(min_length=1, max_length=8)]
    application_groups: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=50)]
    notice: Digest
    given_at: Time


class ConsentReceipt(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Signed by server and custodian over the same bytes: from then on the consent is in force."""

    CONTEXT: ClassVar[Context] = Context.CONSENT_RECEIPT

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    consent: Digest
    programme: ProgrammeId
    document: Digest
    tag: ParticipantTag
    in_force_at: Time


class StandingState(StrEnum):
    """Whether a participant's recordings may be opened by others now."""

    ACTIVE = "active"
    PAUSED = "paused"
    WITHDRAWN = "withdrawn"
    OBJECTING = "objecting"


class Standing(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A participant's change of mind; the one accepted last counts, and numbers go up."""

    CONTEXT: ClassVar[Context] = Context.STANDING

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    programme: ProgrammeId
    tag: ParticipantTag
    number: Annotated[int, Meta(ge=1, le=2**53 - 1)]
    state: StandingState
    made_at: Time


class StandingReceipt(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A custodian's word that it holds a standing and acts on it."""

    CONTEXT: ClassVar[Context] = Context.STANDING_RECEIPT

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    standing: Digest
    tag: ParticipantTag
    number: Annotated[int, Meta(ge=1, le=2**53 - 1)]
    state: StandingState
    custodian: Name
    epoch: Epoch
    received_at: Time
