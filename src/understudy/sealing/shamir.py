"""Shamir's secret sharing over GF(256): the custodian's half in 2 of 3 shares.

Rules

* Each byte of the secret is the constant term of its own random polynomial of degree threshold - 1.
* The field is GF(2)[x] modulo x^8 + x^4 + x^3 + x + 1 (0x11b). Addition is XOR.
* A share is x (one byte, 1 to 255) ‖ y (as long as the secret). Role ``c1`` has x = 1, ``c2`` 2, ``c3`` 3.
* Fewer shares than the threshold say nothing. Sharing protects a secret at rest only: combined, it exists
  whole in one memory. Pure Python is not constant-time.

Example

>>> one, two, three = split(b"secret", threshold=2, count=3)
>>> combine([three, one], threshold=2)
bytearray(b'secret')
"""

import secrets
from collections.abc import Sequence

from understudy.sealing.errors import FormatError, SealError

_POLYNOMIAL = 0x11B
MAX_SHARES = 255


def split(secret: bytes | bytearray, *, threshold: int, count: int) -> tuple[bytes, ...]:
    """Return ``count`` shares of ``secret``, any ``threshold`` of which give it back.

    Raises:
        FormatError: not 1 <= threshold <= count <= 255, or an empty secret.
    """
    if not 1 <= threshold <= count <= MAX_SHARES or not secret:
        raise FormatError("a secret is split into 1 to 255 shares, with a threshold among them")
    higher = [secrets.token_bytes(len(secret)) for _ in range(threshold - 1)]
    return _evaluate(secret, higher, count)


def combine(shares: Sequence[bytes | bytearray], *, threshold: int) -> bytearray:
    """Return the secret; shares beyond the threshold must lie on the same polynomial.

    Raises:
        FormatError: too few shares, unequal lengths, an x of zero, or the same x twice.
        SealError: more shares than the threshold, and they disagree.
    """
    points = {share[0]: share[1:] for share in shares if share}
    lengths = {len(share) for share in shares}
    if len(shares) < threshold or len(points) != len(shares) or len(lengths) != 1 or 0 in points:
        raise FormatError(f"{threshold} different shares of equal length are needed")
    known = dict(list(points.items())[:threshold])
    if any(_interpolate(known, x) != y for x, y in points.items()):
        raise SealError("the shares do not belong together")
    return _interpolate(known, 0)


def _evaluate(secret: bytes | bytearray, higher: Sequence[bytes], count: int) -> tuple[bytes, ...]:
    """Return the shares for polynomials with the given coefficients of degree 1, 2 and up."""
    shares = []
    for x in range(1, count + 1):
        y = bytearray(len(secret))
        for coefficient in (*reversed(higher), secret):
            y = bytearray(_multiply(had, x) ^ more for had, more in zip(y, coefficient, strict=True))
        shares.append(bytes([x]) + bytes(y))
    return tuple(shares)


def _interpolate(points: dict[int, bytes | bytearray], at: int) -> bytearray:
    """Return the polynomials' values at ``at`` (Lagrange)."""
    out = bytearray(len(next(iter(points.values()))))
    for x, y in points.items():
        weight = 1
        for other in points:
            if other != x:
                weight = _multiply(weight, _multiply(at ^ other, _inverse(x ^ other)))
        for position, value in enumerate(y):
            out[position] ^= _multiply(weight, value)
    return out


def _multiply(left: int, right: int) -> int:
    product = 0
    for bit in range(8):
        product ^= (left << bit) * ((right >> bit) & 1)
    for bit in range(7, -1, -1):
        product ^= (_POLYNOMIAL << bit) * ((product >> (bit + 8)) & 1)
    return product


def _inverse(value: int) -> int:
    # The multiplicative group has 255 elements, so value ** 254 is the inverse.
    result = 1
    for _ in range(254):
        result = _multiply(result, value)
    return result
