"""Halves of a segment's key: bound to a role, so that nobody can take one for another.

Rules

* ``p`` is the participant's half, kept by the broker's key store. ``c`` is the custodian's, or in its place
  ``c1``, ``c2``, ``c3``: the shares of three custodians, any two of which give ``c``.
* A half is 32 random bytes, a share 33 (``shamir``). The header commits to each by
  ``digest(Context.HALF, bytes)``.
* A half never appears in a ``repr`` or a message. ``wipe`` overwrites our copy; others in memory (the
  immutable output of the random generator and of HPKE) are Python's, which promises nothing.

Example

>>> Half("p", bytes(32))
Half(role='p')
"""

import secrets
from typing import Final, Literal

from understudy.consent.contexts import Context
from understudy.sealing.canonical import digest
from understudy.sealing.errors import FormatError, HalfError

Role = Literal["p", "c", "c1", "c2", "c3"]
"""Whose half: the participant's (broker), the custodian's, or one of three custodians' shares."""

HALF_BYTES: Final = 32
SHARE_BYTES: Final = 33
SHARE_ROLES: Final[tuple[Role, ...]] = ("c1", "c2", "c3")


class Half:
    """One half, or share of a half, and whose it is."""

    __slots__ = ("_raw", "_wiped", "role")

    def __init__(self, role: Role, raw: bytes | bytearray) -> None:
        """Take over ``raw``; a ``bytearray`` is kept, not copied, so that ``wipe`` overwrites it.

        Raises:
            FormatError: not 32 bytes, or for a share not 33 bytes that begin with the role's number.
        """
        is_share = role in SHARE_ROLES
        if len(raw) != (SHARE_BYTES if is_share else HALF_BYTES):
            raise FormatError(f"a half {role} of {len(raw)} bytes")
        if is_share and raw[0] != SHARE_ROLES.index(role) + 1:
            raise FormatError(f"a share {role} that is another custodian's")
        self.role: Role = role
        self._raw = raw if isinstance(raw, bytearray) else bytearray(raw)
        self._wiped = False

    @classmethod
    def generate(cls, role: Role) -> "Half":
        """Return a fresh half ``p`` or ``c``.

        Raises:
            FormatError: ``role`` is a share's; shares come from ``shamir.split``.
        """
        return cls(role, secrets.token_bytes(HALF_BYTES))

    @property
    def raw(self) -> bytearray:
        """The bytes; secret.

        Raises:
            HalfError: the half was wiped.
        """
        if self._wiped:
            raise HalfError(self.role, "it was wiped")
        return self._raw

    @property
    def commitment(self) -> str:
        """``digest(Context.HALF, raw)``: what the header holds in its place."""
        return digest(Context.HALF, self.raw)

    def wipe(self) -> None:
        """Overwrite the bytes with zeros; the half serves no more."""
        self._raw[:] = bytes(len(self._raw))
        self._wiped = True

    def __repr__(self) -> str:
        return f"Half(role={self.role!r})"
