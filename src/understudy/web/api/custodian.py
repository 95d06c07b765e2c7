"""The custodian's calls: what the server asks, what anybody who signs may ask, and the operator's own switch.

Rules

* Deposits, opens, countersignatures, heads, statements and the queue are answered to the server of the pinned
  key set alone. That is a second line: what they bring is checked in itself.
* Enrolments, standings, openings, orders and bundles prove themselves; anybody may bring them, so that no
  server stands between a person and the custodian.
* The operator stops by an order signed with the custodian's own key, which is in its home and nowhere else.
  It is taken while it is fresh, so that an old one cannot be played again after a lift.
"""

from understudy.consent.clock import Clock
from understudy.contract.auth import WINDOW_SECONDS
from understudy.contract.messages import (
    CountersignCall,
    DepositCall,
    EnrolCall,
    OpeningsAnswer,
    QueueAnswer,
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
    ENROLMENTS,
    HEAD,
    OPENINGS,
    QUEUE,
    REVOCATIONS,
    STANDINGS,
    STATEMENTS,
    SWITCH,
    SWITCH_LIFT,
    SWITCH_OFF,
)
from understudy.custody.custodian import Custodian
from understudy.custody.delivery import Delivery
from understudy.custody.errors import CustodyRefusedError
from understudy.custody.reasons import RefusalReason
from understudy.custody.switch import SwitchOrder
from understudy.sealing.signing import Signed
from understudy.web.calls import JSON, Call, Reply, Served


class CustodianCalls:
    """Answers for one custodian."""

    def __init__(self, custodian: Custodian, clock: Clock, *, own_key: str, server_key: str) -> None:
        """Answer for ``custodian``.

        Args:
            custodian: the core.
            clock: tells the time.
            own_key: the custodian's signing key.
            server_key: the server's key of the pinned key set; empty while nothing is pinned.
        """
        self._custodian = custodian
        self._clock = clock
        self._own_key = own_key
        self._server_key = server_key

    def served(self) -> list[Served]:
        """Return the custodian's routes."""
        server = self._is_server
        return [
            Served(ENROLMENTS, self.enrol),
            Served(STANDINGS, self.stand, is_urgent=True),
            Served(OPENINGS, self.openings),
            Served(REVOCATIONS, self.revoke, is_urgent=True),
            Served(SWITCH, lambda _call: self._custodian.switch_status(), is_urgent=True),
            Served(SWITCH_OFF, self.switch_off, is_urgent=True),
            Served(SWITCH_LIFT, self.lift),
            Served(COUNTERSIGNATURES, self.countersign, expected=server),
            Served(DEPOSITS, self.deposit, expected=server),
            Served(CUSTODIAN_OPENS, self.open, expected=server),
            Served(HEAD, self.head, expected=server),
            Served(STATEMENTS, self.statements, expected=server),
            Served(QUEUE, lambda _call: QueueAnswer(changes=self._custodian.queue()), expected=server),
        ]

    def enrol(self, call: Call) -> ReceiptAnswer:
        """Register an enrolment record."""
        return ReceiptAnswer(receipt=self._custodian.enrol(call.read(EnrolCall).record))

    def stand(self, call: Call) -> ReceiptAnswer:
        """Register a standing, from server or device alike."""
        return ReceiptAnswer(receipt=self._custodian.stand(call.read(SignedCall).document))

    def openings(self, call: Call) -> OpeningsAnswer:
        """Return sealed openings."""
        return self._custodian.openings(call.read(SignedCall).document)

    def revoke(self, call: Call) -> None:
        """Register a revocation."""
        self._custodian.revoke(call.read(SignedCall).document)

    def switch_off(self, call: Call) -> SwitchStatus:
        """Stop what an order names."""
        signed = call.read(SignedCall).document
        if signed.signers == {self._own_key}:
            return self._switch_off_locally(signed)
        return self._custodian.switch_off(signed)

    def lift(self, call: Call) -> SwitchStatus:
        """Start again what a bundle names."""
        return self._custodian.lift(call.read(SignedCall).document)

    def countersign(self, call: Call) -> ReceiptAnswer:
        """Countersign a consent's receipt."""
        asked = call.read(CountersignCall)
        return ReceiptAnswer(receipt=self._custodian.countersign(asked.consent, asked.receipt))

    def deposit(self, call: Call) -> ReceiptAnswer:
        """Take a half."""
        asked = call.read(DepositCall)
        return ReceiptAnswer(receipt=self._custodian.deposit(asked.header, asked.half))

    def open(self, call: Call) -> Reply:
        """Admit an entry, and release what it opens."""
        return Reply(self._custodian.open(call.read(Delivery)), media_type=JSON)

    def head(self, call: Call) -> ReceiptAnswer:
        """Return a participant's head."""
        return ReceiptAnswer(receipt=self._custodian.head(call.parts["tag"]))

    def statements(self, call: Call) -> StatementsAnswer:
        """Return one statement for many nonces."""
        return StatementsAnswer(statements=self._custodian.statements(call.read(StatementsCall).nonces))

    def _switch_off_locally(self, signed: Signed) -> SwitchStatus:
        order = signed.verify(SwitchOrder)
        if abs(order.ordered_at - self._clock.now()) > WINDOW_SECONDS:
            raise CustodyRefusedError(RefusalReason.CLOCK)
        return self._custodian.switch_off_local(order.off, order.reason)

    def _is_server(self, key: str) -> bool:
        return key == self._server_key
