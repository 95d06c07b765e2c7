"""Checkpoints: the log's signed size and root, and the witnesses' cosignatures on it (C2SP tlog-checkpoint).

Rules

* The text is exactly three lines: origin, size, root. Extension lines are refused: nobody could audit them.
* The origin is the name of the log's key. Sizes are decimal without leading zeros, below 2**53.
* A cosigned checkpoint is trusted when the log signed it and ``quorum`` different witnesses cosigned it. A
  wrong signature by any known key refuses the whole, even when enough others are right.
* Freshness is the time at or after which at least ``quorum`` witnesses cosigned, so one witness with a fast
  clock cannot make a checkpoint look newer than the others say.

Example

>>> from understudy.sealing.signing import SigningKey
>>> from understudy.transparency.merkle import EMPTY_ROOT
>>> from understudy.transparency.note import cosign_text
>>> log, witness = SigningKey.generate(), SigningKey.generate()
>>> note = sign_checkpoint(Checkpoint("example.com/log", 0, EMPTY_ROOT), log)
>>> note = add_cosignatures(note, cosign_text(parse_note(note).text, "example.com/w", witness, 1_700_000_000))
>>> cosigned = verify_checkpoint(
...     note,
...     log_key=VerifierKey.log("example.com/log", log.public),
...     witnesses=[VerifierKey.witness("example.com/w", witness.public)],
...     quorum=1,
... )
>>> cosigned.newest_quorum_time
1700000000
"""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from understudy.consent.primitives import MAX_INTEGER
from understudy.sealing.signing import SigningKey
from understudy.transparency.errors import MalformedError, QuorumError, UntrustedCheckpointError
from understudy.transparency.merkle import EMPTY_ROOT, HASH_BYTES
from understudy.transparency.note import (
    COSIGNATURE,
    ED25519,
    Note,
    NoteSignature,
    VerifierKey,
    check_name,
    decode_base64,
    parse_note,
    sign_text,
)

_TEXT_LINES: Final = 3
_SIZE: Final = re.compile(r"(?:0|[1-9][0-9]{0,15})\Z")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says about itself: its origin, how many leaves it has, and their root."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        check_name(self.origin)
        if not 0 <= self.size <= MAX_INTEGER or len(self.root) != HASH_BYTES:
            raise MalformedError("a checkpoint's size is below 2**53 and its root has 32 bytes")

    @property
    def text(self) -> bytes:
        """The note text that log and witnesses sign."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n".encode()


@dataclass(frozen=True, slots=True)
class CosignedCheckpoint:
    """A checkpoint that was verified: signed by the log, and by the witnesses named here.

    Attributes:
        checkpoint: origin, size and root.
        note: the exact bytes that were verified.
        cosignatures: the newest Unix time of each known witness's cosignature, by its name. Empty when an
            entry was acknowledged as durable only.
        quorum: how many witnesses the policy asks for.
    """

    checkpoint: Checkpoint
    note: bytes
    cosignatures: Mapping[str, int]
    quorum: int

    @property
    def newest_quorum_time(self) -> int:
        """The latest time at or after which ``quorum`` witnesses cosigned; 0 if too few did."""
        times = sorted(self.cosignatures.values(), reverse=True)
        return times[self.quorum - 1] if 0 < self.quorum <= len(times) else 0


def parse_checkpoint(text: bytes) -> Checkpoint:
    """Return the checkpoint that a note's *text* spells.

    Raises:
        MalformedError: not exactly origin, size and root.
    """
    try:
        lines = text.decode().split("\n")
    except UnicodeDecodeError as error:
        raise MalformedError("a checkpoint is UTF-8") from error
    if len(lines) != _TEXT_LINES + 1 or lines[-1]:
        raise MalformedError("a checkpoint is three lines: origin, size and root")
    if not _SIZE.match(lines[1]):
        raise MalformedError("a checkpoint's size is a decimal number without leading zeros")
    return Checkpoint(origin=lines[0], size=int(lines[1]), root=decode_base64(lines[2]))


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> bytes:
    """Return the checkpoint as a note signed by the log's ``key``."""
    text = checkpoint.text
    return Note(text=text, signatures=(sign_text(text, checkpoint.origin, key),)).to_bytes()


def add_cosignatures(note: bytes, *signatures: NoteSignature) -> bytes:
    """Return ``note`` with more signature lines under it."""
    return note + b"".join(signature.to_bytes() for signature in signatures)


def verify_checkpoint(
    note: bytes, *, log_key: VerifierKey, witnesses: Sequence[VerifierKey], quorum: int
) -> CosignedCheckpoint:
    """Return the checkpoint in ``note``, after checking the log's signature and a quorum of cosignatures.

    Args:
        note: the signed note.
        log_key: the log's key; its name must be the checkpoint's origin.
        witnesses: the witnesses that count, each with its own name and key.
        quorum: how many of them must have cosigned; 0 asks for the log's signature only.

    Raises:
        MalformedError: not a checkpoint.
        UntrustedCheckpointError: another origin, no signature by the log, or a wrong one by a known key.
        QuorumError: too few witnesses, or a policy that cannot be met.
    """
    check_policy(log_key, witnesses, quorum)
    parsed = parse_note(note)
    checkpoint = parse_checkpoint(parsed.text)
    if checkpoint.origin != log_key.name:
        raise UntrustedCheckpointError("the checkpoint is of another log")
    if not parsed.verified(log_key):
        raise UntrustedCheckpointError("the log has not signed this checkpoint")
    if not checkpoint.size and checkpoint.root != EMPTY_ROOT:
        raise MalformedError("an empty log has the empty tree's root")
    cosignatures = {key.name: max(times) for key in witnesses if (times := parsed.verified(key))}
    if len(cosignatures) < quorum:
        raise QuorumError(f"{len(cosignatures)} of {quorum} required witnesses cosigned the checkpoint")
    return CosignedCheckpoint(checkpoint, note, cosignatures, quorum)


def check_policy(log_key: VerifierKey, witnesses: Sequence[VerifierKey], quorum: int) -> None:
    """Check that ``quorum`` different witnesses exist: one key under two names would count twice.

    Raises:
        QuorumError: a key or name twice, a key of the wrong type, or fewer witnesses than the quorum.
    """
    names = {key.name for key in witnesses}
    publics = {key.public for key in witnesses} | {log_key.public}
    types = {key.algorithm for key in witnesses} <= {COSIGNATURE} and log_key.algorithm == ED25519
    if not types or len(names) != len(witnesses) or len(publics) != len(witnesses) + 1:
        raise QuorumError("log and witnesses need different names and keys, each of its own type")
    if not 0 <= quorum <= len(witnesses):
        raise QuorumError(f"{quorum} of {len(witnesses)} witnesses can never cosign")
