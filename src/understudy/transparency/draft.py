"""Drafts and what becomes of them: the edge between whoever wants an entry and the sequencer.

Rules

* A draft says what is to be logged. Index, time, numbers and salts are the sequencer's to give, inside the
  append.
* ``request_key`` makes an append idempotent: the same key with the same content is the same entry, for ever.
* ``leaf`` is a pure function of its arguments. The sequencer also calls it with index 0, time 0 and the empty
  root, to learn whether two drafts under one key are the same.
* Only drafts with participants carry numbers; their segments are sorted, unique, and at most 1,000 in all.

Example

>>> participant = DraftParticipant(segments=("seg_" + "A" * 22,), first_prev="A" * 43)
>>> len(participant.segments)
1
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec

from understudy.consent.primitives import Count, Digest, SegmentId, Value
from understudy.transparency.checkpoint import CosignedCheckpoint
from understudy.transparency.leaves import Opening
from understudy.transparency.merkle import EMPTY_ROOT, leaf_hash


class DraftParticipant(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One participant of a draft: the segments to open, and what ``prev`` is for number 1."""

    segments: tuple[SegmentId, ...]
    first_prev: Digest


class Draft(Protocol):
    """An entry before it has its place."""

    @property
    def request_key(self) -> str | None:
        """What makes the append idempotent; None for entries that may come twice."""
        ...

    @property
    def participants(self) -> Mapping[str, DraftParticipant]:
        """The participants by tag; empty for kinds without numbers."""
        ...

    def leaf(self, index: int, time: int, root: bytes | None) -> bytes:
        """Return the canonical leaf.

        Args:
            index: the entry's place in the log.
            time: the sequencer's time, Unix seconds.
            root: the entry root over the participants' commitments; None without participants.
        """
        ...


class CommittedOpening(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An opening as the sequencer keeps it: with its commitment, and the path from there to the entry root.

    ``place`` and ``count`` say which leaf of the entry tree it is (leaves sorted by tag), and of how many.
    """

    index: Count
    opening: Opening
    commitment: Digest
    place: Count
    count: Count
    path: tuple[Digest, ...]


@dataclass(frozen=True, slots=True)
class Appended:
    """An entry that is durable.

    Attributes:
        index: its place in the log.
        leaf: its canonical bytes.
        openings: the openings of its participants, sorted by tag; those erased since are gone.
        checkpoint: a checkpoint that covers it, cosigned by the quorum; without cosignatures when the caller
            asked for durability only.
    """

    index: int
    leaf: bytes
    openings: tuple[CommittedOpening, ...]
    checkpoint: CosignedCheckpoint

    @property
    def leaf_hash(self) -> bytes:
        """The RFC 6962 hash of the leaf."""
        return leaf_hash(self.leaf)


def content_digest(draft: Draft) -> bytes:
    """Return 32 bytes that are equal for drafts of equal content, whatever place and time they get."""
    root = EMPTY_ROOT if draft.participants else None
    state = hashlib.sha256(leaf_hash(draft.leaf(0, 0, root)))
    for tag in sorted(draft.participants):
        state.update(leaf_hash(tag.encode()))
        state.update(leaf_hash(msgspec.json.encode(draft.participants[tag])))
    return state.digest()
