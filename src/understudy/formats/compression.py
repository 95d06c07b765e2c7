"""One plain zstd frame (RFC 8878): how chunks are stored, and how they are opened without trust.

Rules

* A frame states its content size; the caller says which size it expects, and exactly that much is allocated.
* No dictionary, no skippable frame, no second frame, no bytes after it, no window over 8 MiB.

Example

>>> stored = compress(b"a" * 1000)
>>> len(expand(stored, 1000))
1000
"""

import zstandard

from understudy.sealing.errors import FormatError

MAX_WINDOW_BYTES = 8 << 20
LEVEL = 6
"""For element trees level 9 saves 1 % more than level 6, at two to three times the time."""

_FRAME_MAGIC = b"\x28\xb5\x2f\xfd"


def compress(content: bytes, *, level: int = LEVEL) -> bytes:
    """Return ``content`` as one zstd frame that states its size."""
    return zstandard.ZstdCompressor(level=level, write_content_size=True, write_checksum=False).compress(
        content
    )


def expand(stored: bytes, size: int) -> bytes:
    """Return the ``size`` bytes that ``stored`` holds. The caller has bounded ``size``.

    Raises:
        FormatError: not one plain zstd frame of exactly that size.
    """
    # The magic excludes skippable frames, whose parameters would otherwise look like an empty frame's.
    if not stored.startswith(_FRAME_MAGIC):
        raise FormatError("not a zstd frame")
    try:
        parameters = zstandard.get_frame_parameters(stored)
        if parameters.content_size != size or parameters.dict_id:
            raise FormatError("a zstd frame of another size, or with a dictionary")
        if parameters.window_size > MAX_WINDOW_BYTES:
            raise FormatError("a zstd frame with too large a window")
        content = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES).decompress(
            stored, max_output_size=size, allow_extra_data=False
        )
    except zstandard.ZstdError as error:
        raise FormatError("a damaged zstd frame") from error
    if len(content) != size:
        raise FormatError("a zstd frame of another size")
    return content
