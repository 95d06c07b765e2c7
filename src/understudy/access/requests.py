"""Access requests: submitted, approved by two others, and then a grant.

Rules

* A request is signed by the requester it names, a member of the roster. The grant it can become is built
  once, when it is submitted; approvers sign exactly those bytes.
* A request id is used once. The same request again gets the same state; another one under the id is a
  conflict.
* Signatures are kept in the order they came. The grant carries the fewest of the first ones that the policies
  accept; it is in force once its entry is in the log, and is never changed after.
* A request that waits longer than ``grant_unused_seconds`` has lapsed.

Example: ``requests.approve(state.request_id, signed_grant).state`` is ``in-force`` after the second approval.
"""

import threading
from typing import Final, Literal

from sqlalchemy import Engine, func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from understudy.access import events
from understudy.access.errors import RequestNotFoundError, conflict, refusal
from understudy.access.facts import ApproveQuery, GrantFacts, GrantQuery, Query, RequestQuery
from understudy.access.grants import Grants
from understudy.access.ports import Log
from understudy.access.tables import ApprovalRow, GrantRow, RequestRow, RevocationRow
from understudy.consent.credentials import Ed25519Credential
from understudy.consent.decisions import Refused
from understudy.consent.errors import RefusedError
from understudy.consent.primitives import encode_bytes, new_id
from understudy.consent.purposes import Purpose
from understudy.contract.messages import RequestState
from understudy.custody.grant import APPROVALS_FOR_RAW, AccessRequest, Grant
from understudy.programme.database import reading, writing
from understudy.sealing.canonical import canonical, digest, parse
from understudy.sealing.signing import Signature, Signed

State = Literal["waiting", "in-force", "expired", "revoked", "lapsed"]


class Requests:
    """The access requests of one server. Safe to share between threads."""

    def __init__(self, engine: Engine, grants: Grants, log: Log) -> None:
        self._engine = engine
        self._grants: Final = grants
        self._log = log
        self._settling = threading.Lock()

    def submit(self, signed: Signed) -> RequestState:
        """Store a request and the grant it can become; idempotent.

        Raises:
            RefusedError: a rule says no, or a stranger asks.
            ConflictError: the id was used for another request.
            SignatureError, FormatError: not an access request, or not signed by one key.
        """
        credential, asked = self._grants.signer(signed, AccessRequest)
        if not self._grants.actors.is_member(credential):
            raise self._grants.denials.unauthenticated()
        with reading(self._engine) as session:
            known = session.get(RequestRow, asked.request)
        if known is None:
            query = RequestQuery(
                actor=self._grants.actors.actor(credential),
                now=self._grants.clock.now(),
                programme=self._grants.programme,
                asked=asked,
            )
            asked_hash = signed.hash(AccessRequest)
            if not all(isinstance(reader, Ed25519Credential) for reader in asked.readers):
                refused = refusal("credential-kind")
                raise self._denied(refused, asked_hash, credential, asked.purpose)
            self._demand(query, asked_hash, asked.purpose)
            known = self._store(signed, asked)
        if known.signed.body != signed.body:
            raise conflict("request-conflict")
        return self.state(asked.request)

    def approve(self, request: str, signed: Signed) -> RequestState:
        """Add one approver's signature over exactly the grant's bytes; idempotent.

        Raises:
            RequestNotFoundError: no such request.
            RefusedError: other bytes, or a rule says no.
            SignatureError, FormatError: not a grant, or not signed by one key.
            NotLoggedError: the signature is kept, but the log did not take the grant; see ``catch_up``.
        """
        with reading(self._engine) as session:
            row = self._row(session, request)
        credential, _ = self._grants.signer(signed, Grant)
        actors = self._grants.actors
        if not actors.is_member(credential):
            raise self._grants.denials.unauthenticated()
        terms = parse(Grant, row.grant_body)
        if signed.raw != row.grant_body:
            refused = refusal("grant-mismatch")
            raise self._denied(refused, signed.hash(Grant), credential, terms.purpose)
        query = ApproveQuery(
            actor=actors.actor(credential),
            now=self._grants.clock.now(),
            programme=self._grants.programme,
            request=row.request,
            requester=actors.person(terms.requester),
            readers=actors.persons(terms.readers),
            received_at=row.received_at,
            not_after=terms.not_after,
        )
        self._demand(query, row.grant_hash, terms.purpose)
        self._add(row.grant_hash, signed.signatures[0])
        self._settle(row)
        return self.state(request)

    def state(self, request: str) -> RequestState:
        """Return where a request stands.

        Raises:
            RequestNotFoundError: no such request.
        """
        with reading(self._engine) as session:
            return self._state(session, self._row(session, request))

    def all(self) -> tuple[RequestState, ...]:
        """Return where every request stands, newest first."""
        wanted = select(RequestRow).order_by(RequestRow.received_at.desc(), RequestRow.request)
        with reading(self._engine) as session:
            return tuple(self._state(session, row) for row in session.scalars(wanted).all())

    def catch_up(self) -> int:
        """Bring requests into force whose grant could not be logged when it was approved; return how many.

        Raises:
            NotLoggedError: the log still does not answer.
        """
        approved = select(ApprovalRow.grant_hash).group_by(ApprovalRow.grant_hash)
        waiting = select(RequestRow).where(
            RequestRow.grant_hash.in_(approved.having(func.count() >= APPROVALS_FOR_RAW)),
            RequestRow.grant_hash.not_in(select(GrantRow.grant_hash)),
        )
        with reading(self._engine) as session:
            rows = session.scalars(waiting).all()
        return sum(self._settle(row) for row in rows)

    def _store(self, signed: Signed, asked: AccessRequest) -> RequestRow:
        """Store a request with the grant built from it; whoever came first under this id is returned."""
        request_hash = signed.hash(AccessRequest)
        body = canonical(
            Grant(
                grant=new_id("grt"),
                programme=asked.scope.programme,
                request=request_hash,
                requester=asked.requester,
                scope=asked.scope,
                purpose=asked.purpose,
                reason=asked.reason,
                label=asked.label,
                readers=asked.readers,
                not_before=asked.not_before,
                not_after=asked.not_after,
                ceiling=asked.ceiling,
            )
        )
        values = {
            "request": asked.request,
            "hash": request_hash,
            "signed": signed,
            "grant_hash": digest(Grant.CONTEXT, body),
            "grant_body": body,
            "received_at": self._grants.clock.now(),
        }
        with writing(self._engine) as session:
            session.execute(insert(RequestRow).values(**values).on_conflict_do_nothing())
            return self._row(session, asked.request)

    def _add(self, grant: str, signature: Signature) -> None:
        with writing(self._engine) as session:
            place = session.scalar(
                select(func.count()).select_from(ApprovalRow).where(ApprovalRow.grant_hash == grant)
            )
            values = {
                "grant_hash": grant,
                "key": signature.key,
                "place": place,
                "signature": signature.signature,
            }
            session.execute(insert(ApprovalRow).values(**values).on_conflict_do_nothing())

    def _settle(self, row: RequestRow) -> bool:
        """Bring the request into force if enough approved; return whether it is now, and was not before."""
        with self._settling:
            with reading(self._engine) as session:
                if session.get(GrantRow, row.grant_hash) is not None:
                    return False
                approvals = self._approvals(session, row.grant_hash)
            for count in range(APPROVALS_FOR_RAW, len(approvals) + 1):
                signed = Signed(body=encode_bytes(row.grant_body), signatures=approvals[:count])
                facts = self._grants.actors.grant_facts(signed)
                if not self._is_grant(facts):
                    continue
                entry = events.enter(
                    self._log,
                    events.granted(facts.grant, facts.terms, request=row.hash, approvers=facts.signers),
                )
                with writing(self._engine) as session:
                    self._grants.store(
                        session,
                        signed,
                        facts,
                        in_force_at=self._grants.clock.now(),
                        request=row.request,
                        log_index=entry.index,
                    )
                return True
        return False

    def _is_grant(self, facts: GrantFacts) -> bool:
        query = GrantQuery(
            actor=self._grants.actors.actor(facts.terms.requester),
            now=self._grants.clock.now(),
            programme=self._grants.programme,
            grant=facts,
        )
        return not isinstance(self._grants.decider.decide(query), Refused)

    def _state(self, session: Session, row: RequestRow) -> RequestState:
        approvals = self._approvals(session, row.grant_hash)
        grant = session.get(GrantRow, row.grant_hash)
        signed = Signed(body=encode_bytes(row.grant_body), signatures=approvals)
        if grant is not None:
            signed = grant.signed
        persons = set()
        if signed.signatures:
            persons = set(self._grants.actors.grant_facts(signed).approvers)
        return RequestState(
            request=row.signed,
            grant_body=signed.body,
            grant=signed if signed.signatures else None,
            state=self._phase(session, row, grant),
            approvals=len(persons),
            needed=APPROVALS_FOR_RAW,
        )

    def _phase(self, session: Session, row: RequestRow, grant: GrantRow | None) -> State:
        now = self._grants.clock.now()
        delays = self._grants.documents.current.delays
        since = row.received_at if grant is None else grant.in_force_at
        if grant is not None and session.get(RevocationRow, grant.grant_hash) is not None:
            return "revoked"
        if now >= parse(Grant, row.grant_body).not_after:
            return "expired"
        if now - since >= delays.grant_unused_seconds:
            return "lapsed"
        return "waiting" if grant is None else "in-force"

    def _demand(self, query: Query, document: str, purpose: Purpose) -> None:
        decision = self._grants.decider.decide(query)
        if isinstance(decision, Refused):
            refused = RefusedError(decision.reason, hint=decision.hint)
            raise self._denied(refused, document, query.actor.credential, purpose)

    def _denied(
        self, refused: RefusedError, document: str, credential: str, purpose: Purpose
    ) -> RefusedError:
        return self._grants.denials.authenticated(
            refused, request=document, actor=credential, purpose=purpose
        )

    @staticmethod
    def _approvals(session: Session, grant: str) -> tuple[Signature, ...]:
        wanted = select(ApprovalRow).where(ApprovalRow.grant_hash == grant).order_by(ApprovalRow.place)
        return tuple(Signature(key=row.key, signature=row.signature) for row in session.scalars(wanted).all())

    @staticmethod
    def _row(session: Session, request: str) -> RequestRow:
        row = session.get(RequestRow, request)
        if row is None:
            raise RequestNotFoundError("there is no such access request")
        return row
