"""A half knows whose it is and does not show itself."""

import pytest

from understudy.consent.contexts import Context
from understudy.sealing.canonical import digest
from understudy.sealing.errors import FormatError, HalfError
from understudy.sealing.half import Half, Role


def test_a_commitment_is_the_digest_of_the_half() -> None:
    assert Half("p", bytes(32)).commitment == digest(Context.HALF, bytes(32))
    assert Half("c2", b"\x02" + bytes(32)).commitment == digest(Context.HALF, b"\x02" + bytes(32))


@pytest.mark.parametrize(
    ("role", "raw"),
    [
        ("p", bytes(31)),
        ("c", bytes(33)),
        ("c1", bytes(32)),
        ("c1", b"\x02" + bytes(32)),
        ("c3", b"\x00" + bytes(32)),
    ],
)
def test_bytes_that_are_not_that_half_are_refused(role: Role, raw: bytes) -> None:
    with pytest.raises(FormatError):
        Half(role, raw)


def test_halves_are_random_and_shares_are_never_generated() -> None:
    assert Half.generate("p").raw != Half.generate("p").raw
    with pytest.raises(FormatError):
        Half.generate("c1")


def test_a_half_is_not_shown() -> None:
    assert repr(Half("c", b"\xab" * 32)) == "Half(role='c')"


def test_a_wiped_half_serves_no_more() -> None:
    raw = bytearray([9] * 32)
    half = Half("p", raw)
    half.wipe()
    assert raw == bytes(32)
    with pytest.raises(HalfError) as caught:
        _ = half.raw
    assert caught.value.role == "p"
