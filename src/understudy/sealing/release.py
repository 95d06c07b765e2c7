"""A key holder's answer to a reader: the halves of one open, sealed to the reader's ephemeral key.

Rules

* One HPKE message per key holder and open. It is bound to the holder's role, the leaf hash of the log entry
  and the hash of the signed request, so an answer cannot be moved to another open.
* It lists (segment id, half), sorted by segment id, each segment once, at most 1,000.
* HPKE says nothing about the sender: the holder signs the reply that carries the message.
* The reader still checks every half against the device-signed header (``open_segment`` does), and so can name
  whose half was wrong.

Example: ``open_halves(context, seal_halves(context, halves, reader.public), reader) == halves``.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from msgspec import Meta

from understudy.consent.contexts import Context
from understudy.consent.primitives import Digest, SegmentId, Value, encode_bytes
from understudy.sealing.canonical import canonical, octets, parse
from understudy.sealing.errors import FormatError, HalfError
from understudy.sealing.half import Half, Role
from understudy.sealing.hpke import HpkePrivateKey, HpkePublicKey
from understudy.sealing.info import info_for

MAX_HALVES: Final = 1_000


class ReleaseContext(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an answer is bound to."""

    version: Literal[1] = 1
    role: Role
    leaf: Digest
    """Leaf hash of the log entry that opens these segments."""
    request: Digest
    """Hash of the reader's signed request."""


class ReleasedHalf(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One segment's half, in clear inside the sealed message."""

    segment: SegmentId
    half: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{43,44}$(?!\n)")]
    """32 bytes, or 33 for a share, as base64url."""


class ReleasedHalves(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The plaintext of an answer."""

    version: Literal[1] = 1
    role: Role
    halves: Annotated[tuple[ReleasedHalf, ...], Meta(min_length=1, max_length=MAX_HALVES)]


def seal_halves(context: ReleaseContext, halves: Mapping[str, Half], reader: HpkePublicKey) -> bytes:
    """Return ``halves``, by segment id, sealed to ``reader``.

    Raises:
        HalfError: a half of another role than the answer's, or one that was wiped.
        FormatError: none, or more than 1,000.
    """
    if not 1 <= len(halves) <= MAX_HALVES:
        raise FormatError(f"an answer holds 1 to {MAX_HALVES} halves")
    for half in halves.values():
        if half.role != context.role:
            raise HalfError(context.role, f"found half {half.role} in its place")
    released = ReleasedHalves(
        role=context.role,
        halves=tuple(
            ReleasedHalf(segment=segment, half=encode_bytes(bytes(halves[segment].raw)))
            for segment in sorted(halves)
        ),
    )
    return reader.seal(info_for(Context.RELEASED_HALVES, context), canonical(released))


def open_halves(context: ReleaseContext, sealed: bytes, reader: HpkePrivateKey) -> dict[str, Half]:
    """Return the halves of an answer by segment id, not yet checked against their headers.

    Raises:
        SealError: sealed to another key, or for another role, entry or request.
        FormatError: the answer is not canonical, or its segments are unsorted or repeated.
        HalfError: the answer names another role than it is bound to.
    """
    released = parse(ReleasedHalves, reader.open(info_for(Context.RELEASED_HALVES, context), sealed))
    if released.role != context.role:
        raise HalfError(context.role, f"found half {released.role} in its place")
    segments = [half.segment for half in released.halves]
    if segments != sorted(set(segments)):
        raise FormatError("the halves of an answer are not sorted, or one comes twice")
    return {half.segment: Half(released.role, octets(half.half)) for half in released.halves}
