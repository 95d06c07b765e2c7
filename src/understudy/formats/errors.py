"""What can be wrong with a file of this project.

::

    UnderstudyError
      + FileFormatError        a rule of a format is broken; ``code`` says which
          - RecordingError     of the recording format
          - RawError           of the raw format
          - DatasetError       of the dataset format

Each leaf names its own codes, one ``StrEnum`` member for each row of the table of codes in its page of
``docs/formats``. Messages hold numbers, kinds and codes, never recorded text.
"""

from enum import StrEnum

from understudy.sealing.errors import UnderstudyError


class FileFormatError(UnderstudyError):
    """A file breaks a rule of its format; ``code`` is stable and documented."""

    def __init__(self, code: StrEnum, message: str, *, hint: str = "") -> None:
        super().__init__(f"{message} ({code.value})", hint=hint)
        self.code = code
        self.reason = message
