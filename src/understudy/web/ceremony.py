"""The first start on one machine: the steps of the key ceremony, in order, each safe to repeat.

Rules

* Each party makes its own keys in its own process, by the same commands as anywhere else; what passes between
  them is ``public.json`` and the programme document.
* The people's keys are separate files in one folder, made here because nobody else is there. That is said
  aloud.
* The document is assembled once. What stands is never replaced: a step that was done is passed over.
* The order is that of the protocol: keys, assemble, sign, leaf 0, pin. The switch stays off until the first
  lift.

Example: ``Ceremony(home, run).perform(ports, delays="demo")``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal

from msgspec.structs import replace

from understudy.consent.clock import Clock
from understudy.consent.keyset import AuditorKey
from understudy.consent.programme import Delays, ProgrammeDocument, Role
from understudy.sealing.canonical import parse
from understudy.sealing.durable import private_folder
from understudy.sealing.keyfile import create_hpke, create_signing, load_hpke, load_signing
from understudy.sealing.signing import Signed, SigningKey
from understudy.web.assembly import PeopleFile, Person, assemble
from understudy.web.config import CustodianConfig, ServerConfig, WitnessConfig, read_config, write_config
from understudy.web.document import (
    DOCUMENT_FILE,
    merge,
    read_document,
    sign_as_member,
    unsigned,
    write_document,
)
from understudy.web.home import PUBLIC_FILE, read_public

CUSTODIAN: Final = "custodian"
WITNESS: Final = "understudy.local/witness"
ORIGIN: Final = "understudy.local/log"

MEMBERS: Final[Mapping[str, tuple[Role, ...]]] = {
    "steward": (Role.STEWARD,),
    "approver-1": (Role.APPROVER,),
    "approver-2": (Role.APPROVER,),
    "researcher": (Role.RESEARCHER,),
    "reader": (Role.SERVICE,),
    "auditor": (Role.AUDITOR,),
}
RECOVERY: Final = ("recovery-1", "recovery-2", "recovery-3")
LIFT: Final = ("lift-1", "lift-2")
AUDITOR_HPKE: Final = "auditor-openings"

SHORTENED: Final[Mapping[str, int]] = {
    "hold_seconds": 0,
    "upload_spread_seconds": 0,
    "consent_batch_seconds": 10,
}
"""What ``--delays demo`` shortens. Nothing that a promise's upper bound protects is made longer."""

DelayChoice = Literal["standard", "demo"]
Command = tuple[object, ...]
Run = Callable[[Sequence[Command]], None]
"""Runs ``understudy`` commands, each in a process of its own, side by side."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the three processes listen, on loopback."""

    server: int
    custodian: int
    witness: int

    def address(self, party: str) -> str:
        """Return a party's address."""
        return f"http://127.0.0.1:{getattr(self, party)}"


class People:
    """The keys of everybody who is not a process, as files in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = private_folder(folder)

    def make(self) -> None:
        """Make the keys that are missing."""
        for name in (*MEMBERS, *RECOVERY, *LIFT):
            if not self._path(name).exists():
                create_signing(self._path(name))
        if not self._path(AUDITOR_HPKE).exists():
            create_hpke(self._path(AUDITOR_HPKE))

    def key(self, name: str) -> SigningKey:
        """Return one person's signing key."""
        return load_signing(self._path(name))

    def keys(self, names: tuple[str, ...]) -> list[SigningKey]:
        """Return several persons' signing keys."""
        return [self.key(name) for name in names]

    def listed(self) -> PeopleFile:
        """Return their public keys, as a steward would write them down."""
        hpke = load_hpke(self._path(AUDITOR_HPKE)).public.text
        return PeopleFile(
            member=tuple(
                Person(name=name, roles=roles, key=self.key(name).public) for name, roles in MEMBERS.items()
            ),
            auditor=AuditorKey(epoch=1, hpke=hpke, signing=self.key("auditor").public),
            recovery=tuple(key.public for key in self.keys(RECOVERY)),
            lift=tuple(key.public for key in self.keys(LIFT)),
        )

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"


class Ceremony:
    """The ceremony of one machine's programme."""

    def __init__(self, home: Path, run: Run, clock: Clock) -> None:
        """Prepare the ceremony.

        Args:
            home: the folder that holds the three homes, the people and the document.
            run: runs commands in processes of their own; raises if one fails.
            clock: tells the time.
        """
        self.home: Final = private_folder(home)
        self.people: Final = People(home / "people")
        self._run = run
        self._clock = clock

    @property
    def path(self) -> Path:
        """Where the programme document goes round."""
        return self.home / DOCUMENT_FILE

    def perform(self, ports: Ports, *, delays: DelayChoice) -> Signed:
        """Do every step that was not done yet, and return the signed document."""
        self._make_homes(ports)
        self.people.make()
        if not self.path.exists():
            write_document(self.path, unsigned(self._assemble(delays)))
        self._sign()
        signed = read_document(self.path)
        found = signed.hash(ProgrammeDocument)
        self._run_missing({"server": ("serve", "publish", self.path)})
        self._run_missing(
            {name: (name, "pin", self.path, "--hash", found) for name in ("custodian", "witness")}
        )
        return signed

    def _make_homes(self, ports: Ports) -> None:
        """Have each party make its keys, and write where everybody is now."""
        server, custodian, witness = (self.home / name for name in ("server", "custodian", "witness"))
        at = ports.address
        inits: dict[Path, Command] = {
            witness: ("witness", "init", "--name", WITNESS, "--port", ports.witness),
            custodian: ("custodian", "init", "--name", CUSTODIAN, "--port", ports.custodian),
            server: ("serve", "init", "--origin", ORIGIN, "--port", ports.server),
        }
        self._run(
            [
                (*command, "--home", folder)
                for folder, command in inits.items()
                if not (folder / PUBLIC_FILE).exists()
            ]
        )
        write_config(witness, replace(read_config(witness, WitnessConfig), port=ports.witness))
        write_config(
            custodian,
            replace(read_config(custodian, CustodianConfig), port=ports.custodian, server=at("server")),
        )
        write_config(
            server,
            replace(
                read_config(server, ServerConfig),
                port=ports.server,
                custodians={CUSTODIAN: at("custodian")},
                witnesses={WITNESS: at("witness")},
            ),
        )

    def _assemble(self, delays: DelayChoice) -> ProgrammeDocument:
        """Return document 1, as the steward assembles it from what the parties brought."""
        document = assemble(
            (files("understudy.web") / "one_machine.toml").read_text(encoding="utf-8"),
            self.people.listed(),
            [read_public(self.home / name / PUBLIC_FILE) for name in ("server", "custodian", "witness")],
            custodian_threshold=1,
            witness_quorum=1,
            made_at=self._clock.now(),
        )
        if delays == "demo":
            document = replace(document, delays=replace(document.delays, **SHORTENED))
        return document

    def _sign(self) -> None:
        """Have everybody sign who has not: the parties by their own commands, the people here."""
        given = read_document(self.path)
        keys = parse(ProgrammeDocument, given.raw).key_set
        signers = {
            "custodian": ("custodian", keys.custodians[0].signing),
            "witness": ("witness", keys.witnesses[0].signing),
            "server": ("serve", keys.server),
        }
        copies = {name: self.home / name / "signed.json" for name in signers}
        missing = [name for name, (_, key) in signers.items() if key not in given.signers]
        self._run(
            [
                (signers[name][0], "sign", self.path, "--home", self.home / name, "--out", copies[name])
                for name in missing
            ]
        )
        merged = merge([given, *(read_document(copies[name]) for name in missing)])
        write_document(self.path, sign_as_member(merged, self.people.keys(tuple(MEMBERS))))

    def _run_missing(self, steps: Mapping[str, Command]) -> None:
        """Run a step in each party's home where it was not done: it leaves the document there."""
        self._run(
            [
                (*command, "--home", self.home / name)
                for name, command in steps.items()
                if not (self.home / name / DOCUMENT_FILE).exists()
            ]
        )


def shortened(document: ProgrammeDocument) -> dict[str, tuple[int, int]]:
    """Return the delays that are shorter than the standard ones: ``{name: (standard, here)}``."""
    standard = Delays()
    return {
        name: (getattr(standard, name), getattr(document.delays, name))
        for name in document.delays.__struct_fields__
        if getattr(document.delays, name) < getattr(standard, name)
    }
