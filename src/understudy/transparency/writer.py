"""The writer's hold on the log's store: its lock, the growing tree, and transactions that keep both true.

Rules

* Memory moves only after a commit; whatever fails before leaves it where it was.
* After a failed commit nothing in memory is believed: ``recover`` reopens the store and reads it again. The
  entries of that commit may then be there or not; they were not acknowledged either way.
* The WAL is folded back while nobody waits for it, and emptied after an erasure.
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from understudy.sealing.signing import SigningKey
from understudy.transparency.batch import Batch
from understudy.transparency.checkpoint import Checkpoint, CosignedCheckpoint, sign_checkpoint
from understudy.transparency.errors import StoreDamagedError, StoreError
from understudy.transparency.merkle import CompactRange, Nodes
from understudy.transparency.note import VerifierKey
from understudy.transparency.store import WriterLock, open_log

FOLD_ENTRIES: Final = 2_000
"""Entries after which the WAL is folded back."""
RECENT_NODES: Final = 8_192
"""Perfect nodes kept in memory, so that a consistency proof to the last checkpoint reads nothing."""


class LogWriter:
    """The one writer of a log's store."""

    tree: Checkpoint
    """The newest checkpoint, ``note`` its signed form."""
    note: bytes
    recent: Nodes
    """The nodes made lately, and the peaks of the tree before them."""
    _grown: CompactRange
    _last_time: int

    def __init__(self, path: Path, key: SigningKey, check_leaf: Callable[[bytes], object]) -> None:
        """Lock the log at ``path`` and take it up; every new leaf has to pass ``check_leaf``.

        Raises:
            StoreError: missing, locked by another writer, damaged, or the log of another key.
        """
        self._path = path
        self._key = key
        self._check_leaf = check_leaf
        self._unfolded = 0
        self._must_empty_wal = False
        self._lock = WriterLock(path)
        try:
            self._store = open_log(path, readonly=False)
            try:
                self.log_key = self._store.log_key
                self._take_up()
            except BaseException:
                self._store.close()
                raise
        except BaseException:
            self._lock.release()
            raise

    @contextlib.contextmanager
    def transaction(self, time: int, newest: CosignedCheckpoint | None) -> Iterator[Batch]:
        """Commit the batch that the body fills, its signed checkpoint, and the ``newest`` cosignatures.

        Args:
            time: the Unix time that the batch's entries get.
            newest: stored on the way; it costs no flush of its own.

        Raises:
            StoreError: nothing may be acknowledged; call ``recover`` before the next transaction.
        """
        tree, note = self.tree, self.note
        with self._store.database.transaction():
            batch = Batch(
                self._store, self._grown, time=time, last_time=self._last_time, check_leaf=self._check_leaf
            )
            yield batch
            if not batch.is_empty:
                batch.write()
                tree = Checkpoint(self.log_key.name, batch.grown.size, batch.grown.root)
                note = sign_checkpoint(tree, self._key)
                self._store.add_checkpoint(tree.size, note)
                if newest is not None:
                    self._store.keep_cosigned(newest)
        if not batch.is_empty:
            if len(self.recent) > RECENT_NODES:
                self.recent = self._grown.nodes()
            self.recent.update(batch.nodes)
            self._unfolded += tree.size - self.tree.size
            self._grown, self.tree, self.note = batch.grown, tree, note
            self._last_time = time

    def erase(self, tag: str) -> int:
        """Delete a participant's openings, inside a transaction; return how many there were."""
        self._must_empty_wal = True
        return self._store.erase(tag)

    def fold(self) -> None:
        """Fold the WAL back if it is due. A failure loses nothing: all is in the WAL, for the next try."""
        if self._must_empty_wal or self._unfolded >= FOLD_ENTRIES:
            with contextlib.suppress(StoreError):
                is_done = self._store.database.fold(everything=self._must_empty_wal)
                self._must_empty_wal = self._must_empty_wal and not is_done
                self._unfolded = 0

    def recover(self) -> None:
        """Reopen the store after a failed transaction, and believe only what is read there.

        Raises:
            StoreError: it still cannot be used.
        """
        with contextlib.suppress(StoreError):
            self._store.close()
        self._store = open_log(self._path, readonly=False)
        # Written again, because a failed flush may have left pages in memory only.
        self._store.database.fold(everything=True)
        self._take_up()

    def close(self, newest: CosignedCheckpoint | None) -> None:
        """Store the ``newest`` cosignatures, fold the WAL, and let the next writer in."""
        with contextlib.suppress(
            StoreError
        ):  # everything is durable already; this saves work at the next start
            if newest is not None:
                with self._store.database.transaction():
                    self._store.keep_cosigned(newest)
            self._store.database.fold(everything=True)
        with contextlib.suppress(StoreError):
            self._store.close()
        self._lock.release()

    def _take_up(self) -> None:
        if self.log_key != VerifierKey.log(self.log_key.name, self._key.public):
            raise StoreDamagedError("the log belongs to another key", hint="start it with its own key")
        self.tree = self._store.check_tail()
        self.note = self._store.newest()
        self._grown = self._store.hashes.range_at(self.tree.size)
        self.recent = self._grown.nodes()
        self._last_time = self._store.last_time()
