"""Who answers here, whether it can work, and which programme document it goes by: every party has these.

Rules

* All of it is public and none of it is about a person.
* ``document`` at the custodian is what a device compares with what the server shows: another channel, another
  party.
"""

from collections.abc import Callable

from understudy.contract.messages import Health, Identity
from understudy.contract.routes import DOCUMENT, HEALTH, IDENTITY
from understudy.sealing.signing import Signed
from understudy.web.calls import Served


def served(
    identity: Callable[[], Identity],
    health: Callable[[], Health],
    document: Callable[[], Signed] | None = None,
) -> list[Served]:
    """Return the routes that say who answers here."""
    routes = [
        Served(HEALTH, lambda _call: health(), is_urgent=True),
        Served(IDENTITY, lambda _call: identity(), is_urgent=True),
    ]
    if document is not None:
        shown = document
        routes.append(Served(DOCUMENT, lambda _call: shown()))
    return routes
