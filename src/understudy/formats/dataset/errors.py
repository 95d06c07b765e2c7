"""The codes of the dataset format, one for each in the table of ``docs/formats/dataset.md``.

::

    FileFormatError
      + DatasetError           ``code`` is a ``DatasetCode``
"""

from enum import StrEnum

from understudy.formats.errors import FileFormatError


class DatasetCode(StrEnum):
    """The rules of a release's manifest, by the name of breaking them."""

    TOO_LARGE = "too-large"
    UNKNOWN_VERSION = "unknown-version"
    MALFORMED = "malformed"
    BAD_LIFE = "bad-life"
    NOT_SORTED = "not-sorted"
    SHARD_NAMES = "shard-names"
    COUNT_MISMATCH = "count-mismatch"
    NOT_OFFERED = "not-offered"
    MISSING_CHECK = "missing-check"
    FAILED_CHECK = "failed-check"


class DatasetError(FileFormatError):
    """A manifest breaks a rule; ``code`` says which."""

    hint = "a release cannot be mended: build it again from its sources"
    code: DatasetCode
