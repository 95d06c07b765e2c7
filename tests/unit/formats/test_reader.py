"""The reader: random access that touches what it needs, and no more."""

import io

import pytest
from msgspec.structs import replace

from tests.unit.formats.forge import (
    MANIFEST,
    ROOT,
    TREE,
    VERSIONS,
    assemble,
    manifest,
    parts,
    row,
    trees,
    versions,
    with_parts,
)
from understudy.formats.elements import Element, ElementTree, Role
from understudy.formats.picture import Picture
from understudy.formats.recording.actions import Action, Key
from understudy.formats.recording.bounds import MAX_RECORDING_BYTES
from understudy.formats.recording.errors import Code, RecordingError
from understudy.formats.recording.layout import HEADER_BYTES, TRAILER_BYTES, Kind
from understudy.formats.recording.reader import RecordingReader
from understudy.formats.recording.versions import Version
from understudy.formats.recording.writer import RecordingWriter
from understudy.formats.source import read_at
from understudy.formats.synthetic import synthetic_segment
from understudy.sealing.chunked import ChunkKey, ChunkReader, encrypt
from understudy.sealing.info import ChunkContext
from understudy.sealing.padding import MAX_PAYLOAD_BYTES

ACTIONS = 300


class Counting(io.BytesIO):
    """Remembers which bytes were read."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.touched: list[tuple[int, int]] = []

    def read(self, size: int | None = -1, /) -> bytes:
        at = self.tell()
        data = super().read(size)
        self.touched.append((at, at + len(data)))
        return data

    @property
    def bytes_read(self) -> int:
        return sum(end - start for start, end in self.touched)


def page(number: int) -> ElementTree:
    return replace(TREE, elements=(ROOT, Element(role=Role.TEXT, name=f"page {number}", parent=0)))


@pytest.fixture(scope="module")
def long_file() -> bytes:
    """A file with many chunks of each kind: 300 actions, one a second, each on its own version."""
    file = io.BytesIO()
    writer = RecordingWriter(file)
    for number in range(ACTIONS):
        shade = bytes([number % 256, number // 256, 7])
        frame = writer.add_frame(Picture(width=16, height=16, rgb=shade * 256))
        version = Version(at_ms=number * 1_000, tree=writer.add_tree(page(number)), frame=frame)
        before = writer.add_version(version)
        writer.add_action(Key(at_ms=number * 1_000, before=before, target=0, key="Tab"))
    writer.finish(replace(MANIFEST, ended_at=MANIFEST.started_at + ACTIONS))
    return file.getvalue()


def test_opening_reads_header_trailer_index_and_manifest_only(long_file: bytes) -> None:
    source = Counting(long_file)
    reader = RecordingReader(source)
    last = reader.index.chunks[-1]
    index = len(long_file) - TRAILER_BYTES - reader.index.offsets[-1]
    assert source.bytes_read == HEADER_BYTES + TRAILER_BYTES + index + last.length


@pytest.mark.parametrize("number", [0, 63, 64, 150, ACTIONS - 1])
def test_an_action_with_its_state_costs_one_chunk_of_each_kind(long_file: bytes, number: int) -> None:
    source = Counting(long_file)
    reader = RecordingReader(source)
    source.touched.clear()
    action = reader.action(number)
    assert action.at_ms == number * 1_000
    assert action.before is not None
    version = reader.version(action.before)
    assert version.tree is not None
    assert version.frame is not None
    assert reader.tree(version.tree) == page(number)
    assert reader.frame(version.frame).picture().rgb[0] == number % 256
    assert len(source.touched) == 4
    spans = {
        (offset, offset + chunk.length)
        for chunk, offset in zip(reader.index.chunks, reader.index.offsets, strict=False)
    }
    assert set(source.touched) <= spans
    assert source.bytes_read < len(long_file) / 10


def test_neighbours_in_a_chunk_cost_nothing_more(long_file: bytes) -> None:
    source = Counting(long_file)
    reader = RecordingReader(source)
    reader.action(0)
    source.touched.clear()
    assert [action.at_ms for action in reader.actions(0, 64)] == [number * 1_000 for number in range(64)]
    assert source.touched == []
    assert len(list(reader.actions())) == ACTIONS


def test_time_finds_actions_and_versions(long_file: bytes) -> None:
    reader = RecordingReader(io.BytesIO(long_file))
    found = list(reader.actions_between(62_500, 66_000))
    assert [number for number, _ in found] == [63, 64, 65, 66]
    assert reader.version_at(70_400) == 70
    assert reader.version_at(10**9) == ACTIONS - 1
    assert list(reader.actions_between(10**9, 10**9 + 1)) == []


def test_over_a_decryptor_only_the_chunks_asked_for_are_decrypted() -> None:
    segment = synthetic_segment(
        1, recording=MANIFEST.recording, ordinal=0, started_at=0, ended_at=60, actions=60
    )
    key, context = ChunkKey.generate(), ChunkContext(b"test")
    source = Counting(encrypt(key, context, segment))
    reader = RecordingReader(ChunkReader(source, key, context))
    action = reader.action(30)
    assert action.before is not None
    version = reader.version(action.before)
    assert version.tree is not None
    assert reader.tree(version.tree).elements
    assert 0 < source.bytes_read < len(segment) / 3


def test_whatever_is_recorded_can_be_sealed() -> None:
    assert MAX_RECORDING_BYTES == MAX_PAYLOAD_BYTES


def test_before_the_first_version_there_is_none() -> None:
    later = tuple(replace(version, at_ms=version.at_ms + 1_000) for version in VERSIONS)
    reader = RecordingReader(io.BytesIO(with_parts(versions=versions(*later))))
    assert reader.version_at(0) is None


@pytest.mark.parametrize("number", [-1, ACTIONS])
def test_a_number_that_is_not_there_is_an_index_error(long_file: bytes, number: int) -> None:
    reader = RecordingReader(io.BytesIO(long_file))
    for ask in (reader.action, reader.version, reader.tree, reader.frame):
        with pytest.raises(IndexError):
            ask(number)


def test_a_file_without_actions_or_gaps_reads_as_empty() -> None:
    chosen = {name: part for name, part in parts().items() if name not in {"actions", "gaps"}}
    reader = RecordingReader(io.BytesIO(assemble(*chosen.values())))
    assert list(reader.actions()) == []
    assert reader.gaps() == ()
    assert reader.count(Kind.ACTIONS) == 0


def test_a_damaged_chunk_is_refused_and_the_others_still_read() -> None:
    data = bytearray(with_parts())
    data[HEADER_BYTES + 3] ^= 1  # in the first chunk: the trees
    reader = RecordingReader(io.BytesIO(bytes(data)))
    with pytest.raises(RecordingError) as caught:
        reader.tree(0)
    assert caught.value.code is Code.CHUNK_CORRUPT
    assert reader.action(0).at_ms == 1_000


def test_a_tree_with_a_secret_in_it_is_refused_by_the_reader_too() -> None:
    leaky = replace(TREE, elements=(*TREE.elements[:2], replace(TREE.elements[2], value="x")))
    reader = RecordingReader(io.BytesIO(with_parts(trees=trees(leaky, TREE))))
    with pytest.raises(RecordingError) as caught:
        reader.tree(0)
    assert caught.value.code is Code.SECURE_CONTENT


def test_exchanged_chunks_of_one_kind_are_refused() -> None:
    first, second = trees(TREE), trees(page(1))
    whole = {**parts(), "trees": first}
    swapped = assemble(second._replace(stored=row(first)[1], hash=row(second)[0].hash), *whole.values())
    reader = RecordingReader(io.BytesIO(swapped))
    with pytest.raises(RecordingError) as caught:
        reader.tree(0)
    assert caught.value.code is Code.CHUNK_CORRUPT


def test_a_source_that_gives_little_at_a_time_is_read_to_the_end() -> None:
    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 3))

    reader = RecordingReader(Trickle(with_parts()))
    actions: list[Action] = list(reader.actions())
    assert len(actions) == 4
    assert read_at(Trickle(b"abcdefgh"), 1, 6) == b"bcdefg"
    assert read_at(Trickle(b"abcdefgh"), 5, 6) == b"fgh"


def test_an_unfinished_manifest_is_not_a_recording() -> None:
    with pytest.raises(RecordingError):
        RecordingReader(io.BytesIO(assemble(trees(TREE))))
    assert RecordingReader(io.BytesIO(assemble(manifest()))).manifest == MANIFEST
