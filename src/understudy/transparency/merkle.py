"""Merkle trees after RFC 6962 and RFC 9162: hashes, compact ranges, proofs.

Rules

* A leaf hashes to SHA-256(0x00 ‖ leaf), a node to SHA-256(0x01 ‖ left ‖ right). The empty tree's root is
  SHA-256 of nothing. A tree of n > 1 leaves splits at the largest power of two below n.
* A *perfect node* (level, index) is the root of the 2**level leaves from index · 2**level on. It never
  changes once those leaves exist, so it can be stored; everything else is folded from perfect nodes.
* A proof is a list of ranges [begin, end) whose roots are the proof's hashes. Which ranges, depends on
  sizes only, so memory, tiles and SQLite all make proofs with the same few lines.
* Verification is strict: exact length, 32-byte hashes. Consistency *from size 0* is refused: the empty tree
  is consistent with everything, so accepting it proves nothing.

Example

>>> tree = MemoryTree([leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c")])
>>> path = tree.inclusion(2)
>>> verify_inclusion(leaf_hash(b"c"), 2, 3, path, tree.root)
>>> tree.root == tree_root([b"a", b"b", b"c"])
True
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from understudy.transparency.errors import MalformedError, ProofError

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
MAX_PROOF_HASHES: Final = 63
"""No proof about a tree below 2**63 leaves is longer (C2SP tlog-witness)."""

NodeAt = Callable[[int, int], bytes]
"""Returns the perfect node at (level, index)."""
Nodes = dict[tuple[int, int], bytes]
"""Perfect nodes by (level, index)."""

_SIZE_BYTES: Final = 8
_sha256 = hashlib.sha256


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of one leaf (RFC 6962, section 2.1)."""
    return _sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node (RFC 6962, section 2.1)."""
    return _sha256(b"\x01" + left + right).digest()


def tree_root(leaves: Iterable[bytes]) -> bytes:
    """Return the root over raw ``leaves`` in their given order: entry roots, request roots, logs."""
    growing = CompactRange()
    for leaf in leaves:
        growing.append(leaf_hash(leaf))
    return growing.root


class CompactRange:
    """The least one must keep to append to a tree: its size and its perfect subtrees, largest first."""

    __slots__ = ("_peaks", "_size")

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        """Take up a tree of ``size`` leaves.

        Raises:
            MalformedError: not one 32-byte hash per set bit of ``size``.
        """
        if size < 0 or len(peaks) != size.bit_count() or any(len(peak) != HASH_BYTES for peak in peaks):
            raise MalformedError("not a compact range")
        self._size = size
        self._peaks = list(peaks)

    @property
    def size(self) -> int:
        """How many leaves the tree has."""
        return self._size

    @property
    def root(self) -> bytes:
        """The tree's root."""
        return fold(self._peaks)

    def append(self, leaf: bytes, created: Nodes | None = None) -> None:
        """Add one leaf *hash*; put every perfect node that this completes into ``created``."""
        level, index, node = 0, self._size, leaf
        if created is not None:
            created[0, index] = node
        while index & 1:
            node = node_hash(self._peaks.pop(), node)
            level, index = level + 1, index >> 1
            if created is not None:
                created[level, index] = node
        self._peaks.append(node)
        self._size += 1

    def nodes(self) -> Nodes:
        """Return the perfect subtrees by (level, index)."""
        return dict(zip(perfect_nodes(0, self._size), self._peaks, strict=True))

    def copy(self) -> "CompactRange":
        """Return an independent copy."""
        return CompactRange(self._size, self._peaks)

    def to_bytes(self) -> bytes:
        """Return eight bytes of size, big-endian, then the hashes, largest subtree first."""
        return self._size.to_bytes(_SIZE_BYTES, "big") + b"".join(self._peaks)

    @classmethod
    def from_bytes(cls, raw: bytes) -> "CompactRange":
        """Return what ``to_bytes`` wrote.

        Raises:
            MalformedError: not the length that the size demands.
        """
        if len(raw) < _SIZE_BYTES:
            raise MalformedError("not a compact range")
        return cls(int.from_bytes(raw[:_SIZE_BYTES], "big"), split_hashes(raw[_SIZE_BYTES:]))


class MemoryTree:
    """A whole tree in memory: for entry roots, which are small, and for tests."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        """Build every perfect node over ``leaves``, which are leaf *hashes*."""
        self.size = len(leaves)
        self._levels = [list(leaves)]
        while len(below := self._levels[-1]) > 1:
            pairs = zip(below[0::2], below[1::2], strict=False)
            self._levels.append([node_hash(left, right) for left, right in pairs])

    @property
    def root(self) -> bytes:
        """The tree's root."""
        return range_root(0, self.size, self.node)

    def node(self, level: int, index: int) -> bytes:
        """Return the perfect node at (level, index)."""
        return self._levels[level][index]

    def inclusion(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """Return the inclusion path of leaf ``index`` in the tree of the first ``size`` leaves."""
        return inclusion_path(index, self.size if size is None else size, self.node)

    def consistency(self, old_size: int, size: int | None = None) -> tuple[bytes, ...]:
        """Return the consistency proof between the trees of the first ``old_size`` and ``size`` leaves."""
        return consistency_path(old_size, self.size if size is None else size, self.node)


def split_hashes(raw: bytes) -> tuple[bytes, ...]:
    """Return the 32-byte hashes that ``raw`` concatenates; its length must be a multiple of 32.

    Raises:
        MalformedError: another length.
    """
    if len(raw) % HASH_BYTES:
        raise MalformedError("not a sequence of 32-byte hashes")
    return tuple(raw[start : start + HASH_BYTES] for start in range(0, len(raw), HASH_BYTES))


def fold(peaks: Sequence[bytes]) -> bytes:
    """Return the root over perfect subtrees, largest first."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def perfect_nodes(begin: int, end: int) -> list[tuple[int, int]]:
    """Return the perfect nodes (level, index) that make up the subtree over [begin, end), largest first."""
    nodes = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        nodes.append((level, begin >> level))
        begin += 1 << level
    return nodes


def range_root(begin: int, end: int, node_at: NodeAt) -> bytes:
    """Return the root of the subtree over [begin, end)."""
    return fold([node_at(level, index) for level, index in perfect_nodes(begin, end)])


def inclusion_path(index: int, size: int, node_at: NodeAt) -> tuple[bytes, ...]:
    """Return the inclusion proof of leaf ``index`` in the tree of ``size`` (RFC 9162, section 2.1.3.1).

    Raises:
        ProofError: no such leaf.
    """
    if not 0 <= index < size:
        raise ProofError(f"a tree of size {size} has no leaf {index}")
    begin, end, siblings = 0, size, []
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            siblings.append((middle, end))
            end = middle
        else:
            siblings.append((begin, middle))
            begin = middle
    return tuple(range_root(first, last, node_at) for first, last in reversed(siblings))


def consistency_path(old_size: int, size: int, node_at: NodeAt) -> tuple[bytes, ...]:
    """Return the consistency proof from ``old_size`` to ``size`` (RFC 9162, section 2.1.4.1).

    Raises:
        ProofError: from size 0, or to a smaller tree.
    """
    if not 0 < old_size <= size:
        raise ProofError(f"there is no consistency proof from size {old_size} to {size}")
    begin, end, ranges = 0, size, []
    while end != old_size:
        middle = begin + _split(end - begin)
        if old_size <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((begin, middle))
            begin = middle
    if begin:
        ranges.append((begin, end))
    return tuple(range_root(first, last, node_at) for first, last in reversed(ranges))


def root_from_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the root that an inclusion proof leads to (RFC 9162, section 2.1.3.2).

    Args:
        leaf: the leaf's hash.
        index: the leaf's place, from 0.
        size: the tree's size.
        path: the proof, from the leaf's sibling up.

    Raises:
        ProofError: no such leaf, or a path of the wrong shape.
    """
    if not 0 <= index < size:
        raise ProofError(f"a tree of size {size} has no leaf {index}")
    _check_hashes((leaf, *path))
    first, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise ProofError("the inclusion proof is too long")
        if first & 1 or first == last:
            root = node_hash(sibling, root)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        first, last = first >> 1, last >> 1
    if last:
        raise ProofError("the inclusion proof is too short")
    return root


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf with hash ``leaf`` stands at ``index`` in the tree (``size``, ``root``).

    Raises:
        ProofError: it does not.
    """
    if root_from_inclusion(leaf, index, size, path) != root:
        raise ProofError("the inclusion proof leads to another root")


def verify_consistency(old_size: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> None:
    """Check that the tree (``size``, ``root``) extends (``old_size``, ``old_root``); RFC 9162, 2.1.4.2.

    Raises:
        ProofError: it does not; or ``old_size`` is 0, from which nothing can be proved.
    """
    if not 0 < old_size <= size:
        raise ProofError(f"consistency from size {old_size} to {size} cannot be proved")
    _check_hashes(path)
    if old_size == size:
        if path or old_root != root:
            raise ProofError("equal sizes need equal roots and an empty proof")
        return
    nodes = list(path)
    if old_size & (old_size - 1) == 0:
        nodes.insert(0, old_root)
    if not nodes:
        raise ProofError("the consistency proof is empty")
    first, last = old_size - 1, size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    old = new = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            raise ProofError("the consistency proof is too long")
        if first & 1 or first == last:
            old, new = node_hash(node, old), node_hash(node, new)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            new = node_hash(new, node)
        first, last = first >> 1, last >> 1
    if last or old != old_root or new != root:
        raise ProofError("the consistency proof does not lead from the old root to the new one")


def _split(length: int) -> int:
    """Return the largest power of two below ``length``, which is at least 2."""
    return 1 << ((length - 1).bit_length() - 1)


def _check_hashes(hashes: Sequence[bytes]) -> None:
    if len(hashes) > MAX_PROOF_HASHES + 1 or any(len(node) != HASH_BYTES for node in hashes):
        raise ProofError("a proof is made of at most 63 hashes of 32 bytes")
