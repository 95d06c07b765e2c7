"""The codes of the raw format, one for each in the table of ``docs/formats/raw.md``.

::

    FileFormatError
      + RawError               ``code`` is a ``RawCode``
"""

from enum import StrEnum

from understudy.formats.errors import FileFormatError


class RawCode(StrEnum):
    """The rules of a raw file, by the name of breaking them."""

    UNREADABLE = "unreadable"
    TOO_LARGE = "too-large"
    BAD_MAGIC = "bad-magic"
    UNKNOWN_VERSION = "unknown-version"
    BAD_HEADER = "bad-header"
    TRUNCATED = "truncated"
    CHUNK_TOO_LARGE = "chunk-too-large"
    BAD_SEAL = "bad-seal"
    BAD_CHUNK = "bad-chunk"
    BAD_COMPRESSION = "bad-compression"
    MALFORMED = "malformed"
    UNKNOWN_EVENT = "unknown-event"
    TIME_ORDER = "time-order"
    SECURE_KEY = "secure-key"
    SECURE_SPAN = "secure-span"
    DANGLING = "dangling"
    TREE_ORDER = "tree-order"
    TREE_DEPTH = "tree-depth"
    NOT_SORTED = "not-sorted"
    SECURE_CONTENT = "secure-content"
    FRAME_MALFORMED = "frame-malformed"
    COUNT_MISMATCH = "count-mismatch"
    AFTER_END = "after-end"


class RawError(FileFormatError):
    """A raw file, or what would become one, breaks a rule; ``code`` says which."""

    hint = "what cannot be read is lost; the recorder notes a gap and goes on"
    code: RawCode
