import sqlite3

import pytest

from understudy.transparency.database import Database
from understudy.transparency.errors import StoreDamagedError, TileMissingError
from understudy.transparency.hashes import HashTable, TableTiles, hash_schema
from understudy.transparency.merkle import CompactRange, MemoryTree, Nodes, leaf_hash
from understudy.transparency.tiles import decode_bundle, decode_tile, levels, tiles_at

SIZE = 700
LEAVES = [b"%d" % number for number in range(SIZE)]


@pytest.fixture
def table() -> HashTable:
    """The hashes of 700 leaves."""
    return filled(LEAVES)


def filled(leaves: list[bytes]) -> HashTable:
    database = Database(sqlite3.connect(":memory:", isolation_level=None))
    database.write(hash_schema())
    made, grown, nodes = HashTable(database), CompactRange(), Nodes()
    for leaf in leaves:
        grown.append(leaf_hash(leaf), nodes)
    made.insert(nodes)
    return made


def test_stored_hashes_lead_to_every_earlier_root(table: HashTable) -> None:
    tree = MemoryTree([leaf_hash(leaf) for leaf in LEAVES])
    grown = CompactRange()
    for size in range(SIZE + 1):
        if size in {0, 1, 255, 256, 257, 511, 512, 513, 700}:
            assert table.root_at(size) == grown.root
            assert table.range_at(size).to_bytes() == grown.to_bytes()
        if size < SIZE:
            grown.append(tree.node(0, size))


def test_stored_hashes_make_the_proofs_that_memory_makes(table: HashTable) -> None:
    tree = MemoryTree([leaf_hash(leaf) for leaf in LEAVES])
    for size in (1, 2, 255, 256, 257, 600, 700):
        for index in {0, size // 2, size - 1}:
            assert table.inclusion(index, size) == tree.inclusion(index, size)
        for old in {1, size // 2 or 1, size}:
            assert table.consistency(old, size) == tree.consistency(old, size)


def test_a_missing_hash_is_damage_and_not_a_proof(table: HashTable) -> None:
    with pytest.raises(StoreDamagedError):
        table.root_at(SIZE + 1)


def test_the_table_serves_every_tile_of_every_earlier_size(table: HashTable) -> None:
    tiles = TableTiles(table, lambda begin, end: tuple(LEAVES[begin:end]), lambda: b"note")
    for size in (1, 256, 257, 700):
        for level in levels(size):
            for tile in tiles_at(level, size):
                assert len(decode_tile(tiles.read(tile.path), tile.width)) == tile.width
    assert decode_bundle(tiles.read("tile/entries/001.p/3"), 3) == tuple(LEAVES[256:259])
    assert tiles.read("checkpoint") == b"note"


def test_tiles_that_the_tree_does_not_have_are_missing(table: HashTable) -> None:
    tiles = TableTiles(table, lambda begin, end: tuple(LEAVES[begin:end]), lambda: None)
    for path in (
        "tile/0/003",
        "tile/0/002",
        "tile/1/000",
        "tile/2/000.p/1",
        "tile/entries/002",
        "checkpoint",
    ):
        with pytest.raises(TileMissingError):
            tiles.read(path)
