"""The personal seed: 256 bits that only the participant's device and paper hold.

Rules

* Two keys come from it, by HKDF under two contexts: an HPKE key, which opens held recordings, the archive and
  the openings of one's log entries, and a signing key for devices, erasures, withdrawals and self-opens.
* The tag, by which everyone else knows the participant, is computed from programme and personal signing key,
  so the recovery code alone finds it again.
* The server never has the seed.

Example

>>> seed = PersonalSeed(bytes(32))
>>> PersonalSeed.from_recovery_code(seed.recovery_code()).signing.public == seed.signing.public
True
>>> seed
PersonalSeed()
"""

import secrets
from typing import Literal

from understudy.consent.contexts import Context
from understudy.consent.primitives import Value
from understudy.sealing.canonical import digest, octets
from understudy.sealing.errors import FormatError
from understudy.sealing.hpke import HpkePrivateKey
from understudy.sealing.info import info_for
from understudy.sealing.kdf import hkdf
from understudy.sealing.recovery import SEED_BYTES, decode_recovery, encode_recovery
from understudy.sealing.signing import SigningKey


class PersonalKeyInfo(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a personal key is derived for, beside its context."""

    version: Literal[1] = 1


class PersonalSeed:
    """The seed and the two keys made from it. Its ``repr`` shows nothing."""

    __slots__ = ("_raw", "hpke", "signing")

    def __init__(self, raw: bytes) -> None:
        """Derive both keys.

        Raises:
            FormatError: the seed is not 32 bytes.
        """
        if len(raw) != SEED_BYTES:
            raise FormatError(f"a personal seed has {SEED_BYTES} bytes")
        self._raw = bytes(raw)
        label = PersonalKeyInfo()
        self.hpke: HpkePrivateKey = HpkePrivateKey.from_seed(
            hkdf(self._raw, info_for(Context.PERSONAL_HPKE, label), 32)
        )
        self.signing: SigningKey = SigningKey.from_seed(
            bytes(hkdf(self._raw, info_for(Context.PERSONAL_SIGNING, label), 32))
        )

    @classmethod
    def generate(cls) -> "PersonalSeed":
        """Return a fresh seed."""
        return cls(secrets.token_bytes(SEED_BYTES))

    @classmethod
    def from_recovery_code(cls, code: str) -> "PersonalSeed":
        """Return the seed that a person typed in.

        Raises:
            RecoveryCodeError: the code was mistyped.
        """
        return cls(decode_recovery(code))

    @property
    def raw(self) -> bytes:
        """The 32 bytes; secret."""
        return self._raw

    def recovery_code(self) -> str:
        """Return the code to write down: whoever has it is the participant."""
        return encode_recovery(self._raw)

    def tag(self, programme: str) -> str:
        """Return the participant's tag in ``programme``."""
        return participant_tag(programme, self.signing.public)

    def __repr__(self) -> str:
        return "PersonalSeed()"


def participant_tag(programme: str, personal_signing: str) -> str:
    """Return SHA-256(context ‖ programme id ‖ personal signing public key), 43 characters.

    Args:
        programme: the programme id, 26 ASCII characters.
        personal_signing: the public key as base64url, 43 characters.

    Raises:
        FormatError: the key is not canonical base64url.
    """
    return digest(Context.TAG, programme.encode("ascii"), octets(personal_signing))
