"""A whole programme in one test process: server, log, custodian and witness from real parts, without HTTP.

Rules

* Everything is what the product is made of: SQLite files, keys, seals, the sequencer's own thread. Only two things
  are not: time stands still until a test moves it, and a ``Line`` stands for each connection between two parties.
* A line can be cut, can lose an answer, and keeps what went over it, as an attacker on it would.
* Every party keeps its files in a folder of its own, as ``understudy up`` lays them out: ``restart`` forgets what is
  in memory, and ``Simulator(root)`` on a copy of the folder is what a killed machine finds.
* Participants are synthetic, and so is what they record.

Example::

    with Simulator(tmp_path) as world:
        ana = world.participant("ana")
        shared = ana.share()
        grant = world.grant()
        opened = dict(world.reader().open(grant, world.reason, world.entries(grant)))
        assert opened == shared
        assert len(world.mine(ana).reads) == 1
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Self, cast

from tests.cast import CUSTODIAN, LIFT, ORIGIN, STARTED_AT, WITNESS, Cast, personal_seed, seed_of
from understudy.client.mine import Mine, reads_of_mine
from understudy.client.reader import Reader
from understudy.consent.clock import FixedClock
from understudy.consent.enrolment import EnrolmentRecord
from understudy.consent.errors import UnavailableError
from understudy.consent.primitives import encode_bytes, new_id
from understudy.consent.programme import Delays, ProgrammeDocument
from understudy.consent.purposes import Activity, Purpose, ReasonCode, Stream
from understudy.consent.scope import Scope
from understudy.contract.messages import RequestState, SegmentEntry
from understudy.contract.ports import CustodianPort, ServerPort
from understudy.custody.custodian import Custodian
from understudy.custody.grant import AccessRequest, Grant
from understudy.custody.rules import RULES, Rule
from understudy.custody.store import Store
from understudy.custody.switch import LiftBundle, SwitchOrder, SwitchStatus
from understudy.formats.synthetic import synthetic_segment
from understudy.recorder.device import Device
from understudy.recorder.held import HeldRecording, HeldSegment, HeldStore
from understudy.recorder.leases import LeaseKeeper
from understudy.recorder.outbox import Outbox
from understudy.sealing.durable import private_folder
from understudy.sealing.keyfile import create_hpke, create_shred, create_signing, load_shred
from understudy.sealing.signing import Signed, SigningKey, document_hash, sign
from understudy.transparency.cosigning import Cosigner, WitnessLink
from understudy.transparency.errors import WitnessUnavailableError
from understudy.transparency.note import VerifierKey
from understudy.transparency.sequencer import Sequencer
from understudy.transparency.store import create_log
from understudy.transparency.witness import LocalCosigner, Witness

SEGMENT_SECONDS: Final = 2
STAMP: Final = encode_bytes(seed_of("synthetic: nothing to redact"))
EVERYTHING: Final = tuple(sorted(Activity))


class Line:
    """A connection to another party.

    Attributes:
        is_cut: nothing arrives there.
        loses_answers: what was asked is done, and the answer never comes back.
        calls: what went over it, oldest first: name and arguments.
    """

    def __init__(self, party: Callable[[], object], failure: Callable[[str], Exception]) -> None:
        self._party = party
        self._failure = failure
        self.is_cut = False
        self.loses_answers = False
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        def call(*args: object) -> object:
            if self.is_cut:
                raise self._failure("the line is cut")
            self.calls.append((name, args))
            answer = getattr(self._party(), name)(*args)
            if self.loses_answers:
                raise self._failure("the answer was lost")
            return answer

        return call


class CustodianLine(Line):
    """The line to the custodian; its name is known without asking."""

    name = CUSTODIAN


class LogLine:
    """The log, as the custodian reads it."""

    def __init__(self, log: Callable[[], Sequencer]) -> None:
        self._log = log

    def entries(self, start: int, end: int) -> Sequence[bytes]:
        """Return raw leaves."""
        return self._log().store.entries(start, end)

    def checkpoint(self) -> bytes:
        """Return the newest cosigned checkpoint."""
        newest = self._log().newest
        if newest is None:
            raise UnavailableError("no checkpoint yet")
        return newest.note


class Server:
    """The server's parts, composed on one home folder; every method is a call that HTTP would carry."""

    def __init__(
        self, home: Path, document: Signed, custodian: CustodianPort, cosigner: Cosigner, clock: FixedClock
    ) -> None:
        key_set = document.verify(ProgrammeDocument).key_set
        self._clock = clock
        self.server_key = load_signing(home / "keys" / "server.json")
        issuer = load_signing(home / "keys" / "escrow-issuer.json")
        witness = VerifierKey.witness(key_set.witnesses[0].name, key_set.witnesses[0].cosigning)
        self.log = Sequencer(
            home / "log.db",
            key=load_signing(home / "keys" / "log-checkpoint.json"),
            witnesses=[WitnessLink(witness, cosigner)],
            quorum=key_set.witness_quorum,
            clock=clock,
        )
        self.engine = open_database(home / "server.db")
        migrate(self.engine)
        self.keystore = KeyStore(home / "keystore.db", issuer, load_shred(home / "keys" / "shred.json"))
        self.programme = Programme(
            self.engine, document, self.server_key, [custodian], self.keystore, self.log, clock
        )
        self.vault = Vault(self.engine, self.programme, self.keystore, home, [custodian], clock)
        documents = self.programme.documents
        participants = StoredParticipants(self.engine, documents)
        decider = Decider(shipped())
        self.denials = Denials(self.log, documents, clock, policy=decider.policies.policy_hash)
        self.grants = Grants(
            self.engine,
            documents=documents,
            participants=participants,
            decider=decider,
            denials=self.denials,
            clock=clock,
        )
        self.requests = Requests(self.engine, self.grants, self.log)
        self.reads = Reads(self.grants, self.vault, participants, self.programme.switch)
        self.carrier = Carrier(
            custodian,
            self.log,
            clock,
            signing=key_set.custodians[0].signing,
            max_age=documents.current.delays.cosignature_seconds,
        )
        self.door = Door(
            self.reads,
            log=self.log,
            store=self.vault,
            participants=participants,
            carriers=[self.carrier],
            key=self.server_key,
        )
        self._custodian = custodian
        self.document = self.programme.document
        self.enrol = self.programme.enrol
        self.give_consent = self.programme.give_consent
        self.stand = self.programme.stand
        self.lease = self.programme.lease
        self.begin_upload = self.vault.begin_upload
        self.append_upload = self.vault.append_upload
        self.submit = self.requests.submit
        self.request = self.requests.state
        self.requests_ = self.requests.all
        self.approve = self.requests.approve
        self.own = self.grants.own
        self.open = self.door.open
