"""Any stretch of a sealed message can be read, and no changed byte of it."""

import io
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from understudy.sealing.chunked import (
    CHUNK_BYTES,
    PREFIX_BYTES,
    TAG_BYTES,
    ChunkKey,
    ChunkReader,
    ChunkWriter,
    ciphertext_bytes,
    decrypt,
    encrypt,
    plaintext_bytes,
)
from understudy.sealing.errors import FormatError, SealError
from understudy.sealing.info import ChunkContext

KEY = ChunkKey(bytes([1] * 32))
OTHER_KEY = ChunkKey(bytes([2] * 32))
CONTEXT = ChunkContext(b"about this message")
MESSAGE = Random(5).randbytes(3 * CHUNK_BYTES + 100)
SEALED = encrypt(KEY, CONTEXT, MESSAGE)
EDGES = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES + 1]


def _reader(sealed: bytes, key: ChunkKey = KEY, context: ChunkContext = CONTEXT) -> ChunkReader:
    return ChunkReader(io.BytesIO(sealed), key, context)


@pytest.mark.parametrize("length", EDGES)
def test_every_length_comes_back_from_both_implementations(length: int) -> None:
    message = Random(length).randbytes(length)
    sealed = encrypt(KEY, CONTEXT, message)
    assert len(sealed) == ciphertext_bytes(length)
    assert plaintext_bytes(len(sealed)) == length
    assert decrypt(KEY, CONTEXT, sealed) == message
    assert _reader(sealed).read() == message


@settings(max_examples=30)
@given(st.lists(st.sampled_from([0, 1, 7, 8, 1000, CHUNK_BYTES, CHUNK_BYTES + 1]), max_size=6))
def test_parts_and_writer_give_one_message(lengths: list[int]) -> None:
    parts = [Random(index).randbytes(length) for index, length in enumerate(lengths)]
    sink = io.BytesIO()
    with ChunkWriter(sink, KEY, CONTEXT) as writer:
        for part in parts:
            assert writer.write(part) == len(part)
    assert _reader(sink.getvalue()).read() == b"".join(parts)
    assert decrypt(KEY, CONTEXT, encrypt(KEY, CONTEXT, *parts)) == b"".join(parts)


@settings(max_examples=150)
@given(
    st.lists(st.tuples(st.integers(0, len(MESSAGE) + 50), st.integers(0, 2 * CHUNK_BYTES + 5)), max_size=5)
)
@example([(CHUNK_BYTES, CHUNK_BYTES), (CHUNK_BYTES - 1, 2), (0, len(MESSAGE)), (len(MESSAGE), 1)])
def test_reading_anywhere_equals_slicing(reads: list[tuple[int, int]]) -> None:
    reader = _reader(SEALED)
    for offset, size in reads:
        assert reader.seek(offset) == offset
        assert reader.read(size) == MESSAGE[offset : offset + size]
        assert reader.tell() == offset + len(MESSAGE[offset : offset + size])


def test_seeking_from_end_and_position_works_as_in_files() -> None:
    reader = _reader(SEALED)
    assert reader.seek(-10, io.SEEK_END) == len(MESSAGE) - 10
    assert reader.seek(4, io.SEEK_CUR) == len(MESSAGE) - 6
    assert reader.read() == MESSAGE[-6:]
    assert reader.length == len(MESSAGE)
    for offset, whence in ((-1, io.SEEK_SET), (-len(MESSAGE) - 1, io.SEEK_END), (0, 9)):
        with pytest.raises(FormatError):
            reader.seek(offset, whence)


def test_a_buffered_reader_can_stand_on_it() -> None:
    with io.BufferedReader(_reader(SEALED), buffer_size=5_000) as buffered:
        buffered.seek(CHUNK_BYTES - 3)
        assert buffered.read(10) == MESSAGE[CHUNK_BYTES - 3 : CHUNK_BYTES + 7]


def test_a_source_that_gives_little_at_a_time_is_read_whole() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 1_000))

    assert ChunkReader(Slow(SEALED), KEY, CONTEXT).read() == MESSAGE


def test_a_message_may_begin_inside_its_source() -> None:
    assert ChunkReader(io.BytesIO(b"front" + SEALED), KEY, CONTEXT, start=5).read() == MESSAGE


@settings(max_examples=120)
@given(st.integers(0, 8 * len(SEALED) - 1))
@example(0)
@example(8 * PREFIX_BYTES - 1)
@example(8 * len(SEALED) - 1)
def test_no_flipped_bit_is_read(bit: int) -> None:
    changed = bytearray(SEALED)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SealError):
        decrypt(KEY, CONTEXT, changed)
    with pytest.raises(SealError):
        _reader(bytes(changed)).read()


@settings(max_examples=120)
@given(st.integers(0, len(SEALED) - 1))
@example(PREFIX_BYTES)
@example(PREFIX_BYTES + CHUNK_BYTES + TAG_BYTES)
@example(PREFIX_BYTES + 3 * (CHUNK_BYTES + TAG_BYTES))
def test_a_truncated_message_is_refused_before_the_first_byte(length: int) -> None:
    with pytest.raises(SealError):
        decrypt(KEY, CONTEXT, SEALED[:length])
    with pytest.raises(SealError):
        _reader(SEALED[:length])


@pytest.mark.parametrize("more", [1, 15, 16, 17, CHUNK_BYTES])
def test_an_extended_message_is_refused_before_the_first_byte(more: int) -> None:
    with pytest.raises(SealError):
        decrypt(KEY, CONTEXT, SEALED + bytes(more))
    with pytest.raises(SealError):
        _reader(SEALED + bytes(more))


def test_swapped_and_repeated_chunks_are_refused() -> None:
    size = CHUNK_BYTES + TAG_BYTES
    chunks = [SEALED[PREFIX_BYTES + at * size : PREFIX_BYTES + (at + 1) * size] for at in range(4)]
    for order in ((1, 0, 2, 3), (0, 0, 2, 3), (0, 2, 3), (0, 1, 1, 2, 3)):
        changed = SEALED[:PREFIX_BYTES] + b"".join(chunks[index] for index in order)
        with pytest.raises(SealError):
            decrypt(KEY, CONTEXT, changed)
        with pytest.raises(SealError):
            _reader(changed).read()


def test_the_commitment_is_checked_before_any_chunk() -> None:
    for key, context in ((OTHER_KEY, CONTEXT), (KEY, ChunkContext(b"another message"))):
        with pytest.raises(SealError, match="under this key"):
            _reader(SEALED, key, context)
        with pytest.raises(SealError):
            decrypt(key, context, SEALED)
    swapped = SEALED[:24] + encrypt(OTHER_KEY, CONTEXT, MESSAGE)[24:PREFIX_BYTES] + SEALED[PREFIX_BYTES:]
    with pytest.raises(SealError, match="under this key"):
        _reader(swapped)


def test_a_reader_that_met_a_wrong_chunk_keeps_failing_and_gives_nothing_of_it() -> None:
    changed = bytearray(SEALED)
    changed[PREFIX_BYTES + CHUNK_BYTES + TAG_BYTES] ^= 1
    reader = _reader(bytes(changed))
    assert reader.read(10) == MESSAGE[:10]
    target = bytearray(2 * CHUNK_BYTES)
    reader.seek(0)
    with pytest.raises(SealError):
        reader.readinto(target)
    assert target[:CHUNK_BYTES] == MESSAGE[:CHUNK_BYTES]
    assert target[CHUNK_BYTES:] == bytes(CHUNK_BYTES)
    reader.seek(0)
    for size in (1, CHUNK_BYTES):
        with pytest.raises(SealError):
            reader.read(size)


def test_a_source_cut_while_it_is_read_is_an_error() -> None:
    source = io.BytesIO(SEALED)
    reader = ChunkReader(source, KEY, CONTEXT)
    source.truncate(PREFIX_BYTES + 100)
    with pytest.raises(SealError, match="ends early"):
        reader.read(1)


def test_a_closed_reader_gives_nothing_and_leaves_its_source_open() -> None:
    source = io.BytesIO(SEALED)
    reader = ChunkReader(source, KEY, CONTEXT)
    reader.read(10)
    reader.close()
    reader.seek(0)
    with pytest.raises(SealError):
        reader.read(10)
    assert not source.closed


def test_a_writer_left_by_an_exception_leaves_no_valid_message() -> None:
    sink = io.BytesIO()
    writer = ChunkWriter(sink, KEY, CONTEXT)

    def interrupted() -> None:
        with writer:
            writer.write(MESSAGE)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    with pytest.raises(SealError):
        writer.write(b"more")
    with pytest.raises(SealError):
        _reader(sink.getvalue())


def test_a_closed_writer_takes_no_more() -> None:
    sink = io.BytesIO()
    writer = ChunkWriter(sink, KEY, CONTEXT)
    writer.write(MESSAGE)
    writer.close()
    writer.close()
    with pytest.raises(SealError):
        writer.write(b"more")
    assert _reader(sink.getvalue()).read() == MESSAGE


def test_no_salt_comes_twice() -> None:
    salts = {encrypt(KEY, CONTEXT, b"")[:24] for _ in range(200)}
    assert len(salts) == 200


def test_a_key_has_32_bytes_and_a_wiped_one_serves_no_more() -> None:
    for length in (0, 16, 31, 33, 64):
        with pytest.raises(FormatError):
            ChunkKey(bytes(length))
    raw = bytearray([7] * 32)
    key = ChunkKey(raw)
    key.wipe()
    assert raw == bytes(32)
    with pytest.raises(SealError):
        encrypt(key, CONTEXT, b"")
    assert repr(key) == "ChunkKey()"
