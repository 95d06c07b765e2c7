"""The witness as a process: its memory, the log it follows, one call.

Rules

* It follows the log of the programme document that was pinned from its own command line, and no other.
* Pinning checks the hash that the operator gives, every rule and every signature, and that the document names
  this witness's own keys.
* Without a pinned document it answers, and cosigns nothing.

Example: ``run_party(open_witness(home, SystemClock()), listen("127.0.0.1", 8472))``.
"""

from pathlib import Path
from typing import Final

from litestar import Litestar

from understudy.consent.clock import Clock
from understudy.contract.messages import Health, Identity
from understudy.sealing.signing import document_hash
from understudy.transparency.trust import log_trust
from understudy.transparency.witness import Witness
from understudy.web.api import identity
from understudy.web.api import witness as api
from understudy.web.app import build_app
from understudy.web.config import WitnessConfig, read_config
from understudy.web.home import WITNESS_STORE, load_key
from understudy.web.host import this_host
from understudy.web.journal import open_journal
from understudy.web.pinning import pinned_document
from understudy.web.timers import Timers


class WitnessProcess:
    """One witness, ready to serve."""

    def __init__(self, home: Path, clock: Clock) -> None:
        config = read_config(home, WitnessConfig)
        self._signing: Final = load_key(home, "witness").public
        self._name: Final = config.name
        self._pinned: Final = pinned_document(home)
        logs = () if self._pinned is None else (log_trust(self._pinned.key_set).log_key,)
        self.witness: Final = Witness(
            home / WITNESS_STORE,
            name=config.name,
            key=load_key(home, "cosigning"),
            logs=logs,
            clock=clock,
        )
        journal = open_journal("witness")
        self.timers: Final = Timers(journal)
        served = identity.served(self.identity, self.health) + api.served(self.witness)
        self.app: Final[Litestar] = build_app(served, doorman=None, journal=journal)

    def identity(self) -> Identity:
        """Return who answers here."""
        pinned = self._pinned
        return Identity(
            name=self._name,
            role="witness",
            epoch=1,
            key_set=None if pinned is None else document_hash(pinned.key_set),
            document=None if pinned is None else document_hash(pinned),
            signing=self._signing,
            host=this_host(),
        )

    def health(self) -> Health:
        """Return whether it can cosign."""
        if self._pinned is None:
            return Health(role="witness", is_ready=False, why="no programme document is pinned")
        return Health(role="witness", is_ready=True)

    def close(self) -> None:
        """Close the memory."""
        self.witness.close()


def open_witness(home: Path, clock: Clock) -> WitnessProcess:
    """Return the witness in ``home``, ready to serve.

    Raises:
        HomeError: the home is not set up, or is another party's.
        StoreError: its memory is missing or damaged.
    """
    return WitnessProcess(home, clock)
