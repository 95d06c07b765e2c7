"""The server learns a bucket, and a payload has one padding."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.sealing.chunked import ciphertext_bytes
from understudy.sealing.errors import FormatError, SealError
from understudy.sealing.padding import (
    CIPHERTEXT_SIZES,
    LENGTH_BYTES,
    MAX_BUCKET_BYTES,
    MAX_PAYLOAD_BYTES,
    MIN_BUCKET_BYTES,
    bucket_bytes,
    padded,
    payload_bytes,
    unpadded,
)


def _plaintext(payload: bytes) -> bytearray:
    return bytearray(b"".join(padded(payload)))


@pytest.mark.parametrize("size", [0, 1, 65_528, 65_529, 131_064, 131_065])
def test_a_payload_comes_back(size: int) -> None:
    plaintext = _plaintext(b"x" * size)
    assert len(plaintext) == bucket_bytes(size)
    assert unpadded(plaintext) == b"x" * size


@settings(max_examples=200)
@given(st.integers(0, MAX_PAYLOAD_BYTES))
def test_buckets_are_the_smallest_power_of_two_that_fits(size: int) -> None:
    bucket = bucket_bytes(size)
    assert bucket & (bucket - 1) == 0
    assert MIN_BUCKET_BYTES <= bucket <= MAX_BUCKET_BYTES
    assert size + LENGTH_BYTES <= bucket
    assert bucket == MIN_BUCKET_BYTES or size + LENGTH_BYTES > bucket // 2
    assert ciphertext_bytes(bucket) in CIPHERTEXT_SIZES
    assert payload_bytes(size.to_bytes(8, "big"), bucket) == size


def test_there_are_eleven_sizes_of_ciphertext() -> None:
    assert len(CIPHERTEXT_SIZES) == 11
    assert min(CIPHERTEXT_SIZES) == 65_536 + 56 + 5 * 16


def test_a_payload_over_the_limit_is_refused() -> None:
    assert bucket_bytes(MAX_PAYLOAD_BYTES) == MAX_BUCKET_BYTES
    with pytest.raises(FormatError):
        bucket_bytes(MAX_PAYLOAD_BYTES + 1)


@given(st.integers(1_000 + LENGTH_BYTES, MIN_BUCKET_BYTES - 1), st.integers(1, 255))
def test_padding_that_is_not_zero_is_refused(position: int, value: int) -> None:
    plaintext = _plaintext(b"x" * 1_000)
    plaintext[position] = value
    with pytest.raises(SealError, match="not zero"):
        unpadded(plaintext)


@pytest.mark.parametrize("told", [65_529, 131_065, MAX_PAYLOAD_BYTES + 1, 2**63, 2**64 - 1])
def test_a_length_that_belongs_to_another_bucket_is_refused(told: int) -> None:
    plaintext = bytearray(told.to_bytes(8, "big") + bytes(MIN_BUCKET_BYTES - 8))
    with pytest.raises(SealError, match="does not fit"):
        unpadded(plaintext)


def test_a_bucket_larger_than_needed_is_refused() -> None:
    plaintext = bytearray((1_000).to_bytes(8, "big") + bytes(2 * MIN_BUCKET_BYTES - 8))
    with pytest.raises(SealError, match="does not fit"):
        unpadded(plaintext)


def test_a_plaintext_without_room_for_a_length_is_refused() -> None:
    with pytest.raises(SealError):
        unpadded(bytearray())
