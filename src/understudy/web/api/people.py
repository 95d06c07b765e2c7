"""What participants and their devices send: enrolments, consents, standings, lease requests.

Rules

* Each body is a document that its own signatures prove; anybody may bring it.
* A standing takes effect before this answers, and waits for nobody.
"""

from understudy.contract.messages import (
    ConsentCall,
    EnrolAnswer,
    EnrolCall,
    LeaseAnswer,
    ReceiptAnswer,
    ReceiptsAnswer,
    SignedCall,
)
from understudy.contract.routes import CONSENTS, ENROLMENTS, LEASES, STANDINGS
from understudy.programme.service import Programme
from understudy.web.calls import Call, Served


def served(programme: Programme) -> list[Served]:
    """Return the routes of participants and devices."""

    def enrol(call: Call) -> EnrolAnswer:
        return programme.enrol(call.read(EnrolCall).record)

    def give_consent(call: Call) -> ReceiptAnswer:
        return ReceiptAnswer(receipt=programme.give_consent(call.read(ConsentCall).consent))

    def stand(call: Call) -> ReceiptsAnswer:
        return ReceiptsAnswer(receipts=programme.stand(call.read(SignedCall).document))

    def lease(call: Call) -> LeaseAnswer:
        return programme.lease(call.read(SignedCall).document)

    return [
        Served(ENROLMENTS, enrol),
        Served(CONSENTS, give_consent),
        Served(STANDINGS, stand, is_urgent=True),
        Served(LEASES, lease),
    ]
