import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.transparency.samples import OpenDraft, World, fill, numbered_leaves
from understudy.transparency.errors import MalformedError, ProofError, QuorumError, TileMissingError
from understudy.transparency.merkle import MemoryTree, leaf_hash, verify_consistency, verify_inclusion
from understudy.transparency.proofs import LogProof, TileTree, parse_proof
from understudy.transparency.sequencer import Sequencer
from understudy.transparency.tiles import DirectoryTiles, MemoryTiles, encode_tile, levels, tiles_at
from understudy.transparency.trust import LogTrust

BORDERS = (1, 2, 255, 256, 257, 65_535, 65_536, 65_537)


class CountingTiles:
    """Counts what is read from another source."""

    def __init__(self, source: MemoryTiles | DirectoryTiles) -> None:
        self.source = source
        self.reads = 0

    def read(self, path: str) -> bytes:
        """Read, and count."""
        self.reads += 1
        return self.source.read(path)


@pytest.fixture(scope="module")
def tree() -> MemoryTree:
    """A tree of 65,537 leaves in memory."""
    return MemoryTree([leaf_hash(leaf) for leaf in numbered_leaves(65_537)])


def files(tree: MemoryTree, size: int) -> MemoryTiles:
    """Return the tiles of the tree of the first ``size`` leaves, straight from the definition."""
    return MemoryTiles(
        {
            tile.path: encode_tile(
                [tree.node(8 * level, place) for place in range(tile.first, tile.first + tile.width)]
            )
            for level in levels(size)
            for tile in tiles_at(level, size)
        }
    )


@pytest.mark.parametrize("size", BORDERS)
def test_proofs_from_tiles_are_those_from_memory(tree: MemoryTree, size: int) -> None:
    tiles = TileTree(files(tree, size), size)
    root = MemoryTree([tree.node(0, index) for index in range(size)]).root
    assert tiles.root == root
    for index in sorted({0, 1, 254, 255, 256, 257, size // 2, size - 1} & set(range(size))):
        path = tiles.inclusion(index)
        assert path == tree.inclusion(index, size)
        verify_inclusion(tree.node(0, index), index, size, path, root)
    for old in sorted({*BORDERS, size - 1, size // 3} & set(range(1, size + 1))):
        path = tiles.consistency(old)
        assert path == tree.consistency(old, size)
        verify_consistency(old, tiles.root_at(old), size, root, path)


def test_a_proof_reads_few_tiles(tree: MemoryTree) -> None:
    source = CountingTiles(files(tree, 65_537))
    TileTree(source, 65_537).inclusion(12_345)
    assert source.reads <= 4


def test_a_wrong_tile_makes_a_proof_that_does_not_verify(tree: MemoryTree) -> None:
    source = files(tree, 300)
    altered = dict(source.files)
    altered["tile/0/000"] = bytes(32) + altered["tile/0/000"][32:]
    path = TileTree(MemoryTiles(altered), 300).inclusion(1)
    with pytest.raises(ProofError):
        verify_inclusion(tree.node(0, 1), 1, 300, path, TileTree(source, 300).root)


def test_tiles_of_a_smaller_tree_prove_nothing_about_a_larger_one(tree: MemoryTree) -> None:
    small = TileTree(files(tree, 200), 200)
    for size in (201, -1):
        with pytest.raises(TileMissingError):
            small.root_at(size)
        with pytest.raises(TileMissingError):
            small.inclusion(0, size)
        with pytest.raises(TileMissingError):
            small.consistency(1, size)
    with pytest.raises(TileMissingError):
        TileTree(files(tree, 200), 300).inclusion(250)
    with pytest.raises(MalformedError):
        TileTree(MemoryTiles({"tile/0/000.p/3": bytes(64)}), 3).inclusion(0)


def proof(sequencer: Sequencer, index: int) -> LogProof:
    newest = sequencer.recosign()
    tiles = TileTree(sequencer.store.tiles, newest.checkpoint.size)
    return LogProof(index, tiles.inclusion(index), newest.note, b"extra bytes")


def test_a_proof_file_convinces_offline(world: World, sequencer: Sequencer) -> None:
    fill(sequencer, numbered_leaves(300))
    entry = sequencer.append(OpenDraft("r1"))
    read = parse_proof(proof(sequencer, entry.index).to_bytes())
    assert read.verify(entry.leaf_hash, world.trust).checkpoint.size == 301
    assert read.extra == b"extra bytes"
    with pytest.raises(ProofError):
        read.verify(leaf_hash(b"another entry"), world.trust)
    with pytest.raises(ProofError):
        LogProof(0, read.path, read.checkpoint).verify(entry.leaf_hash, world.trust)


def test_a_proof_file_without_a_quorum_convinces_nobody(world: World, sequencer: Sequencer) -> None:
    entry = sequencer.append(OpenDraft("r1"))
    made = proof(sequencer, entry.index)
    stricter = LogTrust(world.log_key, world.trust.witnesses, 1)
    stripped = LogProof(made.index, made.path, made.checkpoint.split(b"\n\n")[0] + b"\n\n")
    signed_only = made.checkpoint[: made.checkpoint.rindex("— ".encode())]
    with pytest.raises(QuorumError):
        LogProof(made.index, made.path, signed_only).verify(entry.leaf_hash, stricter)
    with pytest.raises(MalformedError):
        stripped.verify(entry.leaf_hash, stricter)


NOTE = b"log.example/a\n1\n" + b"A" * 43 + b"=\n\n" + "— log.example/a AAAAAAAA\n".encode()
GOOD = b"c2sp.org/tlog-proof@v1\nextra QUI=\nindex 0\n" + b"A" * 43 + b"=\n\n" + NOTE


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        GOOD.replace(b"@v1", b"@v2"),
        GOOD.replace(b"index 0", b"index 00"),
        GOOD.replace(b"index 0", b"index -1"),
        GOOD.replace(b"index 0\n", b""),
        GOOD.replace(b"extra QUI=", b"extra QUI"),
        GOOD.replace(b"extra QUI=", b"extra "),
        GOOD.replace(b"A" * 43 + b"=\n\nlog", b"A" * 40 + b"\n\nlog", 1),
        GOOD.replace(b"index 0\n", b"index 0\n" + (b"A" * 43 + b"=\n") * 64),
        GOOD.replace(b"=\n\nlog", b"=\nlog", 1),
        GOOD[:-1],
        GOOD + b"\n",
        GOOD + b"x" * 300_000,
        b"c2sp.org/tlog-proof@v1\n\n" + NOTE,
    ],
)
def test_what_is_no_proof_file_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_proof(raw)


def test_the_good_proof_file_reads_back() -> None:
    assert parse_proof(GOOD).to_bytes() == GOOD
    assert parse_proof(GOOD.replace(b"extra QUI=\n", b"")).extra == b""


@given(st.data())
def test_a_damaged_proof_file_is_refused_or_spelled_as_it_reads(data: st.DataObject) -> None:
    raw = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(raw[: data.draw(st.integers(0, len(raw)))])
    for candidate in (bytes(raw), cut):
        try:
            read = parse_proof(candidate)
        except MalformedError:
            continue
        assert read.to_bytes() == candidate
