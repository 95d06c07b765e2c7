"""The current shred key on disk, and its replacement: how what only the old one opened becomes unreadable.

Rules

* ``shred.json`` is the current key, ``shred-next.json`` exists only during a rotation. A passphrase is
  optional; ``protection`` says ``none`` where there is none, and whoever starts the server announces it.
* Rotation: make the next key, rewrap every surviving escrow key in one transaction, put the next key in
  the place of the old one. Killed anywhere, it goes on from there: which key the rows are wrapped under
  says where it stood.
* A backup of the key store without the shred key opens nothing. The two are backed up apart, or not at all.

Example: ``keystore = KeyStore(path, issuer, shred_file.load())``, weekly ``shred_file.rotate(keystore)``.
"""

from pathlib import Path
from typing import Final, Protocol

from understudy.programme.errors import StorageError
from understudy.sealing.durable import flush_folder
from understudy.sealing.keyfile import Protection, create_shred, load_shred, protection_of
from understudy.sealing.shred import ShredKey


class Rewrapped(Protocol):
    """The key store, as far as rotation needs it."""

    @property
    def shred_name(self) -> str | None:
        """The name of the shred key that the rows are wrapped under; None without rows."""
        ...

    def rewrap(self, new: ShredKey) -> int:
        """Wrap every escrow key under ``new``, in one transaction; return how many."""
        ...


class ShredKeyFile:
    """The shred key of one key store, in a folder of its own (0700)."""

    def __init__(self, folder: Path, *, passphrase: str | None = None) -> None:
        self._current: Final = folder / "shred.json"
        self._next: Final = folder / "shred-next.json"
        self._passphrase: Final = passphrase

    @property
    def protection(self) -> Protection:
        """``passphrase`` or ``none``; callers announce ``none``."""
        return protection_of(self._current)

    def create(self) -> ShredKey:
        """Make the first shred key.

        Raises:
            KeyFileError: there is one.
        """
        return create_shred(self._current, passphrase=self._passphrase)

    def load(self, shred_name: str | None = None) -> ShredKey:
        """Return the key that the store's rows are wrapped under.

        Args:
            shred_name: what the rows say (``KeyStore.shred_name_in``); after a crash in the middle of a
                rotation that may be the next key already.

        Raises:
            KeyFileError: missing, readable by others, or a wrong passphrase.
        """
        if self._next.exists() and shred_name is not None:
            following = load_shred(self._next, passphrase=self._passphrase)
            if following.name == shred_name:
                return following
        return load_shred(self._current, passphrase=self._passphrase)

    def rotate(self, keystore: Rewrapped) -> int:
        """Replace the shred key and return how many escrow keys were wrapped anew.

        Raises:
            StorageError: disk full; the old key is still there and still the right one.
            KeyFileError: a key file cannot be read or written.
        """
        if self._next.exists():
            following = load_shred(self._next, passphrase=self._passphrase)
        else:
            following = create_shred(self._next, passphrase=self._passphrase)
        rewrapped = keystore.rewrap(following)
        try:
            self._next.replace(self._current)
            flush_folder(self._current.parent)
        except OSError as error:
            raise StorageError(f"the new shred key has no name yet: {error.strerror}") from error
        return rewrapped
