"""Enrolment: a participant's keys and devices, under a tag that names nobody.

Rules

* The record is signed by the personal key and by every device it lists for the first time.
* Record 1 is fixed: its hash is ``prev`` of the participant's first numbered log entry. Later records
  (another device, a revoked one) name their predecessor and raise ``number``.
* The custodian's signed receipt comes before the first deposit.
"""

from typing import Annotated, ClassVar

from msgspec import Meta

from understudy.consent.contexts import Context
from understudy.consent.credentials import Credential
from understudy.consent.keyset import Epoch
from understudy.consent.primitives import (
    Digest,
    Document,
    HpkePublic,
    Name,
    ParticipantTag,
    ProgrammeId,
    PublicKey,
    Time,
)


class EnrolmentRecord(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A participant's public keys, devices and console credentials."""

    CONTEXT: ClassVar[Context] = Context.ENROLMENT

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    programme: ProgrammeId
    tag: ParticipantTag
    number: Annotated[int, Meta(ge=1, le=10_000)]
    previous: Digest | None
    personal_signing: PublicKey
    personal_hpke: HpkePublic
    devices: Annotated[tuple[PublicKey, ...], Meta(min_length=1, max_length=16)]
    credentials: Annotated[tuple[Credential, ...], Meta(max_length=16)] = ()
    key_set: Digest
    made_at: Time


class EnrolmentReceipt(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A custodian's word that it holds an enrolment record."""

    CONTEXT: ClassVar[Context] = Context.ENROLMENT_RECEIPT

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    enrolment: Digest
    tag: ParticipantTag
    number: Annotated[int, Meta(ge=1, le=10_000)]
    custodian: Name
    epoch: Epoch
    received_at: Time
