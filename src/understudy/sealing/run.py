"""The key of one run of the recorder: it lives in memory, and what it sealed dies with it.

Rules

* A run has one key of 32 random bytes. It is written to no file; the capture process is told it over a pipe.
* Each raw file has a key of its own, derived from the run's key and the file's name, so that chunk numbers
  are nonces that never repeat: a name is used once, and a file is written once, from its start to its end.
* Chunk *n* is AES-256-GCM with *n* as nonce (12 bytes, big-endian). Chunks can be neither exchanged nor
  repeated nor carried from one file to another.

Example

>>> key = RunKey.generate()
>>> sealed = key.sealer("first").seal(0, b"content")
>>> key.sealer("first").open(0, sealed)
b'content'
"""

import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from understudy.consent.contexts import Context
from understudy.consent.primitives import Value
from understudy.sealing.errors import FormatError, SealError
from understudy.sealing.info import info_for
from understudy.sealing.kdf import hkdf

RUN_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class RawFileName(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the key of one raw file is bound to."""

    name: str


class RunKey:
    """The key of one run. ``wipe`` overwrites it; ``repr`` shows nothing."""

    __slots__ = ("_raw",)

    def __init__(self, raw: bytes | bytearray) -> None:
        """Take ``raw``, 32 bytes.

        Raises:
            FormatError: another length.
        """
        if len(raw) != RUN_KEY_BYTES:
            raise FormatError(f"a run key has {RUN_KEY_BYTES} bytes")
        self._raw = bytearray(raw)

    @classmethod
    def generate(cls) -> "RunKey":
        """Return a fresh key."""
        return cls(secrets.token_bytes(RUN_KEY_BYTES))

    @property
    def raw(self) -> bytearray:
        """The 32 bytes; secret."""
        return self._raw

    def sealer(self, name: str) -> "RunSealer":
        """Return what seals and opens the chunks of the raw file ``name``."""
        derived = hkdf(self._raw, info_for(Context.RAW_FILE, RawFileName(name=name)), RUN_KEY_BYTES)
        return RunSealer(derived)

    def wipe(self) -> None:
        """Overwrite the key with zeros; what OpenSSL and Python copied elsewhere is out of reach."""
        self._raw[:] = bytes(RUN_KEY_BYTES)

    def __repr__(self) -> str:
        return "RunKey()"


class RunSealer:
    """Seals and opens the chunks of one raw file: a ``formats.raw`` ``ChunkSealer``."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes | bytearray) -> None:
        self._cipher = AESGCM(key)

    def seal(self, chunk_number: int, content: bytes, /) -> bytes:
        """Return ``content`` encrypted under its number."""
        return self._cipher.encrypt(_nonce(chunk_number), content, None)

    def open(self, chunk_number: int, sealed: bytes, /) -> bytes:
        """Return the content.

        Raises:
            SealError: another key, file or number, or an altered chunk.
        """
        try:
            return self._cipher.decrypt(_nonce(chunk_number), sealed, None)
        except InvalidTag as error:
            raise SealError(f"chunk {chunk_number} does not open under this run's key") from error

    def __repr__(self) -> str:
        return "RunSealer()"


def _nonce(number: int) -> bytes:
    return number.to_bytes(_NONCE_BYTES, "big")
