"""One ``open`` entry with its openings, checked against each other: what admission and release go by.

Rules

* The leaf comes from the custodian's own mirror of the witnessed log, never from the broker.
* The openings are all there, sorted by tag, one a participant; their commitments lead to the root in the
  leaf. Then they are what the sequencer committed to, whoever delivered them.
* A segment stands in one opening only, and an entry holds at most 1,000.

Example: ``Entry.read(index, raw, delivery.openings, programme).tree.inclusion(0)`` is the path of the first
opening.
"""

from dataclasses import dataclass

from understudy.consent.primitives import encode_bytes
from understudy.custody.errors import CustodyRefusedError
from understudy.custody.reasons import RefusalReason
from understudy.sealing.errors import FormatError
from understudy.transparency.leaves import (
    MAX_SEGMENTS,
    Opening,
    OpenLeaf,
    commitment_of,
    decode_leaf,
    leaf_digest,
)
from understudy.transparency.merkle import MemoryTree, leaf_hash


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry whose openings are those it commits to."""

    index: int
    raw: bytes
    leaf: OpenLeaf
    hash: str
    """The RFC 6962 leaf hash, by which replies and outcomes name the entry."""
    openings: tuple[Opening, ...]
    commitments: tuple[str, ...]
    tree: MemoryTree

    @classmethod
    def read(cls, index: int, raw: bytes, openings: tuple[Opening, ...], programme: str) -> "Entry":
        """Return the entry at ``index`` after checking leaf and openings.

        Raises:
            CustodyRefusedError: not an ``open``, of another programme, or other openings.
        """
        leaf = open_leaf(raw)
        if leaf.programme != programme:
            raise CustodyRefusedError(RefusalReason.PROGRAMME)
        tags = [opening.tag for opening in openings]
        segments = [segment for opening in openings for segment in opening.segments]
        if (
            tags != sorted(set(tags))
            or len(tags) != leaf.participants
            or len(segments) > MAX_SEGMENTS
            or len(set(segments)) != len(segments)
        ):
            raise CustodyRefusedError(RefusalReason.WRONG_COMMITMENT)
        try:
            commitments = [commitment_of(opening) for opening in openings]
        except FormatError as error:
            raise CustodyRefusedError(RefusalReason.WRONG_COMMITMENT) from error
        tree = MemoryTree([leaf_hash(commitment) for commitment in commitments])
        if encode_bytes(tree.root) != leaf.root:
            raise CustodyRefusedError(RefusalReason.WRONG_COMMITMENT)
        return cls(
            index=index,
            raw=raw,
            leaf=leaf,
            hash=leaf_digest(raw),
            openings=openings,
            commitments=tuple(encode_bytes(commitment) for commitment in commitments),
            tree=tree,
        )

    @property
    def segments(self) -> tuple[str, ...]:
        """The segment ids of all openings."""
        return tuple(segment for opening in self.openings for segment in opening.segments)


def open_leaf(raw: bytes) -> OpenLeaf:
    """Return the ``open`` leaf that ``raw`` spells.

    Raises:
        CustodyRefusedError: another kind, or no leaf at all.
    """
    try:
        leaf = decode_leaf(raw)
    except FormatError as error:
        raise CustodyRefusedError(RefusalReason.NOT_AN_OPEN) from error
    if not isinstance(leaf, OpenLeaf):
        raise CustodyRefusedError(RefusalReason.NOT_AN_OPEN)
    return leaf
