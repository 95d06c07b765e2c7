"""The committed vectors of ``docs/formats/sealing.md`` hold: what was sealed once opens for good."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from understudy.consent.contexts import Context
from understudy.consent.primitives import decode_bytes, encode_bytes
from understudy.sealing import shamir
from understudy.sealing.canonical import canonical, digest, parse
from understudy.sealing.chunked import ChunkKey, ChunkReader, decrypt
from understudy.sealing.half import Half
from understudy.sealing.header import (
    SealContext,
    SealedHalf,
    SegmentHeader,
    check_sealed_halves,
    verify_header,
)
from understudy.sealing.held import HeldContext, held_reader
from understudy.sealing.hpke import HpkePrivateKey
from understudy.sealing.info import ChunkContext, info_for
from understudy.sealing.kdf import hkdf
from understudy.sealing.keyfile import load_signing, protection_of
from understudy.sealing.padding import bucket_bytes
from understudy.sealing.personal import PersonalKeyInfo, PersonalSeed
from understudy.sealing.release import ReleaseContext, open_halves
from understudy.sealing.segment import _segment_key, open_half, open_segment, read_segment
from understudy.sealing.shred import ShredKey, WrappedKey
from understudy.sealing.signing import Signature, Signed, SigningKey, sign


@pytest.fixture(scope="module")
def known(vectors: Path) -> Any:
    return json.loads((vectors / "vectors.json").read_text())


def test_info_and_derivation(known: Any) -> None:
    keys = known["keys"]
    label = info_for(Context.PERSONAL_HPKE, PersonalKeyInfo())
    assert label.raw.hex() == keys["info"]["bytes"]
    assert label.chunk_context.hex() == keys["info"]["chunk_context"]
    derived = hkdf(decode_bytes(keys["hkdf"]["secret"]), label, 42)
    assert encode_bytes(bytes(derived)) == keys["hkdf"]["output"]
    seal = parse(SealContext, keys["seal_context"]["bytes"].encode())
    assert info_for(Context.SEAL_CONTEXT, seal).chunk_context.hex() == keys["seal_context"]["chunk_context"]


def test_keys_and_their_names(known: Any) -> None:
    keys = known["keys"]
    hpke = HpkePrivateKey(decode_bytes(keys["hpke"]["seed"]))
    assert (hpke.public.text, hpke.public.key_hash) == (keys["hpke"]["public"], keys["hpke"]["key_hash"])
    shred = ShredKey(decode_bytes(keys["shred_key"]["key"]))
    assert shred.name == keys["shred_key"]["name"]
    assert Half("p", decode_bytes(keys["commitment"]["half"])).commitment == keys["commitment"]["commitment"]


def test_personal_keys_tag_and_recovery_code(known: Any) -> None:
    expected = known["keys"]["personal"]
    for personal in (
        PersonalSeed(decode_bytes(expected["seed"])),
        PersonalSeed.from_recovery_code(expected["recovery_code"]),
    ):
        assert personal.recovery_code() == expected["recovery_code"]
        assert personal.signing.public == expected["signing_public"]
        assert personal.hpke.public.key_hash == expected["hpke_key_hash"]
        assert personal.tag(expected["programme"]) == expected["tag"]


def test_shares_and_buckets(known: Any) -> None:
    expected = known["keys"]["shamir"]
    secret, slope = bytes.fromhex(expected["secret"]), bytes.fromhex(expected["slope"])
    shares = [bytes.fromhex(share) for share in expected["shares"]]
    assert list(shamir._evaluate(secret, [slope], 3)) == shares  # noqa: SLF001 - fixed coefficients
    assert shamir.combine(shares[1:], threshold=2) == secret
    for size, bucket in known["keys"]["buckets"].items():
        assert bucket_bytes(int(size)) == bucket


def test_the_sealed_segment_opens(known: Any, vectors: Path) -> None:
    expected = known["segment"]
    device = SigningKey.from_seed(decode_bytes(expected["device_seed"]))
    ciphertext = (vectors / "segment.ciphertext").read_bytes()
    signed = Signed(
        body=encode_bytes(expected["header"].encode()),
        signatures=(Signature(key=device.public, signature=expected["signature"]),),
    )
    header = verify_header(signed, {device.public})
    assert sign(header, device) == signed  # Ed25519 is deterministic
    assert canonical(header).decode() == expected["header"]
    assert signed.hash(SegmentHeader) == expected["header_hash"]
    assert digest(Context.CIPHERTEXT, ciphertext) == expected["ciphertext_hash"] == header.ciphertext_hash
    p, c = expected["sealed_halves"]
    sealed = (SealedHalf(role="p", sealed=p), SealedHalf(role="c", sealed=c))
    check_sealed_halves(header, sealed)
    half_p = open_half("p", header, sealed[0], HpkePrivateKey(decode_bytes(expected["escrow_seed"])))
    half_c = open_half("c", header, sealed[1], HpkePrivateKey(decode_bytes(expected["custodian_seed"])))
    assert encode_bytes(bytes(half_p.raw)) == expected["half_p"]
    assert encode_bytes(bytes(half_c.raw)) == expected["half_c"]
    assert encode_bytes(bytes(_segment_key(header.seal, half_p, half_c).raw)) == expected["key"]
    assert encode_bytes(open_segment(header, ciphertext, half_p, half_c)) == expected["payload"]
    reader = read_segment(header, io.BytesIO(ciphertext), half_p, half_c)
    assert encode_bytes(reader.read() or b"") == expected["payload"]


def test_small_sealed_things_open(known: Any) -> None:
    chunked, release, held, shred = (
        known["sealed"][name] for name in ("chunked", "release", "held", "shred")
    )
    key, context = ChunkKey(decode_bytes(chunked["key"])), ChunkContext(bytes.fromhex(chunked["context"]))
    ciphertext = decode_bytes(chunked["ciphertext"])
    assert decrypt(key, context, ciphertext).decode() == chunked["plaintext"]
    assert (ChunkReader(io.BytesIO(ciphertext), key, context).read() or b"").decode() == chunked["plaintext"]

    halves = open_halves(
        parse(ReleaseContext, release["context"].encode()),
        decode_bytes(release["sealed"]),
        HpkePrivateKey(decode_bytes(release["reader_seed"])),
    )
    assert {name: encode_bytes(bytes(half.raw)) for name, half in halves.items()} == {
        release["segment"]: release["half"]
    }

    reader = held_reader(
        io.BytesIO(decode_bytes(held["file"])),
        PersonalSeed(decode_bytes(held["personal_seed"])).hpke,
        parse(HeldContext, held["context"].encode()),
    )
    assert (reader.read() or b"").decode() == held["content"]

    wrapped = parse(WrappedKey, shred["wrapped"].encode())
    escrow = ShredKey(decode_bytes(shred["key"])).unwrap(wrapped)
    assert encode_bytes(escrow.seed) == shred["escrow_seed"]


def test_key_files_load(known: Any, tmp_path: Path) -> None:
    expected = known["sealed"]["key_file"]
    for name, passphrase in (("bare", None), ("locked", expected["passphrase"])):
        path = tmp_path / name
        path.touch(mode=0o600)
        path.write_text(expected[name])
        assert encode_bytes(load_signing(path, passphrase=passphrase).seed) == expected["seed"]
        assert protection_of(path) == ("none" if passphrase is None else "passphrase")
