"""How much a raw file may hold; the table in ``docs/formats/raw.md``, section 4."""

from typing import Final

MAX_RAW_BYTES: Final = 1 << 31
MAX_CHUNKS: Final = 1_000_000
MAX_FRAME_PIXELS: Final = 1 << 24
MAX_CONTENT_BYTES: Final = MAX_FRAME_PIXELS * 3 + 8
"""A frame of the largest size: the largest content there is."""
MAX_SEALED_BYTES: Final = 52 << 20
"""Content that does not compress, zstd's and the seal's own bytes on top."""
MAX_TREE_BYTES: Final = 4 << 20
MAX_EVENTS_IN_CHUNK: Final = 256
MAX_SPAN_MS: Final = 1_000
