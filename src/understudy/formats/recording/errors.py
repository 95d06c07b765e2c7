"""The codes of the recording format, one for each row of the table in ``docs/formats/recording.md``.

::

    FileFormatError
      + RecordingError         ``code`` is a ``Code``
"""

from enum import StrEnum

from understudy.formats.errors import FileFormatError


class Code(StrEnum):
    """The rules of a recording file, by the name of breaking them."""

    UNREADABLE = "unreadable"
    TOO_LARGE = "too-large"
    TRUNCATED = "truncated"
    BAD_MAGIC = "bad-magic"
    UNKNOWN_VERSION = "unknown-version"
    BAD_HEADER = "bad-header"
    INDEX_CORRUPT = "index-corrupt"
    INDEX_MALFORMED = "index-malformed"
    BAD_LAYOUT = "bad-layout"
    TOO_MANY = "too-many"
    CHUNK_TOO_LARGE = "chunk-too-large"
    CHUNK_CORRUPT = "chunk-corrupt"
    BAD_COMPRESSION = "bad-compression"
    MALFORMED = "malformed"
    COUNT_MISMATCH = "count-mismatch"
    TIME_MISMATCH = "time-mismatch"
    MANIFEST_TIMES = "manifest-times"
    UNREDACTED = "unredacted"
    TIME_OFF_GRID = "time-off-grid"
    TIME_RANGE = "time-range"
    TIME_ORDER = "time-order"
    NOT_SORTED = "not-sorted"
    TREE_ORDER = "tree-order"
    TREE_DEPTH = "tree-depth"
    SECURE_CONTENT = "secure-content"
    DUPLICATE = "duplicate"
    EMPTY_VERSION = "empty-version"
    DANGLING = "dangling"
    UNREFERENCED = "unreferenced"
    STATE_AFTER_ACTION = "state-after-action"
    TYPED_KEY = "typed-key"
    EMPTY_SCROLL = "empty-scroll"
    GAP_ORDER = "gap-order"
    FRAME_MALFORMED = "frame-malformed"
    FRAME_BOX = "frame-box"
    TOO_MANY_PIXELS = "too-many-pixels"


class RecordingError(FileFormatError):
    """A recording file, or what would become one, breaks a rule; ``code`` says which."""

    hint = "`understudy recording check` lists every broken rule of a file"
    code: Code
