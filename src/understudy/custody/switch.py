"""The switch: orders that stop, bundles that lift, and the statement a recorder needs.

Rules

* Off: one signature of any roster member or of the auditor is enough; it takes effect at once and persists.
* On: the lift keys, at their threshold, sign a bundle that names the custodian's current ``revision``; a
  bundle for an older revision is stale, so an old lift cannot be replayed after a new stop.
* A fresh custodian starts with everything off.
* A switch statement answers many devices at once: it signs the RFC 6962 root over their nonces. A device
  accepts it only with the path of its own nonce, and its age runs from when the device sent that nonce.
"""

from typing import Annotated, ClassVar

from msgspec import Meta

from understudy.consent.contexts import Context
from understudy.consent.keyset import Epoch
from understudy.consent.primitives import (
    Count,
    Digest,
    Document,
    Line,
    Name,
    ProgrammeId,
    Time,
    Value,
)
from understudy.consent.purposes import Activity
from understudy.sealing.signing import Signed

Activities = Annotated[tuple[Activity, ...], Meta(max_length=8)]
"""Sorted and unique."""


class SwitchOrder(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Stop these activities now."""

    CONTEXT: ClassVar[Context] = Context.SWITCH_ORDER

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    programme: ProgrammeId
    off: Annotated[tuple[Activity, ...], Meta(min_length=1, max_length=8)]
    nonce: Digest
    reason: Line
    ordered_at: Time


class LiftBundle(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Start these activities again; signed by the lift keys, with hashes of the gate's evidence."""

    CONTEXT: ClassVar[Context] = Context.LIFT_BUNDLE

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    programme: ProgrammeId
    on: Annotated[tuple[Activity, ...], Meta(min_length=1, max_length=8)]
    custodian: Name
    epoch: Epoch
    revision: Count
    evidence: Annotated[tuple[Digest, ...], Meta(max_length=64)] = ()
    made_at: Time


class SwitchStatement(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A custodian's word on what is off now, for the devices whose nonces it covers."""

    CONTEXT: ClassVar[Context] = Context.SWITCH_STATEMENT

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    programme: ProgrammeId
    custodian: Name
    epoch: Epoch
    revision: Count
    off: Activities
    nonces: Annotated[int, Meta(ge=1, le=100_000)]
    nonce_root: Digest
    time: Time


class StatementForDevice(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A statement and the inclusion path of one device's nonce in its ``nonce_root``."""

    statement: Signed
    index: Count
    path: Annotated[tuple[Digest, ...], Meta(max_length=20)]


class SwitchStatus(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is off at the party that answers; ``queued`` counts changes that are not in the log yet."""

    by: Name
    epoch: Count
    revision: Count
    off: tuple[Activity, ...]
    queued: Count


class QueuedChange(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A change of the custodian's switch that waits to be logged, as its ``SwitchLeaf`` has to say it."""

    order: Digest
    off: tuple[Activity, ...]
    revision: Count
