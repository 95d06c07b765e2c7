"""A custodian over HTTP: ``CustodianPort`` for the server, the open half of it for everybody.

Rules

* The server calls with its key of the key set; the custodian answers deposits, opens and statements to nobody
  else.
* A participant or roster member needs no key here: what they send is signed in itself.
* Nothing an answer says is checked here. Receipts, heads and replies are signed; whoever uses them verifies.

Example: ``HttpCustodian(Connection(address), keys, server_key).deposit(header, half)``.
"""

from collections.abc import Mapping
from typing import Final, TypeVar

from understudy.client.http import Connection
from understudy.consent.keyset import CustodianKeys
from understudy.consent.primitives import Value
from understudy.contract.body import read_body, write_body
from understudy.contract.errors import AnswerError
from understudy.contract.messages import (
    CountersignCall,
    DepositCall,
    EnrolCall,
    Identity,
    OpeningsAnswer,
    QueueAnswer,
    QueuedChange,
    ReceiptAnswer,
    SignedCall,
    StatementsAnswer,
    StatementsCall,
    SwitchStatus,
)
from understudy.contract.routes import (
    COUNTERSIGNATURES,
    CUSTODIAN_OPENS,
    DEPOSITS,
    DOCUMENT,
    ENROLMENTS,
    HEAD,
    IDENTITY,
    OPENINGS,
    QUEUE,
    REVOCATIONS,
    STANDINGS,
    STATEMENTS,
    SWITCH,
    SWITCH_LIFT,
    SWITCH_OFF,
    Route,
)
from understudy.custody.delivery import Delivery
from understudy.custody.switch import StatementForDevice
from understudy.sealing.errors import FormatError
from understudy.sealing.header import SealedHalf
from understudy.sealing.signing import Signed, SigningKey

V = TypeVar("V", bound=Value)


class HttpCustodian:
    """One custodian at one address."""

    def __init__(
        self, connection: Connection, keys: CustodianKeys | None = None, server: SigningKey | None = None
    ) -> None:
        """Speak to the custodian at ``connection``.

        Args:
            connection: its address.
            keys: its keys, from the pinned key set; needed for what only the server may ask.
            server: the server's key, likewise.
        """
        self._connection: Final = connection
        self._keys: Final = keys
        self._server: Final = server

    @property
    def name(self) -> str:
        """The custodian's name in the key set; as it calls itself when no key set was given."""
        return self._keys.name if self._keys is not None else self.identity().name

    def identity(self) -> Identity:
        """Return who answers here, and which document it has pinned."""
        return answer_of(Identity, self._connection.call(IDENTITY))

    def document(self) -> Signed:
        """Return the programme document the custodian has pinned."""
        return answer_of(Signed, self._connection.call(DOCUMENT))

    def enrol(self, record: Signed) -> Signed:
        """Register an ``EnrolmentRecord``; return the signed receipt."""
        return self._post(ENROLMENTS, EnrolCall(record=record), ReceiptAnswer).receipt

    def countersign(self, consent: Signed, receipt: Signed) -> Signed:
        """Return the ``ConsentReceipt`` signed by server and custodian."""
        call = CountersignCall(consent=consent, receipt=receipt)
        return self._ask(COUNTERSIGNATURES, call, ReceiptAnswer).receipt

    def stand(self, standing: Signed) -> Signed:
        """Register a ``Standing``; return the signed receipt."""
        return self._post(STANDINGS, SignedCall(document=standing), ReceiptAnswer).receipt

    def deposit(self, header: Signed, half: SealedHalf) -> Signed:
        """Deposit the custodian's half; return the signed ``DepositReceipt``."""
        return self._ask(DEPOSITS, DepositCall(header=header, half=half), ReceiptAnswer).receipt

    def open(self, delivery: Delivery) -> bytes:
        """Return the canonical ``CustodianAnswer``."""
        return self._authenticated(CUSTODIAN_OPENS, write_body(delivery))

    def head(self, tag: str) -> Signed:
        """Return the participant's signed ``Head``."""
        return answer_of(ReceiptAnswer, self._authenticated(HEAD, parts={"tag": tag})).receipt

    def openings(self, request: Signed) -> OpeningsAnswer:
        """Return sealed openings for a signed ``OpeningsRequest``."""
        return self._post(OPENINGS, SignedCall(document=request), OpeningsAnswer)

    def statements(self, nonces: tuple[str, ...]) -> tuple[StatementForDevice, ...]:
        """Return one switch statement over all ``nonces``."""
        return self._ask(STATEMENTS, StatementsCall(nonces=nonces), StatementsAnswer).statements

    def switch_status(self) -> SwitchStatus:
        """Return what is off at the custodian."""
        return answer_of(SwitchStatus, self._connection.call(SWITCH))

    def switch_off(self, order: Signed) -> SwitchStatus:
        """Stop what a signed ``SwitchOrder`` names."""
        return self._post(SWITCH_OFF, SignedCall(document=order), SwitchStatus)

    def lift(self, bundle: Signed) -> SwitchStatus:
        """Start again what a ``LiftBundle`` names."""
        return self._post(SWITCH_LIFT, SignedCall(document=bundle), SwitchStatus)

    def revoke(self, revocation: Signed) -> None:
        """Register a ``GrantRevocation`` by a roster member."""
        self._connection.call(REVOCATIONS, write_body(SignedCall(document=revocation)))

    def queue(self) -> tuple[QueuedChange, ...]:
        """Return the switch changes that are not in the log yet."""
        return answer_of(QueueAnswer, self._authenticated(QUEUE)).changes

    def _post(self, route: Route, call: Value, kind: type[V]) -> V:
        return answer_of(kind, self._connection.call(route, write_body(call)))

    def _ask(self, route: Route, call: Value, kind: type[V]) -> V:
        return answer_of(kind, self._authenticated(route, write_body(call)))

    def _authenticated(
        self, route: Route, body: bytes = b"", *, parts: Mapping[str, str] | None = None
    ) -> bytes:
        if self._keys is None or self._server is None:
            raise AnswerError("only the server of the programme may ask this", hint="ask the server")
        return self._connection.call(route, body, key=self._server, audience=self._keys.signing, parts=parts)


def answer_of(kind: type[V], raw: bytes) -> V:
    """Return the answer that ``raw`` spells.

    Raises:
        AnswerError: it is none of that kind.
    """
    try:
        return read_body(kind, raw)
    except FormatError as error:
        raise AnswerError(f"not a {kind.__name__}") from error
