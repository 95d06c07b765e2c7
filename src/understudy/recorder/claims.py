"""Who may change what is held: one lock on the store, and a claim on each recording that is being made.

Rules

* The store's lock is held for one call: shared to look, exclusive to change. A claim is held by a process for
  as long as it records or seals, and ends with the process however that ends.
* Both are ``flock`` locks: they belong to an open file, so the kernel gives them back, and a process does not
  hand them to the programs that it starts.
* Claims are taken, given back and asked for under the store's lock only.

Example::

    claims = Claims(folder)
    with claims.changing():
        claims.take(recording)
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from understudy.sealing.durable import PRIVATE_FILE, private_folder

CLAIM: Final = ".running"
"""The file in a recording's folder that is locked; no part of the recording."""
_LOCK: Final = ".lock"


class Claims:
    """The locks of one store, as one process sees them."""

    def __init__(self, root: Path) -> None:
        self._root: Final = root
        self._mine: Final[dict[str, int]] = {}

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Keep others from changing anything meanwhile."""
        with self._locked(fcntl.LOCK_SH):
            yield

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Keep others from looking and changing meanwhile."""
        with self._locked(fcntl.LOCK_EX):
            yield

    def is_mine(self, name: str) -> bool:
        """Return whether this process has claimed a recording."""
        return name in self._mine

    def is_foreign(self, name: str) -> bool:
        """Return whether another process, or another store of this one, has claimed a recording."""
        if name in self._mine:
            return False
        try:
            descriptor = os.open(self._root / name / CLAIM, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            # Shared, so that two who ask do not take each other for the recorder.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def take(self, name: str) -> None:
        """Claim a recording that nobody else has claimed; its folder is made if it is not there."""
        if name not in self._mine:
            descriptor = _open_lock(private_folder(self._root / name) / CLAIM)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._mine[name] = descriptor

    def give_back(self, name: str) -> None:
        """End the claim on a recording, and remove what a process that is gone left of one."""
        descriptor = self._mine.pop(name, None)
        (self._root / name / CLAIM).unlink(missing_ok=True)
        if descriptor is not None:
            os.close(descriptor)

    def give_all_back(self) -> None:
        """End every claim of this process, as its end does."""
        for name in list(self._mine):
            self.give_back(name)

    @contextmanager
    def _locked(self, mode: int) -> Iterator[None]:
        descriptor = _open_lock(self._root / _LOCK)
        try:
            fcntl.flock(descriptor, mode)
            yield
        finally:
            os.close(descriptor)


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE_FILE)
