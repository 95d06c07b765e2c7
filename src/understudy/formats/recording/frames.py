"""Frames: lossless pictures of the screen, or of a box of it.

Rules

* Pixels come back exactly as they went in: redaction is exact, so storage has to be.
* A frame's WebP file is one ``VP8L`` chunk without alpha and nothing else, hence without metadata, animation
  or lossy data. Its size is read from its header, and bounded, before any decoder sees it.
* Equal pixels at one place are one frame; ``identity`` finds them.

WebP container: RFC 9649, sections 2 and 3. Layout: ``docs/formats/recording.md``, section 7.

Example

>>> picture = Picture(width=2, height=1, rgb=bytes([255, 0, 0, 0, 0, 255]))
>>> decode(encode(picture)) == picture
True
"""

import hashlib
import io
import struct
from typing import Final

import msgspec
from PIL import Image

from understudy.formats.picture import Picture
from understudy.formats.recording.bounds import MAX_FRAME_BYTES, MAX_FRAME_PIXELS
from understudy.formats.recording.errors import Code, RecordingError

_BOX: Final = struct.Struct(">HHHH")
_RIFF: Final = struct.Struct("<4sI4s4sIBI")
_SIGNATURE: Final = 0x2F
_SIDE: Final = (1 << 14) - 1


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """A picture as it is stored, and the box of the screen that it shows."""

    x: int
    y: int
    width: int
    height: int
    webp: bytes

    def __repr__(self) -> str:
        return f"Frame(x={self.x}, y={self.y}, width={self.width}, height={self.height})"

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return self.width * self.height

    def picture(self) -> Picture:
        """Return the decoded pixels.

        Raises:
            RecordingError: ``frame-malformed``.
        """
        return decode(self.webp)

    def pack(self) -> bytes:
        """Return the content of the frame's chunk."""
        return _BOX.pack(self.x, self.y, self.width, self.height) + self.webp


def unpack(content: bytes) -> Frame:
    """Return the frame in the content of a chunk, without decoding its pixels.

    Raises:
        RecordingError: ``frame-malformed``, ``frame-box`` or ``too-many-pixels``.
    """
    if len(content) < _BOX.size:
        raise RecordingError(Code.FRAME_MALFORMED, "a frame without a box")
    x, y, width, height = _BOX.unpack_from(content)
    webp = content[_BOX.size :]
    if dimensions(webp) != (width, height):
        raise RecordingError(Code.FRAME_BOX, "a box of another size than its picture")
    return Frame(x=x, y=y, width=width, height=height, webp=webp)


def dimensions(webp: bytes) -> tuple[int, int]:
    """Return width and height of a plain lossless WebP file, after checking that it is one.

    Raises:
        RecordingError: ``frame-malformed`` or ``too-many-pixels``.
    """
    if len(webp) < _RIFF.size or len(webp) > MAX_FRAME_BYTES:
        raise RecordingError(Code.FRAME_MALFORMED, "not a WebP file")
    riff, riff_size, form, chunk, chunk_size, signature, bits = _RIFF.unpack_from(webp)
    if (riff, form, chunk, signature) != (b"RIFF", b"WEBP", b"VP8L", _SIGNATURE):
        raise RecordingError(Code.FRAME_MALFORMED, "not a plain lossless WebP file")
    if riff_size != len(webp) - 8 or riff_size != 12 + chunk_size + chunk_size % 2:
        raise RecordingError(Code.FRAME_MALFORMED, "something follows the picture, or part of it is missing")
    has_alpha, version = bits >> 28 & 1, bits >> 29
    if has_alpha or version or (chunk_size % 2 and webp[-1]):
        raise RecordingError(
            Code.FRAME_MALFORMED, "alpha, an unknown version, or a pad byte that is not zero"
        )
    width, height = (bits & _SIDE) + 1, (bits >> 14 & _SIDE) + 1
    if width * height > MAX_FRAME_PIXELS:
        raise RecordingError(Code.TOO_MANY_PIXELS, f"a frame of {width} x {height}")
    return width, height


def encode(picture: Picture, *, quality: int = 50, method: int = 2) -> bytes:
    """Return the picture as a plain lossless WebP file.

    Args:
        picture: at most ``MAX_FRAME_PIXELS``, at most 16,384 a side.
        quality: effort of the compressor, 0 to 100; pixels are exact at any.
        method: 0 (fast: for raw frames of a running capture) to 6.

    Raises:
        RecordingError: ``too-many-pixels``, or ``frame-malformed`` if the bytes are not the size's.
    """
    if picture.width * picture.height > MAX_FRAME_PIXELS or max(picture.width, picture.height) > _SIDE + 1:
        raise RecordingError(Code.TOO_MANY_PIXELS, f"a frame of {picture.width} x {picture.height}")
    if min(picture.width, picture.height) < 1 or len(picture.rgb) != picture.width * picture.height * 3:
        raise RecordingError(Code.FRAME_MALFORMED, "pixels that do not fill the picture")
    image = Image.frombytes("RGB", (picture.width, picture.height), picture.rgb)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", lossless=True, quality=quality, method=method)
    webp = buffer.getvalue()
    dimensions(webp)
    return webp


def decode(webp: bytes) -> Picture:
    """Return the pixels of a plain lossless WebP file.

    Raises:
        RecordingError: ``frame-malformed`` or ``too-many-pixels``.
    """
    width, height = dimensions(webp)
    try:
        with Image.open(io.BytesIO(webp), formats=("WEBP",)) as image:
            if (image.width, image.height) != (width, height):
                raise RecordingError(Code.FRAME_MALFORMED, "a picture of another size than its header")
            rgb = image.convert("RGB").tobytes()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise RecordingError(Code.FRAME_MALFORMED, "the picture does not decode") from error
    return Picture(width=width, height=height, rgb=rgb)


def identity(x: int, y: int, picture: Picture) -> bytes:
    """Return a digest that equal pixels at one place share, 32 bytes."""
    state = hashlib.sha256(_BOX.pack(x, y, picture.width, picture.height))
    state.update(picture.rgb)
    return state.digest()
