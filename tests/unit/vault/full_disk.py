"""A disk that is full: the operating system refuses every write beyond a few bytes of a file.

The limit is the process's own (RLIMIT_FSIZE), so nothing else on the machine notices. Python ignores the
signal that would end it, and the write fails.
"""

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def full_disk(after: int = 0) -> Iterator[None]:
    """Let no file grow beyond ``after`` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (after, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
