import sqlite3

import pytest

from tests.unit.transparency.samples import ORIGIN, World, fill, numbered_leaves
from understudy.transparency.checkpoint import Checkpoint, CosignedCheckpoint
from understudy.transparency.database import Database
from understudy.transparency.errors import ForkedError, ProofError, UntrustedCheckpointError
from understudy.transparency.merkle import (
    MemoryTree,
    leaf_hash,
    tree_root,
    verify_consistency,
    verify_inclusion,
)
from understudy.transparency.mirror import Mirror, mirror_schema
from understudy.transparency.proofs import TileTree
from understudy.transparency.verify import verify_log

LEAVES = numbered_leaves(600)


@pytest.fixture
def mirror() -> Mirror:
    """An empty mirror in a store of its own."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(mirror_schema())
    return Mirror(Database(connection), ORIGIN)


def at(size: int, leaves: list[bytes] = LEAVES, origin: str = ORIGIN) -> CosignedCheckpoint:
    tree = Checkpoint(origin, size, tree_root(leaves[:size]))
    return CosignedCheckpoint(tree, b"note %d" % size, {"w": 1}, 1)


def test_leaves_that_lead_to_the_checkpoint_are_mirrored(mirror: Mirror) -> None:
    for begin, end in ((0, 1), (1, 255), (255, 257), (257, 600)):
        mirror.extend(LEAVES[begin:end], at(end))
        assert (mirror.size, mirror.root) == (end, tree_root(LEAVES[:end]))
    assert mirror.newest() == b"note 600"
    assert (mirror.leaf(599), mirror.leaf(600)) == (b"leaf 599", None)
    assert mirror.leaves(598, 700) == (b"leaf 598", b"leaf 599")
    tree = MemoryTree([leaf_hash(leaf) for leaf in LEAVES])
    verify_inclusion(leaf_hash(LEAVES[7]), 7, 300, mirror.inclusion(7, 300), tree_root(LEAVES[:300]))
    verify_consistency(300, tree_root(LEAVES[:300]), 600, mirror.root, mirror.consistency(300, 600))
    assert TileTree(mirror.tiles, 600).inclusion(9) == tree.inclusion(9)


@pytest.mark.parametrize(
    "leaves",
    [
        LEAVES[100:199],
        LEAVES[100:201],
        [],
        [*LEAVES[100:150], b"edited", *LEAVES[151:200]],
        [*LEAVES[100:150], LEAVES[151], LEAVES[150], *LEAVES[152:200]],
        [*LEAVES[100:150], *LEAVES[151:201]],
        LEAVES[99:199],
        [*LEAVES[100:199], bytes(70_000)],
    ],
)
def test_other_leaves_are_refused_and_nothing_is_added(mirror: Mirror, leaves: list[bytes]) -> None:
    mirror.extend(LEAVES[:100], at(100))
    with pytest.raises(ProofError):
        mirror.extend(leaves, at(200))
    assert (mirror.size, mirror.root, mirror.newest()) == (100, tree_root(LEAVES[:100]), b"note 100")
    mirror.extend(LEAVES[100:200], at(200))


def test_newer_cosignatures_of_the_same_tree_are_kept(mirror: Mirror) -> None:
    mirror.extend(LEAVES[:10], at(10))
    fresher = CosignedCheckpoint(at(10).checkpoint, b"fresher", {"w": 2}, 1)
    mirror.extend([], fresher)
    assert (mirror.size, mirror.newest()) == (10, b"fresher")


def test_a_smaller_checkpoint_of_the_same_history_is_confirmed(mirror: Mirror) -> None:
    mirror.extend(LEAVES[:300], at(300))
    for size in (0, 1, 255, 256, 257, 300):
        mirror.check(at(size).checkpoint)
    with pytest.raises(ProofError):
        mirror.check(at(301).checkpoint)


@pytest.mark.parametrize("size", [1, 200, 300])
def test_a_checkpoint_of_another_history_is_a_fork(mirror: Mirror, size: int) -> None:
    mirror.extend(LEAVES[:300], at(300))
    other = at(size, [b"other", *LEAVES[1:]])
    with pytest.raises(ForkedError):
        mirror.check(other.checkpoint)
    with pytest.raises(ForkedError):
        mirror.extend([], other)
    assert mirror.root == tree_root(LEAVES[:300])


def test_another_logs_checkpoint_is_refused(mirror: Mirror) -> None:
    for leaves, checkpoint in ((LEAVES[:3], at(3, origin="log.example/other")), ([], at(0, origin="x"))):
        with pytest.raises(UntrustedCheckpointError):
            mirror.extend(leaves, checkpoint)
    with pytest.raises(UntrustedCheckpointError):
        mirror.check(at(0, origin="log.example/other").checkpoint)


def test_a_rollback_of_the_callers_transaction_takes_the_leaves_back() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(mirror_schema())
    database = Database(connection)
    mirror = Mirror(database, ORIGIN)
    mirror.extend(LEAVES[:10], at(10))
    connection.execute("BEGIN")
    mirror.extend(LEAVES[10:20], at(20))
    assert mirror.size == 20
    connection.execute("ROLLBACK")
    assert (mirror.size, mirror.root) == (10, tree_root(LEAVES[:10]))
    mirror.extend(LEAVES[10:20], at(20))


def test_a_mirror_follows_a_real_log_and_verifies_as_one(world: World, mirror: Mirror) -> None:
    with world.sequencer() as sequencer:
        for count in (1, 254, 2, 300):
            fill(sequencer, numbered_leaves(count))
            newest = sequencer.recosign()
            mirror.extend(sequencer.store.entries(mirror.size, newest.checkpoint.size), newest)
    report = verify_log(mirror.tiles, world.trust)
    assert (report.problems, report.size, report.entries) == ((), 557, 557)
