"""Child processes of the recorder: started with inherited sockets, and never left behind.

Rules

* A child ends when its parent does, however that ends: the kernel sends it SIGTERM, and its channel ends too.
* It inherits the descriptors that are named and no others, and starts from an interpreter that does not look
  for modules in the working folder, and that no variable of the environment makes talkative.
* What these processes know is in memory alone: ``keep_memory_private`` forbids core dumps, and forbids other
  processes of the same user to read it.
* It is ended by its own process id: SIGTERM, then SIGKILL.

Example::

    here, there = socket.socketpair()
    child = Child.start("understudy.recorder.indicator", {"channel": there}, display=":7")
"""

import ctypes
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
STOP_SECONDS: Final = 3.0


class Child:
    """A running child process. Use ``start``."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process: Final = process

    @classmethod
    def start(
        cls, module: str, channels: Mapping[str, socket.socket | int], *, display: str | None
    ) -> "Child":
        """Start ``python -m module`` with the sockets and pipes that it is told of by ``--name NUMBER``.

        Args:
            module: what to run.
            channels: by the name of the option; the child gets the descriptor, the caller closes its own.
            display: the display to name, or None for the environment's.
        """
        numbers = {name: end if isinstance(end, int) else end.fileno() for name, end in channels.items()}
        command = [sys.executable, "-E", "-P", "-m", module, "--parent", str(os.getpid())]
        for name, number in numbers.items():
            command += [f"--{name}", str(number)]
        if display is not None:
            command += ["--display", display]
        # The command is ours: this interpreter and a module of this package.
        process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, pass_fds=tuple(numbers.values()), start_new_session=True
        )
        return cls(process)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End it and wait for it. Idempotent."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def wait(self, seconds: float) -> bool:
        """Return whether it ended by itself within ``seconds``."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True


def follow_parent(parent: int) -> None:
    """End this process when its parent ends; at once if that has happened already.

    Ctrl-C at the terminal is the parent's to handle: a child that ended first would look like a crash.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)


def keep_memory_private() -> None:
    """Have no copy of this process's memory written to a disk or read by another process of the same user.

    The kernel then writes no core dump, whoever asks for one, and lets nobody but root trace the process.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
