"""Bodies: exactly one value, nothing unknown, nothing twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.contract.body import read_body, write_body
from understudy.contract.messages import OpenCall, StatementsCall, UploadState
from understudy.sealing.errors import FormatError

STATE = UploadState(segment="seg_" + "A" * 22, offset=3, length=9)


def test_a_body_comes_back_as_it_was() -> None:
    assert read_body(UploadState, write_body(STATE)) == STATE


def test_spacing_and_order_do_not_matter() -> None:
    raw = b'{ "length" : 9,\n"segment":"seg_AAAAAAAAAAAAAAAAAAAAAA", "offset":3}'
    assert read_body(UploadState, raw) == STATE


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b'{"segment":"seg_AAAAAAAAAAAAAAAAAAAAAA","offset":3}',
        b'{"segment":"seg_AAAAAAAAAAAAAAAAAAAAAA","offset":3,"length":9,"more":1}',
        b'{"segment":"seg_AAAAAAAAAAAAAAAAAAAAAA","offset":3,"offset":3,"length":9}',
        b'{"segment":"seg_AAAAAAAAAAAAAAAAAAAAAA","offset":"3","length":9}',
        b'{"segment":"seg_AAAAAAAAAAAAAAAAAAAAAA","offset":-1,"length":9}',
        b'{"segment":"seg_AAAAAAAAAAAAAAAAAAAAAA","offset":3,"length":9}{}',
        b'{"segment":"seg_AAAAAAAAAAAAAAAAAAAAAA\\n","offset":3,"length":9}',
        b'\xff\xfe{"segment":1}',
        b"[" * 100_000,
    ],
)
def test_everything_else_is_refused(raw: bytes) -> None:
    with pytest.raises(FormatError):
        read_body(UploadState, raw)


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    with pytest.raises(FormatError):
        read_body(OpenCall, raw)


@given(st.integers(min_value=0, max_value=60))
def test_a_body_cut_short_is_refused(length: int) -> None:
    raw = write_body(StatementsCall(nonces=("A" * 43,)))
    if length < len(raw):
        with pytest.raises(FormatError):
            read_body(StatementsCall, raw[:length])
