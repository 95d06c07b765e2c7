"""Make this folder's vectors anew: ``python tests/vectors/sealing/make.py`` from the repository root.

Everything that the format leaves to chance (HPKE's ephemeral keys, salts, halves, nonces) comes out different
each time, and so do the values below that depend on it. Everything else comes from the fixed seeds here. The
committed vectors are normative: make them anew only together with a new version of the format.
"""

import io
import json
import tempfile
from pathlib import Path
from random import Random

from understudy.consent.contexts import Context
from understudy.consent.primitives import encode_bytes
from understudy.sealing import chunked, padding, shamir
from understudy.sealing.canonical import canonical, digest
from understudy.sealing.half import Half
from understudy.sealing.header import SealContext, SegmentHeader, verify_header
from understudy.sealing.held import HeldContext, held_writer
from understudy.sealing.hpke import HpkePrivateKey
from understudy.sealing.info import info_for
from understudy.sealing.kdf import hkdf
from understudy.sealing.keyfile import create_signing
from understudy.sealing.personal import PersonalKeyInfo, PersonalSeed
from understudy.sealing.release import ReleaseContext, seal_halves
from understudy.sealing.segment import _segment_key, open_half, seal_segment
from understudy.sealing.shred import ShredKey
from understudy.sealing.signing import SigningKey

FOLDER = Path(__file__).parent


def seed(number: int) -> bytes:
    """Return the 32-byte seed with this number."""
    return bytes([number] * 32)


def identifier(prefix: str, number: int) -> str:
    """Return the id with this number."""
    return f"{prefix}_{encode_bytes(bytes([number] * 16))}"


def seal_context() -> SealContext:
    """Return the seal context of the vectors."""
    return SealContext(
        kind="recording",
        programme=identifier("prg", 1),
        tag=PersonalSeed(seed(1)).tag(identifier("prg", 1)),
        recording=identifier("rec", 2),
        segment=identifier("seg", 3),
        consent=encode_bytes(seed(4)),
        key_set=encode_bytes(seed(5)),
        escrow_key=identifier("esc", 6),
        application_group="office",
        task_label="expenses",
    )


def segment() -> dict[str, object]:
    """Return a sealed segment; its ciphertext goes into a file of its own."""
    device = SigningKey.from_seed(seed(10))
    escrow, custodian = HpkePrivateKey(seed(11)), HpkePrivateKey(seed(12))
    payload = Random(13).randbytes(1_000)
    bundle = seal_segment(
        payload,
        seal_context(),
        previous=encode_bytes(seed(14)),
        lease_root=encode_bytes(seed(15)),
        redaction=encode_bytes(seed(16)),
        device=device,
        escrow=escrow.public,
        custodian=custodian.public,
    )
    header = verify_header(bundle.header, {device.public})
    half_p = open_half("p", header, bundle.halves[0], escrow)
    half_c = open_half("c", header, bundle.halves[1], custodian)
    (FOLDER / "segment.ciphertext").write_bytes(bundle.ciphertext)
    return {
        "device_seed": encode_bytes(device.seed),
        "escrow_seed": encode_bytes(escrow.seed),
        "custodian_seed": encode_bytes(custodian.seed),
        "header": bundle.header.raw.decode(),
        "header_hash": bundle.header.hash(SegmentHeader),
        "signature": bundle.header.signatures[0].signature,
        "sealed_halves": [half.sealed for half in bundle.halves],
        "half_p": encode_bytes(bytes(half_p.raw)),
        "half_c": encode_bytes(bytes(half_c.raw)),
        "key": encode_bytes(bytes(_segment_key(header.seal, half_p, half_c).raw)),
        "payload": encode_bytes(payload),
    }


def keys() -> dict[str, object]:
    """Return keys, digests and codes: the part without chance."""
    personal = PersonalSeed(seed(1))
    label = info_for(Context.PERSONAL_HPKE, PersonalKeyInfo())
    key = HpkePrivateKey(seed(2))
    secret, slope = bytes(range(32)), bytes(range(100, 132))
    return {
        "info": {"bytes": label.raw.hex(), "chunk_context": label.chunk_context.hex()},
        "hkdf": {"secret": encode_bytes(seed(3)), "output": encode_bytes(bytes(hkdf(seed(3), label, 42)))},
        "seal_context": {
            "bytes": canonical(seal_context()).decode(),
            "chunk_context": info_for(Context.SEAL_CONTEXT, seal_context()).chunk_context.hex(),
        },
        "hpke": {"seed": encode_bytes(key.seed), "public": key.public.text, "key_hash": key.public.key_hash},
        "personal": {
            "seed": encode_bytes(personal.raw),
            "recovery_code": personal.recovery_code(),
            "signing_public": personal.signing.public,
            "hpke_key_hash": personal.hpke.public.key_hash,
            "programme": identifier("prg", 1),
            "tag": personal.tag(identifier("prg", 1)),
        },
        "commitment": {"half": encode_bytes(seed(8)), "commitment": Half("p", seed(8)).commitment},
        "shamir": {
            "secret": secret.hex(),
            "slope": slope.hex(),
            "shares": [share.hex() for share in shamir._evaluate(secret, [slope], 3)],  # noqa: SLF001
        },
        "buckets": {
            str(size): padding.bucket_bytes(size) for size in (0, 65_528, 65_529, 1_000_000, 67_108_856)
        },
        "shred_key": {"key": encode_bytes(seed(7)), "name": ShredKey(seed(7)).name},
    }


def sealed() -> dict[str, object]:
    """Return small sealed things, each with the key that opens it."""
    reader, personal, shred = HpkePrivateKey(seed(20)), PersonalSeed(seed(1)), ShredKey(seed(7))
    release = ReleaseContext(role="c", leaf=encode_bytes(seed(21)), request=encode_bytes(seed(22)))
    held = HeldContext(
        programme=identifier("prg", 1),
        tag=personal.tag(identifier("prg", 1)),
        recording=identifier("rec", 2),
        part=identifier("seg", 3),
        revision=3,
    )
    sink = io.BytesIO()
    with held_writer(sink, personal.hpke.public, held) as writer:
        writer.write(b"a held segment")
    context = info_for(Context.SEAL_CONTEXT, seal_context()).chunk_context
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.key"
        create_signing(path, passphrase="synthetic passphrase", key=SigningKey.from_seed(seed(10)))
        locked = path.read_text()
        path.unlink()
        create_signing(path, key=SigningKey.from_seed(seed(10)))
        bare = path.read_text()
    return {
        "chunked": {
            "key": encode_bytes(seed(23)),
            "context": context.hex(),
            "plaintext": "a short message",
            "ciphertext": encode_bytes(
                chunked.encrypt(chunked.ChunkKey(seed(23)), context, b"a short message")
            ),
        },
        "release": {
            "reader_seed": encode_bytes(reader.seed),
            "context": canonical(release).decode(),
            "segment": identifier("seg", 3),
            "half": encode_bytes(seed(8)),
            "sealed": encode_bytes(
                seal_halves(release, {identifier("seg", 3): Half("c", seed(8))}, reader.public)
            ),
        },
        "held": {
            "personal_seed": encode_bytes(personal.raw),
            "context": canonical(held).decode(),
            "file": encode_bytes(sink.getvalue()),
            "content": "a held segment",
        },
        "shred": {
            "key": encode_bytes(shred.raw),
            "wrapped": canonical(shred.wrap(identifier("esc", 6), HpkePrivateKey(seed(11)))).decode(),
            "escrow_seed": encode_bytes(seed(11)),
        },
        "key_file": {
            "seed": encode_bytes(seed(10)),
            "bare": bare,
            "locked": locked,
            "passphrase": "synthetic passphrase",
        },
    }


def main() -> None:
    """Write the vectors beside this file."""
    everything = {"keys": keys(), "sealed": sealed(), "segment": segment()}
    everything["segment"]["ciphertext_hash"] = digest(
        Context.CIPHERTEXT, (FOLDER / "segment.ciphertext").read_bytes()
    )
    (FOLDER / "vectors.json").write_text(json.dumps(everything, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
