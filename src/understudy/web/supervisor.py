"""Three processes under one command: started, watched, restarted, and stopped together.

Rules

* Each party is a process of its own, started by the command that would start it alone. They end with the
  supervisor, however it ends.
* A party that dies is started again, at most ``MAX_RESTARTS`` times a minute; what it acknowledged is on its
  disk. A party that cannot be started ends everything, with its own last words.
* ``run.json`` says what runs, once all of it serves, and is gone when it does not.
* One supervisor per home.

Example: ``Supervisor(home).run(commands)``.
"""

import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import BinaryIO, Final

import msgspec

from understudy.client.custodian import answer_of
from understudy.client.http import Connection
from understudy.consent.errors import UnderstudyError
from understudy.consent.primitives import Digest, Line, Value
from understudy.contract.messages import Health
from understudy.contract.routes import HEALTH
from understudy.sealing.durable import durable_write, private_folder
from understudy.web.errors import AlreadyRunningError, NotRunningError, StartError
from understudy.web.listening import HomeLock

READY_SECONDS: Final = 30.0
STOP_SECONDS: Final = 15.0
MAX_RESTARTS: Final = 5
RESTART_WINDOW_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.05
RUN_FILE: Final = "run.json"
LOCK_FILE: Final = "up.lock"
_TAIL_BYTES: Final = 4_000


class Running(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What runs, where: the content of ``run.json``."""

    pid: int
    pids: dict[str, int]
    server: Line
    custodian: Line
    witness: Line
    document: Digest
    key_set: Digest
    profile: Line
    one_operator: bool = True


class Supervisor:
    """Runs the parties of one home."""

    def __init__(self, home: Path) -> None:
        """Take the home.

        Raises:
            AlreadyRunningError: another supervisor has it.
        """
        self.home: Final = private_folder(home)
        self._lock = HomeLock(home, LOCK_FILE)
        with suppress(FileNotFoundError):
            (home / RUN_FILE).unlink()  # left behind by a supervisor that was killed
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._commands: Mapping[str, Sequence[str]] = {}
        self._addresses: Mapping[str, str] = {}
        self._restarts: deque[float] = deque()
        self._is_stopping = False

    def start(self, commands: Mapping[str, Sequence[str]], addresses: Mapping[str, str]) -> None:
        """Start every party and wait until all of them serve.

        Args:
            commands: ``understudy`` arguments by party, in the order of starting.
            addresses: where each will answer.

        Raises:
            StartError: one of them ended, or did not become ready; all are stopped.
        """
        self._commands, self._addresses = commands, addresses
        for name in commands:
            self._wait_free(name)
        try:
            for name in commands:
                self._spawn(name)
            for name in commands:
                self.wait_ready(name)
        except BaseException:
            self.stop()
            raise

    def publish(self, running: Running) -> None:
        """Write ``run.json``."""
        text = msgspec.json.format(msgspec.json.encode(running), indent=2)
        durable_write(self.home / RUN_FILE, text, exclusive=False)

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of the parties."""
        return {name: process.pid for name, process in self._processes.items()}

    def watch(self, running: Running) -> None:
        """Keep the parties running until SIGTERM or SIGINT.

        Raises:
            StartError: a party could not be kept running; all are stopped.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask_to_stop)
        try:
            while not self._is_stopping:
                for name, process in tuple(self._processes.items()):
                    if process.poll() is not None and not self._is_stopping:
                        self._restart(name)
                        self.publish(msgspec.structs.replace(running, pids=self.pids))
                time.sleep(POLL_SECONDS)
        finally:
            self.stop()

    def stop(self) -> None:
        """Stop every party, the last started first, and let go of the home. Idempotent."""
        self._is_stopping = True
        with suppress(FileNotFoundError):
            (self.home / RUN_FILE).unlink()
        for process in reversed(self._processes.values()):
            if process.poll() is None:
                process.terminate()
        until = time.monotonic() + STOP_SECONDS
        for process in self._processes.values():
            try:
                process.wait(max(until - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._lock.release()

    def wait_ready(self, name: str) -> None:
        """Wait until a party serves; ``StartError`` with its last words if it does not."""
        until = time.monotonic() + READY_SECONDS
        connection = Connection(self._addresses[name], read_seconds=1.0)
        why = "it does not answer"
        try:
            while time.monotonic() < until and not self._is_stopping:
                self._demand_alive(name)
                with suppress(UnderstudyError):
                    health = answer_of(Health, connection.call(HEALTH))
                    if health.is_ready and health.role == name:
                        return
                    why = health.why if health.role == name else f"a {health.role} answers at its address"
                time.sleep(POLL_SECONDS)
        finally:
            connection.close()
        raise StartError(f"the {name} did not become ready: {why}", hint=f"see {self._log_path(name)}")

    def _restart(self, name: str) -> None:
        now = time.monotonic()
        while self._restarts and now - self._restarts[0] > RESTART_WINDOW_SECONDS:
            self._restarts.popleft()
        self._restarts.append(now)
        if len(self._restarts) > MAX_RESTARTS:
            raise StartError(
                f"the {name} ended {MAX_RESTARTS} times within a minute", hint=f"see {self._log_path(name)}"
            )
        sys.stderr.write(f"understudy: the {name} ended and is started again\n")
        self._spawn(name)

    def _spawn(self, name: str) -> None:
        command = (sys.executable, "-m", "understudy", *self._commands[name], "--parent", str(os.getpid()))
        with open_output(self._log_path(name)) as log:
            self._processes[name] = subprocess.Popen(  # noqa: S603  our own command
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, close_fds=True
            )

    def _demand_alive(self, name: str) -> None:
        code = self._processes[name].poll()
        if code is not None:
            raise last_words(self._log_path(name), name, code)

    def _wait_free(self, name: str) -> None:
        """Wait until what an earlier supervisor left behind has ended; it ends by itself."""
        until = time.monotonic() + STOP_SECONDS
        while True:
            try:
                HomeLock(self.home / name).release()
            except AlreadyRunningError:
                if time.monotonic() > until:
                    raise
                time.sleep(POLL_SECONDS)
            else:
                return

    def _ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._is_stopping = True

    def _log_path(self, name: str) -> Path:
        return private_folder(self.home / "logs") / f"{name}.log"


def open_output(path: Path) -> BinaryIO:
    """Return a file for a process's output, emptied, readable by its owner only."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o600), "wb")


def read_running(home: Path) -> Running:
    """Return what runs under ``home``.

    Raises:
        NotRunningError: nothing does.
    """
    try:
        lock = HomeLock(home, LOCK_FILE) if home.is_dir() else None
    except AlreadyRunningError:
        with suppress(OSError, msgspec.DecodeError):
            return msgspec.json.decode((home / RUN_FILE).read_bytes(), type=Running)
        raise NotRunningError(f"what runs under {home} is still starting", hint="try again") from None
    if lock is not None:
        with suppress(FileNotFoundError):
            (home / RUN_FILE).unlink()  # left behind by a supervisor that was killed
        lock.release()
    raise NotRunningError(f"nothing runs under {home}", hint="start it with understudy up")


def stop_running(home: Path) -> Running:
    """Stop what runs under ``home``, and return what it was.

    Raises:
        NotRunningError: nothing did.
        StartError: it does not end.
    """
    running = read_running(home)
    with suppress(ProcessLookupError):
        os.kill(running.pid, signal.SIGTERM)
    until = time.monotonic() + 2 * STOP_SECONDS
    while time.monotonic() < until:
        try:
            HomeLock(home, LOCK_FILE).release()
        except AlreadyRunningError:
            time.sleep(POLL_SECONDS)
        else:
            return running
    raise StartError("it does not end", hint=f"look at process {running.pid}")


def last_words(path: Path, name: str, code: int) -> StartError:
    """Return an error with what a process said in its log before it ended."""
    said = ""
    with suppress(OSError), path.open("rb") as file:
        file.seek(max(path.stat().st_size - _TAIL_BYTES, 0))
        said = file.read().decode("utf-8", "replace")
    return failure(f"the {name} ended with {code}", f"see {path}", said)


def failure(message: str, hint: str, said: str) -> StartError:
    """Return an error in the words of a command that failed, or else in these."""
    for line in said.splitlines():
        if line.startswith("understudy: error: "):
            message = line.removeprefix("understudy: error: ")
        elif line.startswith("understudy: hint: "):
            hint = line.removeprefix("understudy: hint: ")
    return StartError(message, hint=hint)
