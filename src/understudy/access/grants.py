"""Grants in force: stored whole, never changed, looked at anew under the roster of every moment.

Rules

* A grant is stored when it comes into force, by approvals (``requests``) or by a participant's own signature
  (``own``). What its signatures are worth is decided at every use: an approver who has left the roster no
  longer counts.
* A self-grant takes one signature, of the participant whose one tag it names. It needs no approvals and makes
  no entry in the log; its opens do.
* Any roster member ends a grant for other people's data, at once; a self-grant is ended by who signed it.
* A grant lapses ``grant_unused_seconds`` after it came into force, used or not: that is stricter than
  "unused", and needs no record of who used what.

Example: ``grants.find(request.grant)`` is what the door decides on.
"""

import threading
from collections import OrderedDict
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, TypeVar

from sqlalchemy import Engine, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from understudy.access.actors import Actors, credential_of
from understudy.access.decide import Decider
from understudy.access.denials import Denials
from understudy.access.errors import GrantNotFoundError, refusal
from understudy.access.facts import GrantFacts, GrantQuery, ProgrammeFacts
from understudy.access.ports import Documents, Participants
from understudy.access.tables import GrantRow, ReaderRow, RevocationRow
from understudy.consent.clock import Clock
from understudy.consent.decisions import Refused
from understudy.consent.errors import RefusedError
from understudy.consent.purposes import Purpose
from understudy.custody.grant import Grant, GrantRevocation
from understudy.programme.database import one_moment, reading, writing
from understudy.sealing.errors import SignatureError
from understudy.sealing.signing import Document, Signed, document_hash

_KEPT: Final = 1_000

D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class HeldGrant:
    """A grant that came into force, with what the roster now makes of it."""

    signed: Signed
    facts: GrantFacts
    in_force_at: int
    is_revoked: bool

    @property
    def terms(self) -> Grant:
        """The grant."""
        return self.facts.terms


class Grants:
    """The grants of one server. Safe to share between threads."""

    def __init__(
        self,
        engine: Engine,
        *,
        documents: Documents,
        participants: Participants,
        decider: Decider,
        denials: Denials,
        clock: Clock,
    ) -> None:
        self.documents: Final = documents
        self.decider: Final = decider
        self.denials: Final = denials
        self.clock: Final = clock
        self._engine = engine
        self._participants = participants
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], GrantFacts] = OrderedDict()
        self._actors: tuple[str, Actors] | None = None

    @property
    def actors(self) -> Actors:
        """Everybody the document in force knows."""
        current = self.documents.current_hash
        if self._actors is None or self._actors[0] != current:
            self._actors = (current, Actors(self.documents.current, self._participants))
        return self._actors[1]

    @property
    def programme(self) -> ProgrammeFacts:
        """What the document in force offers and bounds."""
        return ProgrammeFacts.of(self.documents.current)

    def signer(self, signed: Signed, kind: type[D]) -> tuple[str, D]:
        """Return the credential of the one signature on a document, after checking it, and the document.

        Raises:
            SignatureError: the signature is wrong or there are several; counted as a stranger's.
            FormatError: not a canonical document of this kind.
        """
        try:
            document = signed.verify(kind)
        except SignatureError:
            self.denials.unauthenticated()
            raise
        if len(signed.signatures) != 1:
            self.denials.unauthenticated()
            raise SignatureError(f"a {kind.__name__} is signed once here")
        return credential_of(signed.signatures[0].key), document

    def one_moment(self) -> AbstractContextManager[None]:
        """Let a decision gather its facts at one moment; see ``programme.database.one_moment``."""
        return one_moment(self._engine)

    def find(self, grant: str) -> HeldGrant | None:
        """Return the grant with this hash, or None."""
        with reading(self._engine) as session:
            row = session.get(GrantRow, grant)
            return None if row is None else self._held(session, row)

    def of_reader(self, credential: str) -> tuple[HeldGrant, ...]:
        """Return the grants that name a reader and whose window has not passed, newest first."""
        wanted = (
            select(GrantRow)
            .join(ReaderRow, ReaderRow.grant_hash == GrantRow.grant_hash)
            .where(ReaderRow.credential == credential, ReaderRow.not_after > self.clock.now())
            .order_by(GrantRow.in_force_at.desc())
        )
        with reading(self._engine) as session:
            return tuple(self._held(session, row) for row in session.scalars(wanted).all())

    def of_party(self, credential: str) -> tuple[HeldGrant, ...]:
        """Return the grants that name a requester or reader and whose window has not passed, newest first."""
        open_ones = select(ReaderRow.grant_hash).where(ReaderRow.not_after > self.clock.now())
        wanted = select(GrantRow).where(GrantRow.grant_hash.in_(open_ones))
        with reading(self._engine) as session:
            rows = session.scalars(wanted.order_by(GrantRow.in_force_at.desc())).all()
            found = [self._held(session, row) for row in rows]
        return tuple(
            held for held in found if credential in held.facts.readers or credential == held.terms.requester
        )

    def is_reader(self, credential: str) -> bool:
        """Return whether any grant, past or present, names the credential as a reader."""
        with reading(self._engine) as session:
            wanted = select(ReaderRow.grant_hash).where(ReaderRow.credential == credential).limit(1)
            return session.scalar(wanted) is not None

    def own(self, signed: Signed) -> str:
        """Store a self-grant and return its hash; idempotent.

        Raises:
            RefusedError: it is not the signer's own, or a rule says no.
            SignatureError, FormatError: not a grant, or not signed by one key.
        """
        credential, _ = self.signer(signed, Grant)
        facts = self.actors.grant_facts(signed)
        actor = self.actors.actor(credential, facts.terms.scope.tags or ())
        if not actor.tags and not self.actors.is_member(credential):
            raise self.denials.unauthenticated()
        refused = None
        if facts.terms.purpose is not Purpose.OWN or facts.terms.request is not None:
            refused = refusal("own-grant")
        else:
            query = GrantQuery(actor=actor, now=self.clock.now(), programme=self.programme, grant=facts)
            decision = self.decider.decide(query)
            if isinstance(decision, Refused):
                refused = RefusedError(decision.reason, hint=decision.hint)
        if refused is not None:
            raise self.denials.authenticated(
                refused, request=facts.grant, actor=credential, purpose=facts.terms.purpose
            )
        with writing(self._engine) as session:
            self.store(session, signed, facts, in_force_at=self.clock.now())
        return facts.grant

    def store(
        self,
        session: Session,
        signed: Signed,
        facts: GrantFacts,
        *,
        in_force_at: int,
        request: str | None = None,
        log_index: int | None = None,
    ) -> None:
        """Store a grant in the caller's transaction; what is stored already stays as it is."""
        values = {
            "grant_hash": facts.grant,
            "request": request,
            "signed": signed,
            "in_force_at": in_force_at,
            "log_index": log_index,
        }
        session.execute(insert(GrantRow).values(**values).on_conflict_do_nothing())
        for reader in facts.readers:
            row = {"credential": reader, "grant_hash": facts.grant, "not_after": facts.terms.not_after}
            session.execute(insert(ReaderRow).values(**row).on_conflict_do_nothing())

    def revoke(self, signed: Signed) -> None:
        """End a grant now; idempotent.

        Raises:
            GrantNotFoundError: there is no such grant.
            RefusedError: another programme's, or signed by somebody who may not end it.
            SignatureError, FormatError: not a revocation, or not signed by one key.
        """
        credential, revocation = self.signer(signed, GrantRevocation)
        is_member = self.actors.is_member(credential)
        held = self.find(revocation.grant)
        is_signer = held is not None and credential in held.facts.signers
        if not is_member and not is_signer:
            raise self.denials.unauthenticated()
        if revocation.programme != self.documents.current.programme:
            raise refusal("programme-mismatch")
        if held is None:
            raise GrantNotFoundError("there is no such grant")
        if held.terms.purpose is Purpose.OWN and not is_signer:
            raise self.denials.authenticated(
                refusal("revocation-signer"),
                request=document_hash(revocation),
                actor=credential,
                purpose=held.terms.purpose,
            )
        with writing(self._engine) as session:
            values = {"grant_hash": revocation.grant, "signed": signed}
            session.execute(insert(RevocationRow).values(**values).on_conflict_do_nothing())

    def _held(self, session: Session, row: GrantRow) -> HeldGrant:
        return HeldGrant(
            signed=row.signed,
            facts=self._facts(row),
            in_force_at=row.in_force_at,
            is_revoked=session.get(RevocationRow, row.grant_hash) is not None,
        )

    def _facts(self, row: GrantRow) -> GrantFacts:
        """Return the facts of a stored grant, its signatures checked once under each programme document."""
        key = (row.grant_hash, self.documents.current_hash)
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        facts = self.actors.grant_facts(row.signed)
        with self._lock:
            self._kept[key] = facts
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return facts
