"""Child processes that end with their parent, and whose output is kept.

Rules

* A child is told by the kernel when the thread that started it ends (``PR_SET_PDEATHSIG``, set by ``setpriv``
  of util-linux, so that no Python runs between fork and exec). Start children from a thread that stays. A
  parent that died before that was set is noticed by the child itself, which then never becomes the program.
* Children are ended by their process id: SIGTERM, then SIGKILL after ``STOP_SECONDS``.
* A program that is not installed is named, with the system package that has it.

Example: ``child = Child.start(["Xvfb", "-displayfd", "3"], log=folder / "xvfb.log", environment={})``.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Self

from understudy.demo.errors import MissingProgramError

STOP_SECONDS: Final = 5.0
_UNLESS_ORPHANED: Final = 'test "$PPID" = "$1" || exit 1; shift; exec "$@"'
PACKAGES: Final[Mapping[str, str]] = {
    "Xvfb": "xvfb",
    "chromium": "chromium",
    "dbus-daemon": "dbus",
    "openbox": "openbox",
    "setpriv": "util-linux",
    "sh": "dash",
}
"""Debian's package of each program that the demonstration starts."""


def find_program(name: str) -> str:
    """Return the path of a program.

    Raises:
        MissingProgramError: it is not installed.
    """
    path = shutil.which(name)
    if path is None:
        package = PACKAGES.get(name, name)
        raise MissingProgramError(
            f"the program {name} is not installed", hint=f"install the system package {package}"
        )
    return path


class Child:
    """A running child process. Use ``start``."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name: Final = name
        self.log: Final = log
        self._process: Final = process

    @classmethod
    def start(
        cls,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str],
        pass_fds: Sequence[int] = (),
    ) -> Self:
        """Start a command in a session of its own; what it prints goes to ``log`` (0600).

        Raises:
            MissingProgramError: it is not installed.
        """
        program = find_program(command[0])
        shell = (find_program("sh"), "-c", _UNLESS_ORPHANED, "sh", str(os.getpid()))
        bound = (find_program("setpriv"), "--pdeathsig", "TERM", "--", *shell, program, *command[1:])
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        output = os.open(log, flags, 0o600)
        try:
            # The command is ours; the shell gets its words one by one and splits none.
            process = subprocess.Popen(  # noqa: S603
                bound,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(environment),
                pass_fds=tuple(pass_fds),
                start_new_session=True,
            )
        finally:
            os.close(output)
        return cls(command[0], process, log)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """What it ended with; None while it runs, negative for a signal."""
        return self._process.poll()

    def stop(self) -> None:
        """End it. Idempotent."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def last_words(self) -> str:
        """Return the last line that it printed, shortened; empty if none."""
        lines = self.log.read_text("utf-8", "replace").strip().splitlines() if self.log.exists() else []
        return lines[-1][:200] if lines else ""
