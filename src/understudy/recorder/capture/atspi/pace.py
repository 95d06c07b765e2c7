"""When to look again: early enough to have the state before the next act, seldom enough to cost nothing.

Rules

* After a change the page is read once nothing changed for ``QUIET``, and after ``LONGEST`` at the latest.
* While somebody types, the page is read whole at most every ``BURST``. The text of the field that is typed
  into is read alone, soon after each key, and told after a pause of ``TEXT_PAUSE`` or every ``TEXT_EVERY``;
  at once where the pointer has set out for something else.
* A pointer that rests somewhere, and time that goes by, are reasons to compare pixels, and only if these
  changed to read the page.
* What is read slowly is read seldom: of what a reading took beyond ``SWIFT``, ``SHARE`` times as much passes
  before the next one that no act asks for. What changes within ``EFFECT`` of an act is asked for by it, for
  the next act needs the state that it left: then as much time passes as reading took.
* What is due first is done first; of what is due together, the more thorough.

Pure: seconds of any steady clock come in as ``now``.

Example

>>> pace = Pace()
>>> pace.changed(10.0), pace.changed(10.03)
(None, None)
>>> round(pace.due, 2), pace.take(10.08).name
(10.07, 'READ')
"""

from enum import IntEnum
from typing import Final

__all__ = ["Job", "Pace"]

QUIET: Final = 0.04
LONGEST: Final = 0.25
BURST: Final = 0.25
TYPING: Final = 0.35
"""How long after a key somebody counts as typing."""
TEXT_PAUSE: Final = 0.25
TEXT_EVERY: Final = 1.0
REST: Final = 0.1
SCROLL: Final = 0.08
POLL: Final = 1.0
SHARE: Final = 12
SWIFT: Final = 0.03
EFFECT: Final = 1.0
"""How long after an act a change counts as its effect."""
SEEK: Final = 0.5
"""How often is looked again where nothing may be recorded, or nothing is found."""


class Job(IntEnum):
    """What to do, the more thorough first."""

    LOCATE = 0
    READ = 1
    TEXT = 2
    TOUCH = 3
    PROBE = 4


class Pace:
    """Knows when each job is due."""

    def __init__(self) -> None:
        self._due: dict[Job, float] = {}
        self._first_change: float | None = None
        self._typed = -1.0
        self._moved = -1.0
        self._read = -1.0
        self._free = -1.0
        self._acted = -1.0
        self._rested = -1.0
        self._first_text: float | None = None

    @property
    def due(self) -> float | None:
        """When the first job is due; None: none is."""
        return min(self._due.values(), default=None)

    def take(self, now: float) -> Job | None:
        """Return the most thorough job that is due, which then is not due any more."""
        if Job.READ in self._due:
            self._due.pop(Job.TOUCH, None)  # reading tells it too, and with pixels that belong to it
        ready = [job for job, at in self._due.items() if at <= now]
        if not ready:
            return None
        job = min(ready)
        del self._due[job]
        if job is Job.READ:
            self._first_change = None
            self._due.pop(Job.TEXT, None)
        return job

    def clear(self) -> None:
        """Let nothing be due: there is nothing to look at."""
        self._due.clear()
        self._first_change = self._first_text = None

    def locate(self, at: float) -> None:
        """Look for the page at a time, or earlier if that was said before."""
        self._sooner(Job.LOCATE, at)

    def changed(self, now: float) -> None:
        """Note that something changed on the page."""
        if self._first_change is None:
            self._first_change = now
        at = min(now + QUIET, self._first_change + LONGEST)
        at = max(at, self._rested if now - self._acted < EFFECT else self._free)
        if now - self._typed < TYPING:
            at = max(at, self._read + BURST)
        self._due[Job.READ] = at

    def acted(self, now: float, *, settles: float = QUIET) -> None:
        """Note an act that may have changed anything, even without a word."""
        if self._first_change is None:
            self._first_change = now
        self._acted = now
        self._due[Job.READ] = now + settles

    def typed(self, now: float) -> None:
        """Note a key that carries text."""
        self._typed = now

    def text_changed(self, now: float) -> None:
        """Note that the text of a known field changed."""
        self._due.setdefault(Job.TEXT, now + QUIET)

    def text_read(self, now: float) -> None:
        """Note that the text of a field was read and is to be told."""
        if self._first_text is None:
            self._first_text = now
        is_leaving = now - self._moved < TYPING
        self._due[Job.TOUCH] = now if is_leaving else min(now + TEXT_PAUSE, self._first_text + TEXT_EVERY)

    def focus_changed(self, now: float) -> None:
        """Note that the focus moved between known nodes."""
        self._sooner(Job.TOUCH, now + QUIET)

    def moved(self, now: float) -> None:
        """Note that the pointer moved."""
        self._moved = now
        self._due[Job.PROBE] = now + REST

    def probed(self, now: float) -> None:
        """Note that pixels were compared; next time in a while."""
        self._due[Job.PROBE] = max(now + POLL, self._free)

    def read(self, now: float, *, took: float) -> None:
        """Note that the page was read whole, which took so long."""
        self._read = now
        self._rested = now + max(0.0, took - SWIFT)
        self._free = now + max(0.0, took - SWIFT) * SHARE

    def told(self) -> None:
        """Note that what is known was told."""
        self._first_text = None
        self._due.pop(Job.TOUCH, None)

    def _sooner(self, job: Job, at: float) -> None:
        self._due[job] = min(at, self._due.get(job, at))
