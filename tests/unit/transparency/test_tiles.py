from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.transparency.errors import MalformedError, TileMissingError
from understudy.transparency.leaves import MAX_LEAF_BYTES
from understudy.transparency.tiles import (
    DirectoryTiles,
    MemoryTiles,
    TileName,
    decode_bundle,
    decode_tile,
    encode_bundle,
    encode_tile,
    entries_path,
    levels,
    parse_path,
    read_entries,
    read_hashes,
    split_bundle,
    tile_path,
    tiles_at,
)


def test_paths_are_spelled_as_the_specification_says() -> None:
    assert tile_path(0, 1_234_067) == "tile/0/x001/x234/067"
    assert tile_path(3, 0) == "tile/3/000"
    assert entries_path(1_000, 17) == "tile/entries/x001/000.p/17"


@given(st.one_of(st.none(), st.integers(0, 63)), st.integers(0, 2**50), st.integers(1, 256))
def test_every_path_reads_back(level: int | None, n: int, width: int) -> None:
    tile = TileName(level, n, width)
    assert parse_path(tile.path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "checkpoint",
        "tile/0/0",
        "tile/0/0000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/x000/000",
        "tile/0/001/067",
        "tile/0/x001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/07",
        "tile/0/000.p/",
        "tile/0/000/",
        "tile/0/../000",
        "/tile/0/000",
        "tile/0/000\n",
        "tile/entries/000.p/1/../2",
        "tile/0/\u0660\u0660\u0660",
    ],
)
def test_other_spellings_are_no_paths(path: str) -> None:
    with pytest.raises(MalformedError):
        parse_path(path)


def test_a_tree_of_seventy_thousand_has_the_tiles_the_specification_counts() -> None:
    shape = {level: [tile.width for tile in tiles_at(level, 70_000)] for level in levels(70_000)}
    assert shape == {0: [256] * 273 + [112], 1: [256, 17], 2: [1]}


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        (0, {}),
        (1, {0: [1]}),
        (255, {0: [255]}),
        (256, {0: [256], 1: [1]}),
        (257, {0: [256, 1], 1: [1]}),
        (65_535, {0: [256] * 255 + [255], 1: [255]}),
        (65_536, {0: [256] * 256, 1: [256], 2: [1]}),
        (65_537, {0: [256] * 256 + [1], 1: [256], 2: [1]}),
    ],
)
def test_trees_at_tile_borders_have_the_right_tiles(size: int, shape: dict[int, list[int]]) -> None:
    assert {level: [tile.width for tile in tiles_at(level, size)] for level in levels(size)} == shape


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=256))
def test_tiles_survive_their_bytes(hashes: list[bytes]) -> None:
    assert decode_tile(encode_tile(hashes), len(hashes)) == tuple(hashes)


@pytest.mark.parametrize("length", [0, 31, 33, 63, 65, 96])
def test_a_tile_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(MalformedError):
        decode_tile(bytes(length), 2)


@given(st.lists(st.binary(max_size=70), max_size=20))
def test_bundles_survive_their_bytes(entries: list[bytes]) -> None:
    assert decode_bundle(encode_bundle(entries), len(entries)) == tuple(entries)


@given(st.binary(max_size=400))
def test_any_bytes_are_a_bundle_in_its_only_spelling_or_refused(raw: bytes) -> None:
    try:
        entries = split_bundle(raw)
    except MalformedError:
        return
    assert encode_bundle(entries) == raw


@given(st.lists(st.binary(max_size=9), min_size=1, max_size=9), st.data())
def test_a_truncated_bundle_is_refused(entries: list[bytes], data: st.DataObject) -> None:
    raw = encode_bundle(entries)
    cut = raw[: data.draw(st.integers(0, len(raw) - 1))]
    with pytest.raises(MalformedError):
        decode_bundle(cut, len(entries))


def test_a_bundle_of_another_number_of_entries_is_refused() -> None:
    raw = encode_bundle([b"a", b"b"])
    for width in (1, 3):
        with pytest.raises(MalformedError):
            decode_bundle(raw, width)
    with pytest.raises(MalformedError):
        split_bundle(encode_bundle([b""] * 257))


def test_the_largest_entry_fits_and_one_byte_more_does_not() -> None:
    assert decode_bundle(encode_bundle([bytes(MAX_LEAF_BYTES)]), 1) == (bytes(MAX_LEAF_BYTES),)
    with pytest.raises(MalformedError):
        encode_bundle([bytes(MAX_LEAF_BYTES + 1)])


def test_a_partial_tile_that_is_gone_is_read_from_the_full_one() -> None:
    hashes = [bytes([number]) * 32 for number in range(256)]
    entries = [bytes([number]) for number in range(256)]
    source = MemoryTiles({tile_path(0, 0): encode_tile(hashes), entries_path(0): encode_bundle(entries)})
    assert read_hashes(source, TileName(0, 0, 5)) == tuple(hashes[:5])
    assert read_entries(source, TileName(None, 0, 5)) == tuple(entries[:5])
    with pytest.raises(TileMissingError):
        read_hashes(source, TileName(0, 1, 5))
    with pytest.raises(TileMissingError):
        read_entries(source, TileName(None, 1))


def test_a_folder_serves_tiles_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    public = tmp_path / "public"
    (public / "tile/0").mkdir(parents=True)
    (public / "tile/0/000").write_bytes(b"x")
    (public / "checkpoint").write_bytes(b"note")
    source = DirectoryTiles(public)
    assert (source.read("tile/0/000"), source.read("checkpoint")) == (b"x", b"note")
    for path in ("../secret", "tile/../../secret", "/etc/hostname", "secret"):
        with pytest.raises(MalformedError):
            source.read(path)
    with pytest.raises(TileMissingError):
        source.read("tile/0/001")
    with pytest.raises(TileMissingError):
        source.read("tile/0/000.p/1")
