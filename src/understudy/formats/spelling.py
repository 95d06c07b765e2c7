"""The canonical spelling inside the formats: that of ``sealing.canonical``, for bytes already bounded.

Rules

* A format bounds its chunks itself, some above ``MAX_DOCUMENT_BYTES``; ``read`` sets no bound of its own.
* Reading is strict: bytes that are not the canonical spelling of what they decode to are refused.

Example

>>> from understudy.formats.report import Report
>>> spell(Report())
b'{"problems":[]}'
"""

from typing import TypeVar

from understudy.consent.primitives import Value
from understudy.sealing.canonical import canonical as spell
from understudy.sealing.canonical import parse

__all__ = ["read", "refit", "spell"]

T = TypeVar("T", bound=Value)


def read(kind: type[T], raw: bytes) -> T:
    """Return the ``kind`` that ``raw`` canonically spells. The caller has bounded ``raw``.

    Raises:
        FormatError: malformed, unknown or duplicate fields, or not canonical.
    """
    return parse(kind, raw, limit=len(raw))


def refit(value: T) -> T:
    """Return ``value`` as it would be read back, so that what is built in Python obeys the type's bounds.

    Raises:
        FormatError: the value breaks a bound or a pattern of its type.
    """
    return read(type(value), spell(value))
