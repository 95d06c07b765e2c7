"""The key set: every public key that a device has to trust, in one pinned document.

Rules

* Its hash stands in every segment header, so a segment sealed under a swapped key set opens nowhere.
* ``custodians`` and ``custodian_threshold`` are the n and k of k-of-n; the embedded profile has 1 of 1.
* Epochs start at 1. A successor document may raise them, never lower them.
"""

from typing import Annotated, ClassVar

from msgspec import Meta

from understudy.consent.contexts import Context
from understudy.consent.primitives import (
    Digest,
    Document,
    EscrowKeyId,
    HpkePublic,
    Line,
    Name,
    ParticipantTag,
    ProgrammeId,
    PublicKey,
    Time,
    Value,
)

Epoch = Annotated[int, Meta(ge=1, le=1_000_000)]


class CustodianKeys(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One custodian: its name, epoch, and the keys it signs and opens with."""

    name: Name
    epoch: Epoch
    signing: PublicKey
    hpke: HpkePublic


class WitnessKey(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One witness: the name and key its cosignatures carry; ``signing`` signs documents."""

    name: Line
    cosigning: PublicKey
    signing: PublicKey


class LogKey(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The log: the origin line and key of its checkpoints; ``signing`` signs documents."""

    origin: Line
    epoch: Epoch
    checkpoint: PublicKey
    signing: PublicKey


class AuditorKey(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The auditor: openings are sealed to ``hpke``; ``signing`` may throw the switch."""

    epoch: Epoch
    hpke: HpkePublic
    signing: PublicKey


class KeySet(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All the keys a device pins at enrolment."""

    CONTEXT: ClassVar[Context] = Context.KEY_SET

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    server: PublicKey
    escrow_issuer: PublicKey
    custodians: Annotated[tuple[CustodianKeys, ...], Meta(min_length=1, max_length=3)]
    custodian_threshold: Annotated[int, Meta(ge=1, le=3)]
    witnesses: Annotated[tuple[WitnessKey, ...], Meta(min_length=1, max_length=8)]
    witness_quorum: Annotated[int, Meta(ge=1, le=8)]
    log: LogKey
    auditor: AuditorKey


class EscrowKey(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One participant's escrow key for one epoch, signed by the escrow issuer."""

    CONTEXT: ClassVar[Context] = Context.ESCROW_KEY

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    escrow_key: EscrowKeyId
    programme: ProgrammeId
    tag: ParticipantTag
    epoch: Epoch
    public: HpkePublic
    key_set: Digest
    made_at: Time
