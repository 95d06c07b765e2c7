"""The server's switch: off at one signature, at once; on only after the custodian has accepted the lift keys.

Rules

* A server that never was lifted has everything off.
* Off: any roster member, the auditor or the server's own key signs. It is stored before anyone else is
  asked, relayed to every custodian, and logged when the log answers.
* On: the bundle carries enough lift keys, and it is the newest change of the custodian it names, which then
  has on what the bundle says. While an order to stop has not reached every custodian, or comes during the
  lift, nothing is lifted.
* Every change has the next revision and is in the log in the end; so are the custodians' own changes.

Example: ``switch.order(signed_order)``; ``switch.is_off(Activity.CAPTURE)``.
"""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from understudy.consent.credentials import Ed25519Credential
from understudy.consent.errors import UnavailableError
from understudy.consent.purposes import Activity
from understudy.custody.switch import LiftBundle, SwitchOrder, SwitchStatus
from understudy.programme.database import reading, writing
from understudy.programme.errors import refusal
from understudy.programme.events import switch_draft
from understudy.programme.parts import Parts
from understudy.programme.relay import Relay, RelayKind
from understudy.programme.rules import quorum_of
from understudy.programme.tables import SwitchChangeRow, SwitchRow
from understudy.sealing.signing import Signed

SERVER: Final = "server"
"""The server's name in switch entries and statuses."""


class ServerSwitch:
    """What is off at the server; persisted."""

    def __init__(self, parts: Parts, relay: Relay) -> None:
        self._parts: Final = parts
        self._relay: Final = relay

    def is_off(self, activity: Activity) -> bool:
        """Return whether the activity is stopped here."""
        with reading(self._parts.engine) as session:
            return activity in _off(session)

    def status(self) -> SwitchStatus:
        """Return what is off here, and how many changes are not in the log yet."""
        unlogged = (
            select(func.count()).select_from(SwitchChangeRow).where(SwitchChangeRow.log_index.is_(None))
        )
        with reading(self._parts.engine) as session:
            return SwitchStatus(
                by=SERVER,
                epoch=self._parts.documents.current.key_set.log.epoch,
                revision=_revision(session),
                off=_off(session),
                queued=session.scalar(unlogged) or 0,
            )

    def order(self, signed: Signed) -> SwitchStatus:
        """Stop what a signed ``SwitchOrder`` names; in effect when this returns. Idempotent.

        Raises:
            SignatureError: a signature on it is wrong.
            FormatError: not a canonical order.
            RefusedError: nobody who may stop has signed it.
        """
        order = signed.verify(SwitchOrder)
        document = self._parts.documents.current
        if order.programme != document.programme:
            raise refusal("programme-mismatch")
        allowed = {document.key_set.auditor.signing, document.key_set.server} | {
            member.credential.public_key
            for member in document.roster
            if isinstance(member.credential, Ed25519Credential)
        }
        if not signed.signers & allowed:
            raise refusal("switch-order")
        found = signed.hash(SwitchOrder)
        with writing(self._parts.engine) as session:
            if not _is_known(session, found):
                _change(session, order.off, is_off=True, order=found, signed=signed)
                self._relay.queue(session, RelayKind.SWITCH_ORDER, found)
        self._relay.send(RelayKind.SWITCH_ORDER, found)
        return self.status()

    def lift(self, signed: Signed) -> SwitchStatus:
        """Start again what a ``LiftBundle`` names, after its custodian has accepted it. Idempotent.

        Raises:
            SignatureError: a signature on it is wrong.
            FormatError: not a canonical bundle.
            RefusedError: too few lift keys, the custodian refused, or it has stopped again since.
            UnavailableError: an order to stop is on its way, or the custodian cannot be reached.
        """
        bundle = signed.verify(LiftBundle)
        document = self._parts.documents.current
        if bundle.programme != document.programme:
            raise refusal("programme-mismatch")
        if not quorum_of(document.lift, signed.signers):
            raise refusal("lift-keys")
        found = signed.hash(LiftBundle)
        with reading(self._parts.engine) as session:
            known, revision = _is_known(session, found), _revision(session)
        if known:
            return self.status()
        custodian = self._parts.custodians.get(bundle.custodian)
        if custodian is None:
            raise refusal("custodian-receipt")
        self._relay.flush()
        if self._relay.waiting(RelayKind.SWITCH_ORDER):
            raise UnavailableError("refused: switch-queue", hint=refusal("switch-queue").hint)
        held = custodian.lift(signed)
        if held.revision != bundle.revision + 1 or set(bundle.on) & set(held.off):
            # It answers an old bundle as one that it knows, too: that is not word that it is on now.
            raise refusal("lift-stale")
        with writing(self._parts.engine) as session:
            if _revision(session) != revision:
                raise UnavailableError("stopped again during the lift", hint=refusal("switch-queue").hint)
            _change(session, bundle.on, is_off=False, order=found, signed=signed)
        return self.status()

    def log_changes(self) -> int:
        """Log every change of this switch and of the custodians' that is not in the log; return how many.

        Raises:
            TransparencyError: the log did not take one; it stays for the next call.
        """
        programme = self._parts.documents.current.programme
        unlogged = select(SwitchChangeRow).where(SwitchChangeRow.log_index.is_(None))
        with reading(self._parts.engine) as session:
            rows = session.scalars(unlogged.order_by(SwitchChangeRow.revision)).all()
        for row in rows:
            draft = switch_draft(
                programme, order=row.order, off=_split(row.off), revision=row.revision, by=SERVER
            )
            index = self._parts.log.append(draft).index
            with writing(self._parts.engine) as session:
                changed = update(SwitchChangeRow).where(SwitchChangeRow.revision == row.revision)
                session.execute(changed.values(log_index=index))
        return len(rows) + self._log_custodians(programme)

    def _log_custodians(self, programme: str) -> int:
        logged = 0
        for custodian in self._parts.custodians.values():
            try:
                queued = custodian.queue()
            except UnavailableError:
                continue
            for change in queued:
                self._parts.log.append(
                    switch_draft(
                        programme,
                        order=change.order,
                        off=change.off,
                        revision=change.revision,
                        by=custodian.name,
                    )
                )
                logged += 1
        return logged


def _off(session: Session) -> tuple[Activity, ...]:
    on = set(session.scalars(select(SwitchRow.activity).where(SwitchRow.is_off.is_(False))).all())
    return tuple(sorted(activity for activity in Activity if activity.value not in on))


def _revision(session: Session) -> int:
    return session.scalar(select(func.max(SwitchChangeRow.revision))) or 0


def _is_known(session: Session, order: str) -> bool:
    found = select(SwitchChangeRow.revision).where(SwitchChangeRow.order == order)
    return session.scalar(found) is not None


def _change(
    session: Session, activities: Iterable[Activity], *, is_off: bool, order: str, signed: Signed
) -> None:
    for activity in activities:
        session.merge(SwitchRow(activity=activity.value, is_off=is_off))
    session.flush()
    session.add(
        SwitchChangeRow(
            revision=_revision(session) + 1,
            order=order,
            signed=signed,
            off=",".join(activity.value for activity in _off(session)),
        )
    )


def _split(joined: str) -> tuple[Activity, ...]:
    return tuple(Activity(word) for word in joined.split(",") if word)
