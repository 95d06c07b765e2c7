"""The server as a process: broker, log, vault and programme behind one application, and its background work.

Rules

* Health is ``ready`` once the programme document and the policies are in the log and cosigned. Before that
  nothing is asked, granted or opened; stopping and withdrawing work.
* Profile ``production`` refuses to run beside its custodians or witnesses: each is asked for its host as soon
  as it answers, and until enough have answered nothing is opened.
* Background work relays what waits, logs what the switch did, cuts consent batches, counts denials, keeps the
  checkpoint fresh and brings custodians what they lack.

Example: ``run_party(open_server(home, SystemClock()), listen("127.0.0.1", 8470))``.
"""

from pathlib import Path
from typing import Final

from litestar import Litestar

from understudy.consent.clock import Clock
from understudy.consent.errors import UnavailableError
from understudy.consent.programme import Profile, ProgrammeDocument
from understudy.contract.auth import Doorman
from understudy.contract.messages import Health, Host, Identity
from understudy.sealing.signing import Signed, document_hash
from understudy.web.api import identity, opens, people, switch, uploads
from understudy.web.api.log import LogCalls
from understudy.web.api.page import PageCalls
from understudy.web.api.requests import RequestCalls
from understudy.web.api.segments import SegmentCalls
from understudy.web.app import build_app
from understudy.web.broker import Broker
from understudy.web.config import ServerConfig, read_config
from understudy.web.document import DOCUMENT_FILE, read_document
from understudy.web.errors import HomeError
from understudy.web.home import PUBLIC_FILE, ServerParty, read_public
from understudy.web.host import this_host
from understudy.web.journal import open_journal
from understudy.web.links import Links
from understudy.web.neighbours import Neighbours
from understudy.web.timers import Timers

PUBLISH_SECONDS: Final = 1.0
FLUSH_SECONDS: Final = 2.0
COSIGN_SECONDS: Final = 15.0
DENIALS_SECONDS: Final = 5.0
CATCH_UP_SECONDS: Final = 15.0
SWEEP_SECONDS: Final = 600.0


class ServerProcess:
    """The server, ready to serve."""

    def __init__(self, home: Path, clock: Clock, *, host: Host | None = None) -> None:
        config = read_config(home, ServerConfig)
        self._host: Final = host or this_host()
        signed = server_document(home)
        document = signed.verify(ProgrammeDocument)
        own = read_public(home / PUBLIC_FILE)
        if not isinstance(own, ServerParty) or (own.server, own.log) != (
            document.key_set.server,
            document.key_set.log,
        ):
            raise HomeError(
                "the programme document names another server", hint="use the home it was made for"
            )
        self._links: Final = Links(document, config, home, clock)
        self._neighbours: Final = Neighbours(
            self._links.neighbours, self._host, is_demanded=document.profile is Profile.PRODUCTION
        )
        try:
            self._neighbours.check()
            self.broker: Final = Broker.compose(
                home,
                signed,
                self._links.custodians,
                self._links.witnesses,
                clock,
                prompt=self._links.prompt_custodians,
            )
        except BaseException:
            self._links.close()
            raise
        self._published = False
        journal = open_journal("server")
        self.timers: Final = Timers(journal)
        self._start_timers()
        doorman = Doorman(audience=self.broker.document.key_set.server, clock=clock)
        served = (
            identity.served(self.identity, self.health, self.broker.programme.document)
            + people.served(self.broker.programme)
            + uploads.served(self.broker.vault)
            + SegmentCalls(self.broker).served()
            + RequestCalls(self.broker, self.demand_ready).served()
            + opens.served(self.broker, self.demand_ready)
            + LogCalls(self.broker, self._cosign.wake).served()
            + switch.served(self.broker, self._flush.wake)
            + PageCalls(self.broker, self.health).served()
        )
        denials = self.broker.grants.denials
        self.app: Final[Litestar] = build_app(
            served,
            doorman=doorman,
            journal=journal,
            denied=denials.unauthenticated,
        )

    def identity(self) -> Identity:
        """Return who answers here."""
        document = self.broker.document
        return Identity(
            name="server",
            role="server",
            epoch=document.key_set.log.epoch,
            key_set=document_hash(document.key_set),
            document=document_hash(document),
            signing=document.key_set.server,
            host=self._host,
        )

    def health(self) -> Health:
        """Return whether requests are taken and segments opened."""
        why = self._problem()
        return Health(role="server", is_ready=not why, why=why)

    def demand_ready(self) -> None:
        """Raise ``UnavailableError`` while nothing may be decided yet."""
        why = self._problem()
        if why:
            raise UnavailableError(
                f"the server is not ready: {why}", hint="look at its health, then try again"
            )

    def close(self) -> None:
        """Let go of stores and connections."""
        self.broker.close()
        self._links.close()

    def _problem(self) -> str:
        if not self._published:
            return "the programme document is not in the cosigned log yet"
        return self._neighbours.problem()

    def _start_timers(self) -> None:
        broker = self.broker
        cosign_age = max(broker.document.delays.cosignature_seconds // 2, 1)
        self._flush = self.timers.every("relay and log", FLUSH_SECONDS, broker.programme.flush)
        self.timers.every("publish", PUBLISH_SECONDS, self._publish)
        self.timers.every("check neighbours", PUBLISH_SECONDS, self._neighbours.check)
        self._cosign = self.timers.every("cosign again", COSIGN_SECONDS, lambda: broker.log.fresh(cosign_age))
        self.timers.every("count denials", DENIALS_SECONDS, broker.grants.denials.tick)
        self.timers.every("catch up", CATCH_UP_SECONDS, self._catch_up)
        self.timers.every("sweep uploads", SWEEP_SECONDS, broker.vault.flush)

    def _publish(self) -> None:
        if not self._published:
            self.broker.publish()
            self._published = True

    def _catch_up(self) -> None:
        if self._published:
            self.broker.requests.catch_up()
            self.broker.completeness.catch_up()


def server_document(home: Path) -> Signed:
    """Return the programme document in a server's home.

    Raises:
        HomeError: none was published here yet.
    """
    path = home / DOCUMENT_FILE
    if not path.exists():
        raise HomeError(
            "no programme document was published here", hint="run understudy serve publish DOCUMENT first"
        )
    return read_document(path)


def open_server(home: Path, clock: Clock) -> ServerProcess:
    """Return the server in ``home``, ready to serve.

    Raises:
        HomeError: the home is not set up, or no document was published in it.
        SharedHostError: profile ``production``, and another party runs on this machine.
    """
    return ServerProcess(home, clock)
