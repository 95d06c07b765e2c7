"""Handing on to custodians what participants and roster members signed.

Rules

* What is to be relayed is queued in the transaction that stores it, so that no crash loses it.
* A custodian that cannot be reached leaves its row; ``flush`` tries again, oldest first, and stops at the
  first that fails, so that a custodian gets a participant's documents in order.
* A custodian that says no keeps its reason in the row. It is not asked again: the same bytes get the same
  answer.
* A participant's standings reach a custodian in the order in which they were made, each before the next.
* Receipts that come back are checked against the key set before they are believed.

Example: ``relay.queue(session, RelayKind.STANDING, hash)`` and, after the commit, ``relay.send(kind, hash)``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from understudy.consent.consent import ConsentReceipt, StandingReceipt
from understudy.consent.enrolment import EnrolmentReceipt
from understudy.consent.errors import NotFoundError, RefusedError, UnavailableError
from understudy.consent.keyset import CustodianKeys
from understudy.contract.ports import CustodianPort
from understudy.programme.database import reading, writing
from understudy.programme.errors import refusal
from understudy.programme.parts import Parts
from understudy.programme.tables import (
    ConsentRow,
    EnrolmentReceiptRow,
    EnrolmentRow,
    RelayRow,
    StandingRow,
    SwitchChangeRow,
)
from understudy.sealing.errors import FormatError, SignatureError
from understudy.sealing.signing import Signed

MALFORMED: Final = "malformed"
"""Kept in place of a reason when a custodian cannot read what it was sent."""

R = TypeVar("R", EnrolmentReceipt, ConsentReceipt, StandingReceipt)


@dataclass(frozen=True, slots=True)
class _Delivered:
    """A document was taken; ``receipt`` is what the custodian signed, if it signs anything."""

    receipt: Signed | None


class RelayKind(StrEnum):
    """What is handed on."""

    ENROLMENT = "enrolment"
    CONSENT = "consent"
    STANDING = "standing"
    SWITCH_ORDER = "switch-order"


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of sending a document: receipts of those who took it, the refusal of one who did not."""

    receipts: tuple[Signed, ...]
    refused: str | None


class Relay:
    """The queue between this server and its custodians."""

    def __init__(self, parts: Parts) -> None:
        self._parts: Final = parts
        self._deliver: Final[dict[RelayKind, Callable[[CustodianPort, str], Signed | None]]] = {
            RelayKind.ENROLMENT: self._enrolment,
            RelayKind.CONSENT: self._consent,
            RelayKind.STANDING: self._standing,
            RelayKind.SWITCH_ORDER: self._switch_order,
        }

    def queue(self, session: Session, kind: RelayKind, document: str) -> None:
        """Queue the document with this hash for every custodian, in the caller's transaction."""
        for name in self._parts.custodians:
            row = {"custodian": name, "kind": kind.value, "hash": document}
            session.execute(insert(RelayRow).values(**row).on_conflict_do_nothing())

    def send(self, kind: RelayKind, document: str) -> str | None:
        """Hand one document to every custodian that lacks it; return a custodian's refusal, if any.

        A custodian that cannot be reached is left for ``flush``.
        """
        wanted = select(RelayRow).where(RelayRow.kind == kind.value, RelayRow.hash == document)
        refused = None
        for row in self._rows(wanted):
            if row.refused is None:
                self._try(row)
            refused = row.refused or refused
        return refused

    def send_standings(self, tag: str, document: str = "") -> Sent:
        """Hand a participant's standings to every custodian that lacks them, in order.

        Args:
            tag: whose.
            document: the hash of the one whose receipts and refusal are returned.
        """
        receipts, refused = [], None
        for name in self._parts.custodians:
            wanted = (
                select(RelayRow)
                .join(StandingRow, StandingRow.hash == RelayRow.hash)
                .where(
                    StandingRow.tag == tag, RelayRow.kind == RelayKind.STANDING, RelayRow.custodian == name
                )
            )
            for row in self._rows(wanted.order_by(RelayRow.id)):
                delivered = row.refused is None and self._try(row)
                if row.hash == document:
                    receipts += [delivered.receipt] if delivered and delivered.receipt else []
                    refused = row.refused or refused
                if not delivered and row.refused is None:
                    break
        return Sent(tuple(receipts), refused)

    def flush(self) -> int:
        """Hand on whatever waits; return how much still does."""
        for name in self._parts.custodians:
            waiting = select(RelayRow).where(RelayRow.custodian == name, RelayRow.refused.is_(None))
            for row in self._rows(waiting.order_by(RelayRow.id)):
                if not self._try(row) and row.refused is None:
                    break
        return self.waiting()

    def waiting(self, kind: RelayKind | None = None) -> int:
        """Return how many documents wait for a custodian; refused ones do not."""
        counted = select(func.count()).select_from(RelayRow).where(RelayRow.refused.is_(None))
        if kind is not None:
            counted = counted.where(RelayRow.kind == kind.value)
        with reading(self._parts.engine) as session:
            return session.scalar(counted) or 0

    def refused(self) -> list[RelayRow]:
        """Return what custodians have refused, oldest first, for the operator to see."""
        return self._rows(select(RelayRow).where(RelayRow.refused.is_not(None)).order_by(RelayRow.id))

    def _rows(self, wanted: Select[RelayRow]) -> list[RelayRow]:
        with reading(self._parts.engine) as session:
            return list(session.scalars(wanted).all())

    def _try(self, row: RelayRow) -> _Delivered | None:
        """Deliver one row and delete it; keep a refusal in it. Return None if it was not delivered."""
        custodian = self._parts.custodians.get(row.custodian)
        if custodian is None:
            return None
        try:
            receipt = self._deliver[RelayKind(row.kind)](custodian, row.hash)
        except UnavailableError:
            return None
        except (RefusedError, FormatError, SignatureError) as error:
            row.refused = error.reason if isinstance(error, RefusedError) else MALFORMED
            with writing(self._parts.engine) as session:
                session.execute(update(RelayRow).where(RelayRow.id == row.id).values(refused=row.refused))
            return None
        with writing(self._parts.engine) as session:
            session.execute(delete(RelayRow).where(RelayRow.id == row.id))
        return _Delivered(receipt)

    def _enrolment(self, custodian: CustodianPort, document: str) -> Signed:
        with reading(self._parts.engine) as session:
            row = session.scalars(select(EnrolmentRow).where(EnrolmentRow.hash == document)).one()
        receipt = custodian.enrol(row.signed)
        keys = self._keys(custodian)
        told = _verified(receipt, EnrolmentReceipt, keys.signing)
        if (told.enrolment, told.tag, told.number, told.custodian, told.epoch) != (
            row.hash,
            row.tag,
            row.number,
            keys.name,
            keys.epoch,
        ):
            raise refusal("custodian-receipt")
        values = {"enrolment": row.hash, "custodian": custodian.name, "signed": receipt}
        with writing(self._parts.engine) as session:
            session.execute(insert(EnrolmentReceiptRow).values(**values).on_conflict_do_nothing())
        return receipt

    def _consent(self, custodian: CustodianPort, document: str) -> Signed:
        with reading(self._parts.engine) as session:
            row = session.get_one(ConsentRow, document)
        countersigned = custodian.countersign(row.signed, row.receipt)
        keys = self._keys(custodian)
        told = _verified(countersigned, ConsentReceipt, keys.signing, self._parts.server.public)
        if told.consent != document:
            raise refusal("custodian-receipt")
        with writing(self._parts.engine) as session:
            stored = session.get_one(ConsentRow, document)
            if stored.receipt.body != countersigned.body:
                # This server lost its first receipt to a restore; the custodian kept it, and it stays.
                stored.receipt = countersigned
            elif keys.signing not in stored.receipt.signers:
                added = tuple(sign for sign in countersigned.signatures if sign.key == keys.signing)
                stored.receipt = Signed(
                    body=stored.receipt.body, signatures=(*stored.receipt.signatures, *added)
                )
        return countersigned

    def _standing(self, custodian: CustodianPort, document: str) -> Signed:
        with reading(self._parts.engine) as session:
            row = session.scalars(select(StandingRow).where(StandingRow.hash == document)).one()
        receipt = custodian.stand(row.signed)
        keys = self._keys(custodian)
        told = _verified(receipt, StandingReceipt, keys.signing)
        if (told.standing, told.tag, told.number, told.state, told.custodian, told.epoch) != (
            row.hash,
            row.tag,
            row.number,
            row.state,
            keys.name,
            keys.epoch,
        ):
            raise refusal("custodian-receipt")
        return receipt

    def _switch_order(self, custodian: CustodianPort, document: str) -> None:
        with reading(self._parts.engine) as session:
            row = session.scalars(select(SwitchChangeRow).where(SwitchChangeRow.order == document)).one()
        custodian.switch_off(row.signed)

    def _keys(self, custodian: CustodianPort) -> CustodianKeys:
        for keys in self._parts.documents.current.key_set.custodians:
            if keys.name == custodian.name:
                return keys
        raise NotFoundError(f"the key set has no custodian {custodian.name}")


def _verified(signed: Signed, kind: type[R], *keys: str) -> R:
    """Return a receipt that ``keys`` signed; a custodian that answers anything else is refused."""
    try:
        return signed.verify(kind, keys)
    except (FormatError, SignatureError) as error:
        raise refusal("custodian-receipt") from error
