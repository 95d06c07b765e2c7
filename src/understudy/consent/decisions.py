"""A decision is a value that carries its reasons; nobody passes a bare boolean.

Example

>>> Refused(reason="expired", hint="ask again").reason
'expired'
"""

from understudy.consent.primitives import Value


class Allowed(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="allowed", tag_field="kind"):
    """Yes, and because of which rules."""

    because: tuple[str, ...] = ()


class Refused(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="refused", tag_field="kind"):
    """No: a stable code, and what the person can do about it."""

    reason: str
    hint: str = ""


Decision = Allowed | Refused
