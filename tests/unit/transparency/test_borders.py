"""A real log grown across the borders of tiles, entry by entry and cosigned each time."""

import pytest

from tests.unit.transparency.samples import RawDraft, World, fill, numbered_leaves
from understudy.transparency.fsck import check_store
from understudy.transparency.merkle import (
    MemoryTree,
    leaf_hash,
    tree_root,
    verify_consistency,
    verify_inclusion,
)
from understudy.transparency.proofs import TileTree
from understudy.transparency.verify import verify_log


@pytest.mark.parametrize("border", [256, 65_536])
def test_a_log_crosses_the_border_with_every_proof_right(world: World, border: int) -> None:
    leaves = numbered_leaves(border + 2)
    tree = MemoryTree([leaf_hash(leaf) for leaf in leaves])
    with world.sequencer() as sequencer:
        fill(sequencer, leaves[: border - 2])
        notes = [sequencer.recosign().note]
        for size in range(border - 1, border + 3):
            entry = sequencer.append(RawDraft(leaves[size - 1]))
            checkpoint = world.trust.verify(entry.checkpoint.note).checkpoint
            assert (checkpoint.size, checkpoint.root) == (size, tree_root(leaves[:size]))
            tiles = TileTree(sequencer.store.tiles, size)
            for index in {0, 1, 255, border // 2, border - 3, size - 1} & set(range(size)):
                path = tiles.inclusion(index)
                assert path == sequencer.store.hashes.inclusion(index, size) == tree.inclusion(index, size)
                verify_inclusion(leaf_hash(leaves[index]), index, size, path, checkpoint.root)
            for old in {1, 2, 255, border // 2, border - 2, size - 1} & set(range(1, size)):
                path = tiles.consistency(old)
                assert path == sequencer.store.hashes.consistency(old, size) == tree.consistency(old, size)
                verify_consistency(old, tree_root(leaves[:old]), size, checkpoint.root, path)
            notes.append(entry.checkpoint.note)
        report = verify_log(sequencer.store.tiles, world.trust, checkpoint=notes[-1], earlier=notes)
        assert (report.problems, report.size, report.entries) == ((), border + 2, border + 2)
    assert check_store(world.path).problems == ()
    with world.sequencer() as sequencer:
        assert sequencer.append(RawDraft(b"after a restart")).checkpoint.checkpoint.size == border + 3
