"""Chunks open only as one plain zstd frame of the size they claim, in that much memory and no more."""

import resource
import struct
import sys

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from understudy.formats.compression import MAX_WINDOW_BYTES, compress, expand
from understudy.sealing.errors import FormatError

TEXT = b"what the screen showed " * 40
STORED = compress(TEXT)
SKIPPABLE = struct.pack("<II", 0x184D2A50, 4) + b"abcd"
DICTIONARY = zstandard.ZstdCompressionDict(b"what the screen showed " * 100)


@given(content=st.binary(min_size=1, max_size=2_000))
def test_content_comes_back(content: bytes) -> None:
    assert expand(compress(content), len(content)) == content
    assert expand(compress(content, level=1), len(content)) == content


@pytest.mark.parametrize(
    "stored",
    [
        b"",
        STORED + b"\x00",
        STORED + STORED,
        STORED + SKIPPABLE,
        SKIPPABLE,
        SKIPPABLE + STORED,
        b"\x00" * 40,
        zstandard.ZstdCompressor(write_content_size=False).compress(TEXT),
        zstandard.ZstdCompressor(dict_data=DICTIONARY).compress(TEXT),
    ],
    ids=["empty", "tail", "two", "then-skip", "skip", "skip-first", "zeros", "no-size", "dictionary"],
)
def test_anything_but_one_plain_frame_is_refused(stored: bytes) -> None:
    with pytest.raises(FormatError):
        expand(stored, len(TEXT))


@pytest.mark.parametrize("size", [1, len(TEXT) - 1, len(TEXT) + 1])
def test_another_size_is_refused(size: int) -> None:
    with pytest.raises(FormatError):
        expand(STORED, size)


@given(cut=st.integers(0, len(STORED) - 1))
def test_a_cut_frame_is_refused(cut: int) -> None:
    with pytest.raises(FormatError):
        expand(STORED[:cut], len(TEXT))


def test_a_bomb_that_tells_the_truth_costs_nothing() -> None:
    size = 256 << 20
    stream = zstandard.ZstdCompressor().compressobj(size=size)
    bomb = b"".join(stream.compress(bytes(1 << 20)) for _ in range(256)) + stream.flush()
    assert len(bomb) < 100_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(FormatError):
        expand(bomb, 1_000)
    with pytest.raises(FormatError):
        expand(_relabelled(bomb, size, 1_000), 1_000)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown * (1 if sys.platform == "darwin" else 1024) < 32 << 20


def test_a_frame_that_claims_more_than_it_holds_is_refused() -> None:
    stored = compress(bytes(100_000))
    with pytest.raises(FormatError):
        expand(_relabelled(stored, 100_000, 200_000), 200_000)


def test_a_window_over_the_bound_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(1, window_log=24, write_content_size=True)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj(
        size=MAX_WINDOW_BYTES * 2 + 1
    )
    stored = stream.compress(bytes(MAX_WINDOW_BYTES * 2 + 1)) + stream.flush()
    assert zstandard.get_frame_parameters(stored).window_size > MAX_WINDOW_BYTES
    with pytest.raises(FormatError):
        expand(stored, MAX_WINDOW_BYTES * 2 + 1)


def _relabelled(stored: bytes, size: int, other: int) -> bytes:
    """Return the frame with another content size in its header (4 bytes, little-endian)."""
    at = stored.index(size.to_bytes(4, "little"))
    return stored[:at] + other.to_bytes(4, "little") + stored[at + 4 :]
