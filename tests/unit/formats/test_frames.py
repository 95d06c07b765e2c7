"""Frames: exact pixels, one plain lossless WebP file, sizes known before anything is decoded."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from PIL import Image

from tests.unit.formats.forge import FRAME, PICTURE, vp8l, webp
from tests.unit.formats.strategies import pictures
from understudy.formats.picture import Picture
from understudy.formats.recording.bounds import MAX_FRAME_PIXELS
from understudy.formats.recording.errors import Code, RecordingError
from understudy.formats.recording.frames import decode, dimensions, encode, identity, unpack


@given(picture=pictures(), quality=st.sampled_from([0, 50, 100]), method=st.integers(0, 4))
def test_pixels_come_back_exactly(picture: Picture, quality: int, method: int) -> None:
    stored = encode(picture, quality=quality, method=method)
    assert decode(stored) == picture
    assert dimensions(stored) == (picture.width, picture.height)


def test_a_frame_comes_back_with_its_box() -> None:
    assert unpack(FRAME.pack()) == FRAME
    assert FRAME.picture() == PICTURE


def _with_chunk(name: bytes, content: bytes) -> bytes:
    """Return the frame's WebP with one more RIFF chunk at the end."""
    body = FRAME.webp[8:] + name + len(content).to_bytes(4, "little") + content
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def _saved(**options: object) -> bytes:
    buffer = io.BytesIO()
    Image.frombytes("RGB", (8, 6), PICTURE.rgb).save(buffer, "WEBP", lossless=True, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "other",
    [
        b"",
        FRAME.webp[:-1],
        FRAME.webp + b"\x00",
        webp(lossless=False),
        webp(alpha=True),
        _saved(exif=b"Exif\x00\x00II*\x00"),
        _saved(xmp=b"<x/>"),
        _with_chunk(b"EXIF", b"abcd"),
        FRAME.webp.replace(b"WEBP", b"WEBQ"),
        FRAME.webp[:20] + b"\x2e" + FRAME.webp[21:],
    ],
    ids=["empty", "cut", "tail", "lossy", "alpha", "exif", "xmp", "chunk", "form", "signature"],
)
def test_anything_but_one_plain_lossless_picture_is_refused(other: bytes) -> None:
    with pytest.raises(RecordingError) as caught:
        decode(other)
    assert caught.value.code is Code.FRAME_MALFORMED


def test_a_true_header_with_nothing_behind_it_does_not_decode() -> None:
    hollow = vp8l(8, 6)
    assert dimensions(hollow) == (8, 6)
    with pytest.raises(RecordingError):
        decode(hollow)


def test_a_picture_bomb_is_refused_by_its_header() -> None:
    with pytest.raises(RecordingError) as caught:
        decode(vp8l(16_384, 16_384))
    assert caught.value.code is Code.TOO_MANY_PIXELS


@pytest.mark.parametrize(
    "picture",
    [
        Picture(width=2, height=2, rgb=bytes(11)),
        Picture(width=0, height=2, rgb=b""),
        Picture(width=16_385, height=1, rgb=bytes(16_385 * 3)),
        Picture(width=MAX_FRAME_PIXELS, height=2, rgb=b""),
    ],
    ids=["short", "empty", "wide", "large"],
)
def test_a_picture_that_no_reader_takes_is_not_written(picture: Picture) -> None:
    with pytest.raises(RecordingError):
        encode(picture)


def test_a_box_of_another_size_than_the_picture_is_refused() -> None:
    with pytest.raises(RecordingError) as caught:
        unpack(replace(FRAME, width=9).pack())
    assert caught.value.code is Code.FRAME_BOX
    with pytest.raises(RecordingError) as caught:
        unpack(b"\x00" * 7)
    assert caught.value.code is Code.FRAME_MALFORMED


def test_equal_pixels_at_one_place_have_one_identity() -> None:
    assert identity(1, 2, PICTURE) == identity(1, 2, replace(PICTURE))
    assert identity(1, 2, PICTURE) != identity(2, 1, PICTURE)
    turned = Picture(width=6, height=8, rgb=PICTURE.rgb)
    assert identity(1, 2, PICTURE) != identity(1, 2, turned)


def test_pixels_are_not_shown_in_a_traceback() -> None:
    assert repr(PICTURE) == "Picture(width=8, height=6)"
    assert repr(FRAME) == "Frame(x=2, y=3, width=8, height=6)"


@given(at=st.integers(0, len(FRAME.webp) - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_is_refused_or_decodes_within_the_bounds(at: int, bit: int) -> None:
    flipped = bytearray(FRAME.webp)
    flipped[at] ^= 1 << bit
    try:
        picture = decode(bytes(flipped))
    except RecordingError:
        return
    assert len(picture.rgb) == picture.width * picture.height * 3 <= MAX_FRAME_PIXELS * 3
