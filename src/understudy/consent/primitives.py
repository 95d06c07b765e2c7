r"""The primitive values that every signed document is made of.

Rules

* Bytes travel as base64url without padding, in their only canonical spelling: the unused low bits
  of the last character are zero (RFC 4648, section 3.5).
* Identifiers are a typed prefix and 128 random bits. Nothing can be computed from them.
* Times are integers: seconds since 1970-01-01T00:00:00Z, below 2**53.
* Every type here is checked when a document is decoded, not when a value is built in Python.
* Patterns end in ``$(?!\n)``: a bare ``$`` would also accept one trailing newline.

Example

>>> encode_bytes(b"\x00\xff")
'AP8'
>>> decode_bytes("AP8")
b'\x00\xff'
"""

import binascii
import secrets
from typing import Annotated, ClassVar, Final

import msgspec
from msgspec import Meta

from understudy.consent.contexts import Context

MAX_INTEGER: Final = 2**53 - 1
"""Largest integer allowed in a signed document (RFC 8785, section 3.2.2.3)."""

_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL: Final = bytes.maketrans(b"-_", b"+/")
_ID_BODY = r"[A-Za-z0-9_-]{21}[AQgw]$(?!\n)"

Bytes = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]*$(?!\n)", max_length=4_000_000)]
"""Bytes of any length as base64url without padding."""
Digest = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$(?!\n)")]
"""A SHA-256 digest, or another 32 bytes, as base64url: 43 characters."""
PublicKey = Digest
"""An Ed25519 public key: 32 bytes."""
HpkePublic = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1621}[AQgw]$(?!\n)")]
"""An ML-KEM-768 + X25519 public key: 1,216 bytes."""
SignatureBytes = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{85}[AQgw]$(?!\n)")]
"""An Ed25519 signature: 64 bytes."""
Time = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]
"""Seconds since 1970-01-01T00:00:00Z."""
DAY_SECONDS: Final = 86_400
Day = Annotated[int, Meta(ge=0, le=MAX_INTEGER, multiple_of=DAY_SECONDS)]
"""A UTC day: the second at which it begins. Where an exact time would be a record of somebody's hours."""
Count = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]
Seconds = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$(?!\n)")]
"""A short machine name: application groups, task labels, members, custodians."""
Text = Annotated[str, Meta(max_length=8_000)]
"""Prose that a person reads."""
Line = Annotated[str, Meta(min_length=1, max_length=200)]

ProgrammeId = Annotated[str, Meta(pattern="^prg_" + _ID_BODY)]
RecordingId = Annotated[str, Meta(pattern="^rec_" + _ID_BODY)]
SegmentId = Annotated[str, Meta(pattern="^seg_" + _ID_BODY)]
RequestId = Annotated[str, Meta(pattern="^req_" + _ID_BODY)]
GrantId = Annotated[str, Meta(pattern="^grt_" + _ID_BODY)]
LeaseId = Annotated[str, Meta(pattern="^lea_" + _ID_BODY)]
EscrowKeyId = Annotated[str, Meta(pattern="^esc_" + _ID_BODY)]
ParticipantTag = Digest
"""SHA-256(context, programme id, personal signing public key): found again from the recovery code."""


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of everything that crosses a machine boundary: frozen, unknown fields refused."""


class Document(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value that is signed or hashed as a whole; subclasses name their context."""

    CONTEXT: ClassVar[Context]


def encode_bytes(raw: bytes) -> str:
    """Return ``raw`` as base64url without padding."""
    return binascii.b2a_base64(raw, newline=False).translate(_TO_URL).rstrip(b"=").decode("ascii")


def decode_bytes(text: str) -> bytes:
    """Return the bytes of canonical unpadded base64url ``text``.

    Raises:
        ValueError: another alphabet, padding, or non-zero unused bits.
    """
    try:
        padded = text.encode("ascii").translate(_FROM_URL) + b"=" * (-len(text) % 4)
        raw = binascii.a2b_base64(padded, strict_mode=True)
    except (binascii.Error, ValueError) as error:
        message = "not base64url"
        raise ValueError(message) from error
    if encode_bytes(raw) != text:
        message = "not canonical base64url"
        raise ValueError(message)
    return raw


def start_of_day(time: int) -> int:
    """Return the ``Day`` on which ``time`` lies.

    >>> start_of_day(1_800_000_000)
    1799971200
    """
    return time - time % DAY_SECONDS


def new_id(prefix: str) -> str:
    """Return a fresh identifier: ``prefix``, an underscore and 128 random bits."""
    return f"{prefix}_{encode_bytes(secrets.token_bytes(16))}"
