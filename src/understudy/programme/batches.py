"""Consent-type events on their way into the log: hourly, padded, and not telling who did what.

Rules

* An event is recorded in the transaction that stores its document. It is in force before it is logged; a
  receipt that the log never shows is evidence against the server.
* Batches are cut at whole multiples of ``consent_batch_seconds``, with or without events, so that the log
  tells neither that something happened nor when.
* A batch is stored before it is appended; after a crash the same batch is appended again and gets the
  same entry.
* Salts stay here, for the participant to open their own commitment with.

Example: ``batches.flush()`` from the server's timer; ``batches.opening(consent_hash)`` for the participant.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from understudy.consent.errors import NotFoundError
from understudy.programme.database import reading, writing
from understudy.programme.events import (
    ConsentEvent,
    EventKind,
    consents_draft,
    event_commitment,
    new_salt,
    padded_commitments,
    split_commitments,
)
from understudy.programme.parts import Parts
from understudy.programme.tables import ConsentBatchRow, ConsentEventRow
from understudy.transparency.merkle import MemoryTree, leaf_hash


@dataclass(frozen=True, slots=True)
class EventOpening:
    """What proves that one event is in the log: its salt, its place in the batch, and the batch's entry."""

    event: ConsentEvent
    salt: str
    place: int
    count: int
    path: tuple[bytes, ...]
    log_index: int


def record_event(session: Session, kind: EventKind, document: str, tag: str) -> None:
    """Note an event for the next batch, in the caller's transaction."""
    session.add(ConsentEventRow(document=document, kind=kind.value, tag=tag, salt=new_salt()))


class ConsentBatches:
    """Cuts batches and appends them."""

    def __init__(self, parts: Parts) -> None:
        self._parts: Final = parts

    def flush(self) -> int:
        """Append what is due; return how many batches were.

        Raises:
            TransparencyError: the log did not take one; it stays for the next call.
        """
        self._cut()
        appended = 0
        for row in self._unlogged():
            draft = consents_draft(self._parts.documents.current.programme, row.commitments)
            index = self._parts.log.append(draft).index
            with writing(self._parts.engine) as session:
                changed = update(ConsentBatchRow).where(ConsentBatchRow.number == row.number)
                session.execute(changed.values(log_index=index))
            appended += 1
        return appended

    def opening(self, document: str) -> EventOpening:
        """Return what proves that the event about this signed document is in the log.

        Raises:
            NotFoundError: there is no such event, or it is not in the log yet.
        """
        with reading(self._parts.engine) as session:
            event = session.get(ConsentEventRow, document)
            batch = session.get(ConsentBatchRow, event.batch) if event and event.batch is not None else None
        if event is None or batch is None or batch.log_index is None:
            raise NotFoundError("the event is not in the log", hint="batches are logged at fixed intervals")
        told = ConsentEvent(kind=EventKind(event.kind), document=event.document)
        leaves = split_commitments(batch.commitments)
        place = leaves.index(event_commitment(told, event.salt))
        tree = MemoryTree([leaf_hash(leaf) for leaf in leaves])
        return EventOpening(
            event=told,
            salt=event.salt,
            place=place,
            count=len(leaves),
            path=tree.inclusion(place),
            log_index=batch.log_index,
        )

    def _cut(self) -> None:
        """Make the batch of the interval that has passed, if it was not made yet."""
        delays = self._parts.documents.current.delays
        due = self._parts.clock.now() // delays.consent_batch_seconds * delays.consent_batch_seconds
        newest = select(ConsentBatchRow).order_by(ConsentBatchRow.number.desc()).limit(1)
        with writing(self._parts.engine) as session:
            last = session.scalars(newest).first()
            if last is not None and last.made_at >= due:
                return
            events = session.scalars(select(ConsentEventRow).where(ConsentEventRow.batch.is_(None))).all()
            commitments = [
                event_commitment(ConsentEvent(kind=EventKind(row.kind), document=row.document), row.salt)
                for row in events
            ]
            number = 1 if last is None else last.number + 1
            padded = padded_commitments(commitments, delays.consent_batch_multiple)
            session.add(ConsentBatchRow(number=number, made_at=due, commitments=padded))
            session.flush()
            for row in events:
                row.batch = number

    def _unlogged(self) -> list[ConsentBatchRow]:
        wanted = select(ConsentBatchRow).where(ConsentBatchRow.log_index.is_(None))
        with reading(self._parts.engine) as session:
            return list(session.scalars(wanted.order_by(ConsentBatchRow.number)).all())
