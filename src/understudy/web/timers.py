"""Background work: each job in a thread of its own, at its own pace, never twice at once.

Rules

* A job that fails is tried again at its next turn. The journal gets a line when it begins to fail and one
  when it works again, not one for every try.
* Stopping waits for a job that runs, up to a few seconds; everything jobs do is durable in itself.
* ``wake`` makes a job run at once, from any thread, without waiting for it.

Example: ``timers.every("relay", 1.0, programme.flush)``.
"""

import threading
from collections.abc import Callable
from typing import Final

import structlog

from understudy.consent.errors import UnavailableError, UnderstudyError

STOP_SECONDS: Final = 5.0


class Timer:
    """One job."""

    def __init__(
        self,
        name: str,
        seconds: float,
        work: Callable[[], object],
        journal: structlog.typing.FilteringBoundLogger,
    ) -> None:
        self.name: Final = name
        self._seconds = seconds
        self._work = work
        self._journal = journal
        self._due = threading.Event()
        self._stopped = False
        self._failing = ""
        self._thread = threading.Thread(target=self._run, name=f"timer-{name}", daemon=True)

    def start(self) -> None:
        """Begin; the first turn comes at once."""
        self._due.set()
        self._thread.start()

    def wake(self) -> None:
        """Run as soon as possible."""
        self._due.set()

    def stop(self) -> None:
        """End after the turn that runs."""
        self._stopped = True
        self._due.set()
        if self._thread.ident is not None:
            self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while True:
            self._due.wait(self._seconds)
            self._due.clear()
            if self._stopped:
                return
            self._turn()

    def _turn(self) -> None:
        try:
            self._work()
        except Exception as error:  # noqa: BLE001  the job outlives whatever one turn ran into
            self._note_failure(error)
            return
        if self._failing:
            self._journal.info("works again", job=self.name)
            self._failing = ""

    def _note_failure(self, error: Exception) -> None:
        kind = type(error).__name__
        if kind == self._failing:
            return
        self._failing = kind
        said = str(error) if isinstance(error, UnderstudyError) else ""
        level = self._journal.warning if isinstance(error, UnavailableError) else self._journal.error
        level("background work fails", job=self.name, error=kind, said=said, exc_info=error)


class Timers:
    """The jobs of one process."""

    def __init__(self, journal: structlog.typing.FilteringBoundLogger) -> None:
        self._journal: Final = journal
        self._timers: list[Timer] = []

    def every(self, name: str, seconds: float, work: Callable[[], object]) -> Timer:
        """Add a job that runs every ``seconds``; it begins with ``start``."""
        timer = Timer(name, seconds, work, self._journal)
        self._timers.append(timer)
        return timer

    def start(self) -> None:
        """Begin all jobs."""
        for timer in self._timers:
            timer.start()

    def stop(self) -> None:
        """End all jobs, the newest first."""
        for timer in reversed(self._timers):
            timer.stop()
