"""Objects: ciphertext at rest, written once, under names that tell nothing.

Rules

* ``put_if_absent`` is write-once: the first bytes under a name stay, and when it returns they are on the
  disk. A later put under the same name changes nothing and says so.
* A reader sees a whole object or none.
* Names are random ids in plain folders; anything that could climb out of the root is refused.
* Local files are 0600 in folders of 0700, flushed before they get their name, and the name is flushed after.
* Disk full is ``StorageError``: nothing was stored, and what was begun is removed.

Example

>>> import io, tempfile
>>> from pathlib import Path
>>> with tempfile.TemporaryDirectory() as folder:
...     objects = LocalObjects(Path(folder) / "objects")
...     first = objects.put_if_absent("seg/a", io.BytesIO(b"sealed"))
...     again = objects.put_if_absent("seg/a", io.BytesIO(b"other"))
...     first, again, objects.read("seg/a", 0, 6)
(True, False, b'sealed')
"""

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from understudy.programme.errors import StorageError
from understudy.sealing.durable import PRIVATE_FILE, flush_folder, private_folder
from understudy.sealing.errors import DurabilityError
from understudy.vault.errors import ObjectKeyError, ObjectMissingError, VaultError

_KEY: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}(/[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}){0,3}")
_COPY_BYTES: Final = 1 << 20
_TEMPORARY: Final = ".tmp-"


class ObjectStore(Protocol):
    """What the vault needs of a store of objects."""

    def put_if_absent(self, key: str, source: BinaryIO) -> bool:
        """Store what ``source`` reads to its end; return whether this call did.

        ``False``: the name is taken, and what stands there was not touched. Durable when it returns.
        """
        ...

    def read(self, key: str, start: int, length: int) -> bytes:
        """Return at most ``length`` bytes from ``start``; fewer only at the end."""
        ...

    def size(self, key: str) -> int:
        """Return how many bytes the object has."""
        ...

    def delete(self, key: str) -> None:
        """Remove the object; nothing happens if there is none. Durable when it returns."""
        ...

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Yield the names that begin with ``prefix``, in no particular order."""
        ...


def check_key(key: str) -> str:
    """Return ``key`` if it may name an object.

    Raises:
        ObjectKeyError: empty parts, dots in front, foreign characters, too long or too deep.
    """
    if not _KEY.fullmatch(key):
        raise ObjectKeyError("not a name that an object may have")
    return key


class LocalObjects:
    """Objects as files under one folder."""

    def __init__(self, root: Path) -> None:
        """Open the folder, making it if it is absent, and remove what a crash left half-written.

        Raises:
            StorageError: the folder cannot be made or read.
        """
        with _storage_errors():
            self._root: Final = private_folder(root)
            for leftover in self._root.rglob(f"{_TEMPORARY}*"):
                leftover.unlink(missing_ok=True)

    def put_if_absent(self, key: str, source: BinaryIO) -> bool:
        """Store ``source`` under ``key`` if nothing is; see ``ObjectStore``.

        Raises:
            ObjectKeyError: not a name.
            StorageError: disk full or an input/output error.
        """
        path = self._root / check_key(key)
        with _storage_errors():
            private_folder(path.parent)
            temporary = path.with_name(f"{_TEMPORARY}{secrets.token_hex(8)}")
            try:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                with os.fdopen(os.open(temporary, flags, PRIVATE_FILE), "wb") as file:
                    shutil.copyfileobj(source, file, _COPY_BYTES)
                    file.flush()
                    os.fsync(file.fileno())
                try:
                    path.hardlink_to(temporary)
                except FileExistsError:
                    is_new = False
                else:
                    is_new = True
                # In both cases: whoever lost the race must not return before the winner's name is durable.
                flush_folder(path.parent)
            finally:
                with suppress(FileNotFoundError):
                    temporary.unlink()
        return is_new

    def read(self, key: str, start: int, length: int) -> bytes:
        """Return a range of the object; see ``ObjectStore``.

        Raises:
            ObjectKeyError: not a name.
            ObjectMissingError: there is no such object.
            VaultError: a negative range.
            StorageError: an input/output error.
        """
        if start < 0 or length < 0:
            raise VaultError("a range cannot be negative", hint="ask for bytes from 0 on")
        with _storage_errors(), self._open(key) as file:
            file.seek(start)
            return file.read(length)

    def size(self, key: str) -> int:
        """Return the object's length in bytes; see ``ObjectStore``.

        Raises:
            ObjectKeyError: not a name.
            ObjectMissingError: there is no such object.
        """
        with _storage_errors(), self._open(key) as file:
            return os.fstat(file.fileno()).st_size

    def delete(self, key: str) -> None:
        """Remove the object; see ``ObjectStore``.

        Raises:
            ObjectKeyError: not a name.
            StorageError: it cannot be removed.
        """
        path = self._root / check_key(key)
        with _storage_errors():
            if path.exists():
                path.unlink(missing_ok=True)
                flush_folder(path.parent)

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Yield names; see ``ObjectStore``."""
        for path in self._root.rglob("*"):
            key = path.relative_to(self._root).as_posix()
            if key.startswith(prefix) and not path.name.startswith(_TEMPORARY) and path.is_file():
                yield key

    def _open(self, key: str) -> BinaryIO:
        path = self._root / check_key(key)
        try:
            return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")
        except FileNotFoundError as error:
            raise ObjectMissingError("there is no such object") from error


@contextmanager
def _storage_errors() -> Iterator[None]:
    try:
        yield
    except (OSError, DurabilityError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise StorageError(f"the object store refused: {reason}") from error
