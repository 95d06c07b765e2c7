"""Public vectors of C2SP/wycheproof; every count is printed: run, agree, differ, skipped."""

import hashlib
import io
import json
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from understudy.sealing.chunked import CHUNK_BYTES, ChunkKey, ChunkReader, decrypt
from understudy.sealing.errors import FormatError, SealError, SignatureError
from understudy.sealing.info import ChunkContext
from understudy.sealing.kdf import _hkdf_sha256
from understudy.sealing.signing import verify_note


def _cases(folder: Path, name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for group in json.loads((folder / name).read_text())["testGroups"]:
        for case in group["tests"]:
            yield group, case


def _publish(capsys: pytest.CaptureFixture[str], name: str, counts: Counter[str]) -> None:
    run = counts["agree"] + counts["differ"]
    with capsys.disabled():
        print(  # noqa: T201 - the counts are the result
            f"\n{name}: {run} run, {counts['agree']} agree, {counts['differ']} differ, "
            f"{counts['skipped']} skipped{' (nonce size unsupported)' if counts['skipped'] else ''}"
        )


def test_aes_gcm_agrees_with_wycheproof(wycheproof: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counts: Counter[str] = Counter()
    for _, case in _cases(wycheproof, "aes_gcm_test.json"):
        key, nonce, aad, message, ct, tag = (
            bytes.fromhex(case[name]) for name in ("key", "iv", "aad", "msg", "ct", "tag")
        )
        try:
            opened = AESGCM(key).decrypt(nonce, ct + tag, aad) == message
            if opened:
                opened = AESGCM(key).encrypt(nonce, message, aad) == ct + tag
        except InvalidTag:
            opened = False
        except ValueError:
            if case["result"] == "valid":
                counts["skipped"] += 1  # the library takes nonces of 8 to 128 bytes only
                continue
            opened = False
        counts["agree" if opened == (case["result"] == "valid") else "differ"] += 1
    _publish(capsys, "AES-GCM", counts)
    assert counts["differ"] == 0
    assert (counts["agree"], counts["skipped"]) == (289, 27)


def test_ed25519_agrees_with_wycheproof(wycheproof: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counts: Counter[str] = Counter()
    for group, case in _cases(wycheproof, "ed25519_test.json"):
        try:
            verify_note(
                bytes.fromhex(group["publicKey"]["pk"]),
                bytes.fromhex(case["msg"]),
                bytes.fromhex(case["sig"]),
            )
            verified = True
        except SignatureError:
            verified = False
        counts["agree" if verified == (case["result"] == "valid") else "differ"] += 1
    _publish(capsys, "Ed25519", counts)
    assert counts == {"agree": 151}


def test_hkdf_sha256_agrees_with_wycheproof(wycheproof: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counts: Counter[str] = Counter()
    for _, case in _cases(wycheproof, "hkdf_sha256_test.json"):
        try:
            given = _hkdf_sha256(
                bytes.fromhex(case["ikm"]),
                salt=bytes.fromhex(case["salt"]),
                info=bytes.fromhex(case["info"]),
                length=case["size"],
            )
            agrees = given == bytes.fromhex(case["okm"]) and case["result"] == "valid"
        except FormatError:
            agrees = case["result"] == "invalid"
        counts["agree" if agrees else "differ"] += 1
    _publish(capsys, "HKDF-SHA256", counts)
    assert counts == {"agree": 86}


def _is_message(case: dict[str, Any], plaintext: bytes | bytearray) -> bool:
    return bool(
        len(plaintext) == case["msgLength"] and hashlib.sha512(plaintext).hexdigest() == case["msgSha512"]
    )


def _whole(case: dict[str, Any]) -> bool:
    """Decrypt at once: the message, or nothing at all."""
    ciphertext = zlib.decompress(bytes.fromhex(case["ct"]))
    try:
        key = ChunkKey(bytes.fromhex(case["key"]))
        plaintext = decrypt(key, ChunkContext(bytes.fromhex(case["ctx"])), ciphertext)
    except (SealError, FormatError):
        return bool(case["result"] == "invalid")
    return bool(case["result"] == "valid") and _is_message(case, plaintext)


def _sequential(case: dict[str, Any]) -> bool:
    """Read chunk by chunk: the message, or a verified prefix of it and then errors for good."""
    ciphertext = zlib.decompress(bytes.fromhex(case["ct"]))
    flags = set(case["flags"])
    try:
        key = ChunkKey(bytes.fromhex(case["key"]))
        reader = ChunkReader(io.BytesIO(ciphertext), key, ChunkContext(bytes.fromhex(case["ctx"])))
    except (SealError, FormatError):
        # The length is authenticated on opening: that may succeed for exactly the flagged ones.
        return bool(case["result"] == "invalid") and "ValidFinalChunk" not in flags
    if case["result"] == "invalid" and "ValidFinalChunk" not in flags:
        return False
    got = bytearray()
    try:
        while part := reader.read(CHUNK_BYTES):
            got += part
    except SealError:
        with pytest.raises(SealError):
            reader.read(1)
        is_prefix = _is_message(case, got) if "PartialPlaintext" in flags else not got
        return bool(case["result"] == "invalid") and is_prefix
    return bool(case["result"] == "valid") and _is_message(case, got)


@pytest.mark.parametrize("check", [_whole, _sequential], ids=["whole message", "random access reader"])
def test_chunked_encryption_agrees_with_wycheproof(
    check: Any, wycheproof: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counts: Counter[str] = Counter()
    for _, case in _cases(wycheproof, "c2sp_chunked_encryption_aes_256_gcm_test.json"):
        counts["agree" if check(case) else "differ"] += 1
    _publish(capsys, f"C2SP chunked encryption, {check.__name__.strip('_')}", counts)
    assert counts == {"agree": 35}
