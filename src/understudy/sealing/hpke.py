"""HPKE to one reader: RFC 9180 base mode, ML-KEM-768 + X25519, HKDF-SHA256, AES-256-GCM.

Rules

* One suite: KEM 0x647a (MLKEM768-X25519, also called X-Wing; draft-ietf-hpke-pq), KDF 0x0001, AEAD 0x0002.
* A private key is the KEM's 32-byte seed; SHAKE-256 expands it to the ML-KEM seed (64 bytes) and the X25519
  scalar (32 bytes), as the draft says. A public key is ML-KEM ‖ X25519, 1,216 bytes.
* A sealed message is ``enc`` (1,120 bytes) ‖ ciphertext ‖ tag (16 bytes), a single message with empty
  associated data: everything it is bound to is in its ``Info``.
* Base mode proves nothing about the sender. Authenticity comes from signatures, never from here.
* Every failure to open looks the same from outside.

Example

>>> from understudy.consent.contexts import Context
>>> from understudy.consent.primitives import Value
>>> from understudy.sealing.info import info_for
>>> class Subject(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
...     version: int
>>> key = HpkePrivateKey.generate()
>>> info = info_for(Context.SEALED_OPENING, Subject(version=1))
>>> key.open(info, key.public.seal(info, b"for you"))
b'for you'
"""

import hashlib
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from understudy.consent.contexts import Context
from understudy.consent.primitives import encode_bytes
from understudy.sealing.canonical import digest, octets
from understudy.sealing.errors import FormatError, SealError
from understudy.sealing.info import Info

KEM_ID: Final = 0x647A
KDF_ID: Final = 0x0001
AEAD_ID: Final = 0x0002
SEED_BYTES: Final = 32
PUBLIC_BYTES: Final = 1216
ENC_BYTES: Final = 1120
OVERHEAD_BYTES: Final = ENC_BYTES + 16
"""What sealing adds to the length of a plaintext."""

_MLKEM_SEED_BYTES: Final = 64
_MLKEM_PUBLIC_BYTES: Final = 1184
_SUITE: Final = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class HpkePublicKey:
    """A key that anyone can seal to: 1,216 bytes."""

    __slots__ = ("_key", "raw")

    def __init__(self, raw: bytes) -> None:
        """Read the ML-KEM-768 ‖ X25519 encoding.

        Raises:
            FormatError: wrong length, or not the encoding of an ML-KEM-768 key.
        """
        if len(raw) != PUBLIC_BYTES:
            raise FormatError(f"an HPKE public key has {PUBLIC_BYTES} bytes")
        try:
            self._key = MLKEM768X25519PublicKey(
                MLKEM768PublicKey.from_public_bytes(raw[:_MLKEM_PUBLIC_BYTES]),
                X25519PublicKey.from_public_bytes(raw[_MLKEM_PUBLIC_BYTES:]),
            )
        except ValueError as error:
            raise FormatError("not an ML-KEM-768 + X25519 public key") from error
        self.raw: bytes = bytes(raw)

    @classmethod
    def from_text(cls, text: str) -> "HpkePublicKey":
        """Return the key that an ``HpkePublic`` field spells.

        Raises:
            FormatError: not canonical base64url, or not a key.
        """
        return cls(octets(text))

    @property
    def text(self) -> str:
        """The key as an ``HpkePublic`` field: base64url, 1,622 characters."""
        return encode_bytes(self.raw)

    @property
    def key_hash(self) -> str:
        """The digest that log entries and requests name this key by, 43 characters."""
        return digest(Context.HPKE_KEY, self.raw)

    def seal(self, info: Info, plaintext: bytes | bytearray) -> bytes:
        """Return ``plaintext`` sealed to this key and bound to ``info``, 1,136 bytes longer.

        Raises:
            SealError: the X25519 part of the key is a point that no honest key is.
        """
        try:
            return _SUITE.encrypt(plaintext, self._key, info.raw)
        except ValueError as error:
            raise SealError("nothing can be sealed to this public key") from error

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HpkePublicKey) and other.raw == self.raw

    def __hash__(self) -> int:
        return hash(self.raw)

    def __repr__(self) -> str:
        return f"HpkePublicKey(key_hash={self.key_hash!r})"


class HpkePrivateKey:
    """A key that opens what was sealed to ``public``. Its ``repr`` shows nothing."""

    __slots__ = ("_key", "_seed", "public")

    def __init__(self, seed: bytes | bytearray) -> None:
        """Expand the 32-byte seed.

        Raises:
            FormatError: the seed is not 32 bytes.
        """
        if len(seed) != SEED_BYTES:
            raise FormatError(f"an HPKE seed has {SEED_BYTES} bytes")
        self._seed = bytes(seed)
        expanded = hashlib.shake_256(self._seed).digest(_MLKEM_SEED_BYTES + 32)
        lattice = MLKEM768PrivateKey.from_seed_bytes(expanded[:_MLKEM_SEED_BYTES])
        curve = X25519PrivateKey.from_private_bytes(expanded[_MLKEM_SEED_BYTES:])
        self._key = MLKEM768X25519PrivateKey(lattice, curve)
        self.public: HpkePublicKey = HpkePublicKey(
            lattice.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()
        )

    @classmethod
    def generate(cls) -> "HpkePrivateKey":
        """Return a fresh key."""
        return cls(secrets.token_bytes(SEED_BYTES))

    @classmethod
    def from_seed(cls, seed: bytes | bytearray) -> "HpkePrivateKey":
        """Return the key of a 32-byte seed, always the same one.

        Raises:
            FormatError: the seed is not 32 bytes.
        """
        return cls(seed)

    @property
    def seed(self) -> bytes:
        """The 32-byte seed; secret."""
        return self._seed

    def open(self, info: Info, sealed: bytes) -> bytes:
        """Return the plaintext of ``sealed``.

        Raises:
            SealError: another key, another ``info``, or bytes that were altered.
        """
        try:
            return _SUITE.decrypt(sealed, self._key, info.raw)
        except (InvalidTag, ValueError) as error:
            raise SealError("the message is not sealed to this key for this purpose") from error

    def __repr__(self) -> str:
        return f"HpkePrivateKey(key_hash={self.public.key_hash!r})"
