"""The server's switch: anybody sees it, one signature stops, the lift keys start again.

Rules

* Stopping is urgent: it has worker threads of its own and waits for no log. What it leads to is logged
  afterwards, by the background work that is woken here.
* Lifting waits for the log where it can: nothing is released before the lift is an entry.
* ``custodian`` relays what a custodian says of its own switch; ask it directly if that matters.
"""

import threading
from collections.abc import Callable
from contextlib import suppress

from understudy.consent.errors import UnavailableError
from understudy.contract.messages import SignedCall, SwitchStatus
from understudy.contract.routes import CUSTODIAN_SWITCH, SWITCH, SWITCH_LIFT, SWITCH_OFF
from understudy.transparency.errors import TransparencyError
from understudy.web.broker import Broker
from understudy.web.calls import Call, Served


def served(broker: Broker, wake: Callable[[], None]) -> list[Served]:
    """Return the routes of the switch; ``wake`` begins the background work that logs changes."""

    def switch_off(call: Call) -> SwitchStatus:
        status = broker.programme.switch_off(call.read(SignedCall).document)
        wake()
        return status

    def lift(call: Call) -> SwitchStatus:
        bundle = call.read(SignedCall).document
        broker.programme.lift(bundle)
        # Nothing is released before the change is in the log; whoever lifts can wait for that.
        with suppress(TransparencyError, UnavailableError):
            broker.programme.switch.log_changes()
        wake()
        return broker.programme.switch_status()

    one_at_a_time = threading.Lock()

    def asked_custodian(_call: Call) -> SwitchStatus:
        # Anybody may ask: a custodian that hangs must not cost more than one thread.
        if not one_at_a_time.acquire(blocking=False):
            raise UnavailableError("the custodian is being asked", hint="ask the custodian itself")
        try:
            return broker.custodians[0].switch_status()
        finally:
            one_at_a_time.release()

    return [
        Served(SWITCH, lambda _call: broker.programme.switch_status(), is_urgent=True),
        Served(CUSTODIAN_SWITCH, asked_custodian),
        Served(SWITCH_OFF, switch_off, is_urgent=True),
        Served(SWITCH_LIFT, lift),
    ]
