"""The server over HTTP: ``ServerPort`` for devices, readers, participants, approvers and the command line.

Rules

* Calls that carry no signed document of their own are authenticated: signed by the key given to the call, or
  to the client. Their audience is the server's key of the key set, so that another server cannot use them.
* Nothing an answer says is checked here; documents, receipts, entries and replies are verified by whoever
  uses them.

Example: ``ServerClient("http://127.0.0.1:8470").document()``.
"""

from collections.abc import Mapping
from typing import Final, TypeVar

from understudy.client.custodian import answer_of
from understudy.client.http import Connection
from understudy.client.log import HttpLog
from understudy.consent.errors import RefusedError
from understudy.consent.primitives import Value
from understudy.consent.programme import ProgrammeDocument
from understudy.contract.body import write_body
from understudy.contract.messages import (
    ConsentCall,
    EnrolAnswer,
    EnrolCall,
    GrantAnswer,
    Health,
    Identity,
    LeaseAnswer,
    OpenAnswer,
    OpenCall,
    OpeningsAnswer,
    ReceiptAnswer,
    ReceiptsAnswer,
    RequestList,
    RequestState,
    SegmentList,
    SignedCall,
    SwitchStatus,
    UploadCall,
    UploadState,
)
from understudy.contract.routes import (
    APPROVALS,
    CIPHERTEXT,
    CONSENTS,
    CUSTODIAN_SWITCH,
    DOCUMENT,
    ENROLMENTS,
    EXPLANATION,
    HEALTH,
    IDENTITY,
    LEASES,
    OPENINGS,
    OPENS,
    OWN_GRANTS,
    REQUEST,
    REQUEST_LIST,
    REQUESTS,
    REVOCATIONS,
    SEGMENTS,
    STANDINGS,
    SWITCH,
    SWITCH_LIFT,
    SWITCH_OFF,
    UPLOAD_CHUNK,
    UPLOADS,
    Route,
)
from understudy.sealing.signing import Signed, SigningKey

V = TypeVar("V", bound=Value)


class ServerClient:
    """The server at one address."""

    def __init__(
        self, address: str | Connection, *, key: SigningKey | None = None, audience: str = ""
    ) -> None:
        """Speak to the server at ``address``; nothing is sent yet.

        Args:
            address: its address, or a connection to it.
            key: signs authenticated calls that are given no key of their own.
            audience: the server's key; taken from its programme document when it is needed and was not given.
        """
        self._connection: Final = Connection(address) if isinstance(address, str) else address
        self._key: Final = key
        self._audience = audience
        self.log: Final = HttpLog(self._connection, key=key, audience=self.audience)

    def health(self) -> Health:
        """Return whether the server can do its work."""
        return self._get(HEALTH, Health)

    def identity(self) -> Identity:
        """Return who answers here."""
        return self._get(IDENTITY, Identity)

    def document(self) -> Signed:
        """Return the programme document in force; the caller pins or compares its hash."""
        return self._get(DOCUMENT, Signed)

    def enrol(self, record: Signed) -> EnrolAnswer:
        """Register an ``EnrolmentRecord``."""
        return self._post(ENROLMENTS, EnrolCall(record=record), EnrolAnswer)

    def give_consent(self, consent: Signed) -> Signed:
        """Register a ``Consent``; return its receipt, signed by both sides."""
        return self._post(CONSENTS, ConsentCall(consent=consent), ReceiptAnswer).receipt

    def stand(self, standing: Signed) -> tuple[Signed, ...]:
        """Register a ``Standing``; return the receipts of the custodians that could be reached."""
        return self._post(STANDINGS, SignedCall(document=standing), ReceiptsAnswer).receipts

    def lease(self, request: Signed) -> LeaseAnswer:
        """Return a lease and a switch statement."""
        return self._post(LEASES, SignedCall(document=request), LeaseAnswer)

    def begin_upload(self, call: UploadCall) -> UploadState:
        """Begin or resume an upload."""
        return self._post(UPLOADS, call, UploadState)

    def append_upload(self, segment: str, offset: int, chunk: bytes) -> UploadState:
        """Append ciphertext at ``offset``."""
        query = {"offset": str(offset)}
        raw = self._connection.call(UPLOAD_CHUNK, chunk, query=query, parts={"segment": segment})
        return answer_of(UploadState, raw)

    def segments(self, key: SigningKey, *, grant: str = "", cursor: str = "") -> SegmentList:
        """List the segments that a grant covers for ``key``, or that belong to the personal key ``key``."""
        query = {"grant": grant, "cursor": cursor}
        return answer_of(SegmentList, self._authenticated(SEGMENTS, key, query=query))

    def ciphertext(self, segment: str, key: SigningKey, *, grant: str = "") -> bytes:
        """Return a segment's ciphertext to a reader that may fetch it."""
        return self._authenticated(CIPHERTEXT, key, query={"grant": grant}, parts={"segment": segment})

    def submit(self, request: Signed) -> RequestState:
        """Submit an ``AccessRequest``."""
        return self._post(REQUESTS, SignedCall(document=request), RequestState)

    def request(self, request_id: str, key: SigningKey | None = None) -> RequestState:
        """Return the state of an access request, to a roster member or one of its readers."""
        return answer_of(RequestState, self._authenticated(REQUEST, key, parts={"request_id": request_id}))

    def requests(self, key: SigningKey | None = None) -> tuple[RequestState, ...]:
        """Return the access requests that the caller may see, newest first."""
        return answer_of(RequestList, self._authenticated(REQUEST_LIST, key)).requests

    def approve(self, request_id: str, grant: Signed) -> RequestState:
        """Add one approver's signature over exactly the grant's bytes."""
        body = write_body(SignedCall(document=grant))
        return answer_of(
            RequestState, self._connection.call(APPROVALS, body, parts={"request_id": request_id})
        )

    def own(self, grant: Signed) -> str:
        """Register a self-grant; return its hash."""
        return self._post(OWN_GRANTS, SignedCall(document=grant), GrantAnswer).grant

    def revoke(self, revocation: Signed) -> None:
        """Register a ``GrantRevocation``."""
        self._connection.call(REVOCATIONS, write_body(SignedCall(document=revocation)))

    def explain(
        self,
        segment: str,
        credential: str = "",
        *,
        grant: str = "",
        purpose: str = "",
        key: SigningKey | None = None,
    ) -> bytes:
        """Return, as JSON, why a credential, or else the caller, may or may not open a segment now."""
        query = {"segment": segment, "credential": credential, "grant": grant, "purpose": purpose}
        return self._authenticated(EXPLANATION, key, query=query)

    def open(self, call: OpenCall) -> OpenAnswer:
        """Open segments through the door."""
        return self._post(OPENS, call, OpenAnswer)

    def openings(self, request: Signed) -> OpeningsAnswer:
        """Relay an ``OpeningsRequest`` to the custodian."""
        return self._post(OPENINGS, SignedCall(document=request), OpeningsAnswer)

    def checkpoint(self) -> bytes:
        """Return the newest cosigned checkpoint (C2SP signed note)."""
        return self.log.checkpoint()

    def read(self, path: str) -> bytes:
        """Return a public log tile by its C2SP path."""
        return self.log.read(path)

    def switch_status(self) -> SwitchStatus:
        """Return what is off at the server."""
        return self._get(SWITCH, SwitchStatus)

    def custodian_switch(self) -> SwitchStatus:
        """Return what is off at the custodian, as relayed by the server."""
        return self._get(CUSTODIAN_SWITCH, SwitchStatus)

    def switch_off(self, order: Signed) -> SwitchStatus:
        """Stop what a signed ``SwitchOrder`` names, here and at the custodian."""
        return self._post(SWITCH_OFF, SignedCall(document=order), SwitchStatus)

    def lift(self, bundle: Signed) -> SwitchStatus:
        """Hand a ``LiftBundle`` to the custodian; the server starts again only if it accepted."""
        return self._post(SWITCH_LIFT, SignedCall(document=bundle), SwitchStatus)

    def audience(self) -> str:
        """Return the server's key, which authenticated calls name."""
        if not self._audience:
            self._audience = self.document().verify(ProgrammeDocument).key_set.server
        return self._audience

    def close(self) -> None:
        """Close the kept connections."""
        self._connection.close()

    def _get(self, route: Route, kind: type[V]) -> V:
        return answer_of(kind, self._connection.call(route))

    def _post(self, route: Route, call: Value, kind: type[V]) -> V:
        return answer_of(kind, self._connection.call(route, write_body(call)))

    def _authenticated(
        self,
        route: Route,
        key: SigningKey | None,
        *,
        query: Mapping[str, str] | None = None,
        parts: Mapping[str, str] | None = None,
    ) -> bytes:
        signer = key or self._key
        if signer is None:
            raise RefusedError("key-needed", hint="say which key signs this call")
        return self._connection.call(route, query=query, key=signer, audience=self.audience(), parts=parts)
