"""Canonical bytes: the one spelling of a value, and the digests taken over it.

Rules

* A document's bytes are its RFC 8785 canonical JSON. Values hold strings, booleans, lists, objects and
  integers below 2**53 only: no floats, no nulls except optional fields that say so.
* Reading is strict: the bytes must equal the canonical encoding of what they decode to. Duplicate keys,
  unknown fields, other spacing, other key order and non-canonical base64url are all refused that way.
* Where a type holds nothing but strings, booleans, nulls, integers, lists and structs with ASCII names,
  msgspec's sorted encoding *is* RFC 8785 and is taken, ten times as fast. Anything else, and any number of
  sixteen digits, goes the long way. A test holds the two against each other.
* ``digest`` is SHA-256 over the context string, a zero byte, and the parts. Parts are either of fixed
  length or a single canonical document, so the concatenation is unambiguous.

Example

>>> from understudy.consent.contexts import Context
>>> len(digest(Context.HALF, bytes(32)))
43
"""

import hashlib
import re
from functools import cache
from typing import Final, TypeVar

import msgspec
import rfc8785
from msgspec import inspect

from understudy.consent.contexts import Context
from understudy.consent.primitives import Value, decode_bytes, encode_bytes
from understudy.sealing.errors import FormatError

MAX_DOCUMENT_BYTES = 1 << 20
"""Largest canonical document accepted, unless a caller sets a smaller bound."""

T = TypeVar("T", bound=Value)

_SORTED: Final = msgspec.json.Encoder(order="sorted")
_LONG_NUMBER: Final = re.compile(rb"[0-9]{16}")
_PLAIN: Final = (
    inspect.StrType
    | inspect.IntType
    | inspect.BoolType
    | inspect.NoneType
    | inspect.EnumType
    | inspect.LiteralType
)

Octets = bytes | bytearray | memoryview
"""Raw bytes, however they are held."""


def canonical(value: Value) -> bytes:
    """Return the RFC 8785 bytes of ``value``.

    Raises:
        FormatError: the value holds something outside the canonical domain.
    """
    try:
        if _has_plain_fields(type(value)):
            raw = _SORTED.encode(value)
            if not _LONG_NUMBER.search(raw):
                return raw
        return rfc8785.dumps(msgspec.to_builtins(value))
    except (rfc8785.CanonicalizationError, TypeError, ValueError) as error:
        raise FormatError("the value has no canonical form") from error


def parse(kind: type[T], raw: bytes, *, limit: int = MAX_DOCUMENT_BYTES) -> T:
    """Return the ``kind`` that ``raw`` canonically spells.

    Raises:
        FormatError: too large, malformed, unknown or duplicate fields, or not canonical.
    """
    if len(raw) > limit:
        raise FormatError(f"a {kind.__name__} of {len(raw)} bytes is over the limit of {limit}")
    try:
        value = msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError(f"not a valid {kind.__name__}") from error
    if canonical(value) != raw:
        raise FormatError(f"a {kind.__name__} that is not in canonical form")
    return value


def digest(context: Context, *parts: Octets) -> str:
    """Return SHA-256(context ‖ 0x00 ‖ parts) as base64url, 43 characters."""
    return encode_bytes(digest_bytes(context, *parts))


def digest_bytes(context: Context, *parts: Octets) -> bytes:
    """Return SHA-256(context ‖ 0x00 ‖ parts), 32 bytes."""
    state = hashlib.sha256(prefix(context))
    for part in parts:
        state.update(part)
    return state.digest()


def prefix(context: Context) -> bytes:
    """Return the bytes that go before anything signed or hashed under ``context``."""
    return context.value.encode("ascii") + b"\x00"


def octets(text: str) -> bytes:
    """Return the bytes of canonical base64url ``text``.

    Raises:
        FormatError: not canonical base64url.
    """
    try:
        return decode_bytes(text)
    except ValueError as error:
        raise FormatError("not canonical base64url") from error


@cache
def _has_plain_fields(kind: type[Value]) -> bool:
    """Return whether msgspec spells every value of ``kind`` as RFC 8785 does."""
    seen: set[type] = set()

    def is_plain(found: inspect.Type) -> bool:
        match found:
            case inspect.UnionType():
                return all(is_plain(option) for option in found.types)
            case inspect.VarTupleType() | inspect.ListType():
                return is_plain(found.item_type)
            case inspect.TupleType():
                return all(is_plain(item) for item in found.item_types)
            case inspect.StructType():
                if found.cls in seen:
                    return True
                seen.add(found.cls)
                return all(field.encode_name.isascii() and is_plain(field.type) for field in found.fields)
            case _:
                return isinstance(found, _PLAIN)

    return is_plain(inspect.type_info(kind))
