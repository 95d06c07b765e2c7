"""What the upper packages see of the other parties: Protocols, implemented over HTTP in ``client``.

Rules

* The custodian's own core class satisfies ``CustodianPort`` too, so a whole server can be composed in one
  process from real parts.
* Every method raises ``RefusedError`` with the other side's reason, ``FormatError`` or ``SignatureError`` for
  bad input, and ``UnavailableError`` when the other side cannot be reached or did not answer in time.
"""

from typing import Protocol

from understudy.contract.messages import (
    EnrolAnswer,
    LeaseAnswer,
    OpenAnswer,
    OpenCall,
    OpeningsAnswer,
    QueuedChange,
    RequestState,
    SegmentList,
    SwitchStatus,
    UploadCall,
    UploadState,
)
from understudy.custody.delivery import Delivery
from understudy.custody.switch import StatementForDevice
from understudy.sealing.header import SealedHalf
from understudy.sealing.signing import Signed, SigningKey


class CustodianPort(Protocol):
    """A custodian, in this process or elsewhere."""

    @property
    def name(self) -> str:
        """The custodian's name in the key set."""
        ...

    def enrol(self, record: Signed) -> Signed:
        """Register an ``EnrolmentRecord``; return the signed ``EnrolmentReceipt``. Idempotent."""
        ...

    def countersign(self, consent: Signed, receipt: Signed) -> Signed:
        """Return the server-signed ``ConsentReceipt`` of a ``Consent`` signed by both. Idempotent."""
        ...

    def stand(self, standing: Signed) -> Signed:
        """Register a ``Standing``; return the signed ``StandingReceipt``. Idempotent."""
        ...

    def deposit(self, header: Signed, half: SealedHalf) -> Signed:
        """Store the custodian's half write-once; return the signed ``DepositReceipt``. Idempotent."""
        ...

    def open(self, delivery: Delivery) -> bytes:
        """Admit the entry, release if it may; return the canonical ``CustodianAnswer``."""
        ...

    def head(self, tag: str) -> Signed:
        """Return the participant's signed ``Head``."""
        ...

    def openings(self, request: Signed) -> OpeningsAnswer:
        """Return sealed openings for a signed ``OpeningsRequest``."""
        ...

    def statements(self, nonces: tuple[str, ...]) -> tuple[StatementForDevice, ...]:
        """Return one switch statement over all ``nonces``, with each nonce's path."""
        ...

    def switch_status(self) -> SwitchStatus:
        """Return what is off."""
        ...

    def switch_off(self, order: Signed) -> SwitchStatus:
        """Stop what a signed ``SwitchOrder`` names; takes effect before anything is logged."""
        ...

    def lift(self, bundle: Signed) -> SwitchStatus:
        """Start again what a ``LiftBundle`` under the lift keys names."""
        ...

    def queue(self) -> tuple[QueuedChange, ...]:
        """Return the switch changes that are not in the log yet."""
        ...

    def revoke(self, revocation: Signed) -> None:
        """Register a ``GrantRevocation``; it takes effect at once."""
        ...


class ServerPort(Protocol):
    """The server, as devices, readers, participants and approvers see it."""

    def document(self) -> Signed:
        """Return the programme document in force; the caller pins or compares its hash."""
        ...

    def enrol(self, record: Signed) -> EnrolAnswer:
        """Register an ``EnrolmentRecord``; return receipts and the escrow key. Idempotent."""
        ...

    def give_consent(self, consent: Signed) -> Signed:
        """Register a ``Consent``; return its receipt, signed by server and custodian. Idempotent."""
        ...

    def stand(self, standing: Signed) -> tuple[Signed, ...]:
        """Register a ``Standing``; return the receipts of the custodians that could be reached. Idempotent.

        When a custodian refuses, that refusal is raised after the standing took effect at the server.
        """
        ...

    def lease(self, request: Signed) -> LeaseAnswer:
        """Return a lease and a switch statement for a signed ``LeaseRequest``."""
        ...

    def begin_upload(self, call: UploadCall) -> UploadState:
        """Begin or resume an upload; return how many bytes are durable."""
        ...

    def append_upload(self, segment: str, offset: int, chunk: bytes) -> UploadState:
        """Append ciphertext at ``offset``; receipts are in the answer once all is durable and deposited."""
        ...

    def segments(self, key: SigningKey, *, grant: str = "", cursor: str = "") -> SegmentList:
        """List the segments a grant (by its hash) covers for its reader, or one's own."""
        ...

    def ciphertext(self, segment: str, key: SigningKey, *, grant: str = "") -> bytes:
        """Return a segment's ciphertext to a reader that may fetch it."""
        ...

    def submit(self, request: Signed) -> RequestState:
        """Submit an ``AccessRequest``."""
        ...

    def request(self, request_id: str, key: SigningKey | None = None) -> RequestState:
        """Return the state of an access request."""
        ...

    def requests(self, key: SigningKey | None = None) -> tuple[RequestState, ...]:
        """Return all access requests, newest first."""
        ...

    def approve(self, request_id: str, grant: Signed) -> RequestState:
        """Add one approver's signature over exactly the grant's bytes."""
        ...

    def own(self, grant: Signed) -> str:
        """Register a self-grant; return its hash."""
        ...

    def open(self, call: OpenCall) -> OpenAnswer:
        """Open segments through the door."""
        ...

    def openings(self, request: Signed) -> OpeningsAnswer:
        """Relay an ``OpeningsRequest`` to the custodian."""
        ...

    def checkpoint(self) -> bytes:
        """Return the newest cosigned checkpoint (C2SP signed note)."""
        ...

    def read(self, path: str) -> bytes:
        """Return a public log tile by its C2SP path (``tile/…``)."""
        ...

    def switch_status(self) -> SwitchStatus:
        """Return what is off at the server."""
        ...

    def custodian_switch(self) -> SwitchStatus:
        """Return what is off at the custodian, as relayed by the server."""
        ...

    def switch_off(self, order: Signed) -> SwitchStatus:
        """Stop what a signed ``SwitchOrder`` names, here and at the custodian."""
        ...

    def lift(self, bundle: Signed) -> SwitchStatus:
        """Hand a ``LiftBundle`` to the custodian; the server starts again only if it accepted."""
        ...
