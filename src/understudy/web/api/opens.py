"""The door, and the way back: opening segments, and a participant's sealed list of who did.

Rules

* An open is a signed request; the door decides, logs, waits, and only then asks for keys. Nothing here adds a
  way round.
* Openings are relayed to custodians in order until one answers. They are sealed: the server learns nothing
  from them.
"""

from collections.abc import Callable

from understudy.consent.errors import UnavailableError
from understudy.contract.messages import OpenAnswer, OpenCall, OpeningsAnswer, SignedCall
from understudy.contract.routes import OPENINGS, OPENS
from understudy.web.broker import Broker
from understudy.web.calls import Call, Served


def served(broker: Broker, ready: Callable[[], None]) -> list[Served]:
    """Return the routes of opens and openings."""

    def open_segments(call: Call) -> OpenAnswer:
        ready()
        return broker.door.open(call.read(OpenCall))

    def openings(call: Call) -> OpeningsAnswer:
        request = call.read(SignedCall).document
        failed = UnavailableError("no custodian can be reached")
        for custodian in broker.custodians:
            try:
                return custodian.openings(request)
            except UnavailableError as error:
                failed = error
        raise failed

    return [Served(OPENS, open_segments), Served(OPENINGS, openings)]
