"""Uploads under way: ciphertext that arrives in pieces and is durable piece by piece.

Rules

* One file per segment, named by its random id, 0600. Its length is how far the upload has come.
* A piece is flushed before it is acknowledged. A piece that was cut short by a crash is still only a beginning: what
  counts is the length found, and the hash of the whole is checked at the end.
* Pieces come in order; a piece at another offset is refused, and the answer says where to go on.
* Nothing is longer than its header says. What is left alone for ``UNFINISHED_SECONDS`` is removed.

Example: ``uploads.append(segment, 0, piece, limit=header.ciphertext_bytes)`` returns the new offset.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from understudy.consent.clock import Clock
from understudy.sealing.durable import PRIVATE_FILE, durable_remove, flush_folder, private_folder
from understudy.sealing.errors import DurabilityError
from understudy.sealing.header import CiphertextCheck, SegmentHeader
from understudy.vault.errors import OffsetError, StorageError, refusal
from understudy.vault.objects import check_key

UNFINISHED_SECONDS: Final = 7 * 86_400
MAX_PIECE_BYTES: Final = 8 << 20
_PART_BYTES: Final = 1 << 20


class Uploads:
    """Ciphertext files that are not complete, or not checked, yet."""

    def __init__(self, root: Path, clock: Clock) -> None:
        """Open the folder, making it if it is absent.

        Raises:
            StorageError: the folder cannot be made.
        """
        self._clock: Final = clock
        self._lock: Final = threading.Lock()
        with _storage_errors():
            self._root: Final = private_folder(root)

    def offset(self, segment: str) -> int:
        """Return how many bytes of the segment are durable here; 0 if none."""
        with _storage_errors():
            try:
                return self._path(segment).stat().st_size
            except FileNotFoundError:
                return 0

    def append(self, segment: str, offset: int, piece: bytes, *, limit: int) -> int:
        """Add ``piece`` at ``offset`` and return the new offset once it is on the disk.

        Args:
            segment: the segment id.
            offset: where the piece belongs.
            piece: at most ``MAX_PIECE_BYTES`` bytes; may be empty.
            limit: how many bytes the header says.

        Raises:
            OffsetError: the upload stands at another offset.
            RefusedError: ``too-long``.
            StorageError: disk full; the upload stands where it stood.
        """
        if len(piece) > MAX_PIECE_BYTES or offset + len(piece) > limit:
            raise refusal("too-long")
        path = self._path(segment)
        with self._lock, _storage_errors():
            is_new = not path.exists()
            flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            with open(os.open(path, flags, PRIVATE_FILE), "wb", buffering=0) as file:
                stands = file.seek(0, os.SEEK_END)
                if stands != offset:
                    raise OffsetError(stands)
                try:
                    _write_all(file, piece)
                    os.fsync(file.fileno())
                except OSError:
                    file.truncate(stands)
                    raise
            os.utime(path, (self._clock.now(), self._clock.now()))
            if is_new:
                flush_folder(self._root)
        return offset + len(piece)

    def check(self, segment: str, header: SegmentHeader) -> None:
        """Hold the complete upload against its header.

        Raises:
            SealError: too short, too long, or another ciphertext than the header names.
            StorageError: it cannot be read.
        """
        checked = CiphertextCheck(header)
        with self.open(segment) as file:
            while part := file.read(_PART_BYTES):
                checked.update(part)
        checked.finish()

    @contextmanager
    def open(self, segment: str) -> Iterator[BinaryIO]:
        """Give the upload's bytes as a file.

        Raises:
            StorageError: it cannot be read, or there is none.
        """
        with _storage_errors():
            descriptor = os.open(self._path(segment), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            with open(descriptor, "rb") as file:
                yield file

    def forget(self, segment: str) -> None:
        """Remove the upload; nothing happens if there is none."""
        with self._lock, _storage_errors():
            if self._path(segment).exists():
                durable_remove(self._path(segment))

    def abandoned(self) -> list[str]:
        """Return the segments whose uploads were left alone for ``UNFINISHED_SECONDS``."""
        before = self._clock.now() - UNFINISHED_SECONDS
        with _storage_errors():
            return [path.name for path in self._root.iterdir() if path.stat().st_mtime < before]

    def _path(self, segment: str) -> Path:
        return self._root / check_key(segment)


def _write_all(file: BinaryIO, piece: bytes) -> None:
    with memoryview(piece) as left:
        at = 0
        while at < len(left):
            at += file.write(left[at:])


@contextmanager
def _storage_errors() -> Iterator[None]:
    try:
        yield
    except (OSError, DurabilityError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise StorageError(f"the upload cannot be stored: {reason}") from error
