"""An answer holds for one holder, one entry, one request and one reader."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.consent.contexts import Context
from understudy.consent.primitives import encode_bytes
from understudy.sealing.canonical import canonical
from understudy.sealing.errors import FormatError, HalfError, SealError
from understudy.sealing.half import Half
from understudy.sealing.hpke import HpkePrivateKey
from understudy.sealing.info import info_for
from understudy.sealing.release import (
    ReleaseContext,
    ReleasedHalf,
    ReleasedHalves,
    open_halves,
    seal_halves,
)

READER = HpkePrivateKey.from_seed(bytes([3] * 32))
LEAF, REQUEST = encode_bytes(bytes([1] * 32)), encode_bytes(bytes([2] * 32))
CONTEXT = ReleaseContext(role="c", leaf=LEAF, request=REQUEST)
HALVES = {
    f"seg_{encode_bytes(bytes([number] * 16))}": Half("c", bytes([number] * 32)) for number in (5, 3, 9)
}
SEALED = seal_halves(CONTEXT, HALVES, READER.public)


def _raw(halves: dict[str, Half]) -> dict[str, bytes]:
    return {segment: bytes(half.raw) for segment, half in halves.items()}


def test_an_answer_comes_back_by_segment() -> None:
    opened = open_halves(CONTEXT, SEALED, READER)
    assert _raw(opened) == _raw(HALVES)
    assert list(opened) == sorted(HALVES)
    assert {half.role for half in opened.values()} == {"c"}


def test_shares_are_answered_too() -> None:
    share = {next(iter(HALVES)): Half("c2", b"\x02" + bytes(32))}
    context = ReleaseContext(role="c2", leaf=LEAF, request=REQUEST)
    assert _raw(open_halves(context, seal_halves(context, share, READER.public), READER)) == _raw(share)


@pytest.mark.parametrize(
    "context",
    [
        ReleaseContext(role="p", leaf=LEAF, request=REQUEST),
        ReleaseContext(role="c", leaf=REQUEST, request=REQUEST),
        ReleaseContext(role="c", leaf=LEAF, request=LEAF),
        ReleaseContext(role="c", leaf=REQUEST, request=LEAF),
    ],
    ids=["role", "leaf", "request", "swapped"],
)
def test_an_answer_moved_to_another_open_is_refused(context: ReleaseContext) -> None:
    with pytest.raises(SealError):
        open_halves(context, SEALED, READER)


def test_another_reader_opens_nothing() -> None:
    with pytest.raises(SealError):
        open_halves(CONTEXT, SEALED, HpkePrivateKey.generate())


@settings(max_examples=40)
@given(st.integers(0, 8 * len(SEALED) - 1), st.integers(0, len(SEALED) - 1))
def test_no_flipped_bit_or_cut_opens(bit: int, cut: int) -> None:
    changed = bytearray(SEALED)
    changed[bit // 8] ^= 1 << bit % 8
    for answer in (bytes(changed), SEALED[:cut]):
        with pytest.raises(SealError):
            open_halves(CONTEXT, answer, READER)


def test_a_half_of_another_role_is_never_sealed() -> None:
    with pytest.raises(HalfError):
        seal_halves(CONTEXT, {next(iter(HALVES)): Half("p", bytes(32))}, READER.public)


def test_an_answer_is_neither_empty_nor_endless() -> None:
    many = {
        f"seg_{encode_bytes(number.to_bytes(16, 'big'))}": Half("c", bytes(32)) for number in range(1_001)
    }
    with pytest.raises(FormatError):
        seal_halves(CONTEXT, {}, READER.public)
    with pytest.raises(FormatError):
        seal_halves(CONTEXT, many, READER.public)
    del many[next(iter(many))]
    assert len(open_halves(CONTEXT, seal_halves(CONTEXT, many, READER.public), READER)) == 1_000


def _by_a_dishonest_holder(role: str, *rows: tuple[str, str]) -> bytes:
    released = ReleasedHalves(
        role=role,  # type: ignore[arg-type]
        halves=tuple(ReleasedHalf(segment=segment, half=half) for segment, half in rows),
    )
    return READER.public.seal(info_for(Context.RELEASED_HALVES, CONTEXT), canonical(released))


def test_a_dishonest_holder_cannot_confuse_the_reader() -> None:
    one, two = sorted(HALVES)[:2]
    half = encode_bytes(bytes(32))
    open_halves(CONTEXT, _by_a_dishonest_holder("c", (one, half), (two, half)), READER)
    for rows in (((two, half), (one, half)), ((one, half), (one, half)), ((one, half[:-1] + "B"),)):
        with pytest.raises(FormatError):
            open_halves(CONTEXT, _by_a_dishonest_holder("c", *rows), READER)
    with pytest.raises(HalfError):
        open_halves(CONTEXT, _by_a_dishonest_holder("p", (one, half)), READER)
    with pytest.raises(FormatError):
        open_halves(CONTEXT, READER.public.seal(info_for(Context.RELEASED_HALVES, CONTEXT), b"{}"), READER)
