"""Sealed to one key for one purpose; checked against a decryptor written from the specifications alone."""

import hashlib
import hmac
from typing import Literal

import pytest
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.consent.contexts import Context
from understudy.consent.primitives import Text, Value
from understudy.sealing.canonical import digest
from understudy.sealing.errors import FormatError, SealError
from understudy.sealing.hpke import (
    ENC_BYTES,
    OVERHEAD_BYTES,
    PUBLIC_BYTES,
    HpkePrivateKey,
    HpkePublicKey,
)
from understudy.sealing.info import Info, info_for


class Subject(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: Literal[1] = 1
    about: Text


INFO = info_for(Context.SEALED_OPENING, Subject(about="one"))
KEY = HpkePrivateKey.from_seed(bytes(range(32)))
OTHER = HpkePrivateKey.from_seed(bytes(range(1, 33)))
SEALED = KEY.public.seal(INFO, b"a half of 32 bytes, nearly......")


def _open_by_the_book(seed: bytes, info: bytes, sealed: bytes) -> bytes:
    """Open with RFC 9180 and draft-ietf-hpke-pq (KEM 0x647a) spelled out."""
    expanded = hashlib.shake_256(seed).digest(96)
    lattice = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
    curve = X25519PrivateKey.from_private_bytes(expanded[64:])
    enc_m, enc_x, ciphertext = sealed[:1088], sealed[1088:1120], sealed[1120:]
    secret = hashlib.sha3_256(
        lattice.decapsulate(enc_m)
        + curve.exchange(X25519PublicKey.from_public_bytes(enc_x))
        + enc_x
        + curve.public_key().public_bytes_raw()
        + rb"\.//^"
        + b"\\"
    ).digest()
    suite = b"HPKE" + bytes.fromhex("647a00010002")

    def extract(salt: bytes, label: bytes, ikm: bytes) -> bytes:
        return hmac.digest(salt, b"HPKE-v1" + suite + label + ikm, "sha256")

    def expand(prk: bytes, label: bytes, context: bytes, length: int) -> bytes:
        labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + context
        return hmac.digest(prk, labelled + b"\x01", "sha256")[:length]

    schedule = b"\x00" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", info)
    prk = extract(secret, b"secret", b"")
    nonce = expand(prk, b"base_nonce", schedule, 12)
    return AESGCM(expand(prk, b"key", schedule, 32)).decrypt(nonce, ciphertext, b"")


@settings(max_examples=20)
@given(st.binary(min_size=32, max_size=32), st.text(max_size=50), st.binary(max_size=200))
def test_the_suite_is_mlkem768_x25519_hkdf_sha256_aes_256_gcm(
    seed: bytes, about: str, plaintext: bytes
) -> None:
    key = HpkePrivateKey.from_seed(seed)
    info = info_for(Context.RELEASED_HALVES, Subject(about=about))
    sealed = key.public.seal(info, plaintext)
    assert len(sealed) == len(plaintext) + OVERHEAD_BYTES
    assert key.open(info, sealed) == plaintext
    assert _open_by_the_book(seed, info.raw, sealed) == plaintext


def test_sealing_twice_gives_different_bytes() -> None:
    assert KEY.public.seal(INFO, b"") != KEY.public.seal(INFO, b"")


@pytest.mark.parametrize(
    "info",
    [
        info_for(Context.SEALED_OPENING, Subject(about="two")),
        info_for(Context.RELEASED_HALVES, Subject(about="one")),
    ],
    ids=["another value", "another context"],
)
def test_another_purpose_does_not_open(info: Info) -> None:
    with pytest.raises(SealError):
        KEY.open(info, SEALED)


def test_another_key_does_not_open() -> None:
    with pytest.raises(SealError):
        OTHER.open(INFO, SEALED)


@settings(max_examples=60)
@given(st.integers(0, 8 * len(SEALED) - 1))
def test_no_flipped_bit_opens(bit: int) -> None:
    changed = bytearray(SEALED)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SealError):
        KEY.open(INFO, bytes(changed))


@settings(max_examples=40)
@given(st.integers(0, len(SEALED) - 1), st.binary(min_size=1, max_size=20))
def test_no_shorter_or_longer_message_opens(cut: int, more: bytes) -> None:
    for changed in (SEALED[:cut], SEALED + more):
        with pytest.raises(SealError):
            KEY.open(INFO, changed)


def test_an_ephemeral_point_of_small_order_does_not_open() -> None:
    with pytest.raises(SealError):
        KEY.open(INFO, SEALED[: ENC_BYTES - 32] + bytes(32) + SEALED[ENC_BYTES:])


def test_nothing_is_sealed_to_a_public_point_of_small_order() -> None:
    weak = HpkePublicKey(KEY.public.raw[:-32] + bytes(32))
    with pytest.raises(SealError):
        weak.seal(INFO, b"secret")


@pytest.mark.parametrize(
    "raw", [b"", bytes(PUBLIC_BYTES - 1), bytes(PUBLIC_BYTES + 1), b"\xff" * PUBLIC_BYTES]
)
def test_what_is_no_public_key_is_refused(raw: bytes) -> None:
    with pytest.raises(FormatError):
        HpkePublicKey(raw)


def test_a_public_key_has_one_text_and_one_hash() -> None:
    again = HpkePublicKey.from_text(KEY.public.text)
    assert again == KEY.public
    assert len({again, KEY.public}) == 1
    assert len(KEY.public.text) == 1_622
    assert KEY.public.key_hash == digest(Context.HPKE_KEY, KEY.public.raw)
    with pytest.raises(FormatError):
        HpkePublicKey.from_text(KEY.public.text[:-1] + "B")


def test_a_private_key_is_its_seed_and_shows_nothing() -> None:
    assert HpkePrivateKey.from_seed(KEY.seed).public == KEY.public
    assert HpkePrivateKey.generate().public != HpkePrivateKey.generate().public
    assert KEY.public.key_hash in repr(KEY)
    assert KEY.seed.hex() not in repr(KEY)
    for length in (0, 31, 33, 64, 96):
        with pytest.raises(FormatError):
            HpkePrivateKey(bytes(length))
