"""Proofs made from tiles alone, and the proof file that anyone can check offline (C2SP tlog-proof).

Rules

* Whoever has the tiles of a tree can prove any leaf and any two sizes; no help from the log is needed.
* Tiles are not trusted: a proof from wrong tiles simply does not verify.
* A proof file is ``c2sp.org/tlog-proof@v1``, an optional ``extra`` line, ``index``, the path, an empty line
  and the cosigned checkpoint. Extra data is not authenticated by anything.

Example

>>> from understudy.transparency.merkle import MemoryTree, leaf_hash
>>> from understudy.transparency.tiles import MemoryTiles, encode_tile, tile_path
>>> hashes = [leaf_hash(leaf) for leaf in (b"a", b"b", b"c")]
>>> reader = TileTree(MemoryTiles({tile_path(0, 0, 3): encode_tile(hashes)}), 3)
>>> reader.inclusion(1) == MemoryTree(hashes).inclusion(1)
True
"""

import base64
import re
from dataclasses import dataclass
from typing import Final

from understudy.transparency.checkpoint import CosignedCheckpoint, parse_checkpoint
from understudy.transparency.errors import MalformedError, TileMissingError
from understudy.transparency.merkle import (
    HASH_BYTES,
    MAX_PROOF_HASHES,
    consistency_path,
    inclusion_path,
    node_hash,
    range_root,
    verify_inclusion,
)
from understudy.transparency.note import MAX_NOTE_BYTES, decode_base64, parse_note
from understudy.transparency.tiles import TILE_HEIGHT, TILE_WIDTH, TileName, TileSource, read_hashes
from understudy.transparency.trust import LogTrust

PROOF_HEADER: Final = b"c2sp.org/tlog-proof@v1\n"
MAX_EXTRA_BYTES: Final = 65_536
MAX_PROOF_BYTES: Final = 2 * MAX_EXTRA_BYTES + MAX_NOTE_BYTES + 64 * 64
_INDEX: Final = re.compile(rb"index (0|[1-9][0-9]{0,15})\Z")
_KEPT_TILES: Final = 256


class TileTree:
    """A tree of ``size`` leaves read from tiles; keeps up to 256 tiles it has read."""

    def __init__(self, source: TileSource, size: int) -> None:
        self.size = size
        self._source = source
        self._kept: dict[tuple[int, int], tuple[bytes, ...]] = {}

    @property
    def root(self) -> bytes:
        """The root that the tiles lead to."""
        return self.root_at(self.size)

    def root_at(self, size: int) -> bytes:
        """Return the root of the tree of the first ``size`` leaves."""
        self._check(size)
        return range_root(0, size, self.node)

    def inclusion(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """Return the inclusion path of leaf ``index`` in the tree of the first ``size`` leaves.

        Raises:
            TileMissingError: a needed tile is not there.
            MalformedError: a tile of another width.
            ProofError: no such leaf.
        """
        size = self.size if size is None else size
        self._check(size)
        return inclusion_path(index, size, self.node)

    def consistency(self, old_size: int, size: int | None = None) -> tuple[bytes, ...]:
        """Return the consistency proof from ``old_size`` to ``size``; raises as ``inclusion`` does."""
        size = self.size if size is None else size
        self._check(size)
        return consistency_path(old_size, size, self.node)

    def node(self, level: int, index: int) -> bytes:
        """Return the perfect node at (level, index), folded from one tile."""
        tile_level, height = divmod(level, TILE_HEIGHT)
        first = index << height
        hashes = list(self._tile(tile_level, first // TILE_WIDTH))
        start = first % TILE_WIDTH
        hashes = hashes[start : start + (1 << height)]
        if len(hashes) != 1 << height:
            raise TileMissingError("the tree is smaller than this proof needs")
        while len(hashes) > 1:
            pairs = zip(hashes[0::2], hashes[1::2], strict=True)
            hashes = [node_hash(left, right) for left, right in pairs]
        return hashes[0]

    def _tile(self, level: int, n: int) -> tuple[bytes, ...]:
        if (level, n) not in self._kept:
            if len(self._kept) >= _KEPT_TILES:
                self._kept.pop(next(iter(self._kept)))
            hashes = self.size >> (TILE_HEIGHT * level)
            width = min(TILE_WIDTH, hashes - n * TILE_WIDTH)
            self._kept[level, n] = read_hashes(self._source, TileName(level, n, width))
        return self._kept[level, n]

    def _check(self, size: int) -> None:
        if not 0 <= size <= self.size:
            raise TileMissingError(f"these tiles are of a tree of {self.size} leaves")


@dataclass(frozen=True, slots=True)
class LogProof:
    """That one entry stands at ``index`` of a cosigned log.

    Attributes:
        index: the entry's place.
        path: inclusion path, from the leaf's sibling up.
        checkpoint: the signed note that the path leads to.
        extra: opaque, unauthenticated bytes; empty for none.
    """

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes = b""

    def to_bytes(self) -> bytes:
        """Return the proof as a C2SP tlog-proof file."""
        extra = b"extra " + base64.b64encode(self.extra) + b"\n" if self.extra else b""
        path = b"".join(base64.b64encode(node) + b"\n" for node in self.path)
        return PROOF_HEADER + extra + b"index %d\n" % self.index + path + b"\n" + self.checkpoint

    def verify(self, leaf: bytes, trust: LogTrust) -> CosignedCheckpoint:
        """Return the checkpoint, after checking it and that the entry with hash ``leaf`` is under it.

        Raises:
            CheckpointError: the checkpoint is not signed by the log and a quorum of witnesses.
            MalformedError: it is no checkpoint.
            ProofError: the path leads elsewhere.
        """
        cosigned = trust.verify(self.checkpoint)
        tree = cosigned.checkpoint
        verify_inclusion(leaf, self.index, tree.size, self.path, tree.root)
        return cosigned


def parse_proof(raw: bytes) -> LogProof:
    """Return the proof in a C2SP tlog-proof file; nothing is verified.

    Raises:
        MalformedError: too large, or not in the one shape the specification allows.
    """
    if len(raw) > MAX_PROOF_BYTES or not raw.startswith(PROOF_HEADER):
        raise MalformedError("not a proof file")
    head, blank, checkpoint = raw[len(PROOF_HEADER) :].partition(b"\n\n")
    lines = head.split(b"\n", MAX_PROOF_HASHES + 2)
    extra = b""
    if lines[0].startswith(b"extra "):
        extra = decode_base64(lines.pop(0)[len(b"extra ") :])
        if not 0 < len(extra) <= MAX_EXTRA_BYTES:
            raise MalformedError("the extra data of a proof file is empty or too long")
    index = _INDEX.match(lines[0]) if lines else None
    if not blank or index is None or len(lines) > MAX_PROOF_HASHES + 1:
        raise MalformedError("not a proof file")
    path = tuple(decode_base64(line) for line in lines[1:])
    if any(len(node) != HASH_BYTES for node in path):
        raise MalformedError("a proof file's hashes have 32 bytes")
    parse_checkpoint(parse_note(checkpoint).text)
    return LogProof(index=int(index[1]), path=path, checkpoint=checkpoint, extra=extra)
