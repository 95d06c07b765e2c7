"""All three parties on one machine: ceremony, processes, the first lift, and what has to be said about it.

Rules

* It is for trials and development. One operator holds every key, and is told so at every start.
* The switch is lifted once, at the first start. Whoever stopped it later has to be asked, or the lift keys
  used.
* Profile ``production`` is refused: it needs parties on machines of their own.

Example: ``OneMachine(home, Ports(8470, 8471, 8472), clock, say).start(profile="embedded", delays="demo")``.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal

from understudy.client.custodian import HttpCustodian
from understudy.client.http import Connection
from understudy.client.server import ServerClient
from understudy.consent.clock import Clock
from understudy.consent.programme import Profile, ProgrammeDocument
from understudy.consent.purposes import Activity
from understudy.custody.switch import LiftBundle
from understudy.sealing.signing import document_hash, sign
from understudy.web.ceremony import LIFT, Ceremony, Command, DelayChoice, Ports, shortened
from understudy.web.config import SERVER_PORT, CustodianConfig, ServerConfig, WitnessConfig, read_config
from understudy.web.errors import HomeError, SharedHostError, StartError
from understudy.web.listening import listen
from understudy.web.supervisor import Running, Supervisor, failure

ONE_OPERATOR: Final = "one operator: 'no key without a log entry' is not held against the operator"
COMMAND_SECONDS: Final = 60.0
_PARTIES: Final = ("witness", "custodian", "server")


def choose_ports(home: Path, server: int | None, custodian: int | None, witness: int | None) -> Ports:
    """Return the ports asked for, those of an earlier start, or the standard ones.

    Custodian and witness take the two after the server's unless they are named, or were before.
    """
    try:
        known = Ports(
            read_config(home / "server", ServerConfig).port,
            read_config(home / "custodian", CustodianConfig).port,
            read_config(home / "witness", WitnessConfig).port,
        )
    except HomeError:
        known = None
    if server is None and known is not None:
        return Ports(known.server, custodian or known.custodian, witness or known.witness)
    first = SERVER_PORT if server is None else server
    return Ports(first, custodian or first + 1, witness or first + 2)


class OneMachine:
    """Server, custodian and witness of one home."""

    def __init__(self, home: Path, ports: Ports, clock: Clock, say: Callable[[str], None]) -> None:
        """Take the home.

        Raises:
            AlreadyRunningError: it runs already.
        """
        self.supervisor: Final = Supervisor(home)
        self._home = home
        self._ports = ports
        self._clock = clock
        self._say = say

    def start(self, *, profile: Literal["embedded", "production"], delays: DelayChoice) -> Running:
        """Do what the ceremony still lacks, start everything, and return what runs.

        Raises:
            SharedHostError: profile ``production``.
            PortInUseError: something else listens on one of the ports.
            StartError: a party did not start.
        """
        try:
            return self._start(profile, delays)
        except BaseException:
            self.supervisor.stop()
            raise

    def _start(self, profile: str, delays: DelayChoice) -> Running:
        if profile == Profile.PRODUCTION:
            raise SharedHostError(
                "shared-host",
                message="profile production never runs on one machine",
                hint="set up serve, custodian and witness on machines of their own; see docs/operator.md",
            )
        for port in (self._ports.server, self._ports.custodian, self._ports.witness):
            listen("127.0.0.1", port).close()
        is_first = not (self._home / "server" / "document.json").exists()
        if is_first:
            self._say("first start: every party makes its keys, and everybody signs the programme document")
        ceremony = Ceremony(self._home, run_commands, self._clock)
        signed = ceremony.perform(self._ports, delays=delays)
        document = signed.verify(ProgrammeDocument)
        if document.profile is not Profile.EMBEDDED:
            raise SharedHostError(
                "shared-host",
                message="the programme is in profile production, which never runs on one machine",
                hint="run server, custodian and witness on machines of their own",
            )
        if is_first:
            self._say(f"the people's keys are files under {self._home / 'people'}: one user holds them all")
        self._start_parties()
        self._lift_once(ceremony, document)
        running = Running(
            pid=os.getpid(),
            pids=self.supervisor.pids,
            server=self._ports.address("server"),
            custodian=self._ports.address("custodian"),
            witness=self._ports.address("witness"),
            document=signed.hash(ProgrammeDocument),
            key_set=document_hash(document.key_set),
            profile=document.profile.value,
        )
        self._compare(running)
        for name, (standard, here) in shortened(document).items():
            self._say(f"shortened: {name} is {here}, standard is {standard}")
        self._say(ONE_OPERATOR)
        self.supervisor.publish(running)
        return running

    def _start_parties(self) -> None:
        verbs = {
            "witness": ("witness", "serve"),
            "custodian": ("custodian", "serve"),
            "server": ("serve", "run"),
        }
        self.supervisor.start(
            {name: (*verbs[name], "--home", str(self._home / name)) for name in _PARTIES},
            {name: self._ports.address(name) for name in _PARTIES},
        )

    def _lift_once(self, ceremony: Ceremony, document: ProgrammeDocument) -> None:
        """Lift what was never lifted; leave alone what somebody stopped."""
        server = ServerClient(self._ports.address("server"))
        connection = Connection(self._ports.address("custodian"))
        try:
            held = HttpCustodian(connection).switch_status()
            if held.revision == 0:
                self._say(f"first lift: switched on {', '.join(sorted(Activity))}")
                bundle = LiftBundle(
                    programme=document.programme,
                    on=tuple(sorted(Activity)),
                    custodian=document.key_set.custodians[0].name,
                    epoch=document.key_set.custodians[0].epoch,
                    revision=held.revision,
                    made_at=self._clock.now(),
                )
                server.lift(sign(bundle, *ceremony.people.keys(LIFT)))
            elif held.off:
                self._say(f"stopped, and left so: {', '.join(held.off)}; see understudy lift")
        finally:
            connection.close()
            server.close()

    def _compare(self, running: Running) -> None:
        """Ask the custodian itself which document it goes by."""
        connection = Connection(self._ports.address("custodian"))
        try:
            pinned = HttpCustodian(connection).identity()
        finally:
            connection.close()
        if (pinned.document, pinned.key_set) != (running.document, running.key_set):
            raise StartError("the custodian goes by another document", hint="use the home it was made for")


def run_commands(commands: Sequence[Command]) -> None:
    """Run ``understudy`` commands side by side, each in a process of its own.

    Raises:
        StartError: one of them failed; with its own words.
    """
    started = [
        subprocess.Popen(  # noqa: S603  our own command
            (sys.executable, "-m", "understudy", *(str(argument) for argument in command)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for command in commands
    ]
    said = [process.communicate(timeout=COMMAND_SECONDS)[1] for process in started]
    for command, process, errors in zip(commands, started, said, strict=True):
        if process.returncode:
            raise failure(f"{command[0]} {command[1]} ended with {process.returncode}", "", errors)
