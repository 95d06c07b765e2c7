"""Shred keys: escrow keys are kept only wrapped, and destroying the wrapping key destroys them all.

Rules

* Every escrow private key in the broker's store is wrapped under the current shred key, bound to the escrow
  key's id and to that shred key.
* Rotation rewraps the surviving escrow keys under a new shred key and then destroys the old one: what was not
  rewrapped, and every backup that holds only old wrappings, is unreadable for good.
* A shred key is named by a digest; the name says nothing about the key.
* Shredding works only if every copy of the shred key dies, backups and replicas included.

Example: ``new_rows = [rewrap(old, new, row) for row in surviving_rows]``.
"""

import secrets
from typing import Final, Literal

from understudy.consent.contexts import Context
from understudy.consent.primitives import Digest, EscrowKeyId, Value
from understudy.sealing.aead import Box, box_for, open_box
from understudy.sealing.canonical import digest
from understudy.sealing.errors import FormatError, SealError
from understudy.sealing.hpke import HpkePrivateKey
from understudy.sealing.info import Info, info_for

SHRED_BYTES: Final = 32


class ShredWrapInfo(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a wrapped escrow key is bound to."""

    version: Literal[1] = 1
    escrow_key: EscrowKeyId
    shred_key: Digest


class WrappedKey(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One escrow private key as it rests in the key store."""

    version: Literal[1] = 1
    escrow_key: EscrowKeyId
    shred_key: Digest
    box: Box


class ShredKey:
    """A key that wraps escrow keys. Its ``repr`` shows its name only."""

    __slots__ = ("_raw", "name")

    def __init__(self, raw: bytes) -> None:
        """Take a 32-byte key.

        Raises:
            FormatError: not 32 bytes.
        """
        if len(raw) != SHRED_BYTES:
            raise FormatError(f"a shred key has {SHRED_BYTES} bytes")
        self._raw = bytes(raw)
        self.name: str = digest(Context.SHRED_WRAP, self._raw)

    @classmethod
    def generate(cls) -> "ShredKey":
        """Return a fresh key."""
        return cls(secrets.token_bytes(SHRED_BYTES))

    @property
    def raw(self) -> bytes:
        """The 32 bytes; secret."""
        return self._raw

    def wrap(self, escrow_key: str, private: HpkePrivateKey) -> WrappedKey:
        """Return ``private`` wrapped for the key store."""
        box = box_for(self._raw, self._info(escrow_key), private.seed)
        return WrappedKey(escrow_key=escrow_key, shred_key=self.name, box=box)

    def unwrap(self, wrapped: WrappedKey) -> HpkePrivateKey:
        """Return the escrow private key.

        Raises:
            SealError: wrapped under another shred key, for another escrow key, or altered.
        """
        if wrapped.shred_key != self.name:
            raise SealError("the escrow key is wrapped under another shred key")
        return HpkePrivateKey(open_box(self._raw, self._info(wrapped.escrow_key), wrapped.box))

    def _info(self, escrow_key: str) -> Info:
        return info_for(Context.SHRED_WRAP, ShredWrapInfo(escrow_key=escrow_key, shred_key=self.name))

    def __repr__(self) -> str:
        return f"ShredKey(name={self.name!r})"


def rewrap(old: ShredKey, new: ShredKey, wrapped: WrappedKey) -> WrappedKey:
    """Return ``wrapped`` under ``new``; unchanged if it already is.

    Raises:
        SealError: wrapped under neither key, or altered.
    """
    if wrapped.shred_key == new.name:
        new.unwrap(wrapped)
        return wrapped
    return new.wrap(wrapped.escrow_key, old.unwrap(wrapped))
