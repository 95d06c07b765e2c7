"""AES-256-GCM for a single small secret, bound to an ``Info``. Inside this package only.

Rules

* The nonce is 12 random bytes, stored beside; one key wraps far fewer than 2**32 secrets.
* Associated data is the ``Info``: a box opens for exactly the purpose it was made for.

Example: ``open_box(key, info, box_for(key, info, secret)) == secret``.
"""

import secrets
from typing import Annotated, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Meta

from understudy.consent.primitives import Value, encode_bytes
from understudy.sealing.canonical import octets
from understudy.sealing.errors import SealError
from understudy.sealing.info import Info

_NONCE_BYTES: Final = 12


class Box(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A nonce, and a secret of 32 bytes with its tag."""

    nonce: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{16}$(?!\n)")]
    sealed: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{64}$(?!\n)")]


def box_for(key: bytes | bytearray, info: Info, secret: bytes | bytearray) -> Box:
    """Return 32 bytes of ``secret`` encrypted under a 32-byte ``key`` and bound to ``info``."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, secret, info.raw)
    return Box(nonce=encode_bytes(nonce), sealed=encode_bytes(sealed))


def open_box(key: bytes | bytearray, info: Info, box: Box) -> bytes:
    """Return the secret.

    Raises:
        SealError: another key, another ``info``, or an altered box.
        FormatError: not canonical base64url.
    """
    try:
        return AESGCM(key).decrypt(octets(box.nonce), octets(box.sealed), info.raw)
    except (InvalidTag, ValueError) as error:
        raise SealError("the secret is not wrapped under this key for this purpose") from error
