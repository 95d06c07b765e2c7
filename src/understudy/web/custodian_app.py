"""The custodian as a process: its store, its keys, the log it mirrors, its calls.

Rules

* It goes by the programme document that was pinned from its own command line. Without one it answers who it
  is, and refuses everything else.
* It reads the log from the server's address and believes none of it: what counts is the witnesses'
  cosignatures.
* It follows the log by itself, so that its mirror and its switch queue do not wait for the next open.

Example: ``run_party(open_custodian(home, SystemClock()), listen("127.0.0.1", 8471))``.
"""

from pathlib import Path
from typing import Final

from litestar import Litestar

from understudy.client.http import Connection
from understudy.client.log import HttpLog
from understudy.consent.clock import Clock
from understudy.consent.programme import ProgrammeDocument
from understudy.contract.auth import Doorman
from understudy.contract.messages import Health, Identity
from understudy.custody.custodian import Custodian
from understudy.custody.mirror import LogSource
from understudy.custody.store import Store
from understudy.sealing.canonical import parse
from understudy.web.api import identity
from understudy.web.api.custodian import CustodianCalls
from understudy.web.app import build_app
from understudy.web.config import CustodianConfig, read_config
from understudy.web.home import CUSTODIAN_STORE, load_custodian_keys
from understudy.web.host import this_host
from understudy.web.journal import open_journal
from understudy.web.pinning import NoLog
from understudy.web.timers import Timers

FOLLOW_SECONDS: Final = 2.0
MAINTAIN_SECONDS: Final = 60.0
LOG_SECONDS: Final = 5.0


class CustodianProcess:
    """One custodian, ready to serve."""

    def __init__(self, home: Path, clock: Clock) -> None:
        config = read_config(home, CustodianConfig)
        keys = load_custodian_keys(home, config)
        store = Store(home / CUSTODIAN_STORE)
        self._connection: Final = _connection(config, clock)
        self._server_key = ""
        log: LogSource = NoLog()
        if self._connection is not None:
            log = HttpLog(self._connection, key=keys.signing, audience=lambda: self._server_key)
        self.custodian: Final = Custodian(store, keys, clock, log)
        if self.custodian.is_pinned:
            self._server_key = parse(ProgrammeDocument, self.custodian.document().raw).key_set.server
        journal = open_journal("custodian")
        self.timers: Final = Timers(journal)
        if self.custodian.is_pinned:
            if self._connection is not None:
                self.timers.every("follow the log", FOLLOW_SECONDS, self.custodian.sync)
            self.timers.every("maintain the store", MAINTAIN_SECONDS, self.custodian.maintain)
        calls = CustodianCalls(
            self.custodian, clock, own_key=keys.signing.public, server_key=self._server_key
        )
        served = identity.served(self.identity, self.health, self.custodian.document) + calls.served()
        doorman = Doorman(audience=keys.signing.public, clock=clock)
        self.app: Final[Litestar] = build_app(served, doorman=doorman, journal=journal)

    def identity(self) -> Identity:
        """Return who answers here, and what it has pinned."""
        own = self.custodian.identity()
        return Identity(
            name=own.keys.name,
            role="custodian",
            epoch=own.keys.epoch,
            key_set=own.key_set,
            document=own.document,
            signing=own.keys.signing,
            host=this_host(),
        )

    def health(self) -> Health:
        """Return whether it can release."""
        if not self.custodian.is_pinned:
            return Health(role="custodian", is_ready=False, why="no programme document is pinned")
        return Health(role="custodian", is_ready=True)

    def close(self) -> None:
        """Close store and connections."""
        self.custodian.close()
        if self._connection is not None:
            self._connection.close()


def _connection(config: CustodianConfig, clock: Clock) -> Connection | None:
    if config.server is None:
        return None
    return Connection(
        config.server,
        clock=clock,
        allow_plain=config.allow_plain,
        trust_file=config.trust_file or None,
        read_seconds=LOG_SECONDS,
    )


def open_custodian(home: Path, clock: Clock) -> CustodianProcess:
    """Return the custodian in ``home``, ready to serve.

    Raises:
        HomeError: the home is not set up, or is another party's.
        CustodyError: its store is missing, damaged or in use.
    """
    return CustodianProcess(home, clock)
