"""Two of three shares give the half back; one says nothing; a wrong one is noticed where it can be."""

from collections import Counter
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.sealing.errors import FormatError, SealError
from understudy.sealing.shamir import _evaluate, _inverse, _multiply, combine, split


@settings(max_examples=40)
@given(st.binary(min_size=1, max_size=40), st.integers(1, 5), st.integers(0, 4), st.randoms())
def test_any_threshold_of_shares_gives_the_secret(
    secret: bytes, threshold: int, extra: int, rng: object
) -> None:
    shares = list(split(secret, threshold=threshold, count=threshold + extra))
    rng.shuffle(shares)  # type: ignore[attr-defined]
    assert combine(shares[:threshold], threshold=threshold) == secret
    assert combine(shares, threshold=threshold) == secret


def test_every_pair_of_three_gives_the_half_and_shares_are_x_then_y() -> None:
    secret = bytes(range(32))
    shares = split(secret, threshold=2, count=3)
    assert [share[0] for share in shares] == [1, 2, 3]
    assert {len(share) for share in shares} == {33}
    for pair in permutations(shares, 2):
        assert combine(pair, threshold=2) == secret


def test_a_line_by_hand() -> None:
    # f(x) = 0x53 + 0xca·x over 0x11b: f(1) = 0x99, f(2) = 0x53 ^ 0x8f, f(3) = f(1) ^ f(2) ^ 0x53.
    assert _evaluate(b"\x53", [b"\xca"], 3) == (b"\x01\x99", b"\x02\xdc", b"\x03\x16")


def test_the_field_is_that_of_aes() -> None:
    assert _multiply(0x57, 0x83) == 0xC1  # FIPS 197, section 4.2
    assert _multiply(0x57, 0x13) == 0xFE
    assert _multiply(0x53, 0xCA) == 0x01
    assert all(_multiply(value, _inverse(value)) == 1 for value in range(1, 256))


def test_one_share_is_equally_likely_whatever_the_secret() -> None:
    # Exhaustive: over all 256 coefficients, share c1 of any secret byte takes every value exactly once.
    for secret in (0x00, 0x41, 0xFF):
        seen = Counter(_evaluate(bytes([secret]), [bytes([slope])], 1)[0][1] for slope in range(256))
        assert len(seen) == 256


def test_a_third_share_that_disagrees_is_refused() -> None:
    one, two, three = split(bytes(32), threshold=2, count=3)
    with pytest.raises(SealError):
        combine([one, two, three[:5] + bytes([three[5] ^ 1]) + three[6:]], threshold=2)


@pytest.mark.parametrize(
    "shares",
    [
        [],
        [b"\x01a"],
        [b"\x01a", b"\x01a"],
        [b"\x00a", b"\x01b"],
        [b"\x01a", b"\x02bc"],
        [b"\x01a", b""],
        [b"", b""],
    ],
)
def test_shares_that_cannot_be_combined_are_refused(shares: list[bytes]) -> None:
    with pytest.raises(FormatError):
        combine(shares, threshold=2)


@pytest.mark.parametrize(("threshold", "count"), [(0, 1), (2, 1), (1, 256), (-1, 3)])
def test_impossible_splits_are_refused(threshold: int, count: int) -> None:
    with pytest.raises(FormatError):
        split(b"secret", threshold=threshold, count=count)
    with pytest.raises(FormatError):
        split(b"", threshold=1, count=1)
