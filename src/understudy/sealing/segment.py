"""A segment: sealed under a key in two halves, opened by whoever is given both.

Rules

* ``K = HKDF(s_p ‖ s_c, info = seal context)``; both halves are drawn fresh for every segment, so a segment is
  never sealed twice under one key. Store the result before the first send: sealing again makes another one.
* Each half is HPKE-sealed to its holder, bound to seal context and role. With three custodians ``s_c`` is
  Shamir-split 2 of 3 and each share sealed to its own custodian.
* Opening checks each half against the commitment in the device-signed header and says whose was wrong.
* K and the halves are overwritten after use. That is the best Python can do: copies inside OpenSSL and in
  immutable objects already released are out of reach, so readers keep nothing on disk and lock their memory.

Example: ``open_segment(header, sealed.ciphertext, half_p, half_c) == payload``.
"""

import io
from dataclasses import dataclass
from typing import BinaryIO, Literal

from understudy.consent.contexts import Context
from understudy.consent.primitives import Value, encode_bytes
from understudy.sealing import chunked, padding, shamir
from understudy.sealing.canonical import Octets, digest
from understudy.sealing.chunked import ChunkKey, ChunkReader
from understudy.sealing.errors import FormatError, HalfError, SealError
from understudy.sealing.half import HALF_BYTES, SHARE_ROLES, Half, Role
from understudy.sealing.header import (
    CiphertextCheck,
    HalfRecord,
    SealContext,
    SealedHalf,
    SegmentHeader,
    Sources,
    Threshold,
    check_header,
    check_sealed_half,
)
from understudy.sealing.hpke import HpkePrivateKey, HpkePublicKey
from understudy.sealing.info import Info, info_for
from understudy.sealing.kdf import hkdf
from understudy.sealing.signing import Signed, SigningKey, sign

CustodianKeys = HpkePublicKey | tuple[HpkePublicKey, HpkePublicKey, HpkePublicKey]
"""One custodian, or three of whom two are needed."""

CustodianHalves = Half | tuple[Half, ...]
"""The half ``c``, or at least two of the shares ``c1``, ``c2``, ``c3``."""


class SealedToRole(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a sealed half is bound to."""

    version: Literal[1] = 1
    seal: SealContext
    role: Role


@dataclass(frozen=True, slots=True)
class SealedSegment:
    """A finished bundle: what the device stores and sends."""

    header: Signed
    halves: tuple[SealedHalf, ...]
    ciphertext: bytes


def seal_segment(
    payload: Octets,
    context: SealContext,
    *,
    previous: str | None,
    lease_root: str,
    redaction: str,
    device: SigningKey,
    escrow: HpkePublicKey,
    custodian: CustodianKeys,
    sources: Sources | None = None,
) -> SealedSegment:
    """Return ``payload`` sealed in two halves, with its signed header.

    Args:
        payload: at most 64 MiB less 8 bytes.
        context: what the key is bound to; its segment id is used once.
        previous: hash of the header of the device's previous shared segment.
        lease_root: root over the leases that cover the stretch.
        redaction: digest of the redaction stamp.
        device: signs the header.
        escrow: the participant's escrow key; ``context.escrow_key`` is its id.
        custodian: one custodian's key, or three for 2 of 3.
        sources: what derived data was made from.

    Raises:
        FormatError: the payload is too large, or context and sources do not fit.
        SealError: a key that nothing can be sealed to.
    """
    half_p, half_c = Half.generate("p"), Half.generate("c")
    kept = (half_p, *_custodian_parts(half_c, custodian))
    publics = (escrow, *((custodian,) if isinstance(custodian, HpkePublicKey) else custodian))
    key = _segment_key(context, half_p, half_c)
    try:
        sealed = tuple(
            public.seal(_role_info(context, half.role), half.raw)
            for half, public in zip(kept, publics, strict=True)
        )
        records = tuple(
            HalfRecord(
                role=half.role, commitment=half.commitment, sealed_hash=digest(Context.SEALED_HALF, raw)
            )
            for half, raw in zip(kept, sealed, strict=True)
        )
        ciphertext = chunked.encrypt(key, _chunk_info(context).chunk_context, *padding.padded(payload))
        halves = tuple(
            SealedHalf(role=half.role, sealed=encode_bytes(raw))
            for half, raw in zip(kept, sealed, strict=True)
        )
    finally:
        key.wipe()
        for half in (half_c, *kept):
            half.wipe()
    header = SegmentHeader(
        seal=context,
        previous=previous,
        lease_root=lease_root,
        redaction=redaction,
        sources=sources,
        ciphertext_bytes=len(ciphertext),
        ciphertext_hash=digest(Context.CIPHERTEXT, ciphertext),
        halves=records,
        custodians=Threshold(k=1, n=1) if isinstance(custodian, HpkePublicKey) else Threshold(k=2, n=3),
        device=device.public,
    )
    check_header(header)
    return SealedSegment(header=sign(header, device), halves=halves, ciphertext=ciphertext)


def open_half(role: Role, header: SegmentHeader, sealed: SealedHalf, private: HpkePrivateKey) -> Half:
    """Return the half ``role`` of the segment, opened and checked against its header.

    Raises:
        HalfError: another half, another segment's, not sealed to this key, or not the one committed to.
    """
    if sealed.role != role:
        raise HalfError(role, f"found half {sealed.role} in its place")
    try:
        half = Half(role, private.open(_role_info(header.seal, role), check_sealed_half(header, sealed)))
    except HalfError:
        raise
    except (SealError, FormatError) as error:
        raise HalfError(role, "it is not sealed to this key for this segment") from error
    _check_half(header, half)
    return half


def open_segment(
    header: SegmentHeader, ciphertext: Octets | BinaryIO, half_p: Half, half_c: CustodianHalves
) -> bytes:
    """Return the payload; every byte of the ciphertext is checked first.

    Args:
        header: from ``verify_header``.
        ciphertext: the bytes, or a file at their beginning.
        half_p: the participant's half.
        half_c: the custodian's half, or at least two shares of three.

    Raises:
        HalfError: a half that is not this segment's; its role says whose.
        SealError: the ciphertext was swapped or altered, or its padding is wrong.
    """
    if not isinstance(ciphertext, bytes | bytearray | memoryview):
        ciphertext = ciphertext.read(header.ciphertext_bytes + 1)
    check = CiphertextCheck(header)
    check.update(ciphertext)
    check.finish()
    key = _opening_key(header, half_p, half_c)
    try:
        plaintext = chunked.decrypt(key, _chunk_info(header.seal).chunk_context, ciphertext)
    finally:
        key.wipe()
    return padding.unpadded(plaintext)


def read_segment(
    header: SegmentHeader, ciphertext: BinaryIO, half_p: Half, half_c: CustodianHalves
) -> "PayloadReader":
    """Return a seekable file of the payload that decrypts only what is read.

    Each chunk is authenticated under the segment's key as it is read. Neither the hash of the whole
    ciphertext nor the padding is checked: use ``CiphertextCheck`` where the file came in.

    Raises:
        HalfError: a half that is not this segment's; its role says whose.
        SealError: another ciphertext, a wrong length, or a padding that does not fit.
    """
    key = _opening_key(header, half_p, half_c)
    try:
        reader = ChunkReader(ciphertext, key, _chunk_info(header.seal).chunk_context)
    finally:
        key.wipe()
    if chunked.ciphertext_bytes(reader.length) != header.ciphertext_bytes:
        raise SealError("the ciphertext is not as long as its header says")
    return PayloadReader(reader)


class PayloadReader(io.RawIOBase):
    """The payload of a segment as a read-only, seekable file; see ``read_segment``."""

    def __init__(self, plaintext: ChunkReader) -> None:
        """Read the length in front of the payload.

        Raises:
            SealError: the padding does not fit the payload.
        """
        super().__init__()
        self._plaintext = plaintext
        self._at = 0
        plaintext.seek(0)
        head = plaintext.read(padding.LENGTH_BYTES) or b""
        self.length: int = padding.payload_bytes(head, plaintext.length)

    def readable(self) -> bool:
        """Return ``True``."""
        return True

    def seekable(self) -> bool:
        """Return ``True``."""
        return True

    def tell(self) -> int:
        """Return the position in the payload."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to ``offset`` in the payload; beyond the end nothing is read.

        Raises:
            FormatError: the position is negative, or ``whence`` is unknown.
        """
        origins = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.length}
        if whence not in origins or origins[whence] + offset < 0:
            raise FormatError("no such position in a segment")
        self._at = origins[whence] + offset
        return self._at

    def readinto(self, target: object) -> int:
        """Fill ``target`` with payload and return how many bytes were written; 0 at the end.

        Raises:
            SealError: a chunk was altered; every later read fails as well.
        """
        with memoryview(target).cast("B") as out:  # type: ignore[arg-type]
            wanted = min(len(out), max(self.length - self._at, 0))
            self._plaintext.seek(padding.LENGTH_BYTES + self._at)
            self._plaintext.readinto(out[:wanted])
        self._at += wanted
        return wanted

    def close(self) -> None:
        """Forget the key and the cached plaintext; the ciphertext's file stays open."""
        self._plaintext.close()
        super().close()


def _segment_key(context: SealContext, half_p: Half, half_c: Half) -> ChunkKey:
    """Return K: HKDF-SHA256 over ``s_p ‖ s_c``, bound to the seal context."""
    halves = bytearray(half_p.raw)
    halves += half_c.raw
    try:
        return ChunkKey(hkdf(halves, info_for(Context.SEGMENT_KEY, context), chunked.KEY_BYTES))
    finally:
        halves[:] = bytes(2 * HALF_BYTES)


def _opening_key(header: SegmentHeader, half_p: Half, half_c: CustodianHalves) -> ChunkKey:
    check_header(header)
    if half_p.role != "p":
        raise HalfError("p", f"found half {half_p.role} in its place")
    _check_half(header, half_p)
    given = (half_c,) if isinstance(half_c, Half) else half_c
    for half in given:
        if half.role == "p":
            raise HalfError(header.halves[1].role, "found half p in its place")
        _check_half(header, half)
    if header.custodians.n == 1:
        if len(given) != 1:
            raise HalfError("c", "this segment needs exactly one custodian's half")
        return _segment_key(header.seal, half_p, given[0])
    if len({half.role for half in given}) != len(given) or len(given) < header.custodians.k:
        raise HalfError("c", f"{header.custodians.k} different custodians' shares are needed")
    joined = Half("c", shamir.combine([half.raw for half in given], threshold=header.custodians.k))
    try:
        return _segment_key(header.seal, half_p, joined)
    finally:
        joined.wipe()


def _check_half(header: SegmentHeader, half: Half) -> None:
    if half.commitment != header.half(half.role).commitment:
        raise HalfError(half.role, "it is not the one that the device committed to")


def _custodian_parts(half_c: Half, custodian: CustodianKeys) -> tuple[Half, ...]:
    if isinstance(custodian, HpkePublicKey):
        return (half_c,)
    shares = shamir.split(half_c.raw, threshold=2, count=len(SHARE_ROLES))
    return tuple(Half(role, share) for role, share in zip(SHARE_ROLES, shares, strict=True))


def _role_info(context: SealContext, role: Role) -> Info:
    return info_for(Context.SEALED_TO_ROLE, SealedToRole(seal=context, role=role))


def _chunk_info(context: SealContext) -> Info:
    return info_for(Context.SEAL_CONTEXT, context)
