"""Where the raw files of a run lie, and the key that opens them.

Rules

* ``raw/`` is 0700, a file in it 0600 and made anew: a name is never used twice.
* The key is the run's. It lives in the memory of session and capture, and nowhere else; what is left of a
  run that died cannot be opened by anybody, and is deleted when the next one starts.
* A file is named by random bytes. Its name says nothing about the recording.

Example::

    raw = RawFiles(device.home / "raw")
    name = raw.create()                     # the capture process opens it by its path and writes
    reader = RawReader(raw.open(name), raw.key.sealer(name))
    raw.retire(name)
"""

import os
from pathlib import Path
from typing import BinaryIO, Final

from understudy.consent.primitives import encode_bytes
from understudy.sealing.durable import PRIVATE_FILE, private_folder
from understudy.sealing.run import RunKey

_NAME_BYTES: Final = 16


class RawFiles:
    """The raw files of one run.

    Args:
        folder: made if absent; what lies in it is deleted.

    Attributes:
        folder: where they lie.
        key: the run's key; secret.
    """

    def __init__(self, folder: Path) -> None:
        self.folder: Final = private_folder(folder)
        self.key: Final = RunKey.generate()
        for leftover in self.folder.iterdir():
            leftover.unlink()

    def create(self) -> str:
        """Make an empty raw file and return its name."""
        name = encode_bytes(os.urandom(_NAME_BYTES))
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        os.close(os.open(self.path(name), flags, PRIVATE_FILE))
        return name

    def path(self, name: str) -> Path:
        """Return where the raw file ``name`` lies."""
        return self.folder / name

    def open(self, name: str) -> BinaryIO:
        """Open a raw file for reading, also while it is being written."""
        return self.path(name).open("rb", buffering=0)

    def retire(self, name: str) -> None:
        """Delete a raw file. Nothing happens if it is gone."""
        self.path(name).unlink(missing_ok=True)

    def close(self) -> None:
        """Delete what is left, and forget the key."""
        for leftover in self.folder.iterdir():
            leftover.unlink()
        self.key.wipe()
