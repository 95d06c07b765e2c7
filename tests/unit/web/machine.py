"""Three real processes under ``understudy up``, and a device that shares with them.

Example::

    with Machine(tmp_path) as machine:
        machine.kill("custodian")
        machine.wait_ready("custodian")
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from tests.unit.web.homes import free_ports
from understudy.client.custodian import answer_of
from understudy.client.http import Connection
from understudy.client.server import ServerClient
from understudy.consent.errors import UnderstudyError
from understudy.contract.messages import Health, UploadCall
from understudy.contract.routes import HEALTH
from understudy.recorder.device import Device
from understudy.recorder.held import HeldStore
from understudy.recorder.outbox import Outbox
from understudy.sealing.keyfile import load_signing
from understudy.sealing.signing import SigningKey
from understudy.web.supervisor import RUN_FILE

PATIENCE_SECONDS: Final = 60.0


def understudy(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run one command as a person would, and check how it ends."""
    done = subprocess.run(
        (sys.executable, "-m", "understudy", *arguments),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == code, f"{arguments}: {done.stderr}"
    assert "Traceback" not in done.stderr
    return done


class Machine:
    """One home whose processes run under a supervisor of their own."""

    def __init__(self, home: Path) -> None:
        self.home: Final = home
        self.ports: Final = free_ports()
        self._supervisor: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def running(self) -> dict[str, Any]:
        """What ``run.json`` says."""
        found: dict[str, Any] = json.loads((self.home / RUN_FILE).read_text())
        return found

    @property
    def server(self) -> ServerClient:
        """A client of the server."""
        return ServerClient(self.ports.address("server"), key=self.person("steward"))

    def person(self, name: str) -> SigningKey:
        """Return one person's key."""
        return load_signing(self.home / "people" / f"{name}.json")

    def start(self) -> None:
        """Start, and wait until everything serves."""
        command = self._command()
        self.home.mkdir(mode=0o700, exist_ok=True)
        with (self.home / "supervisor.log").open("ab") as log:
            self._supervisor = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        process = self._supervisor
        self.wait(lambda: self._is_running(process.pid) or process.poll() is not None)
        assert process.poll() is None, (self.home / "supervisor.log").read_text()

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Send the supervisor a signal and wait until it has ended."""
        if self._supervisor is not None and self._supervisor.poll() is None:
            self._supervisor.send_signal(number)
            self._supervisor.wait(PATIENCE_SECONDS)

    def kill(self, party: str) -> int:
        """Kill one party without notice and return the process id it had."""
        pid = int(self.running["pids"][party])
        os.kill(pid, signal.SIGKILL)
        return pid

    def wait_ready(self, party: str) -> None:
        """Wait until a party serves."""
        connection = Connection(self.ports.address(party), read_seconds=1.0)

        def is_ready() -> bool:
            with contextlib.suppress(UnderstudyError):
                return answer_of(Health, connection.call(HEALTH)).is_ready
            return False

        self.wait(is_ready)
        connection.close()

    def wait(self, condition: Callable[[], bool]) -> None:
        """Wait for something that comes; a minute is a failure."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < until, "it did not come"
            time.sleep(0.02)

    def seal(self, device: Path, seed: int) -> tuple[str, UploadCall, bytes]:
        """Have a device record and seal one segment; return its id, header with halves, and ciphertext."""
        place = ("--device", str(device), "--server", self.ports.address("server"))
        if not device.exists():
            pin = self.running["document"]
            understudy("device", "create", "--pin", pin, *place)
            understudy("device", "enrol", *place)
            understudy("device", "consent", "--purpose", "train", "--yes", *place)
        count = ("--segments", "1", "--seconds", "1", "--seed", str(seed), "--json")
        made = json.loads(understudy("recording", "synthetic", *count, *place).stdout)
        here = Device(device)
        held, outbox = HeldStore(here), Outbox(here)
        outbox.seal(held, held.recording(made["recording"]))
        (segment,) = made["segments"]
        (folder,) = [path for path in (device / "outbox").iterdir() if path.name.endswith(segment)]
        call = msgspec.json.decode((folder / "bundle.json").read_bytes(), type=UploadCall)
        return segment, call, (folder / "ciphertext").read_bytes()

    def _is_running(self, pid: int) -> bool:
        with contextlib.suppress(OSError, ValueError):
            return bool(self.running["pid"] == pid)
        return False

    def _command(self) -> tuple[str, ...]:
        ports, command = self.ports, [sys.executable, "-m", "understudy", "up", "--delays", "demo"]
        command += ["--home", str(self.home), "--port", str(ports.server)]
        command += ["--custodian-port", str(ports.custodian), "--witness-port", str(ports.witness)]
        return tuple(command)
