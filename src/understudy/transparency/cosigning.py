r"""Asking a witness: the Protocol, and the request body of C2SP tlog-witness ``add-checkpoint``.

Rules

* The body is ``old <size>``, up to 63 proof lines, an empty line, and the checkpoint signed by the log.
* The answer is one or more signature lines. Whoever asks verifies them; an answer without a valid cosignature
  of the expected key is no answer.
* A cosigner bounds its own waiting: a call returns or raises within seconds.

Example

>>> call = AddCheckpoint(old_size=0, path=(), note=b"x\n")
>>> call.to_bytes()
b'old 0\n\nx\n'
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from understudy.transparency.errors import MalformedError
from understudy.transparency.merkle import HASH_BYTES, MAX_PROOF_HASHES
from understudy.transparency.note import MAX_NOTE_BYTES, VerifierKey, decode_base64

MAX_REQUEST_BYTES: Final = MAX_NOTE_BYTES + 64 * (MAX_PROOF_HASHES + 2)
_OLD_SIZE: Final = re.compile(rb"old (0|[1-9][0-9]{0,15})\Z")


class Cosigner(Protocol):
    """A witness, in this process or behind HTTP."""

    def cosign(self, note: bytes, old_size: int, path: Sequence[bytes]) -> bytes:
        """Return the witness's signature lines on the checkpoint in ``note``.

        Args:
            note: the checkpoint, signed by the log.
            old_size: size of the witness's latest checkpoint, as far as the caller knows.
            path: consistency proof from ``old_size``; empty from 0 and for an unchanged checkpoint.

        Raises:
            SizeConflictError: another ``old_size`` is needed; it says which.
            WitnessRefusedError: the witness refused for another reason.
            WitnessUnavailableError: no answer in time.
        """
        ...


@dataclass(frozen=True, slots=True)
class WitnessLink:
    """A witness that counts for the quorum: the key it must sign with, and how to ask it."""

    key: VerifierKey
    cosigner: Cosigner


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """The request of ``add-checkpoint``; nothing in it is verified yet."""

    old_size: int
    path: tuple[bytes, ...]
    note: bytes

    def to_bytes(self) -> bytes:
        """Return the request body."""
        path = b"".join(base64.b64encode(node) + b"\n" for node in self.path)
        return b"old %d\n" % self.old_size + path + b"\n" + self.note


def parse_add_checkpoint(body: bytes) -> AddCheckpoint:
    """Return the request that ``body`` spells.

    Raises:
        MalformedError: too large, or not in the one shape the specification allows.
    """
    if len(body) > MAX_REQUEST_BYTES:
        raise MalformedError(f"a request of {len(body)} bytes is over the limit of {MAX_REQUEST_BYTES}")
    head, blank, note = body.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    old_size = _OLD_SIZE.match(first)
    if not blank or old_size is None or len(lines) > MAX_PROOF_HASHES:
        raise MalformedError("not an add-checkpoint request")
    path = tuple(decode_base64(line) for line in lines)
    if any(len(node) != HASH_BYTES for node in path):
        raise MalformedError("a proof line holds 32 bytes")
    return AddCheckpoint(old_size=int(old_size[1]), path=path, note=note)
