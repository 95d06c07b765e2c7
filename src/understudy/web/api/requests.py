"""Asking for access: requests, approvals, grants of one's own, revocations, and why a decision is what it is.

Rules

* Requests, approvals, self-grants and revocations prove themselves by their signatures.
* Who asks for what is shown to roster members, and to the readers that a request names; to nobody else.
* A revocation is in force when this answers; custodians are told in the same breath, as far as they answer.
"""

from collections.abc import Callable
from contextlib import suppress

from understudy.access.actors import credential_of
from understudy.access.errors import RequestNotFoundError
from understudy.access.explain import Explanation
from understudy.consent.errors import UnderstudyError
from understudy.consent.purposes import Purpose
from understudy.contract.messages import GrantAnswer, RequestList, RequestState, SignedCall
from understudy.contract.routes import (
    APPROVALS,
    EXPLANATION,
    OWN_GRANTS,
    REQUEST,
    REQUEST_LIST,
    REQUESTS,
    REVOCATIONS,
)
from understudy.custody.grant import AccessRequest
from understudy.sealing.canonical import parse
from understudy.sealing.errors import FormatError
from understudy.sealing.personal import participant_tag
from understudy.sealing.signing import document_hash
from understudy.web.broker import Broker
from understudy.web.calls import Call, Served


class RequestCalls:
    """Answers about requests and grants."""

    def __init__(self, broker: Broker, ready: Callable[[], None]) -> None:
        """Answer from ``broker``.

        Args:
            broker: the server's parts.
            ready: raises ``UnavailableError`` while nothing may be decided yet.
        """
        self._broker = broker
        self._ready = ready

    def served(self) -> list[Served]:
        """Return the routes of requests and grants."""
        return [
            Served(REQUESTS, self.submit),
            Served(REQUEST_LIST, self.requests, expected=self.is_known),
            Served(REQUEST, self.request, expected=self.is_known),
            Served(APPROVALS, self.approve),
            Served(OWN_GRANTS, self.own),
            Served(REVOCATIONS, self.revoke, is_urgent=True),
            Served(EXPLANATION, self.explain, expected=self.is_known_or_participant),
        ]

    def is_known(self, key: str) -> bool:
        """Return whether a key is on the roster or named by a grant or request."""
        credential = credential_of(key)
        grants = self._broker.grants
        return (
            grants.actors.is_member(credential)
            or grants.is_reader(credential)
            or any(_names(state, credential) for state in self._broker.requests.all())
        )

    def is_known_or_participant(self, key: str) -> bool:
        """Return whether a key is known, or a participant's personal key."""
        tag = participant_tag(self._broker.document.programme, key)
        return self._broker.programme.enrolled(tag) is not None or self.is_known(key)

    def submit(self, call: Call) -> RequestState:
        """Submit an access request."""
        self._ready()
        return self._broker.requests.submit(call.read(SignedCall).document)

    def request(self, call: Call) -> RequestState:
        """Return one request that the caller may see."""
        state = self._broker.requests.state(call.parts["request_id"])
        if not self._may_see(state, call.caller):
            raise RequestNotFoundError("there is no such access request")
        return state

    def requests(self, call: Call) -> RequestList:
        """Return the requests that the caller may see."""
        states = self._broker.requests.all()
        return RequestList(requests=tuple(state for state in states if self._may_see(state, call.caller)))

    def approve(self, call: Call) -> RequestState:
        """Add an approval."""
        self._ready()
        return self._broker.requests.approve(call.parts["request_id"], call.read(SignedCall).document)

    def own(self, call: Call) -> GrantAnswer:
        """Register a self-grant."""
        self._ready()
        return GrantAnswer(grant=self._broker.grants.own(call.read(SignedCall).document))

    def revoke(self, call: Call) -> None:
        """End a grant, here at once and at every custodian that answers."""
        signed = call.read(SignedCall).document
        self._broker.grants.revoke(signed)
        for custodian in self._broker.custodians:
            # In force already: this server opens nothing under the grant, whatever a custodian says.
            with suppress(UnderstudyError):
                custodian.revoke(signed)

    def explain(self, call: Call) -> Explanation:
        """Say why a credential may or may not open a segment now."""
        asker = credential_of(call.caller)
        about = call.query.get("credential") or asker
        segment = call.query.get("segment", "")
        try:
            purpose = Purpose(call.query.get("purpose") or Purpose.TRAIN)
        except ValueError as error:
            raise FormatError("there is no such purpose") from error
        return self._broker.explainer.explain_open(
            about, segment, asker=asker, grant=call.query.get("grant") or None, purpose=purpose
        )

    def _may_see(self, state: RequestState, key: str) -> bool:
        credential = credential_of(key)
        return self._broker.grants.actors.is_member(credential) or _names(state, credential)


def _names(state: RequestState, credential: str) -> bool:
    asked = parse(AccessRequest, state.request.raw)
    return credential in {document_hash(reader) for reader in asked.readers}
