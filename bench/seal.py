"""Sealing: how fast, beside the bare cipher and a copy, and whether its checks notice when it is broken.

    make bench-seal                                         figures, checks, seeded faults
    make bench-seal BENCH_ARGS="--break skip-half-check"    with that fault built in: must exit 1

Rules

* Cases of one size run interleaved, in random order. Ratios to the bare AES-256-GCM are the result; absolute
  speed depends on whatever else the machine does.
* The checks run on the real package first and must all pass. Then each seeded fault is patched in, here and
  never in the source, and at least one check must fail. A fault that nobody notices fails this bench.
* The last line is JSON: ``ratios``, ``microseconds`` and ``evidence`` (samples, seeds, and which check caught
  which fault).
"""

import argparse
import contextlib
import functools
import gc
import hashlib
import io
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from random import Random
from unittest.mock import patch

import msgspec
from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from understudy.consent.contexts import Context
from understudy.consent.primitives import Value, encode_bytes
from understudy.sealing import chunked, header, padding, recovery, release, segment, shred, signing
from understudy.sealing.canonical import canonical, digest
from understudy.sealing.chunked import ChunkKey, ChunkReader
from understudy.sealing.errors import HalfError, SealingError
from understudy.sealing.half import Half, Role
from understudy.sealing.hpke import HpkePrivateKey
from understudy.sealing.info import ChunkContext, Info, info_for

SEED = 20_240_601
SIZES = (1 << 16, 1 << 20, 1 << 24)
FLIPS = 60
CONTEXT = ChunkContext(bytes(32))
DEVICE = signing.SigningKey.from_seed(bytes([1] * 32))
ESCROW, CUSTODIAN = HpkePrivateKey(bytes([2] * 32)), HpkePrivateKey(bytes([3] * 32))


class CheckFailedError(Exception):
    """Something was accepted that must be refused, or refused that must be accepted."""


def seal_context(number: int = 1) -> header.SealContext:
    """Return a synthetic seal context; ``number`` makes its segment id."""
    digest_of = encode_bytes(bytes(32))
    return header.SealContext(
        kind="recording",
        programme="prg_" + encode_bytes(bytes(16)),
        tag=digest_of,
        recording="rec_" + encode_bytes(bytes(16)),
        segment="seg_" + encode_bytes(number.to_bytes(16, "big")),
        consent=digest_of,
        key_set=digest_of,
        escrow_key="esc_" + encode_bytes(bytes(16)),
        application_group="office",
        task_label="synthetic",
    )


def seal(payload: bytes, number: int = 1) -> segment.SealedSegment:
    """Return ``payload`` sealed under this bench's keys."""
    return segment.seal_segment(
        payload,
        seal_context(number),
        previous=None,
        lease_root=encode_bytes(bytes(32)),
        redaction=encode_bytes(bytes(32)),
        device=DEVICE,
        escrow=ESCROW.public,
        custodian=CUSTODIAN.public,
    )


def halves_of(bundle: segment.SealedSegment) -> tuple[header.SegmentHeader, Half, Half]:
    """Return header and both halves of a bundle."""
    verified = header.verify_header(bundle.header, {DEVICE.public})
    half_p = segment.open_half("p", verified, bundle.halves[0], ESCROW)
    return verified, half_p, segment.open_half("c", verified, bundle.halves[1], CUSTODIAN)


# Figures


def compare(size: int, rounds: int, rng: Random) -> dict[str, float]:
    """Return bytes a second of each case, the median of ``rounds``."""
    message = rng.randbytes(size)
    view = memoryview(message)
    key = ChunkKey(rng.randbytes(32))
    cipher = AESGCM(bytes(key.raw))
    nonce = bytes(12)
    into = bytearray(size + 16)
    out = memoryview(into)
    bare = cipher.encrypt(nonce, message, None)
    sealed = chunked.encrypt(key, CONTEXT, message)
    target = bytearray(size)
    reader = ChunkReader(io.BytesIO(sealed), key, CONTEXT)

    def copy() -> None:
        out[:size] = view

    def read() -> None:
        reader.seek(0)
        reader.readinto(target)

    cases: dict[str, Callable[[], object]] = {
        "memcpy": copy,
        "sha256": lambda: hashlib.sha256(view).digest(),
        "aes_gcm_encrypt_into": lambda: cipher.encrypt_into(nonce, view, None, into),
        "aes_gcm_decrypt_into": lambda: cipher.decrypt_into(nonce, bare, None, target),
        "aes_gcm_encrypt": lambda: cipher.encrypt(nonce, view, None),
        "chunked_encrypt": lambda: chunked.encrypt(key, CONTEXT, view),
        "chunked_decrypt": lambda: chunked.decrypt(key, CONTEXT, sealed),
        "chunked_read": read,
    }
    repeat = max(1, (1 << 23) // size)
    taken: dict[str, list[float]] = {name: [] for name in cases}
    order = list(cases)
    for _ in range(rounds):
        rng.shuffle(order)
        for name in order:
            began = time.perf_counter()
            for _ in range(repeat):
                cases[name]()
            taken[name].append((time.perf_counter() - began) / repeat)
    return {name: size / statistics.median(times) for name, times in taken.items()}


def small_operations(rounds: int, rng: Random) -> dict[str, float]:
    """Return microseconds of the operations on keys and segments, the median of ``rounds``."""
    info = info_for(Context.SEAL_CONTEXT, seal_context())
    half = rng.randbytes(32)
    sealed_half = ESCROW.public.seal(info, half)
    payload = rng.randbytes(1_000_000)
    bundle = seal(payload)
    verified, half_p, half_c = halves_of(bundle)
    cases: dict[str, Callable[[], object]] = {
        "hpke_seal": lambda: ESCROW.public.seal(info, half),
        "hpke_open": lambda: ESCROW.open(info, sealed_half),
        "verify_header": lambda: header.verify_header(bundle.header, {DEVICE.public}),
        "open_half": lambda: segment.open_half("p", verified, bundle.halves[0], ESCROW),
        "seal_segment_1MB": lambda: seal(payload),
        "open_segment_1MB": lambda: segment.open_segment(verified, bundle.ciphertext, half_p, half_c),
        "read_1_byte_of_1MB": lambda: segment.read_segment(
            verified, io.BytesIO(bundle.ciphertext), half_p, half_c
        ).read(1),
    }
    taken: dict[str, list[float]] = {name: [] for name in cases}
    order = list(cases)
    for _ in range(rounds * 3):
        rng.shuffle(order)
        for name in order:
            began = time.perf_counter()
            cases[name]()
            taken[name].append(time.perf_counter() - began)
    return {name: round(statistics.median(times) * 1e6, 1) for name, times in taken.items()}


# Checks: each runs on fresh material and raises CheckFailedError, or whatever the broken package raises.


def refused(what: str, call: Callable[[], object], kind: type[SealingError] = SealingError) -> None:
    """Check that ``call`` is refused with an error of ``kind``."""
    try:
        call()
    except kind:
        return
    raise CheckFailedError(what)


def same(what: str, one: object, other: object) -> None:
    """Check that two results are equal."""
    if one != other:
        raise CheckFailedError(what)


def open_reader(key: ChunkKey, sealed: bytes) -> ChunkReader:
    """Return a reader of ``sealed``."""
    return ChunkReader(io.BytesIO(sealed), key, CONTEXT)


def read_all(key: ChunkKey, sealed: bytes) -> bytes:
    """Return what a reader reads of ``sealed``."""
    return open_reader(key, sealed).readall()


def check_both_implementations_agree(rng: Random) -> None:
    """What we write the library reads, and what the library writes both our readers read."""
    for size in (0, 1, 16_384, 50_000):
        message, key = rng.randbytes(size), ChunkKey(rng.randbytes(32))
        sealed = chunked.encrypt(key, CONTEXT, message)
        theirs = Cobblestone256Decryptor(key.raw, CONTEXT)
        same("the library reads another message", theirs.update(sealed) + theirs.finalize(), message)
        library = Cobblestone256Encryptor(key.raw, CONTEXT)
        written = library.update(message) + library.finalize()
        same("decrypt differs", bytes(chunked.decrypt(key, CONTEXT, written)), message)
        same("the reader differs", ChunkReader(io.BytesIO(written), key, CONTEXT).read(), message)


def check_salts_are_fresh(rng: Random) -> None:
    """No two messages under one key share salt or nonce."""
    key = ChunkKey(rng.randbytes(32))
    salts = {chunked.encrypt(key, CONTEXT, b"")[:24] for _ in range(FLIPS)}
    same("a salt comes twice", len(salts), FLIPS)


def check_commitment(rng: Random) -> None:
    """A ciphertext whose commitment was altered is refused although every chunk would decrypt."""
    key = ChunkKey(rng.randbytes(32))
    sealed = bytearray(chunked.encrypt(key, CONTEXT, b"message"))
    sealed[24 + rng.randrange(32)] ^= 1
    refused("an altered commitment is read", lambda: ChunkReader(io.BytesIO(sealed), key, CONTEXT).read())


def check_flipped_bits(rng: Random) -> None:
    """No flipped bit of a chunked ciphertext is read, whole or by stretches."""
    key = ChunkKey(rng.randbytes(32))
    sealed = chunked.encrypt(key, CONTEXT, rng.randbytes(40_000))
    for _ in range(FLIPS):
        changed = bytearray(sealed)
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        refused("a flipped bit is decrypted", functools.partial(chunked.decrypt, key, CONTEXT, changed))
        refused("a flipped bit is read", functools.partial(read_all, key, bytes(changed)))


def check_truncation(rng: Random) -> None:
    """A ciphertext cut at a chunk's edge or anywhere else is refused on opening."""
    key = ChunkKey(rng.randbytes(32))
    sealed = chunked.encrypt(key, CONTEXT, rng.randbytes(40_000))
    for cut in (56, 56 + 16_400, 56 + 32_800, *(rng.randrange(len(sealed)) for _ in range(FLIPS))):
        refused("a cut message is opened", functools.partial(open_reader, key, sealed[:cut]))


def check_segment(rng: Random) -> None:
    """A segment comes back, whole and by stretches, in a bucket."""
    payload = rng.randbytes(rng.randrange(100_000))
    bundle = seal(payload)
    verified, half_p, half_c = halves_of(bundle)
    same("other bytes", segment.open_segment(verified, bundle.ciphertext, half_p, half_c), payload)
    reader = segment.read_segment(verified, io.BytesIO(bundle.ciphertext), half_p, half_c)
    same("other stretch", reader.read(), payload)
    same("not a bucket", {len(bundle.ciphertext)} - padding.CIPHERTEXT_SIZES, set())


def resealed(rng: Random, plaintext: bytes) -> Callable[[], object]:
    """Return the opening of a segment whose dishonest device sealed ``plaintext`` as it stands."""
    verified, half_p, half_c = halves_of(seal(rng.randbytes(10)))
    key = segment._segment_key(verified.seal, half_p, half_c)  # noqa: SLF001 - what a device could do
    context = info_for(Context.SEAL_CONTEXT, verified.seal).chunk_context
    ciphertext = chunked.encrypt(key, context, plaintext)
    forged = msgspec.structs.replace(
        verified,
        ciphertext_bytes=len(ciphertext),
        ciphertext_hash=digest(Context.CIPHERTEXT, ciphertext),
    )
    return lambda: segment.open_segment(forged, ciphertext, half_p, half_c)


def check_padding(rng: Random) -> None:
    """Padding that is not zero, and a bucket larger than needed, are refused."""
    full = padding.MIN_BUCKET_BYTES
    for place in (18, full - 1, rng.randrange(18, full)):
        plaintext = bytearray((10).to_bytes(8, "big") + bytes(full - 8))
        plaintext[place] = 1
        refused("padding that is not zero is accepted", resealed(rng, bytes(plaintext)))
    oversized = (10).to_bytes(8, "big") + bytes(2 * full - 8)
    refused("a bucket too large is accepted", resealed(rng, oversized))


def check_halves(rng: Random) -> None:
    """A half that is not this segment's is refused by name."""
    bundle, other = seal(rng.randbytes(10)), seal(rng.randbytes(10), 2)
    verified, half_p, half_c = halves_of(bundle)
    _, other_p, other_c = halves_of(other)
    wrong: tuple[tuple[Half, Half, Role], ...] = ((other_p, half_c, "p"), (half_p, other_c, "c"))
    for one, two, role in wrong:
        try:
            segment.open_segment(verified, bundle.ciphertext, one, two)
        except HalfError as error:
            same("the wrong holder is blamed", error.role, role)
        else:
            raise CheckFailedError("another segment's half opens")


def check_sealed_halves(rng: Random) -> None:
    """A sealed half is bound to segment and role, even where a dishonest device names it in a header."""
    bundle, other = seal(rng.randbytes(10)), seal(rng.randbytes(10), 2)
    verified, _, _ = halves_of(bundle)
    foreign = header.verify_header(other.header, {DEVICE.public})
    forged = msgspec.structs.replace(verified, halves=foreign.halves)
    refused(
        "another segment's sealed half opens here",
        lambda: segment.open_half("p", forged, other.halves[0], ESCROW),
    )
    record_p = verified.half("p")
    relabelled = msgspec.structs.replace(record_p, role="c")
    swapped = msgspec.structs.replace(verified, halves=(record_p, relabelled))
    sealed = header.SealedHalf(role="c", sealed=bundle.halves[0].sealed)
    refused("half p opens as half c", lambda: segment.open_half("c", swapped, sealed, ESCROW))


def check_ciphertext_hash(rng: Random) -> None:
    """A second ciphertext under the same key, made by the device, is not the one in the header."""
    verified, half_p, half_c = halves_of(seal(rng.randbytes(10)))
    key = segment._segment_key(verified.seal, half_p, half_c)  # noqa: SLF001 - what a device could do
    context = info_for(Context.SEAL_CONTEXT, verified.seal).chunk_context
    second = chunked.encrypt(key, context, *padding.padded(b"another story"))
    refused("a second ciphertext opens", lambda: segment.open_segment(verified, second, half_p, half_c))


def check_header(rng: Random) -> None:
    """No edited header verifies, nor one by a device that is not enrolled."""
    bundle = seal(rng.randbytes(10))
    verified = header.verify_header(bundle.header, {DEVICE.public})
    edited = msgspec.structs.replace(verified, redaction=encode_bytes(rng.randbytes(32)))
    forged = msgspec.structs.replace(bundle.header, body=encode_bytes(canonical(edited)))
    refused("an edited header verifies", lambda: header.verify_header(forged, {DEVICE.public}))
    refused("a stranger's header verifies", lambda: header.verify_header(bundle.header, set()))


def check_reply(rng: Random) -> None:
    """A reply is bound to one role, entry and request."""
    reader, half = HpkePrivateKey.generate(), {seal_context().segment: Half("c", rng.randbytes(32))}
    leaf, request, other = (encode_bytes(rng.randbytes(32)) for _ in range(3))
    context = release.ReleaseContext(role="c", leaf=leaf, request=request)
    sealed = release.seal_halves(context, half, reader.public)
    same("the reply is lost", set(release.open_halves(context, sealed, reader)), set(half))
    for change in ({"leaf": other}, {"request": other}):
        moved = msgspec.structs.replace(context, **change)
        refused("a moved reply opens", functools.partial(release.open_halves, moved, sealed, reader))


def check_shred(rng: Random) -> None:
    """A wrapped escrow key is bound to its id, and rotation leaves the old key nothing."""
    old, new = shred.ShredKey(rng.randbytes(32)), shred.ShredKey(rng.randbytes(32))
    wrapped = old.wrap("esc_" + encode_bytes(bytes(16)), ESCROW)
    moved = msgspec.structs.replace(wrapped, escrow_key="esc_" + encode_bytes(bytes([1] * 16)))
    refused("a wrapping opens for another escrow key", lambda: old.unwrap(moved))
    again = shred.rewrap(old, new, wrapped)
    same("rotation loses a key", new.unwrap(again).seed, ESCROW.seed)
    refused(
        "the old key opens the new wrapping",
        lambda: old.unwrap(msgspec.structs.replace(again, shred_key=old.name)),
    )


def check_recovery(rng: Random) -> None:
    """No single wrong character and no transposition of a recovery code passes."""
    seed = rng.randbytes(32)
    code = recovery.encode_recovery(seed).replace("-", "")
    same("a seed is lost", recovery.decode_recovery(code), seed)
    for _ in range(FLIPS):
        letters = list(code)
        place = rng.randrange(len(letters) - 1)
        letters[place] = rng.choice([one for one in "0123456789ABCDEFGHJK" if one != letters[place]])
        refused("a wrong character passes", functools.partial(recovery.decode_recovery, "".join(letters)))


CHECKS: dict[str, Callable[[Random], None]] = {
    name.removeprefix("check_").replace("_", "-"): check
    for name, check in sorted(globals().items())
    if name.startswith("check_")
}


# Faults: what a slip of the pen could leave behind, patched in from here.


class RepeatingEncryptor:
    """Chunked encryption with one nonce for all chunks."""

    salt = bytes(range(24))

    def __init__(self, key: bytearray, context: bytes) -> None:
        derived = chunked._derive(ChunkKey(key), ChunkContext(context), self.salt)  # noqa: SLF001
        self._cipher, self._nonce = AESGCM(derived[:32]), bytes(derived[32:44])
        self._front, self._message = self.salt + bytes(derived[44:]), b""

    def update_into(self, data: bytes, out: memoryview) -> int:  # noqa: ARG002 - the library's signature
        """Keep ``data``."""
        self._message += bytes(data)
        return 0

    def finalize(self) -> bytes:
        """Return the whole ciphertext."""
        starts = range(0, len(self._message) + 1, chunked.CHUNK_BYTES)
        chunks = (self._message[at : at + chunked.CHUNK_BYTES] for at in starts)
        return self._front + b"".join(self._cipher.encrypt(self._nonce, one, None) for one in chunks)


def unbound(context: Context, value: Value) -> Info:
    """Return an ``Info`` that says the context only."""
    del value
    return info_for(context, Nothing())


class LazyReader(ChunkReader):
    """A reader that does not look at the last chunk when it opens."""

    opened = False

    def _chunk(self, index: int) -> memoryview:
        if not self.opened:
            self.opened = True
            return memoryview(b"")
        return super()._chunk(index)


class Nothing(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What nothing is bound to."""


def roleless(context: header.SealContext, role: Role) -> Info:
    """Return what a sealed half is bound to, without its role."""
    del role
    return info_for(Context.SEALED_TO_ROLE, segment.SealedToRole(seal=context, role="p"))


def segmentless(context: header.SealContext, role: Role) -> Info:
    """Return what a sealed half is bound to, without its segment."""
    anywhere = msgspec.structs.replace(context, segment="seg_" + encode_bytes(bytes(16)))
    return info_for(Context.SEALED_TO_ROLE, segment.SealedToRole(seal=anywhere, role=role))


def unpadded_blindly(plaintext: bytearray) -> bytes:
    """Return the payload without looking at the padding."""
    length = padding.payload_bytes(plaintext[:8], len(plaintext))
    return bytes(plaintext[8 : 8 + length])


def payload_bytes_blindly(length: bytes, bucket: int) -> int:
    """Return the told length without looking at the bucket."""
    return min(int.from_bytes(length, "big"), bucket - 8)


FAULTS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "skip-commitment-check": lambda: patch.object(chunked, "compare_digest", lambda *_: True),
    "reuse-chunk-counter": lambda: patch.object(chunked, "_nonce", lambda base, _: base.to_bytes(12, "big")),
    "reuse-nonce": lambda: patch.object(chunked, "Cobblestone256Encryptor", RepeatingEncryptor),
    "skip-last-chunk": lambda: patch(f"{__name__}.ChunkReader", LazyReader),
    "accept-unpadded": lambda: patch.object(padding, "unpadded", unpadded_blindly),
    "accept-any-bucket": lambda: patch.object(padding, "payload_bytes", payload_bytes_blindly),
    "skip-half-check": lambda: patch.object(segment, "_check_half", lambda *_: None),
    "half-without-role": lambda: patch.object(segment, "_role_info", roleless),
    "half-without-segment": lambda: patch.object(segment, "_role_info", segmentless),
    "skip-ciphertext-hash": lambda: patch.object(header.CiphertextCheck, "finish", lambda _: None),
    "skip-signature": lambda: patch.object(signing, "verify_bytes", lambda *_: None),
    "unbound-reply": lambda: patch.object(release, "info_for", unbound),
    "unbound-wrapping": lambda: patch.object(shred, "info_for", unbound),
    "recovery-without-check": lambda: patch.object(recovery, "_polymod", lambda _: recovery._BECH32M),  # noqa: SLF001
}


def run_checks() -> dict[str, str]:
    """Run every check from the same seed and return what failed, by name."""
    failed: dict[str, str] = {}
    for name, check in CHECKS.items():
        try:
            check(Random(f"{SEED}/{name}"))
        except Exception as error:  # noqa: BLE001 - a broken package may fail in any way; each counts
            failed[name] = f"{type(error).__name__}: {error}"
    return failed


@contextlib.contextmanager
def broken(name: str | None) -> Iterator[None]:
    """Build the named fault in, if there is one."""
    with FAULTS[name]() if name else contextlib.nullcontext():
        yield


def main() -> int:
    """Run the bench and return its exit code."""
    parser = argparse.ArgumentParser(description="how fast sealing is, and whether its checks can fail")
    parser.add_argument("--rounds", type=int, default=9, help="rounds of interleaved measurements")
    parser.add_argument("--break", dest="fault", choices=sorted(FAULTS), help="build this fault in")
    options = parser.parse_args()

    with broken(options.fault):
        failed = run_checks()
    for name, why in failed.items():
        print(f"check {name} failed: {why}")
    if options.fault or failed:
        print(json.dumps({"bench": "seal", "fault": options.fault, "failed": sorted(failed)}))
        return 1 if failed else 3  # 3: a fault that nothing noticed

    caught: dict[str, list[str]] = {}
    for fault in FAULTS:
        with broken(fault):
            caught[fault] = sorted(run_checks())
    unnoticed = sorted(fault for fault, by in caught.items() if not by)
    print(
        f"checks: {len(CHECKS)} pass; seeded faults: {len(FAULTS) - len(unnoticed)} of {len(FAULTS)} caught"
    )

    rng = Random(SEED)
    gc.disable()
    ratios: dict[str, dict[str, float]] = {}
    for size in SIZES:
        speeds = compare(size, options.rounds, rng)
        bare = speeds["aes_gcm_encrypt_into"]
        ratios[str(size)] = {name: round(speed / bare, 3) for name, speed in speeds.items()}
        print(f"\n{size:,} bytes; AES-256-GCM encrypt_into = 1.00 ({bare / 1e9:.1f} GB/s)")
        for name, speed in sorted(speeds.items(), key=lambda item: -item[1]):
            print(f"  {name:22} {speed / bare:6.2f}   {speed / 1e9:6.1f} GB/s")
    microseconds = small_operations(options.rounds, rng)
    print("\nmicroseconds")
    for name, value in microseconds.items():
        print(f"  {name:22} {value:10.1f}")
    result = {
        "bench": "seal",
        "ratios": ratios,
        "microseconds": microseconds,
        "evidence": {
            "samples": {"rounds": options.rounds, "sizes": len(SIZES), "checks": len(CHECKS), "flips": FLIPS},
            "seeds": [SEED],
            "seeded_faults": caught,
            "unnoticed": unnoticed,
        },
    }
    print(json.dumps(result))
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
