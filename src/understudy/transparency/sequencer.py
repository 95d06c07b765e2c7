"""The sequencer: turns drafts into numbered, durable, witnessed entries, many at a time.

Rules

* One writer thread. Drafts that arrive while the disk flushes are committed together: entries, openings,
  heads and the signed checkpoint in one transaction, one flush.
* A future resolves when the entry is durable *and* cosigned by the quorum. ``durable_only`` (for stops)
  resolves after the flush: going waits for the log, stopping never does.
* A commit that fails acknowledges nothing. The sequencer then reopens its store, believes only what it reads
  there, and goes on.
* When the witnesses know a larger tree than the store holds, entries were lost; nothing is appended, because
  signing on would fork the log.
* Cosignatures are kept in memory and stored with the next batch, so an open costs the log one flush.

Example: ``sequencer.append(draft).checkpoint.note`` is what a reader needs to be convinced.
"""

import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self, TypeVar

from understudy.consent.clock import Clock
from understudy.sealing.signing import SigningKey
from understudy.transparency.batch import Placed
from understudy.transparency.checkpoint import (
    CosignedCheckpoint,
    check_policy,
    verify_checkpoint,
)
from understudy.transparency.cosigning import WitnessLink
from understudy.transparency.draft import Appended, Draft
from understudy.transparency.errors import (
    AppendTimeoutError,
    NotCosignedError,
    OverloadedError,
    QuorumError,
    RolledBackError,
    SequencerClosedError,
    StoreDamagedError,
    StoreError,
    TransparencyError,
)
from understudy.transparency.leaves import decode_leaf
from understudy.transparency.merkle import consistency_path
from understudy.transparency.note import VerifierKey
from understudy.transparency.rounds import Rounds, Waiter
from understudy.transparency.store import open_log
from understudy.transparency.writer import LogWriter

MAX_BATCH: Final = 1_000
"""Drafts committed together at most."""
MAX_QUEUE: Final = 10_000
"""Drafts that may wait; more are pushed back."""
APPEND_SECONDS: Final = 15.0
CLOSE_SECONDS: Final = 5.0
"""How long closing waits for the witnesses' last answers."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Append:
    draft: Draft
    is_durable_only: bool
    future: "Future[Appended]" = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class _Erase:
    tag: str
    future: "Future[int]" = field(default_factory=Future)


_Job = _Append | _Erase


class Sequencer:
    """The one door through which a log grows."""

    def __init__(
        self,
        path: Path,
        *,
        key: SigningKey,
        witnesses: Sequence[WitnessLink],
        quorum: int,
        clock: Clock,
        start_seconds: float = 5.0,
        check_leaf: Callable[[bytes], object] = decode_leaf,
    ) -> None:
        """Take up the log at ``path`` (made by ``create_log``) and ask every witness to cosign it as it is.

        Args:
            path: the store.
            key: the log's checkpoint key.
            witnesses: the witnesses, and how to ask each.
            quorum: how many must cosign, at least 1.
            clock: gives entries their time.
            start_seconds: how long to wait for the witnesses' first answers. They need not answer for the
                start.
            check_leaf: raises ``FormatError`` for bytes that must not become an entry.

        Raises:
            StoreError: missing, locked by another sequencer, or damaged.
            QuorumError: a policy that cannot be met, or one without witnesses.
            RolledBackError: the witnesses know a larger tree: entries were lost.
        """
        self.quorum = quorum
        self._clock = clock
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._is_closed = False
        self._must_recover = False
        with contextlib.ExitStack() as undo:
            self._log = LogWriter(path, key, check_leaf)
            undo.callback(self._log.close, None)
            self.store = open_log(path)
            undo.callback(self.store.close)
            self._rounds = self._start_rounds(witnesses, quorum)
            undo.callback(self._rounds.close, SequencerClosedError("the log did not start"))
            self._rounds.survey(start_seconds)
            self._refuse_if_behind()
            undo.pop_all()
        self._writer = threading.Thread(target=self._run, name="sequencer", daemon=True)
        self._writer.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def log_key(self) -> VerifierKey:
        """The key that checkpoints are signed with; its name is the origin."""
        return self._log.log_key

    @property
    def newest(self) -> CosignedCheckpoint | None:
        """The newest checkpoint that a quorum cosigned, or None before the first."""
        return self._rounds.newest

    def submit(self, draft: Draft, *, durable_only: bool = False) -> "Future[Appended]":
        """Hand in a draft; the future resolves when its entry is durable and cosigned (see the rules).

        The future fails with ``DraftError``, ``RequestConflictError``, ``NotCosignedError`` (the entry is
        durable), ``StorageError`` (it is not), ``RolledBackError``, or whatever ``draft.leaf`` raised.

        Raises:
            OverloadedError: too many drafts wait.
            SequencerClosedError: the sequencer was closed.
        """
        job = _Append(draft, durable_only)
        self._put(job)
        return job.future

    def append(
        self, draft: Draft, *, durable_only: bool = False, timeout: float = APPEND_SECONDS
    ) -> Appended:
        """Submit and wait.

        Raises:
            AppendTimeoutError: no answer within ``timeout`` seconds.
            TransparencyError: as ``submit``'s future.
        """
        return _result(self.submit(draft, durable_only=durable_only), timeout)

    def find(self, request_key: str) -> Appended | None:
        """Return the entry made under ``request_key``, or None.

        Raises:
            NotCosignedError: it is durable but not cosigned yet.
        """
        found = self.store.find(request_key)
        if found is None:
            return None
        index, newest = found[0], self.newest
        leaf = self.store.entry(index)
        if leaf is None:
            raise StoreDamagedError(f"entry {index} is missing")
        if newest is None or newest.checkpoint.size <= index:
            raise NotCosignedError("the entry is not cosigned yet", index=index)
        return Appended(index, leaf, self.store.openings_at(index), newest)

    def recosign(self, *, timeout: float = APPEND_SECONDS) -> CosignedCheckpoint:
        """Have the newest checkpoint cosigned now, changed or not, and return it.

        Raises:
            NotCosignedError: too few witnesses answered.
            AppendTimeoutError: no answer within ``timeout`` seconds.
        """
        future: Future[CosignedCheckpoint] = Future()

        def settle(outcome: CosignedCheckpoint | TransparencyError) -> None:
            if isinstance(outcome, CosignedCheckpoint):
                future.set_result(outcome)
            else:
                future.set_exception(NotCosignedError(f"not cosigned again: {outcome}"))

        self._rounds.ask_again(settle)
        return _result(future, timeout)

    def fresh(self, max_age: int, *, timeout: float = APPEND_SECONDS) -> CosignedCheckpoint:
        """Return the newest checkpoint, cosigned again if its quorum is older than ``max_age`` seconds."""
        newest = self.newest
        if newest is not None and newest.newest_quorum_time >= self._clock.now() - max_age:
            return newest
        return self.recosign(timeout=timeout)

    def erase(self, tag: str, *, timeout: float = APPEND_SECONDS) -> int:
        """Delete a participant's openings and salts, also from the WAL; return how many there were."""
        job = _Erase(tag)
        self._put(job)
        return _result(job.future, timeout)

    def close(self) -> None:
        """Commit what waits, give the witnesses a last chance, and let go of the log. Idempotent."""
        with self._closing:
            if self._is_closed:
                return
            self._is_closed = True
            self._queue.put(None)
        self._writer.join()
        self._rounds.drain(CLOSE_SECONDS)
        self._rounds.close(SequencerClosedError("the log was closed"))
        self.store.close()
        self._log.close(self.newest)

    def _put(self, job: _Job) -> None:
        with self._closing:
            if self._is_closed:
                raise SequencerClosedError("the log is closed")
            if self._queue.qsize() >= MAX_QUEUE:
                raise OverloadedError(f"{MAX_QUEUE} drafts wait already")
            self._queue.put(job)

    def _run(self) -> None:
        is_last = False
        while not is_last:
            jobs, is_last = self._take()
            try:
                self._commit(jobs)
            except Exception as error:  # noqa: BLE001  the writer outlives whatever one batch ran into
                self._must_recover = not isinstance(error, RolledBackError)
                for job in jobs:
                    _fail(job, error)

    def _take(self) -> tuple[list[_Job], bool]:
        """Wait for a job, and take what else is there; True with the last ones."""
        jobs: list[_Job] = []
        while len(jobs) < MAX_BATCH and not (jobs and self._queue.empty()):
            job = self._queue.get()
            if job is None:
                return jobs, True
            if job.future.set_running_or_notify_cancel():
                jobs.append(job)
        return jobs, False

    def _commit(self, jobs: Sequence[_Job]) -> None:
        if not jobs:
            return
        if self._must_recover:
            self._log.recover()
            self._must_recover = False
        self._refuse_if_behind()
        placed: list[tuple[_Append, Placed]] = []
        erased: list[tuple[_Erase, int]] = []
        with self._log.transaction(self._clock.now(), self.newest) as batch:
            for job in jobs:
                if isinstance(job, _Erase):
                    erased.append((job, self._log.erase(job.tag)))
                    continue
                try:
                    placed.append((job, batch.add(job.draft)))
                except StoreError:
                    raise
                except Exception as error:  # noqa: BLE001  a draft's own code failed: its neighbours go on
                    _fail(job, error)
        self._settle(placed)
        self._log.fold()
        for erasure, count in erased:
            erasure.future.set_result(count)

    def _settle(self, placed: Sequence[tuple[_Append, Placed]]) -> None:
        """Resolve who need not wait any more; leave the others to the rounds."""
        waiters, newest = [], self.newest
        tree, note = self._log.tree, self._log.note
        for job, place in placed:
            if job.is_durable_only:
                _resolve(job, place, CosignedCheckpoint(tree, note, {}, self.quorum))
            elif newest is not None and place.index < newest.checkpoint.size:
                _resolve(job, place, newest)
            else:
                waiters.append(_waiter(job, place))
        if waiters or newest is None or newest.checkpoint != tree:
            self._rounds.offer(tree, note, waiters)

    def _refuse_if_behind(self) -> None:
        if self._rounds.is_behind:
            raise RolledBackError("the witnesses have cosigned a larger tree than this log holds")

    def _start_rounds(self, witnesses: Sequence[WitnessLink], quorum: int) -> Rounds:
        if quorum < 1:
            raise QuorumError("a log without witnesses convinces nobody: the quorum is at least 1")
        keys = [link.key for link in witnesses]
        check_policy(self.log_key, keys, quorum)
        newest, note = None, self.store.published()
        if note is not None:
            # Where the witnesses changed since, the first round makes a new one.
            with contextlib.suppress(TransparencyError):
                newest = verify_checkpoint(note, log_key=self.log_key, witnesses=keys, quorum=quorum)
        return Rounds(
            witnesses,
            quorum=quorum,
            checkpoint=self._log.tree,
            note=self._log.note,
            newest=newest,
            prove=lambda old_size, size: consistency_path(old_size, size, self._node),
        )

    def _node(self, level: int, index: int) -> bytes:
        recent = self._log.recent.get((level, index))
        return self.store.hashes.node(level, index) if recent is None else recent


def _waiter(job: _Append, place: Placed) -> Waiter:
    def settle(outcome: CosignedCheckpoint | TransparencyError) -> None:
        if isinstance(outcome, CosignedCheckpoint):
            _resolve(job, place, outcome)
        else:
            _fail(job, NotCosignedError(f"not cosigned: {outcome}", index=place.index))

    return Waiter(place.index + 1, settle)


def _resolve(job: _Append, place: Placed, checkpoint: CosignedCheckpoint) -> None:
    appended = Appended(place.index, place.leaf, place.openings, checkpoint)
    with contextlib.suppress(InvalidStateError):
        job.future.set_result(appended)


def _fail(job: _Job, error: BaseException) -> None:
    """Fail a job, unless it is settled: an entry of a batch that failed later stays what it was."""
    with contextlib.suppress(InvalidStateError):
        job.future.set_exception(error)


def _result(future: "Future[T]", timeout: float) -> T:
    try:
        return future.result(timeout)
    except FutureTimeoutError as error:
        raise AppendTimeoutError(f"no answer within {timeout:g} seconds") from error
