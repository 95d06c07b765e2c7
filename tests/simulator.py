"""A whole programme in one test process: server, log, custodian and witness from real parts, without HTTP.

Rules

* Everything is what the product is made of: SQLite files, keys, seals, the sequencer's own thread. Only two
  things are not: time stands still until a test moves it, and lines (``tests/lines.py``) are the network.
* Each party has a home folder as in real life. ``restart`` forgets what a party has in memory, and
  ``Simulator`` on a copy of the folders is what is found after a crash.
* Devices are real ones, too. Participants and what they record are synthetic.

Example::

    with Simulator(tmp_path) as world:
        ana = world.participant("ana")
        shared = ana.share()
        grant = world.grant()
        assert world.read(grant) == shared
        assert len(world.mine(ana).reads) == 1
"""

import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Literal, Self, cast

from tests.cast import LIFT, ORIGIN, STARTED_AT, WITNESS, Cast, personal_seed, seed_of
from tests.lines import CustodianLine, LogLine, WitnessLine
from tests.server import Server
from understudy.client.mine import Mine, reads_of_mine
from understudy.client.reader import Reader
from understudy.consent.clock import FixedClock
from understudy.consent.consent import StandingState
from understudy.consent.credentials import Ed25519Credential
from understudy.consent.enrolment import EnrolmentRecord
from understudy.consent.primitives import encode_bytes, new_id
from understudy.consent.programme import Delays, ProgrammeDocument, Terms
from understudy.consent.purposes import Activity, Purpose, ReasonCode, Stream
from understudy.consent.scope import Scope
from understudy.contract.messages import RequestState, SegmentEntry
from understudy.contract.ports import CustodianPort, ServerPort
from understudy.custody.custodian import Custodian
from understudy.custody.grant import AccessRequest, Grant
from understudy.custody.rules import RULES, Rule
from understudy.custody.store import Store
from understudy.custody.switch import LiftBundle, SwitchOrder
from understudy.formats.synthetic import synthetic_segment
from understudy.recorder.device import Device
from understudy.recorder.held import HeldRecording, HeldSegment, HeldStore
from understudy.recorder.leases import LeaseKeeper
from understudy.recorder.outbox import Outbox
from understudy.sealing.canonical import octets, parse
from understudy.sealing.durable import private_folder
from understudy.sealing.keyfile import create_hpke, create_shred, create_signing
from understudy.sealing.signing import SigningKey, document_hash, sign
from understudy.transparency.note import VerifierKey
from understudy.transparency.store import create_log
from understudy.transparency.witness import Witness

SEGMENT_SECONDS: Final = 2
STAMP: Final = encode_bytes(seed_of("stamp: nothing to redact in what is drawn"))
EVERYTHING: Final = tuple(sorted(Activity))
GRANT_SECONDS: Final = 3_600

Party = Literal["server", "custodian", "witness"]


class Participant:
    """A synthetic participant, enrolled and consenting unless a test says otherwise, with one device."""

    def __init__(self, world: "Simulator", name: str, home: Path) -> None:
        self._world: Final = world
        self.name: Final = name
        if not (home / "document.json").exists():
            Device.create(
                home,
                world.server.document(),
                pinned=document_hash(world.cast.document()),
                seed=personal_seed(name),
            )
        self.device: Final = Device(home)
        self.held: Final = HeldStore(self.device)
        self.outbox: Final = Outbox(self.device)
        self.keeper: Final = LeaseKeeper(self.device, world.port, world.clock)

    @property
    def tag(self) -> str:
        """The participant's tag."""
        return self.device.tag

    def enrol(self) -> Self:
        """Register the device."""
        self.device.enrol(self._world.port, self._world.clock)
        return self

    def consent(self, *purposes: Purpose, groups: Iterable[str] = ("forms",)) -> Self:
        """Say yes to ``purposes``, or to all that are offered."""
        self.device.give_consent(
            self._world.port,
            self._world.clock,
            purposes=purposes or (Purpose.TRAIN, Purpose.EVALUATE),
            streams=(Stream.ELEMENTS, Stream.INPUT),
            groups=groups,
        )
        return self

    def stand(self, state: StandingState) -> None:
        """Change one's mind."""
        self.device.stand(self._world.port, [self._world.custodian], self._world.clock, state)

    def record(
        self,
        segments: int = 1,
        *,
        group: str = "forms",
        task: str = "invoice",
        canaries: tuple[str, ...] = (),
    ) -> tuple[HeldRecording, dict[str, bytes]]:
        """Record under leases; return the held recording, and its payloads by segment."""
        clock, recording = self._world.clock, new_id("rec")
        held, payloads = [], {}
        for ordinal in range(segments):
            self.keeper.renew()
            started_at = clock.now()
            clock.advance(SEGMENT_SECONDS)
            segment = HeldSegment(
                segment=new_id("seg"),
                started_at=started_at,
                ended_at=clock.now(),
                salt=encode_bytes(secrets.token_bytes(32)),
                coverage=self.keeper.coverage(started_at, clock.now()),
                redaction=STAMP,
            )
            held.append(segment)
            payloads[segment.segment] = synthetic_segment(
                ordinal,
                recording=recording,
                ordinal=ordinal,
                started_at=started_at,
                ended_at=clock.now(),
                canaries=canaries,
                actions=2,
            )
        made = HeldRecording(
            recording=recording,
            title=" ".join(("synthetic", *canaries))[:200],
            application_group=group,
            task_label=task,
            segments=tuple(held),
        )
        return self.held.keep(made, payloads), payloads

    def share(
        self,
        segments: int = 1,
        *,
        group: str = "forms",
        task: str = "invoice",
        canaries: tuple[str, ...] = (),
    ) -> dict[str, bytes]:
        """Record, seal and upload; return the payloads by segment id."""
        recording, payloads = self.record(segments, group=group, task=task, canaries=canaries)
        self.outbox.seal(self.held, recording)
        self.send()
        return payloads

    def send(self) -> int:
        """Upload what waits; return how many segments became shared."""
        return sum(1 for _ in self.outbox.send(self._world.port))


class Simulator:
    """A programme: its parties, their lines, its people, and time."""

    reason: Final = ReasonCode.MODEL_IMPROVEMENT

    def __init__(
        self,
        root: Path,
        *,
        delays: Delays | None = None,
        terms: Terms | None = None,
        rules: tuple[Rule, ...] = RULES,
        lifted: bool = True,
        at: int = STARTED_AT,
    ) -> None:
        """Set up a programme under ``root``, or go on with the one that is there.

        Args:
            root: one folder for each party, and one for devices.
            delays: of the programme document.
            terms: of the programme document.
            rules: what the custodian releases by; a test takes one away to see that it is missed.
            lifted: whether the switch was lifted for the first time.
            at: what the clock shows.
        """
        self.root: Final = root
        self.cast: Final = Cast(delays, terms)
        self.clock: Final = FixedClock(at)
        self.document: Final = self.cast.signed_document()
        self.programme: Final = self.document.verify(ProgrammeDocument)
        self._rules: Final = rules
        is_new = not (root / "server").exists()
        if is_new:
            self._lay_out()
        self.witness_line: Final = WitnessLine(lambda: self.witness)
        self.custodian_line: Final = CustodianLine(lambda: self.custodian)
        self.log_line: Final = LogLine(lambda: self.server.log)
        self.witness = self._start_witness()
        self.custodian = self._start_custodian()
        self.server = self._start_server()
        if is_new:
            self.server.publish()
            self.custodian.pin(self.document, document_hash(self.programme))
            if lifted:
                self.lift()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def port(self) -> ServerPort:
        """The server, as clients see it."""
        return self.server

    def home(self, party: Party) -> Path:
        """Return a party's home folder."""
        return self.root / party

    def close(self) -> None:
        """Stop every party."""
        self.server.close()
        self.custodian.close()
        self.witness.close()

    def stop(self, party: Party) -> None:
        """Stop one party; its files stay."""
        if party == "server":
            self.server.close()
        elif party == "custodian":
            self.custodian.close()
        else:
            self.witness.close()

    def start(self, party: Party) -> None:
        """Start one party that was stopped, from its files."""
        if party == "server":
            self.server = self._start_server()
        elif party == "custodian":
            self.custodian = self._start_custodian()
        else:
            self.witness = self._start_witness()

    def restart(self, party: Party) -> None:
        """Stop one party and start it again."""
        self.stop(party)
        self.start(party)

    def custodian_with(self, rules: tuple[Rule, ...]) -> Custodian:
        """Return the custodian as it would be with other rules of release, on the same store."""
        return Custodian(self.store, self.cast.custodian, self.clock, self.log_line, rules=rules)

    def participant(self, name: str) -> Participant:
        """Return a participant who is enrolled and has consented to everything offered."""
        return self.visitor(name).enrol().consent()

    def visitor(self, name: str) -> Participant:
        """Return a participant who has only set up their device, or did so before."""
        return Participant(self, name, self.root / "devices" / name)

    def request(
        self,
        *,
        requester: str = "researcher",
        readers: tuple[str, ...] = ("reader",),
        purpose: Purpose = Purpose.TRAIN,
        seconds: int = GRANT_SECONDS,
        ceiling: int = 1_000,
        **scope: tuple[str, ...],
    ) -> RequestState:
        """Submit an access request; ``scope`` is fields of ``Scope``."""
        now = self.clock.now()
        asked = AccessRequest(
            request=new_id("req"),
            requester=self.cast.credential_hash(requester),
            scope=self.scope(**scope),
            purpose=purpose,
            reason=self.reason,
            ticket="TEST-1",
            readers=tuple(self.cast.credential(reader) for reader in readers),
            not_before=now,
            not_after=now + seconds,
            ceiling=ceiling,
            made_at=now,
        )
        return self.port.submit(sign(asked, self.cast.person(requester)))

    def grant(self, **asked: Any) -> str:
        """Submit a request, have two approvers sign it, and return the hash of the grant in force."""
        state = self.request(**asked)
        request = state.request.verify(AccessRequest).request
        grant = parse_grant(state)
        for name in ("approver-1", "approver-2"):
            state = self.port.approve(request, sign(grant, self.cast.person(name)))
        if state.state != "in-force" or state.grant is None:
            raise AssertionError(f"the grant is {state.state}")
        return state.grant.hash(Grant)

    def own_grant(self, participant: Participant, reader: SigningKey | None = None) -> str:
        """Register a participant's grant to themselves and return its hash."""
        key = reader or participant.device.personal.signing
        now = self.clock.now()
        grant = Grant(
            grant=new_id("grt"),
            programme=self.programme.programme,
            request=None,
            requester=document_hash(Ed25519Credential(public_key=key.public)),
            scope=self.scope(tags=(participant.tag,)),
            purpose=Purpose.OWN,
            reason=ReasonCode.OWN_COPY,
            readers=(Ed25519Credential(public_key=key.public),),
            not_before=now,
            not_after=now + GRANT_SECONDS,
            ceiling=1_000,
        )
        return self.port.own(sign(grant, key))

    def scope(self, **fields: tuple[str, ...]) -> Scope:
        """Return a scope of this programme."""
        return Scope(programme=self.programme.programme, **cast("Any", fields))

    def reader(self, name: str = "reader", port: ServerPort | None = None) -> Reader:
        """Return a reader with a person's credential, speaking to the server or to somebody between."""
        return Reader(port or self.port, self.programme, self.cast.person(name), self.clock)

    def entries(self, grant: str, name: str = "reader") -> list[SegmentEntry]:
        """Return what a grant covers."""
        return list(self.port.segments(self.cast.person(name), grant=grant).segments)

    def read(self, grant: str, name: str = "reader") -> dict[str, bytes]:
        """Open everything that a grant covers; return payloads by segment id."""
        return dict(self.reader(name).open(grant, self.reason, self.entries(grant, name)))

    def mine(self, participant: Participant) -> Mine:
        """Return the participant's own complete list, from the custodian itself."""
        return reads_of_mine(
            participant.device.personal,
            self.programme,
            participant.device.enrolment.hash(EnrolmentRecord),
            [self.custodian],
            self.server,
            self.clock,
        )

    def order(self, *off: Activity, by: SigningKey | None = None) -> Any:
        """Return a signed order to stop."""
        order = SwitchOrder(
            programme=self.programme.programme,
            off=tuple(sorted(off)),
            nonce=encode_bytes(secrets.token_bytes(32)),
            reason="a test stops it",
            ordered_at=self.clock.now(),
        )
        return sign(order, by or self.cast.person("steward"))

    def bundle(self, *on: Activity, keys: tuple[str, ...] = LIFT, revision: int | None = None) -> Any:
        """Return a signed lift of everything, or of ``on``."""
        status = self.custodian.switch_status()
        bundle = LiftBundle(
            programme=self.programme.programme,
            on=tuple(sorted(on)) or EVERYTHING,
            custodian=self.cast.custodian.name,
            epoch=self.cast.custodian.epoch,
            revision=status.revision if revision is None else revision,
            made_at=self.clock.now(),
        )
        return sign(bundle, *(self.cast.person(key) for key in keys))

    def lift(self, *on: Activity) -> None:
        """Lift everything, or ``on``, and log it, as the server's timer would."""
        self.port.lift(self.bundle(*on))
        self.server.flush()

    def _lay_out(self) -> None:
        """Make the parties' homes: keys, an empty log, empty stores."""
        for party in ("server", "custodian", "witness", "devices"):
            private_folder(self.root / party / "keys" if party != "devices" else self.root / party)
        server, custodian, witness = (self.root / party for party in ("server", "custodian", "witness"))
        for name, key in (
            ("server", self.cast.server),
            ("escrow-issuer", self.cast.escrow_issuer),
            ("log", self.cast.log),
            ("checkpoint", self.cast.checkpoint),
        ):
            create_signing(server / "keys" / f"{name}.json", key=key)
        create_shred(server / "keys" / "shred.json")
        create_signing(custodian / "keys" / "custodian.json", key=self.cast.custodian.signing)
        create_hpke(custodian / "keys" / "custodian-hpke.json", key=self.cast.custodian.hpke)
        create_signing(witness / "keys" / "cosigning.json", key=self.cast.cosigning)
        create_log(server / "log.sqlite", origin=ORIGIN, key=self.cast.checkpoint)
        Witness.create(witness / "witness.sqlite", name=WITNESS, key=self.cast.cosigning)
        Store.create(custodian / "custodian.sqlite").close()

    def _start_witness(self) -> Witness:
        log_key = VerifierKey.log(ORIGIN, self.cast.checkpoint.public)
        path = self.home("witness") / "witness.sqlite"
        return Witness(path, name=WITNESS, key=self.cast.cosigning, logs=[log_key], clock=self.clock)

    def _start_custodian(self) -> Custodian:
        self.store = Store(self.home("custodian") / "custodian.sqlite")
        return self.custodian_with(self._rules)

    def _start_server(self) -> Server:
        custodian = cast("CustodianPort", self.custodian_line)
        return Server(self.home("server"), self.document, custodian, self.witness_line, self.clock)


def parse_grant(state: RequestState) -> Grant:
    """Return the grant that a request would become."""
    return parse(Grant, octets(state.grant_body))
