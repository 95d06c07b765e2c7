r"""``Info``: what a derived key or an HPKE message is bound to.

Rules

* An ``Info`` can only be made from a context string and a value; nobody can pass bare bytes, or nothing.
* Its bytes are ``context ‖ 0x00 ‖ canonical(value)``, the same prefix that signatures and digests use.
* Whoever opens must build the same ``Info`` from what they know themselves, never from what the sender says.

Example

>>> from understudy.consent.contexts import Context
>>> from understudy.consent.primitives import Value
>>> class Subject(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
...     version: int
>>> info_for(Context.PERSONAL_HPKE, Subject(version=1)).raw
b'understudy/v1/personal-hpke\x00{"version":1}'
"""

import hashlib
from typing import Final, NewType

from understudy.consent.contexts import Context
from understudy.consent.primitives import Value
from understudy.sealing.canonical import canonical, prefix

ChunkContext = NewType("ChunkContext", bytes)
"""The *context* of C2SP chunked encryption. The project always uses ``Info.chunk_context``."""

_MAKER: Final = object()


class Info:
    """A context and a canonical value; made by ``info_for`` only."""

    __slots__ = ("_raw",)

    def __init__(self, raw: bytes, maker: object = None) -> None:
        if maker is not _MAKER:
            raise TypeError("an Info is made by info_for(context, value)")
        self._raw = raw

    @property
    def raw(self) -> bytes:
        """The bytes bound: ``context ‖ 0x00 ‖ canonical(value)``."""
        return self._raw

    @property
    def chunk_context(self) -> ChunkContext:
        """SHA-256 of ``raw``, 32 bytes: the context of chunked encryption bound to the same value."""
        return ChunkContext(hashlib.sha256(self._raw).digest())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Info) and other._raw == self._raw

    def __hash__(self) -> int:
        return hash(self._raw)


def info_for(context: Context, value: Value) -> Info:
    """Return the ``Info`` of ``value`` under ``context``.

    Raises:
        FormatError: the value has no canonical form.
    """
    return Info(prefix(context) + canonical(value), _MAKER)
