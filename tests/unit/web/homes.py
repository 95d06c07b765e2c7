"""The three homes of one programme, set up by the commands a person would type.

Example::

    homes = Homes(tmp_path)
    with homes.server() as server: ...
"""

import contextlib
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import httpx
from litestar import Litestar
from litestar.testing import TestClient

from understudy.cli import run
from understudy.consent.clock import Clock, SystemClock
from understudy.consent.programme import ProgrammeDocument
from understudy.sealing.signing import Signed
from understudy.web.ceremony import Ceremony, Command, DelayChoice, Ports
from understudy.web.custodian_app import CustodianProcess, open_custodian
from understudy.web.server_app import ServerProcess, open_server
from understudy.web.witness_app import WitnessProcess, open_witness


class Homes:
    """One programme's homes after the ceremony; nothing runs yet."""

    def __init__(self, root: Path, *, delays: DelayChoice = "demo", clock: Clock | None = None) -> None:
        self.root: Final = root
        self.clock: Final = clock or SystemClock()
        self.ports: Final = free_ports()
        self.commands: Final[list[Command]] = []
        self.ceremony: Final = Ceremony(root, self._run, self.clock)
        self.signed: Final[Signed] = self.ceremony.perform(self.ports, delays=delays)
        self.document: Final = self.signed.verify(ProgrammeDocument)

    def _run(self, commands: Sequence[Command]) -> None:
        for command in commands:
            self.commands.append(command)
            code = run([str(argument) for argument in command])
            if code:
                raise AssertionError(f"{command} ended with {code}")

    @contextlib.contextmanager
    def server(self) -> Iterator[ServerProcess]:
        """Open the server; it does not listen, and nobody else answers it."""
        process = open_server(self.root / "server", self.clock)
        try:
            yield process
        finally:
            process.close()

    @contextlib.contextmanager
    def custodian(self) -> Iterator[CustodianProcess]:
        """Open the custodian; it does not listen."""
        process = open_custodian(self.root / "custodian", self.clock)
        try:
            yield process
        finally:
            process.close()

    @contextlib.contextmanager
    def witness(self) -> Iterator[WitnessProcess]:
        """Open the witness; it does not listen."""
        process = open_witness(self.root / "witness", self.clock)
        try:
            yield process
        finally:
            process.close()


@contextlib.contextmanager
def calls_to(app: Litestar) -> Iterator[httpx.Client]:
    """Give a client that calls an application without a network."""
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


def free_ports() -> Ports:
    """Return three ports that nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    numbers = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return Ports(*numbers)
