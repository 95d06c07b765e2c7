"""The server's switch: anybody sees it, one signature stops, the lift keys start again.

Rules

* Stopping is urgent: it has worker threads of its own and waits for no log. What it leads to is logged
  afterwards, by the background work that is woken here.
* ``custodian`` relays what a custodian says of its own switch; ask it directly if that matters.
"""

from collections.abc import Callable

from understudy.contract.messages import SignedCall, SwitchStatus
from understudy.contract.routes import CUSTODIAN_SWITCH, SWITCH, SWITCH_LIFT, SWITCH_OFF
from understudy.web.broker import Broker
from understudy.web.calls import Call, Served


def served(broker: Broker, wake: Callable[[], None]) -> list[Served]:
    """Return the routes of the switch; ``wake`` begins the background work that logs changes."""

    def switch_off(call: Call) -> SwitchStatus:
        status = broker.programme.switch_off(call.read(SignedCall).document)
        wake()
        return status

    def lift(call: Call) -> SwitchStatus:
        status = broker.programme.lift(call.read(SignedCall).document)
        wake()
        return status

    return [
        Served(SWITCH, lambda _call: broker.programme.switch_status(), is_urgent=True),
        Served(CUSTODIAN_SWITCH, lambda _call: broker.custodians[0].switch_status(), is_urgent=True),
        Served(SWITCH_OFF, switch_off, is_urgent=True),
        Served(SWITCH_LIFT, lift),
    ]
