"""Reading at a position: all that a reader asks of the thing it reads from.

Rules

* A file of the operating system, ``io.BytesIO`` and a decryptor with ``seek`` and ``read`` all fit.
* Short reads are tried again until the bytes are there or the end is.

Example

>>> import io
>>> read_at(io.BytesIO(b"abcdef"), 2, 3)
b'cde'
>>> read_at(io.BytesIO(b"abcdef"), 4, 3)
b'ef'
"""

import io
from typing import Protocol


class RandomAccess(Protocol):
    """A readable, seekable source of bytes."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move to ``offset`` (from the end if ``whence`` is 2) and return the position."""
        ...

    def read(self, size: int = -1, /) -> bytes:
        """Return at most ``size`` bytes; none at the end."""
        ...


def length_of(source: RandomAccess) -> int:
    """Return the length of ``source`` in bytes."""
    return source.seek(0, io.SEEK_END)


def read_at(source: RandomAccess, offset: int, size: int) -> bytes:
    """Return ``size`` bytes from ``offset``; fewer only where the source ends."""
    source.seek(offset)
    first = source.read(size)
    if len(first) == size or not first:
        return first
    parts = [first]
    missing = size - len(first)
    while missing:
        part = source.read(missing)
        if not part:
            break
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
