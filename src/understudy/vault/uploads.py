"""Uploads under way: a bundle's header and halves, and ciphertext that arrives in pieces.

Rules

* Two files per segment, named by its random id, 0600: the bundle, written once, and the ciphertext so
  far, whose length is how far the upload has come. Both are gone when the segment is in the catalogue;
  neither is backed up.
* A piece is flushed before it is acknowledged. A piece that was cut short by a crash is still only a
  beginning: what counts is the length found, and the hash of the whole is checked at the end.
* Pieces come in order; a piece at another offset is refused, and the answer says where to go on.
* Nothing is longer than its header says. What is left alone for ``UNFINISHED_SECONDS`` is removed.
* Leases are not part of a bundle: they are checked in memory when the upload begins.

Example: ``uploads.append(segment, 0, piece, limit=header.ciphertext_bytes)`` returns the new offset.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO, Final

from msgspec import Meta

from understudy.consent.clock import Clock
from understudy.consent.primitives import Value
from understudy.programme.errors import StorageError
from understudy.sealing.canonical import canonical, parse
from understudy.sealing.durable import (
    PRIVATE_FILE,
    durable_remove,
    durable_write,
    flush_folder,
    private_folder,
)
from understudy.sealing.errors import AlreadyWrittenError, DurabilityError
from understudy.sealing.header import CiphertextCheck, SealedHalf, SegmentHeader
from understudy.sealing.signing import Signed
from understudy.vault.errors import OffsetError, conflict, refusal
from understudy.vault.objects import check_key

UNFINISHED_SECONDS: Final = 7 * 86_400
MAX_PIECE_BYTES: Final = 8 << 20
_READ_BYTES: Final = 1 << 20
_BUNDLE: Final = ".bundle"
_PART: Final = ".part"
_STRIPES: Final = 64


class Bundle(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an upload needs again at its end: the header and the sealed halves."""

    header: Signed
    halves: Annotated[tuple[SealedHalf, ...], Meta(min_length=2, max_length=4)]


class Uploads:
    """Segments that are not complete, or not checked, yet."""

    def __init__(self, root: Path, clock: Clock) -> None:
        """Open the folder, making it if it is absent.

        Raises:
            StorageError: the folder cannot be made.
        """
        self._clock: Final = clock
        self._locks: Final = tuple(threading.Lock() for _ in range(_STRIPES))
        with _storage_errors():
            self._root: Final = private_folder(root)
            for leftover in self._root.glob(".*.tmp"):
                leftover.unlink(missing_ok=True)

    def begin(self, segment: str, bundle: Bundle) -> int:
        """Keep the bundle and return how many bytes of ciphertext are durable. Idempotent.

        Raises:
            ConflictError: another header was begun under this id.
            StorageError: disk full; nothing was begun.
        """
        path = self._path(segment, _BUNDLE)
        with self._lock(segment), _storage_errors():
            try:
                durable_write(path, canonical(bundle))
                os.utime(path, (self._clock.now(), self._clock.now()))
            except AlreadyWrittenError:
                stored = self.bundle(segment)
                if stored is None or stored.header.body != bundle.header.body:
                    raise conflict("headers-differ") from None
        return self.offset(segment)

    def bundle(self, segment: str) -> Bundle | None:
        """Return the bundle of an upload that was begun, or None."""
        with _storage_errors():
            try:
                return parse(Bundle, self._path(segment, _BUNDLE).read_bytes())
            except FileNotFoundError:
                return None

    def offset(self, segment: str) -> int:
        """Return how many bytes of the segment are durable here; 0 if none."""
        with _storage_errors():
            try:
                return self._path(segment, _PART).stat().st_size
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
        path = self._path(segment, _PART)
        with self._lock(segment), _storage_errors():
            is_new = not path.exists()
            flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(path, flags, PRIVATE_FILE), "wb", buffering=0) as file:
                stands = file.seek(0, os.SEEK_END)
                if stands != offset:
                    raise OffsetError(stands)
                if len(piece) > MAX_PIECE_BYTES or offset + len(piece) > limit:
                    raise refusal("too-long")
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
            while part := file.read(_READ_BYTES):
                checked.update(part)
        checked.finish()

    @contextmanager
    def open(self, segment: str) -> Iterator[BinaryIO]:
        """Give the upload's bytes as a file.

        Raises:
            StorageError: it cannot be read, or there is none.
        """
        with _storage_errors():
            path = self._path(segment, _PART)
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as file:
                yield file

    def restart(self, segment: str) -> None:
        """Remove the ciphertext of an upload and keep its bundle."""
        with self._lock(segment), _storage_errors():
            durable_remove(self._path(segment, _PART))

    def forget(self, segment: str) -> None:
        """Remove the upload; nothing happens if there is none."""
        with self._lock(segment), _storage_errors():
            # The bundle first: ciphertext alone is an upload that can be begun again.
            for suffix in (_BUNDLE, _PART):
                if self._path(segment, suffix).exists():
                    durable_remove(self._path(segment, suffix))

    def abandoned(self) -> list[str]:
        """Return the segments whose uploads were left alone for ``UNFINISHED_SECONDS``."""
        before = self._clock.now() - UNFINISHED_SECONDS
        newest: dict[str, float] = {}
        with _storage_errors():
            for path in self._root.glob("[!.]*"):
                newest[path.stem] = max(newest.get(path.stem, 0.0), path.stat().st_mtime)
        return sorted(segment for segment, touched in newest.items() if touched < before)

    def _lock(self, segment: str) -> threading.Lock:
        return self._locks[hash(segment) % _STRIPES]

    def _path(self, segment: str, suffix: str) -> Path:
        return self._root / f"{check_key(segment)}{suffix}"


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
