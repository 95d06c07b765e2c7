"""What a programme is composed of: database, documents, clock, keys, and the other parties as Protocols.

Rules

* Nothing here is global; ``web.server_app`` builds one ``Parts`` and passes it down.
* Nothing below reads the time or reaches another party except through these.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Engine

from understudy.consent.clock import Clock
from understudy.contract.ports import CustodianPort
from understudy.programme.documents import Documents
from understudy.programme.events import LogPort
from understudy.sealing.signing import Signed, SigningKey


class EscrowIssuer(Protocol):
    """The broker's key store, as far as enrolment needs it."""

    def issue(self, programme: str, tag: str, key_set: str, now: int) -> Signed:
        """Return the participant's escrow key under this key set, made now if there is none.

        The answer is a signed ``EscrowKey``; it is durable, and the same for the same key set.
        """
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a programme's services share."""

    engine: Engine
    documents: Documents
    clock: Clock
    server: SigningKey
    custodians: Mapping[str, CustodianPort]
    escrow: EscrowIssuer
    log: LogPort
