"""The canonical spelling of large documents: the same bytes as ``sealing.canonical``, made faster.

Rules

* Documents here hold strings, booleans, nulls, integers below 2**53, lists and objects with ASCII names. On
  that domain msgspec's sorted encoding *is* RFC 8785; a test holds the two against each other.
* Reading is strict: bytes that are not the canonical spelling of what they decode to are refused.

Example

>>> from understudy.formats.report import Report
>>> spell(Report())
b'{"problems":[]}'
"""

from typing import TypeVar

import msgspec

from understudy.consent.primitives import Value
from understudy.sealing.errors import FormatError

T = TypeVar("T", bound=Value)

_ENCODER = msgspec.json.Encoder(order="sorted")


def spell(value: Value) -> bytes:
    """Return the canonical bytes of ``value``.

    Raises:
        FormatError: the value holds a lone surrogate or something that JSON cannot.
    """
    try:
        return _ENCODER.encode(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise FormatError(f"a {type(value).__name__} without a canonical form") from error


def read(kind: type[T], raw: bytes) -> T:
    """Return the ``kind`` that ``raw`` canonically spells. The caller has bounded ``raw``.

    Raises:
        FormatError: malformed, unknown or duplicate fields, or not canonical.
    """
    try:
        value = msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError(f"not a valid {kind.__name__}") from error
    if spell(value) != raw:
        raise FormatError(f"a {kind.__name__} that is not in canonical form")
    return value


def refit(value: T) -> T:
    """Return ``value`` as it would be read back, so that what is built in Python obeys the type's bounds.

    Raises:
        FormatError: the value breaks a bound or a pattern of its type.
    """
    return read(type(value), spell(value))
