"""The process of a browser: started with its two pipes at 3 and 4, and ended with everything it started.

Rules

* The browser leads a session of its own, so that ending it ends its helpers too, and a Ctrl-C in the terminal
  does not end it behind our back.
* Only file descriptors 0 to 4 reach it.
* It is waited for: no zombie stays.

``posix_spawn`` is used because it can place the pipes at fixed numbers; ``subprocess`` cannot without running
Python code between fork and exec, which is not safe beside threads.
"""

import contextlib
import fcntl
import os
import select
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

_HIGH: Final = 10
"""Pipe ends are moved up here first, so that placing one at 3 or 4 cannot overwrite another."""


class BrowserProcess:
    """A running browser and our ends of its pipes."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], *, said: Path) -> None:
        ends = [*_pipe(), *_pipe()]
        calls, to_browser, from_browser, answers = ends
        try:
            actions = [
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(said), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
                (os.POSIX_SPAWN_DUP2, calls, 3),
                (os.POSIX_SPAWN_DUP2, answers, 4),
            ]
            self.pid = os.posix_spawn(
                command[0], list(command), dict(environment), file_actions=actions, setsid=True
            )
            self._handle = os.pidfd_open(self.pid)
        except OSError:
            os.close(to_browser)
            os.close(from_browser)
            raise
        finally:
            os.close(calls)
            os.close(answers)
        self.writing = to_browser
        self.reading = from_browser

    def is_over(self, seconds: float = 0) -> bool:
        """Return whether the process has ended, waiting at most ``seconds`` for it."""
        poll = select.poll()
        poll.register(self._handle, select.POLLIN)
        return bool(poll.poll(seconds * 1_000))

    def end(self, seconds: float) -> None:
        """Wait ``seconds`` for an orderly end, kill what is left of it and its helpers, and reap it."""
        if self._handle < 0:
            return
        self.is_over(seconds)
        # Not reaped yet, so its number cannot be another process's.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._handle)
        self._handle = -1


def _pipe() -> tuple[int, int]:
    """Return a pipe's reading and writing end, both high numbers that no child inherits."""
    low = os.pipe2(os.O_CLOEXEC)
    try:
        reading, writing = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _HIGH) for end in low)
    finally:
        for end in low:
            os.close(end)
    return reading, writing
