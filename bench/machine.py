"""Three real processes on this machine, with people, one participant and shared segments: what benchmarks measure on.

Rules

* ``understudy up`` starts them, with fresh homes in a folder of their own below ``build/bench``: the file system of
  the project, not one in memory. Everything goes over HTTP on loopback.
* ``broken`` names a seeded fault, which ``bench/broken`` patches into each process as it starts. Sources stay as
  they are.
* Everything is stopped and removed at the end, however it ends.

Example::

    with Machine.started() as machine:
        reader = machine.reader()
"""

import contextlib
import os
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
BROKEN: Final = Path(__file__).resolve().parent / "broken"
FAULT_VARIABLE: Final = "UNDERSTUDY_BENCH_FAULT"
REASON: Final = ReasonCode.MODEL_IMPROVEMENT
STAMP: Final = encode_bytes(bytes(32))


class Machine:
    """The processes, where they keep their files, and who speaks to them."""

    def __init__(self, folder: Path, running: dict[str, Any]) -> None:
        self.folder: Final = folder
        self.home: Final = folder / "home"
        self.pids: Final[dict[str, int]] = running["pids"]
        self.server: Final = ServerClient(running["server"])
        self.custodian: Final = HttpCustodian(Connection(running["custodian"]))
        self.custodian_address: Final[str] = running["custodian"]
        self.clock: Final = SystemClock()
        self.signed_grant: Signed | None = None
        signed = self.server.document()
        self.document: Final = signed.verify(ProgrammeDocument)
        self.device: Final = Device.create(
            folder / "device", signed, pinned=self.custodian.document().hash(ProgrammeDocument)
        )

    @classmethod
    @contextlib.contextmanager
    def started(cls, *, broken: str = "") -> Iterator["Machine"]:
        """Start everything, and stop and remove it at the end."""
        place = ROOT / "build" / "bench"
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
            with contextlib.suppress(subprocess.CalledProcessError):
                _understudy("down", "--home", str(home), environment=environment)
            shutil.rmtree(folder, ignore_errors=True)

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
        store.keep(made, payloads)
        outbox = Outbox(self.device)
        outbox.seal(store, made)
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
            raise SystemExit("the grant did not come into force")
        self.signed_grant = state.grant
        return state.grant.hash(Grant)

    def reader(self, server: Any = None) -> Reader:
        """Return the reader that the grant names."""
        return Reader(server or self.server, self.document, self.person("reader"), self.clock)


def _understudy(*arguments: str, environment: dict[str, str]) -> None:
    subprocess.run(
        (sys.executable, "-m", "understudy", *arguments),
        check=True,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _free_ports() -> int:
    """Return a port that is free together with the two after it."""
    for _ in range(100):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            first = stack.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            for next_port in (port + 1, port + 2):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", next_port))
            return port
    raise SystemExit("no three free ports")
