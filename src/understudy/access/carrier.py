"""Bringing entries to one custodian, in the order it takes them.

Rules

* What is brought: the entry, its openings, the leaves that lead from the custodian's mirror to the
  checkpoint, and the two signed documents. Never a half.
* A custodian that is behind names what it lacks. Those entries are brought first, oldest first, without
  documents, to be numbered only; their own readers may still ask for them.
* A checkpoint whose cosignatures have aged is cosigned again before it is brought; once more if the custodian
  still finds it stale.
* Where the custodian's mirror stands is remembered in memory only. If that is wrong, it takes the rest from
  the log.

Example: ``carrier.open(entry, grant, request)`` is ``Released`` or ``NotReleased``.
"""

import heapq
import threading
from typing import Final

import msgspec

from understudy.access.errors import CustodianAnswerError, EntryMissingError, NotDeliveredError
from understudy.access.ports import Log
from understudy.consent.clock import Clock
from understudy.consent.errors import RefusedError
from understudy.consent.primitives import encode_bytes
from understudy.contract.ports import CustodianPort
from understudy.custody.delivery import Delivery
from understudy.custody.head import Behind, CustodianAnswer, Head, MissingEntry, NotReleased, Released
from understudy.sealing.canonical import canonical, parse
from understudy.sealing.errors import FormatError, SignatureError
from understudy.sealing.signing import Signed
from understudy.transparency.checkpoint import CosignedCheckpoint
from understudy.transparency.draft import Appended
from understudy.transparency.errors import TransparencyError

MAX_LEAVES: Final = 256
MAX_DELIVERIES: Final = 2_000
"""Entries brought for one call at most; a custodian further behind is helped by ``catch_up``."""
STALE: Final = "stale-cosignature"

_DECODER: Final = msgspec.json.Decoder(CustodianAnswer)


class Carrier:
    """The way to one custodian. Safe to share between threads."""

    def __init__(
        self, custodian: CustodianPort, log: Log, clock: Clock, *, signing: str, max_age: int
    ) -> None:
        """Make the way.

        Args:
            custodian: the custodian.
            log: entries, openings and checkpoints.
            clock: tells the time.
            signing: the custodian's signing key in the key set.
            max_age: how old cosignatures may be, in seconds, when they are brought.
        """
        self.custodian: Final = custodian
        self.signing: Final = signing
        self._log = log
        self._clock = clock
        self._max_age = max_age
        self._lock = threading.Lock()
        self._mirrored: int | None = None

    @property
    def name(self) -> str:
        """The custodian's name."""
        return self.custodian.name

    def open(self, entry: Appended, grant: Signed, request: Signed) -> Released | NotReleased:
        """Bring an entry with its documents, and whatever has to come before it.

        Raises:
            RefusedError: the custodian does not admit it.
            UnavailableError: it did not answer.
            NotDeliveredError: it is too far behind, or keeps asking.
            CustodianAnswerError: it answered something that is no answer.
            EntryMissingError: it asks for an entry whose openings are gone.
        """
        return self._bring(entry.index, entry.checkpoint, grant, request)

    def admit(self, index: int, checkpoint: CosignedCheckpoint) -> None:
        """Bring the entry at ``index`` to be numbered only; raises as ``open`` does."""
        self._bring(index, checkpoint, None, None)

    def admitted(self, tag: str) -> int:
        """Return the number of the participant's newest entry there.

        Raises:
            UnavailableError: it did not answer.
            CustodianAnswerError: the answer is not its signed head of this participant.
        """
        try:
            head = self.custodian.head(tag).verify(Head, [self.signing])
        except (FormatError, SignatureError) as error:
            raise CustodianAnswerError(f"{self.name} gave no head that is its own") from error
        if head.tag != tag:
            raise CustodianAnswerError(f"{self.name} gave another participant's head")
        return head.n

    def _bring(
        self, index: int, checkpoint: CosignedCheckpoint, grant: Signed | None, request: Signed | None
    ) -> Released | NotReleased:
        checkpoint = self._fresh(checkpoint)
        waiting, known = [index], {index}
        for _ in range(MAX_DELIVERIES):
            first = waiting[0]
            documents = (grant, request) if first == index else (None, None)
            answer, checkpoint = self._deliver(first, checkpoint, *documents)
            if isinstance(answer, Behind):
                lacking = {self._index(missing) for missing in answer.missing} - known
                if not lacking:
                    break
                known |= lacking
                for missing in lacking:
                    heapq.heappush(waiting, missing)
                continue
            if first == index:
                return answer
            heapq.heappop(waiting)
        raise NotDeliveredError(f"{self.name} is too far behind")

    def _deliver(
        self, index: int, checkpoint: CosignedCheckpoint, grant: Signed | None, request: Signed | None
    ) -> tuple[CustodianAnswer, CosignedCheckpoint]:
        """Bring one entry once, and once more with new cosignatures if these were stale."""
        try:
            return self._ask(self._delivery(index, checkpoint, grant, request)), checkpoint
        except RefusedError as error:
            self._forget()
            if error.reason != STALE:
                raise
        checkpoint = self._renewed(0)
        return self._ask(self._delivery(index, checkpoint, grant, request)), checkpoint

    def _delivery(
        self, index: int, checkpoint: CosignedCheckpoint, grant: Signed | None, request: Signed | None
    ) -> Delivery:
        openings = self._log.store.openings_at(index)
        if not openings or len(openings) != openings[0].count:
            raise EntryMissingError("the openings of an entry are gone")
        size = checkpoint.checkpoint.size
        with self._lock:
            start = self._mirrored
        if start is None or start > size:
            start = max(size - MAX_LEAVES, 0)
        leaves = self._log.store.entries(start, min(start + MAX_LEAVES, size))
        return Delivery(
            index=index,
            openings=tuple(committed.opening for committed in openings),
            start=start,
            leaves=tuple(encode_bytes(leaf) for leaf in leaves),
            checkpoint=encode_bytes(checkpoint.note),
            grant=grant,
            request=request,
        )

    def _ask(self, delivery: Delivery) -> CustodianAnswer:
        raw = self.custodian.open(delivery)
        try:
            answer: CustodianAnswer = _DECODER.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise CustodianAnswerError(f"{self.name} answered something that is no answer") from error
        if canonical(answer) != raw:
            raise CustodianAnswerError(f"{self.name} answered in another form than the canonical one")
        if not isinstance(answer, Behind):
            self._remember(answer)
        return answer

    def _remember(self, answer: Released | NotReleased) -> None:
        """Note where the mirror stands, as the answer's heads tell; the custodian checks it anyway."""
        try:
            sizes = [parse(Head, head.raw).tree_size for head in answer.heads[:1]]
        except FormatError as error:
            raise CustodianAnswerError(f"{self.name} gave a head that is none") from error
        with self._lock:
            self._mirrored = max(sizes, default=None)

    def _index(self, missing: MissingEntry) -> int:
        found = self._log.store.openings_of(missing.tag, after=missing.n - 1, limit=1)
        if not found or found[0].opening.n != missing.n:
            raise EntryMissingError("the openings of an entry are gone")
        return found[0].index

    def _fresh(self, checkpoint: CosignedCheckpoint) -> CosignedCheckpoint:
        if checkpoint.newest_quorum_time >= self._clock.now() - self._max_age:
            return checkpoint
        return self._renewed(self._max_age)

    def _renewed(self, max_age: int) -> CosignedCheckpoint:
        try:
            return self._log.fresh(max_age)
        except TransparencyError as error:
            raise NotDeliveredError("the witnesses did not cosign again") from error

    def _forget(self) -> None:
        with self._lock:
            self._mirrored = None
