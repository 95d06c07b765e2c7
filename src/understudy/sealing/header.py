"""The segment header: what a device says, signed, about a segment that nobody on its way can read.

Rules

* ``SealContext`` is everything the key is bound to; nothing in it is computed from the key.
* Kind ``recording`` and ``derived`` have a participant's tag; ``pooled`` has none. Kinds ``derived`` and
  ``pooled`` name their ``sources``; ``recording`` has none.
* The header adds commitments to halves, hashes of the sealed halves and of the ciphertext, the predecessor,
  the lease root and the redaction stamp. The device signs the whole, alone: any other signature is refused.
* Anyone can check a header, its sealed halves and its ciphertext; nobody needs a key for that.

Normative bytes: ``docs/formats/sealing.md``.

Example: ``header = verify_header(signed, {device_key})``.
"""

import hashlib
from collections.abc import Collection, Iterable
from itertools import zip_longest
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from understudy.consent.contexts import Context
from understudy.consent.primitives import (
    Bytes,
    Count,
    Digest,
    Document,
    EscrowKeyId,
    Name,
    ParticipantTag,
    ProgrammeId,
    PublicKey,
    RecordingId,
    SegmentId,
    Value,
    encode_bytes,
)
from understudy.sealing.canonical import Octets, digest, octets, prefix
from understudy.sealing.errors import FormatError, HalfError, SealError, SignatureError
from understudy.sealing.half import SHARE_ROLES, Role
from understudy.sealing.padding import CIPHERTEXT_SIZES
from understudy.sealing.signing import Signed

MAX_SOURCES: Final = 1_000
MAX_HEADER_BYTES: Final = 3 << 15
MAX_BODY_CHARACTERS: Final = MAX_HEADER_BYTES // 3 * 4


class SealContext(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a segment's key is bound to, and what the server may know of the segment."""

    context: Literal["understudy/v1/seal-context"] = "understudy/v1/seal-context"
    version: Literal[1] = 1
    kind: Literal["recording", "derived", "pooled"]
    programme: ProgrammeId
    tag: ParticipantTag | None
    recording: RecordingId
    """The recording, the shard (``derived``) or the object (``pooled``) this is a stretch of."""
    segment: SegmentId
    consent: Digest
    """Hash of the consent version that the contents were given under."""
    key_set: Digest
    escrow_key: EscrowKeyId
    application_group: Name
    task_label: Name


class Sources(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What derived data was made from."""

    opens: Annotated[tuple[Digest, ...], Meta(min_length=1, max_length=MAX_SOURCES)]
    """Leaf hashes of the opens that released the sources."""
    root: Digest
    """Merkle root over the source segments."""


class Threshold(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many of how many custodians are needed: 1 of 1, or 2 of 3."""

    k: Annotated[int, Meta(ge=1, le=2)]
    n: Annotated[int, Meta(ge=1, le=3)]


class HalfRecord(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One half as the header knows it: a commitment, and the hash of its sealed form."""

    role: Role
    commitment: Digest
    sealed_hash: Digest


class SealedHalf(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One half, sealed by HPKE to its key holder."""

    role: Role
    sealed: Bytes


class SegmentHeader(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that is known of a segment without its key."""

    CONTEXT: ClassVar[Context] = Context.SEGMENT_HEADER

    version: Literal[1] = 1
    seal: SealContext
    previous: Digest | None
    """Hash of the header of the device's previous shared segment; none for the first."""
    lease_root: Digest
    redaction: Digest
    sources: Sources | None = None
    ciphertext_bytes: Count
    ciphertext_hash: Digest
    halves: Annotated[tuple[HalfRecord, ...], Meta(min_length=2, max_length=4)]
    custodians: Threshold
    device: PublicKey
    """The device that sealed it, or the worker for ``derived`` and ``pooled``."""

    def half(self, role: Role) -> HalfRecord:
        """Return the record of ``role``.

        Raises:
            HalfError: the header has no such half.
        """
        for record in self.halves:
            if record.role == role:
                return record
        raise HalfError(role, "the header has no such half")


def expected_roles(custodians: Threshold) -> tuple[Role, ...]:
    """Return the roles a header with ``custodians`` lists, in order.

    Raises:
        FormatError: neither 1 of 1 nor 2 of 3.
    """
    if (custodians.k, custodians.n) == (1, 1):
        return ("p", "c")
    if (custodians.k, custodians.n) == (2, 3):
        return ("p", *SHARE_ROLES)
    raise FormatError("custodians are 1 of 1 or 2 of 3")


def check_header(header: SegmentHeader) -> None:
    """Check the rules that types alone cannot express.

    Raises:
        FormatError: tag or sources do not fit the kind, wrong halves, or a size outside the buckets.
    """
    kind = header.seal.kind
    if (header.seal.tag is None) != (kind == "pooled"):
        raise FormatError("a pooled segment has no tag, every other has one")
    if (header.sources is None) != (kind == "recording"):
        raise FormatError("a recorded segment has no sources, every other has some")
    if tuple(record.role for record in header.halves) != expected_roles(header.custodians):
        raise FormatError("the halves are not those of the header's custodians")
    if header.ciphertext_bytes not in CIPHERTEXT_SIZES:
        raise FormatError("the ciphertext is not padded to a bucket")


def verify_header(signed: Signed, device_keys: Collection[str]) -> SegmentHeader:
    """Return the header after checking signature, signer and rules.

    Args:
        signed: the header as it travels.
        device_keys: the public keys that may seal here, from the enrolment record.

    Raises:
        SignatureError: not signed by exactly the device it names, or by a device not in ``device_keys``.
        FormatError: not a canonical header, or one that breaks a rule.
    """
    if len(signed.body) > MAX_BODY_CHARACTERS:
        raise FormatError(f"a segment header of more than {MAX_HEADER_BYTES} bytes")
    header = signed.verify(SegmentHeader)
    if signed.signers != {header.device}:
        raise SignatureError("a segment header is signed by the device it names, and by nobody else")
    if header.device not in device_keys:
        raise SignatureError("the segment is sealed by a device that is not enrolled")
    check_header(header)
    return header


def check_sealed_half(header: SegmentHeader, sealed: SealedHalf) -> bytes:
    """Return the sealed bytes, after checking them against the header.

    Raises:
        HalfError: the header does not name these bytes.
        FormatError: not canonical base64url.
    """
    raw = octets(sealed.sealed)
    if digest(Context.SEALED_HALF, raw) != header.half(sealed.role).sealed_hash:
        raise HalfError(sealed.role, "these sealed bytes are not the ones that the header names")
    return raw


def check_sealed_halves(header: SegmentHeader, halves: Iterable[SealedHalf]) -> None:
    """Check that ``halves`` are the sealed halves of the header, all of them, in order.

    Raises:
        HalfError: one is missing, altered, too many, or belongs elsewhere.
    """
    for record, sealed in zip_longest(header.halves, halves):
        if record is None:
            raise HalfError(sealed.role, "it is more than the header names")
        if sealed is None:
            raise HalfError(record.role, "it is missing")
        if sealed.role != record.role:
            raise HalfError(record.role, f"found half {sealed.role} in its place")
        check_sealed_half(header, sealed)


class CiphertextCheck:
    """Holds a ciphertext against its header while it passes by, part by part."""

    def __init__(self, header: SegmentHeader) -> None:
        self._header = header
        self._missing = header.ciphertext_bytes
        self._state = hashlib.sha256(prefix(Context.CIPHERTEXT))

    def update(self, part: Octets) -> None:
        """Take in the next bytes.

        Raises:
            SealError: more bytes than the header says.
        """
        self._missing -= len(part)
        if self._missing < 0:
            raise SealError("the ciphertext is longer than its header says")
        self._state.update(part)

    def finish(self) -> None:
        """Check the whole.

        Raises:
            SealError: too short, or not the bytes that the header names.
        """
        if self._missing or encode_bytes(self._state.digest()) != self._header.ciphertext_hash:
            raise SealError("the ciphertext is not the one that the header names")
