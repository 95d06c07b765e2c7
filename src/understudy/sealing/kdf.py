"""HKDF-SHA256 (RFC 5869), bound to a context.

Rules

* The salt is empty: every secret derived from is uniformly random already.
* Output goes into a ``bytearray`` that its owner can overwrite; Python keeps no promise about other copies.

Example: ``hkdf(seed, info_for(Context.PERSONAL_SIGNING, label), 32)``.
"""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from understudy.sealing.errors import FormatError
from understudy.sealing.info import Info

MAX_LENGTH = 255 * 32
"""Most bytes that HKDF-SHA256 can give (RFC 5869, section 2.3)."""


def hkdf(secret: bytes | bytearray, info: Info, length: int) -> bytearray:
    """Return ``length`` bytes derived from ``secret`` for ``info``.

    Raises:
        FormatError: ``length`` is not between 1 and 8,160.
    """
    return _hkdf_sha256(secret, salt=b"", info=info.raw, length=length)


def _hkdf_sha256(secret: bytes | bytearray, *, salt: bytes, info: bytes, length: int) -> bytearray:
    """Return the output of HKDF-SHA256 as RFC 5869 defines it, any salt and info."""
    if not 1 <= length <= MAX_LENGTH:
        raise FormatError(f"HKDF-SHA256 gives 1 to {MAX_LENGTH} bytes")
    out = bytearray(length)
    HKDF(SHA256(), length, salt, info).derive_into(secret, out)
    return out
