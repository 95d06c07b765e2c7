"""Files that survive a crash: written beside, flushed, then given their name.

Rules

* When ``durable_write`` returns, bytes and name are on the disk. When it raises, the name is untouched.
* A temporary file is readable by its owner only from its first byte on; ``mode`` may open it up afterwards.
* ``exclusive`` (the default) is write-once: a hard link gives the name, and fails if the name is taken.
* Folders made here are 0700.

Example: ``durable_write(folder / "segment", ciphertext)``.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from understudy.sealing.canonical import Octets
from understudy.sealing.errors import AlreadyWrittenError, DurabilityError

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def durable_write(path: Path, content: Octets, *, exclusive: bool = True, mode: int = PRIVATE_FILE) -> None:
    """Write ``content`` to ``path`` and return once it is on the disk.

    Args:
        path: its folder must exist.
        content: the whole file.
        exclusive: refuse if the name is taken; otherwise replace what stands there.
        mode: permissions of the finished file, whatever the umask.

    Raises:
        AlreadyWrittenError: ``exclusive`` and the name is taken.
        DurabilityError: the disk is full, the folder is missing, or a flush failed.
    """
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}.tmp")
    with _durability(path):
        try:
            _write_new(temporary, content, mode)
            if exclusive:
                path.hardlink_to(temporary)
            else:
                temporary.replace(path)
            flush_folder(path.parent)
        finally:
            with suppress(FileNotFoundError):
                temporary.unlink()


def durable_remove(path: Path) -> None:
    """Remove ``path`` and return once its absence is on the disk; nothing happens if it is not there.

    The blocks it occupied are not overwritten: on flash and on copy-on-write file systems that is theatre.

    Raises:
        DurabilityError: it cannot be removed, or the flush failed.
    """
    with _durability(path):
        path.unlink(missing_ok=True)
        flush_folder(path.parent)


def private_folder(path: Path) -> Path:
    """Make ``path`` and its missing parents with mode 0700, durably, and return it.

    Raises:
        DurabilityError: it cannot be made, or something else stands there.
    """
    with _durability(path):
        missing = [folder for folder in (path, *path.parents) if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
            flush_folder(folder.parent)
        if not path.is_dir():
            raise DurabilityError(f"{path} is not a folder")
    return path


def flush_folder(folder: Path) -> None:
    """Flush the names in ``folder`` to the disk.

    Raises:
        OSError: it is not a folder, or the flush failed.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_new(path: Path, content: Octets, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, PRIVATE_FILE)
    try:
        with memoryview(content) as left:
            at = 0
            while at < len(left):
                at += os.write(descriptor, left[at:])
        if mode != PRIVATE_FILE:
            os.fchmod(descriptor, mode)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _durability(path: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError as error:
        raise AlreadyWrittenError(f"{path} exists already") from error
    except OSError as error:
        raise DurabilityError(f"{path} was not written: {error.strerror}") from error
