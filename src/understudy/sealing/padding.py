"""Padding: a segment shows the server a size bucket, not its size.

Rules

* Padded plaintext is the payload's length (8 bytes, big-endian) ‖ payload ‖ zeros.
* Its length is the smallest power of two that fits, from 64 KiB to 64 MiB. A payload has one
  padding.
* Whoever opens refuses another bucket and any byte of padding that is not zero.

Example

>>> bucket_bytes(1), bucket_bytes(65_528), bucket_bytes(65_529)
(65536, 65536, 131072)
"""

from typing import Final

from understudy.sealing.canonical import Octets
from understudy.sealing.chunked import ciphertext_bytes
from understudy.sealing.errors import FormatError, SealError

LENGTH_BYTES: Final = 8
MIN_BUCKET_BYTES: Final = 1 << 16
MAX_BUCKET_BYTES: Final = 1 << 26
MAX_PAYLOAD_BYTES: Final = MAX_BUCKET_BYTES - LENGTH_BYTES

CIPHERTEXT_SIZES: Final = frozenset(ciphertext_bytes(1 << power) for power in range(16, 27))
"""Every length that the ciphertext of a segment can have."""


def bucket_bytes(payload_bytes: int) -> int:
    """Return the length of the padded plaintext for ``payload_bytes`` of payload.

    Raises:
        FormatError: more than ``MAX_PAYLOAD_BYTES``.
    """
    if payload_bytes > MAX_PAYLOAD_BYTES:
        raise FormatError(
            f"a segment holds at most {MAX_PAYLOAD_BYTES} bytes",
            hint="cut the recording into shorter segments",
        )
    return max(MIN_BUCKET_BYTES, 1 << (payload_bytes + LENGTH_BYTES - 1).bit_length())


def padded(payload: Octets) -> tuple[bytes, Octets, bytes]:
    """Return length, payload and zeros: the parts of the padded plaintext.

    Raises:
        FormatError: the payload is too large.
    """
    zeros = bucket_bytes(len(payload)) - LENGTH_BYTES - len(payload)
    return len(payload).to_bytes(LENGTH_BYTES, "big"), payload, bytes(zeros)


def payload_bytes(length: Octets, bucket: int) -> int:
    """Return the payload's length that the first 8 bytes of a padded plaintext of ``bucket`` bytes tell.

    Raises:
        SealError: that payload would have been padded to another bucket.
    """
    told = int.from_bytes(length, "big")
    if told > MAX_PAYLOAD_BYTES or bucket_bytes(told) != bucket:
        raise SealError("the padding does not fit the payload")
    return told


def unpadded(plaintext: bytearray) -> bytes:
    """Return the payload of a padded plaintext.

    Raises:
        SealError: wrong bucket, or padding that is not zero.
    """
    length = payload_bytes(plaintext[:LENGTH_BYTES], len(plaintext))
    end = LENGTH_BYTES + length
    if not plaintext.endswith(bytes(len(plaintext) - end)):
        raise SealError("the padding is not zero")
    with memoryview(plaintext) as view:
        return bytes(view[LENGTH_BYTES:end])
