"""The custodian's side of the door: one delivery in, one canonical answer out, one flush.

Rules

* In this order: a stored reply; the checkpoint (signed, cosigned, fresh, consistent); the mirror;
  admission; release.
* Freshness is asked for only where a release is: a cosignature at most ``cosignature_seconds`` old. A stale
  one is refused before anything is written, so the entry can be delivered again.
* Mirror, admission, decision, count and reply are one transaction. The time is read inside it: a log that
  lets the custodian wait for leaves does not turn the clock back.
* Documents that are absent or unreadable leave the entry admitted and undecided; a rule that says no
  decides it.

Example: ``door.open(pinned, delivery)``.
"""

from collections.abc import Sequence
from typing import Final

from understudy.consent.clock import Clock
from understudy.consent.decisions import Refused
from understudy.custody.admission import Admission
from understudy.custody.delivery import Delivery
from understudy.custody.deposits import Deposits
from understudy.custody.disclosure import Disclosure
from understudy.custody.documents import read_documents
from understudy.custody.entry import Entry, open_leaf
from understudy.custody.errors import CustodyRefusedError, StorageError
from understudy.custody.head import Behind, NotReleased, Released
from understudy.custody.mirror import Followed, LogSource, Mirror, verify_note
from understudy.custody.pinning import Pinned
from understudy.custody.reasons import RefusalReason
from understudy.custody.release import Release
from understudy.custody.replies import Replies
from understudy.custody.store import Store
from understudy.custody.switchboard import Switchboard
from understudy.sealing.canonical import canonical, octets
from understudy.sealing.signing import Signed
from understudy.transparency.checkpoint import CosignedCheckpoint
from understudy.transparency.leaves import leaf_digest

MAX_PULL: Final = 4_096
"""Leaves asked of the log at once."""


class Door:
    """Admits and releases; safe to share between threads."""

    def __init__(
        self,
        store: Store,
        log: LogSource,
        clock: Clock,
        *,
        mirror: Mirror,
        admission: Admission,
        release: Release,
        replies: Replies,
        deposits: Deposits,
        disclosure: Disclosure,
        switchboard: Switchboard,
    ) -> None:
        self._store: Final = store
        self._log: Final = log
        self._clock: Final = clock
        self._mirror: Final = mirror
        self._admission: Final = admission
        self._release: Final = release
        self._replies: Final = replies
        self._deposits: Final = deposits
        self._disclosure: Final = disclosure
        self._switchboard: Final = switchboard

    def open(self, pinned: Pinned, delivery: Delivery) -> bytes:
        """Return the canonical ``CustodianAnswer`` to one delivery; see ``Custodian.open``."""
        with self._store.transaction():
            kept = self._kept(delivery)
            first = self._mirror.size
        if kept is not None:
            return kept
        cosigned = verify_note(pinned, octets(delivery.checkpoint))
        if delivery.index >= cosigned.checkpoint.size:
            raise CustodyRefusedError(RefusalReason.NOT_WITNESSED)
        leaves = self._leaves(first, cosigned.checkpoint.size, delivery)
        with self._store.transaction():
            answer = self._kept(delivery) or self._answer(pinned, cosigned, first, leaves, delivery)
        if answer is None:  # the broker's leaves lead elsewhere; the log itself is asked once
            pulled = self._pull(first, cosigned.checkpoint.size)
            with self._store.transaction():
                answer = self._answer(pinned, cosigned, first, pulled, delivery)
        if answer is None:
            raise CustodyRefusedError(RefusalReason.NOT_CONSISTENT)
        if isinstance(answer, CustodyRefusedError):
            raise answer
        return answer

    def sync(self, pinned: Pinned) -> int:
        """Catch up with the log; see ``Custodian.sync``."""
        cosigned = verify_note(pinned, self._log.checkpoint())
        with self._store.transaction():
            first = self._mirror.size
        leaves = self._pull(first, cosigned.checkpoint.size)
        with self._store.transaction():
            followed = self._mirror.follow(pinned, cosigned, first, leaves, self._clock.now())
            size = self._mirror.size
        if followed is not Followed.THERE:
            astray = followed is Followed.ASTRAY
            raise CustodyRefusedError(RefusalReason.NOT_CONSISTENT if astray else RefusalReason.LOG_FORKED)
        return size

    def _answer(
        self,
        pinned: Pinned,
        cosigned: CosignedCheckpoint,
        first: int,
        leaves: Sequence[bytes],
        delivery: Delivery,
    ) -> bytes | CustodyRefusedError | None:
        """Return the answer, a refusal to raise after the commit, or None if the leaves do not fit."""
        now = self._clock.now()
        if delivery.request is not None:
            stale = _staleness(pinned, cosigned, now)
            if stale is not None:
                return CustodyRefusedError(stale)
        followed = self._mirror.follow(pinned, cosigned, first, leaves, now)
        if followed is Followed.ASTRAY:
            return None
        if followed is Followed.FORKED:
            return CustodyRefusedError(RefusalReason.LOG_FORKED)
        raw = self._mirror.leaf(delivery.index)
        if raw is None:
            return CustodyRefusedError(RefusalReason.NOT_WITNESSED)
        try:
            entry = Entry.read(delivery.index, raw, delivery.openings, pinned.document.programme)
            missing = self._admission.missing(entry)
        except CustodyRefusedError as refused:  # nothing but the mirror has been written
            return refused
        if missing:
            return canonical(Behind(missing=missing))
        self._admission.admit(pinned, entry)
        return self._decided(pinned, entry, delivery, now)

    def _decided(self, pinned: Pinned, entry: Entry, delivery: Delivery, now: int) -> bytes:
        """Return the answer to an admitted entry, deciding it if that is possible now."""
        decision = self._admission.decision(entry.index)
        if decision is not None:
            outcome, reason = decision
            again = reason if outcome == "refused" else self._why_not_again(entry, now)
            return self._refusal(pinned, entry, RefusalReason(again), now)
        try:
            documents = read_documents(delivery.grant, delivery.request, entry.leaf)
        except CustodyRefusedError as refused:
            return self._refusal(pinned, entry, RefusalReason(refused.reason), now)
        reply = self._release.release(pinned, entry, documents, now)
        if isinstance(reply, Refused):
            self._admission.decide(pinned, entry.index, "refused", reply.reason, now)
            return self._refusal(pinned, entry, RefusalReason(reply.reason), now)
        self._admission.decide(pinned, entry.index, "released", "", now)
        answer = canonical(Released(reply=reply, heads=self._heads(pinned, entry, now)))
        self._replies.purge(now)
        self._replies.keep(entry, answer)
        return answer

    def _why_not_again(self, entry: Entry, now: int) -> RefusalReason:
        """Return why a released entry is not answered again."""
        if any(self._deposits.is_erased(segment) for segment in entry.segments):
            return RefusalReason.ERASED
        if now > entry.leaf.not_after:
            return RefusalReason.REQUEST_EXPIRED
        kept = self._replies.find(entry.hash, entry.leaf.reader_key, frozenset(), now)
        return RefusalReason.ALREADY_RELEASED if kept is None else RefusalReason.SWITCH_OFF

    def _refusal(self, pinned: Pinned, entry: Entry, reason: RefusalReason, now: int) -> bytes:
        heads = self._heads(pinned, entry, now)
        return canonical(NotReleased(reason=reason.value, hint=reason.hint, heads=heads))

    def _heads(self, pinned: Pinned, entry: Entry, now: int) -> tuple[Signed, ...]:
        size = self._mirror.size
        return tuple(self._disclosure.head(pinned, opening.tag, size, now) for opening in entry.openings)

    def _kept(self, delivery: Delivery) -> bytes | None:
        """Return the stored answer to the entry that the delivery names, if it may be given again."""
        raw = self._mirror.leaf(delivery.index)
        if raw is None or not self._admission.is_admitted(delivery.index):
            return None
        leaf = open_leaf(raw)
        off = self._switchboard.off()
        return self._replies.find(leaf_digest(raw), leaf.reader_key, off, self._clock.now())

    def _leaves(self, first: int, wanted: int, delivery: Delivery) -> Sequence[bytes]:
        """Return the leaves from ``first`` to ``wanted``: the delivered ones, the rest from the log."""
        if wanted <= first:
            return ()
        offset = first - delivery.start
        brought = [octets(leaf) for leaf in delivery.leaves[offset:]] if offset >= 0 else []
        brought = brought[: wanted - first]
        return (*brought, *self._pull(first + len(brought), wanted))

    def _pull(self, start: int, end: int) -> tuple[bytes, ...]:
        """Return leaves from the log.

        Raises:
            UnavailableError: it cannot be reached, or has fewer than its checkpoint says.
        """
        leaves: list[bytes] = []
        while start + len(leaves) < end:
            at = start + len(leaves)
            part = self._log.entries(at, min(end, at + MAX_PULL))
            if not part:
                raise StorageError("the log does not hand out the leaves of its checkpoint")
            leaves.extend(part)
        return tuple(leaves[: max(end - start, 0)])


def _staleness(pinned: Pinned, cosigned: CosignedCheckpoint, now: int) -> RefusalReason | None:
    """Return why the quorum's cosignatures are no good for a release now, or None if they are fresh."""
    delays, cosigned_at = pinned.document.delays, cosigned.newest_quorum_time
    if cosigned_at > now + delays.clock_skew_seconds:
        return RefusalReason.CLOCK
    if now - cosigned_at > delays.cosignature_seconds + delays.clock_skew_seconds:
        return RefusalReason.STALE_COSIGNATURE
    return None
