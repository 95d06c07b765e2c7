"""How much a recording file may hold; the table in ``docs/formats/recording.md``, section 11.

Rules

* Readers refuse what is over a bound before they allocate for it; writers refuse to write it.
* Raising a bound is a new version of the format: older readers would refuse the file.
"""

from typing import Final

from understudy.formats.compression import MAX_WINDOW_BYTES
from understudy.formats.elements import MAX_COORDINATE, MAX_DEPTH, MAX_ELEMENTS
from understudy.formats.report import MAX_PROBLEMS

__all__ = [
    "MAX_ACTIONS",
    "MAX_CHUNKS",
    "MAX_CHUNK_BYTES",
    "MAX_CONTENT_BYTES",
    "MAX_COORDINATE",
    "MAX_DEPTH",
    "MAX_ELEMENTS",
    "MAX_FRAMES",
    "MAX_FRAME_BYTES",
    "MAX_FRAME_PIXELS",
    "MAX_GAPS",
    "MAX_INDEX_BYTES",
    "MAX_PROBLEMS",
    "MAX_RECORDING_BYTES",
    "MAX_SECONDS",
    "MAX_TOTAL_PIXELS",
    "MAX_TREES",
    "MAX_VERSIONS",
    "MAX_WINDOW_BYTES",
]

MAX_RECORDING_BYTES: Final = (64 << 20) - 8
"""What the largest size bucket of the seal holds."""
MAX_CHUNKS: Final = 4_096
MAX_INDEX_BYTES: Final = 1 << 20
MAX_CHUNK_BYTES: Final = 4 << 20
MAX_CONTENT_BYTES: Final = 256 << 20
"""All chunks of a file after decompression: what a whole check may have to parse."""
MAX_TREES: Final = 2_048
MAX_FRAMES: Final = 1_024
MAX_VERSIONS: Final = 4_096
MAX_ACTIONS: Final = 4_096
MAX_GAPS: Final = 2_048
"""More than an hour can hold on the default grid."""
MAX_FRAME_BYTES: Final = 16 << 20
MAX_FRAME_PIXELS: Final = 1 << 24
"""One frame: 5120 x 2880 fits. Decoded, that is 48 MiB."""
MAX_TOTAL_PIXELS: Final = 1 << 29
"""All frames of a file: what a whole check may have to decode."""
MAX_SECONDS: Final = 3_600
