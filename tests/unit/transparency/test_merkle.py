import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.transparency.errors import MalformedError, ProofError
from understudy.transparency.merkle import (
    EMPTY_ROOT,
    CompactRange,
    MemoryTree,
    Nodes,
    leaf_hash,
    tree_root,
    verify_consistency,
    verify_inclusion,
)


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    left, right = naive_root(leaves[:middle]), naive_root(leaves[middle:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def naive_consistency(old: int, leaves: list[bytes], *, whole: bool = True) -> list[bytes]:
    """RFC 6962, section 2.1.2, word for word."""
    if old == len(leaves):
        return [] if whole else [naive_root(leaves)]
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    if old <= middle:
        return [*naive_consistency(old, leaves[:middle], whole=whole), naive_root(leaves[middle:])]
    return [*naive_consistency(old - middle, leaves[middle:], whole=False), naive_root(leaves[:middle])]


def leaves_of(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


def vector(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def octets(case: dict[str, Any], name: str) -> bytes:
    return base64.b64decode(case[name])


def proof_of(case: dict[str, Any]) -> list[bytes]:
    return [base64.b64decode(node) for node in case["proof"] or []]


def test_all_public_inclusion_vectors_are_judged_as_they_should(vectors: Path) -> None:
    files = sorted((vectors / "merkle" / "inclusion").rglob("*.json"))
    assert len(files) == 98
    refused = 0
    for path in files:
        case = vector(path)
        arguments = (octets(case, "leafHash"), case["leafIdx"], case["treeSize"], proof_of(case))
        if case["wantErr"]:
            refused += 1
            with pytest.raises(ProofError):
                verify_inclusion(*arguments, octets(case, "root"))
        else:
            verify_inclusion(*arguments, octets(case, "root"))
    assert refused == 92


def test_all_public_consistency_vectors_are_judged_as_they_should(vectors: Path) -> None:
    files = sorted((vectors / "merkle" / "consistency").rglob("*.json"))
    assert len(files) == 98
    refused = 0
    for path in files:
        case = vector(path)
        old, new = (case["size1"], octets(case, "root1")), (case["size2"], octets(case, "root2"))
        if case["wantErr"]:
            refused += 1
            with pytest.raises(ProofError):
                verify_consistency(*old, *new, proof_of(case))
        else:
            verify_consistency(*old, *new, proof_of(case))
    assert refused == 92


@pytest.mark.parametrize("count", [*range(20), 31, 32, 33, 255, 256, 257])
def test_roots_are_those_of_rfc_6962(count: int) -> None:
    leaves = leaves_of(count)
    tree = MemoryTree([leaf_hash(leaf) for leaf in leaves])
    assert naive_root(leaves) == tree_root(leaves) == tree.root


def test_the_empty_tree_has_the_root_of_nothing() -> None:
    assert tree_root([]) == EMPTY_ROOT == hashlib.sha256(b"").digest()


def test_every_leaf_of_every_small_tree_proves_its_inclusion_and_no_other() -> None:
    for size in range(1, 34):
        tree = MemoryTree([leaf_hash(leaf) for leaf in leaves_of(size)])
        for index in range(size):
            path = tree.inclusion(index)
            verify_inclusion(leaf_hash(b"%d" % index), index, size, path, tree.root)
            with pytest.raises(ProofError):
                verify_inclusion(leaf_hash(b"other"), index, size, path, tree.root)
            if size > 1:
                with pytest.raises(ProofError):
                    verify_inclusion(leaf_hash(b"%d" % index), (index + 1) % size, size, path, tree.root)


def test_every_pair_of_small_sizes_proves_its_consistency_as_the_rfc_does() -> None:
    leaves = leaves_of(40)
    tree = MemoryTree([leaf_hash(leaf) for leaf in leaves])
    for size in range(1, 41):
        for old in range(1, size + 1):
            path = tree.consistency(old, size)
            assert list(path) == naive_consistency(old, leaves[:size])
            verify_consistency(old, naive_root(leaves[:old]), size, naive_root(leaves[:size]), path)


@pytest.mark.parametrize("size", [0, 1, 7, 8])
def test_consistency_from_size_zero_is_refused(size: int) -> None:
    root = tree_root(leaves_of(size))
    with pytest.raises(ProofError):
        verify_consistency(0, EMPTY_ROOT, size, root, [])
    with pytest.raises(ProofError):
        MemoryTree([leaf_hash(leaf) for leaf in leaves_of(size)]).consistency(0)


@given(st.data())
def test_a_consistency_proof_with_one_bit_flipped_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 70))
    old = data.draw(st.integers(1, size - 1))
    leaves = leaves_of(size)
    path = list(MemoryTree([leaf_hash(leaf) for leaf in leaves]).consistency(old))
    place, bit = data.draw(st.integers(0, len(path) - 1)), data.draw(st.integers(0, 255))
    flipped = bytearray(path[place])
    flipped[bit // 8] ^= 1 << bit % 8
    path[place] = bytes(flipped)
    with pytest.raises(ProofError):
        verify_consistency(old, tree_root(leaves[:old]), size, tree_root(leaves), path)


@given(st.data())
def test_an_inclusion_proof_cut_or_lengthened_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 70))
    index = data.draw(st.integers(0, size - 1))
    tree = MemoryTree([leaf_hash(leaf) for leaf in leaves_of(size)])
    path = tree.inclusion(index)
    leaf = leaf_hash(b"%d" % index)
    for changed in (path[:-1], path[1:], (*path, bytes(32)), (bytes(32), *path), (*path[:-1], path[-1][:31])):
        with pytest.raises(ProofError):
            verify_inclusion(leaf, index, size, changed, tree.root)


@given(st.integers(0, 300))
def test_a_compact_range_survives_its_bytes(size: int) -> None:
    grown = CompactRange()
    for leaf in leaves_of(size):
        grown.append(leaf_hash(leaf))
    again = CompactRange.from_bytes(grown.to_bytes())
    assert (again.size, again.root) == (size, tree_root(leaves_of(size)))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_compact_range_or_refused(raw: bytes) -> None:
    try:
        grown = CompactRange.from_bytes(raw)
    except MalformedError:
        return
    assert grown.to_bytes() == raw


def test_appending_reports_every_perfect_node_once() -> None:
    grown, nodes = CompactRange(), Nodes()
    hashes = [leaf_hash(leaf) for leaf in leaves_of(70)]
    for node in hashes:
        grown.append(node, nodes)
    tree = MemoryTree(hashes)
    expected = {(level, index): tree.node(level, index) for level in range(7) for index in range(70 >> level)}
    assert nodes == expected


def test_a_copy_grows_alone() -> None:
    grown = CompactRange()
    grown.append(leaf_hash(b"0"))
    grown.copy().append(leaf_hash(b"1"))
    assert (grown.size, grown.root) == (1, leaf_hash(b"0"))
