"""Three real processes on this machine, with people and one participant: to be measured, and to be killed.

Rules

* ``understudy up`` starts them, with fresh homes in a folder of their own below ``build/machines``: the file
  system of the project, not one in memory. Everything goes over HTTP on loopback.
* ``broken`` names a seeded fault, which ``bench/broken`` patches into each process as it starts. Sources stay
  as they are.
* Everything is stopped and removed at the end, however it ends.

Example::

    with Machine.started() as machine:
        reader = machine.reader()
"""

import contextlib
import os
import random
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from understudy.client.custodian import HttpCustodian
from understudy.client.http import Connection
from understudy.client.reader import Reader
from understudy.client.server import ServerClient
from understudy.consent.clock import SystemClock
from understudy.consent.credentials import Ed25519Credential
from understudy.consent.primitives import encode_bytes, new_id
from understudy.consent.programme import ProgrammeDocument
from understudy.consent.purposes import Purpose, ReasonCode, Stream
from understudy.consent.scope import Scope
from understudy.contract.messages import SegmentEntry
from understudy.custody.grant import AccessRequest, Grant
from understudy.formats.synthetic import synthetic_segment
from understudy.recorder.device import Device
from understudy.recorder.held import HeldRecording, HeldSegment, HeldStore
from understudy.recorder.leases import LeaseKeeper
from understudy.recorder.outbox import Outbox
from understudy.sealing.canonical import octets, parse
from understudy.sealing.keyfile import load_signing
from understudy.sealing.signing import Signed, SigningKey, document_hash, sign

ROOT: Final = Path(__file__).resolve().parent.parent
BROKEN: Final = ROOT / "bench" / "broken"
FAULT_VARIABLE: Final = "UNDERSTUDY_BENCH_FAULT"
REASON: Final = ReasonCode.MODEL_IMPROVEMENT
STAMP: Final = encode_bytes(bytes(32))


class MachineError(RuntimeError):
    """The processes could not be started, or did not do what they must."""


class Machine:
    """The processes, where they keep their files, and who speaks to them."""

    def __init__(self, folder: Path, running: dict[str, Any]) -> None:
        self.folder: Final = folder
        self.home: Final = folder / "home"
        self.server_address: Final[str] = running["server"]
        self.server: Final = ServerClient(self.server_address)
        self.custodian: Final = HttpCustodian(Connection(running["custodian"]))
        self.custodian_address: Final[str] = running["custodian"]
        self.clock: Final = SystemClock()
        self.signed_grant: Signed | None = None
        self.granted = ""
        signed = self.server.document()
        self.document: Final = signed.verify(ProgrammeDocument)
        self.device: Final = Device.create(
            folder / "device", signed, pinned=self.custodian.document().hash(ProgrammeDocument)
        )

    @classmethod
    @contextlib.contextmanager
    def started(cls, *, broken: str = "") -> Iterator["Machine"]:
        """Start everything, and stop and remove it at the end."""
        place = ROOT / "build" / "machines"
        place.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="machine-", dir=place))
        home = folder / "home"
        environment = dict(os.environ)
        if broken:
            environment |= {"PYTHONPATH": str(BROKEN), FAULT_VARIABLE: broken}
        up = ("up", "--home", str(home), "--port", str(_free_ports()), "--delays", "demo", "--detach")
        try:
            _understudy(*up, environment=environment)
            yield cls(folder, msgspec.json.decode((home / "run.json").read_bytes()))
        finally:
            with contextlib.suppress(MachineError):
                _understudy("down", "--home", str(home), environment=environment)
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of the parties, as they are now."""
        pids: dict[str, int] = msgspec.json.decode((self.home / "run.json").read_bytes())["pids"]
        return pids

    def pid(self, party: str) -> int:
        """Return a party's process id."""
        return self.pids[party]

    def person(self, name: str) -> SigningKey:
        """Return the signing key of one of the programme's people."""
        return load_signing(self.home / "people" / f"{name}.json")

    def key(self, party: str, name: str) -> SigningKey:
        """Return a signing key of a party, as whoever owns its machine has it."""
        return load_signing(self.home / party / "keys" / f"{name}.json")

    def enrol(self) -> None:
        """Enrol the synthetic participant, who consents to training."""
        self.device.enrol(self.server, self.clock)
        groups = [group.name for group in self.document.terms.application_groups]
        offered = set(self.document.terms.streams)
        streams = [stream for stream in (Stream.ELEMENTS, Stream.INPUT) if stream in offered]
        self.device.give_consent(
            self.server, self.clock, purposes=(Purpose.TRAIN,), streams=streams, groups=groups[:1]
        )

    def share(self, segments: int, *, seed: int) -> list[str]:
        """Share a synthetic recording; return its segment ids."""
        keeper = LeaseKeeper(self.device, self.server, self.clock)
        keeper.renew()
        recording, group = new_id("rec"), self.device.consent.application_groups[0]
        held, payloads = [], {}
        for ordinal in range(segments):
            now = self.clock.now()
            segment = HeldSegment(
                segment=new_id("seg"),
                started_at=now,
                ended_at=now + 1,
                salt=encode_bytes(secrets.token_bytes(32)),
                coverage=keeper.coverage(now, now + 1),
                redaction=STAMP,
            )
            held.append(segment)
            payloads[segment.segment] = synthetic_segment(
                seed,
                recording=recording,
                ordinal=ordinal,
                started_at=now,
                ended_at=now + 1,
                actions=2,
            )
        made = HeldRecording(
            recording=recording,
            title=f"synthetic, seed {seed}",
            application_group=group,
            task_label="bench",
            segments=tuple(held),
        )
        store = HeldStore(self.device)
        outbox = Outbox(self.device)
        outbox.seal(store, store.keep(made, payloads))
        for _ in outbox.send(self.server):
            pass
        return [entry.segment for entry in outbox.entries() if entry.state == "shared"]

    def grant(self) -> str:
        """Have a grant for everything in force; return its hash."""
        researcher, now = self.person("researcher"), self.clock.now()
        asked = AccessRequest(
            request=new_id("req"),
            requester=document_hash(Ed25519Credential(public_key=researcher.public)),
            scope=Scope(programme=self.document.programme),
            purpose=Purpose.TRAIN,
            reason=REASON,
            ticket="BENCH-1",
            readers=(Ed25519Credential(public_key=self.person("reader").public),),
            not_before=now,
            not_after=now + 3_600,
            ceiling=100_000,
            made_at=now,
        )
        state = self.server.submit(sign(asked, researcher))
        grant = parse(Grant, octets(state.grant_body))
        for name in ("approver-1", "approver-2"):
            state = self.server.approve(asked.request, sign(grant, self.person(name)))
        if state.grant is None or state.state != "in-force":
            raise MachineError("the grant did not come into force")
        self.signed_grant, self.granted = state.grant, state.grant.hash(Grant)
        return self.granted

    def entries(self, grant: str) -> list[SegmentEntry]:
        """Return everything that a grant covers."""
        found: list[SegmentEntry] = []
        cursor = ""
        while not found or cursor:
            page = self.server.segments(self.person("reader"), grant=grant, cursor=cursor)
            found.extend(page.segments)
            cursor = page.next
        return found

    def reader(self, server: Any = None) -> Reader:
        """Return the reader that the grant names."""
        return Reader(server or self.server, self.document, self.person("reader"), self.clock)


def _understudy(*arguments: str, environment: dict[str, str]) -> None:
    """Run a command of the product; what it said goes into the error if it fails."""
    command = (sys.executable, "-m", "understudy", *arguments)
    ran = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    if ran.returncode:
        raise MachineError(f"understudy {arguments[0]} ended with {ran.returncode}:\n{ran.stderr[-2_000:]}")


def _free_ports() -> int:
    """Return a port that is free together with the two after it, outside the range that clients are given."""
    for port in random.SystemRandom().sample(range(20_000, 30_000), 100):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for number in range(port, port + 3):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", number))
            return port
    raise MachineError("no three free ports")
