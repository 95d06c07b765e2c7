"""Checks a raw file to its end, and reports the first rule that it breaks.

Rules

* Never raises on bad input.
* One problem at most: a chunk that is not what it should be leaves the state of secure spans unknown, and
  guessing on would be worse than stopping.

Example

>>> import io
>>> class Nothing:
...     def seal(self, number: int, content: bytes, /) -> bytes:
...         return content
...     def open(self, number: int, sealed: bytes, /) -> bytes:
...         return sealed
>>> check(io.BytesIO(b"GIF89a"), Nothing()).codes
frozenset({'bad-magic'})
"""

from understudy.formats.raw.body import ChunkSealer
from understudy.formats.raw.bounds import MAX_RAW_BYTES
from understudy.formats.raw.errors import RawCode, RawError
from understudy.formats.raw.reader import RawReader
from understudy.formats.report import Problem, Report
from understudy.formats.source import RandomAccess, length_of
from understudy.sealing.errors import UnderstudyError


def check(source: RandomAccess, sealer: ChunkSealer) -> Report:
    """Return the first broken rule of the file, or an empty report."""
    try:
        _read_to_the_end(source, sealer)
    except RawError as error:
        return Report(problems=(Problem(code=error.code.value, message=error.reason),))
    except (UnderstudyError, OSError, ValueError, EOFError) as error:
        message = f"the file cannot be read: {type(error).__name__}"
        return Report(problems=(Problem(code=RawCode.UNREADABLE.value, message=message),))
    return Report()


def _read_to_the_end(source: RandomAccess, sealer: ChunkSealer) -> None:
    if length_of(source) > MAX_RAW_BYTES:
        raise RawError(RawCode.TOO_LARGE, f"over {MAX_RAW_BYTES} bytes")
    reader = RawReader(source, sealer)
    for _ in reader.items():
        pass
    if not reader.is_finished:
        raise RawError(RawCode.TRUNCATED, "a file without an end")
