"""Rounds of cosigning: every witness is asked about the same checkpoint until a quorum has answered.

Rules

* One round at a time, always on the newest committed checkpoint. Witnesses are asked in parallel, one thread
  each; a slow one joins the newest round when it is free again, so it never holds the others up. One that
  answers after the quorum still counts: its cosignature is added to the checkpoint.
* A round ends when the quorum has cosigned, or cannot be reached any more. Whoever waited for its size is
  told then.
* Entries that come while a round runs are covered by the next one: the log commits while witnesses answer.
* Answers are verified here. A witness that knows a larger tree than this log's is remembered: when so many do
  that the rest is no quorum, the log has lost entries and must not sign on (``is_behind``).
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from understudy.transparency.checkpoint import Checkpoint, CosignedCheckpoint, add_cosignatures
from understudy.transparency.cosigning import WitnessLink
from understudy.transparency.errors import (
    MalformedError,
    SizeConflictError,
    TransparencyError,
    UntrustedCheckpointError,
    WitnessUnavailableError,
)
from understudy.transparency.note import NoteSignature, parse_signatures

Settle = Callable[[CosignedCheckpoint | TransparencyError], None]
"""Told once how the wait ended; called in a witness's thread, outside every lock."""


@dataclass(slots=True)
class _Round:
    number: int
    checkpoint: Checkpoint
    note: bytes
    is_over: bool = False
    cosigned: dict[str, tuple[int, NoteSignature]] = field(default_factory=dict)
    failed: dict[str, TransparencyError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Waiter:
    """Someone who needs a cosigned checkpoint of at least ``size``."""

    size: int
    settle: Settle


_Settled = list[tuple[Waiter, CosignedCheckpoint | TransparencyError]]


class Rounds:
    """Keeps the newest checkpoint cosigned."""

    def __init__(
        self,
        witnesses: Sequence[WitnessLink],
        *,
        quorum: int,
        checkpoint: Checkpoint,
        note: bytes,
        newest: CosignedCheckpoint | None,
        prove: Callable[[int, int], tuple[bytes, ...]],
    ) -> None:
        """Take up at ``checkpoint``, signed in ``note``; ``newest`` is what was cosigned before, if anything.

        ``prove`` makes the consistency proof between two sizes above 0.
        """
        self.newest = newest
        self._quorum = quorum
        self._prove = prove
        self._latest = (checkpoint, note)
        self._changed = threading.Condition()
        self._round: _Round | None = None
        self._number = 0
        self._waiting: list[Waiter] = []
        self._behind: set[str] = set()
        self._closed: TransparencyError | None = None
        self._threads = [
            threading.Thread(target=self._follow, args=(_Asked(link, newest),), name="cosigning", daemon=True)
            for link in witnesses
        ]
        for thread in self._threads:
            thread.start()

    @property
    def is_behind(self) -> bool:
        """Whether witnesses know a larger tree than this log's, and the rest of them is no quorum."""
        return len(self._behind) > len(self._threads) - self._quorum

    def offer(self, checkpoint: Checkpoint, note: bytes, waiters: Sequence[Waiter]) -> None:
        """Have a newly committed checkpoint cosigned, and tell ``waiters``."""
        with self._changed:
            self._latest = (checkpoint, note)
            closed = self._wait_for(waiters)
        if closed is not None:
            for waiter in waiters:
                waiter.settle(closed)

    def ask_again(self, settle: Settle) -> None:
        """Have the newest checkpoint cosigned, changed or not; a round that runs already on it will do."""
        with self._changed:
            closed = self._wait_for([Waiter(self._latest[0].size, settle)])
        if closed is not None:
            settle(closed)

    def survey(self, seconds: float) -> None:
        """Ask every witness now; return when all have answered or failed, or after ``seconds``."""
        with self._changed:
            asked = self._ensure()
            self._changed.wait_for(
                lambda: len(asked.cosigned) + len(asked.failed) == len(self._threads), seconds
            )

    def drain(self, seconds: float) -> None:
        """Return when nobody waits any more, or after ``seconds``."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting, seconds)

    def close(self, error: TransparencyError) -> None:
        """Stop asking; tell everyone who still waits ``error``."""
        with self._changed:
            self._closed = error
            waiting, self._waiting = self._waiting, []
            self._changed.notify_all()
        for waiter in waiting:
            waiter.settle(error)

    def _wait_for(self, waiters: Sequence[Waiter]) -> TransparencyError | None:
        if self._closed is None:
            self._waiting.extend(waiters)
            self._ensure()
        return self._closed

    def _ensure(self) -> _Round:
        """Return the round that runs; begin one on the newest checkpoint if none does."""
        if self._round is None or self._round.is_over:
            self._number += 1
            self._round = _Round(self._number, *self._latest)
            self._changed.notify_all()
        return self._round

    def _follow(self, asked: "_Asked") -> None:
        done = 0
        while True:
            with self._changed:
                while self._closed is None and (self._round is None or self._round.number <= done):
                    self._changed.wait()
                current = self._round
                if self._closed is not None or current is None:
                    return
            done = current.number
            answer = asked.ask(current, self._prove)
            with self._changed:
                settled = self._record(current, asked.link.key.name, answer)
                self._changed.notify_all()
            for waiter, outcome in settled:
                waiter.settle(outcome)

    def _record(
        self, current: _Round, name: str, answer: tuple[int, NoteSignature] | TransparencyError
    ) -> _Settled:
        self._behind.discard(name)
        if isinstance(answer, TransparencyError):
            current.failed[name] = answer
            if isinstance(answer, SizeConflictError) and answer.size > self._latest[0].size:
                self._behind.add(name)
        else:
            current.cosigned[name] = answer
        if current.is_over:
            if self.newest is not None and self.newest.checkpoint == current.checkpoint:
                self.newest = self._cosigned(current)
            return []
        if len(current.cosigned) >= self._quorum:
            self.newest = self._cosigned(current)
            return self._finish(current, self.newest)
        if len(self._threads) - len(current.failed) < self._quorum:
            reasons = "; ".join(f"{name}: {error}" for name, error in sorted(current.failed.items()))
            return self._finish(current, WitnessUnavailableError(reasons))
        return []

    def _finish(self, current: _Round, outcome: CosignedCheckpoint | TransparencyError) -> _Settled:
        covered = [waiter for waiter in self._waiting if waiter.size <= current.checkpoint.size]
        self._waiting = [waiter for waiter in self._waiting if waiter.size > current.checkpoint.size]
        current.is_over = True
        grown = self._latest[0].size > current.checkpoint.size
        # After a failure only somebody who waits is a reason to ask again; otherwise a dead witness would
        # keep us busy.
        if self._waiting or (grown and not isinstance(outcome, TransparencyError)):
            self._ensure()
        return [(waiter, outcome) for waiter in covered]

    def _cosigned(self, current: _Round) -> CosignedCheckpoint:
        answers = [current.cosigned[name] for name in sorted(current.cosigned)]
        return CosignedCheckpoint(
            checkpoint=current.checkpoint,
            note=add_cosignatures(current.note, *(line for _, line in answers)),
            cosignatures={name: time for name, (time, _) in sorted(current.cosigned.items())},
            quorum=self._quorum,
        )


class _Asked:
    """One witness, and the size of its latest checkpoint as far as we know."""

    def __init__(self, link: WitnessLink, newest: CosignedCheckpoint | None) -> None:
        self.link = link
        known = newest is not None and link.key.name in newest.cosignatures
        self._size = newest.checkpoint.size if newest is not None and known else 0

    def ask(
        self, current: _Round, prove: Callable[[int, int], tuple[bytes, ...]]
    ) -> tuple[int, NoteSignature] | TransparencyError:
        """Return the verified cosignature and its time, or what went wrong."""
        try:
            try:
                return self._ask(current, prove)
            except SizeConflictError as conflict:
                if conflict.size > current.checkpoint.size:
                    return conflict
                self._size = conflict.size
            return self._ask(current, prove)
        except TransparencyError as error:
            return error
        except Exception as error:  # noqa: BLE001  whatever it was, this witness did not answer
            return WitnessUnavailableError(f"the call failed with {type(error).__name__}")

    def _ask(
        self, current: _Round, prove: Callable[[int, int], tuple[bytes, ...]]
    ) -> tuple[int, NoteSignature]:
        tree, old_size, key = current.checkpoint, self._size, self.link.key
        path = prove(old_size, tree.size) if 0 < old_size < tree.size else ()
        answer = self.link.cosigner.cosign(current.note, old_size, path)
        try:
            lines = parse_signatures(answer)
            ours = [line for line in lines if line.name == key.name and line.key_id == key.key_id]
            if not ours:
                raise WitnessUnavailableError("the answer holds no cosignature by the expected key")
            times = [(key.verify(tree.text, line.signature), line) for line in ours]
        except (MalformedError, UntrustedCheckpointError) as error:
            raise WitnessUnavailableError(f"the answer is no valid cosignature: {error}") from error
        self._size = tree.size
        return max(times, key=lambda answer: answer[0])
