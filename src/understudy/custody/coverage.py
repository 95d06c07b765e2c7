"""Lease coverage: proof, shown once to ingest, that a stretch was recorded with permission.

Rules

* ``lease_root`` in a segment header is SHA-256(context ‖ 0x00 ‖ salt ‖ canonical ``{leases, statements}``).
* The list and its salt stay on the device with the held recording, are presented once to ingest together
  with the stretch they cover, are checked in memory, and are then deleted on both sides. They would be a
  record of somebody's working hours.
* A second is covered when a lease for this device and consent is valid in it, and a switch statement that
  does not stop capture was at most the programme's ``statement_seconds`` old in it.
"""

from typing import Annotated, ClassVar

from msgspec import Meta

from understudy.consent.contexts import Context
from understudy.consent.primitives import Digest, Document, SegmentId, Time, Value
from understudy.custody.switch import StatementForDevice
from understudy.sealing.canonical import canonical, digest, octets
from understudy.sealing.signing import Signed


class Coverage(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The leases and switch statements that cover one stretch."""

    leases: Annotated[tuple[Signed, ...], Meta(min_length=1, max_length=64)]
    statements: Annotated[tuple[StatementForDevice, ...], Meta(min_length=1, max_length=64)]


class LeasePresentation(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Coverage, its salt and the stretch, for one segment; signed by the device, shown once."""

    CONTEXT: ClassVar[Context] = Context.LEASE_PRESENTATION

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    segment: SegmentId
    salt: Digest
    coverage: Coverage
    started_at: Time
    ended_at: Time


def lease_root(salt: str, coverage: Coverage) -> str:
    """Return the commitment to ``coverage`` that a segment header carries."""
    return digest(Context.LEASE_ROOT, octets(salt), canonical(coverage))
