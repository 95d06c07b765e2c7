"""The one place where capture writes: every rule that forbids it is asked here, at the moment of writing.

Rules

* Nothing is written without a file, at or after the deadline (boot clock), while paused, or once the
  indicator is gone. There is no way around ``_writer``.
* What was skipped is marked by one ``Lost`` before what follows.
* Times never run backwards: an item that comes late is given the time of the one before it.
* A key that the file's rules refuse is dropped, never the rule. The marks of secure spans in the file are
  kept right whatever was skipped.
* A new file may begin at a time to come. Items before it go to the old file, all others to the new one, which
  starts with the state that the screen is known to be in.

Example::

    sink = Sink(RunKey(raw), folder)
    sink.begin(begin)
    sink.permit(deadline)
    sink.write(event)
"""

import os
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from understudy.consent.programme import ApplicationGroup
from understudy.consent.purposes import Stream
from understudy.formats.elements import Box, ElementTree
from understudy.formats.picture import PlacedPicture
from understudy.formats.raw.body import Start, Totals
from understudy.formats.raw.errors import RawCode, RawError
from understudy.formats.raw.events import CLOCK, Event, Lost, SecureBegin, SecureEnd, Window
from understudy.formats.raw.writer import RawWriter
from understudy.formats.screen import Screen
from understudy.recorder.boot import boot_ms
from understudy.recorder.capture.channel import Begin
from understudy.recorder.capture.observed import Snapshot
from understudy.sealing.run import RunKey


class Sink:
    """The raw file of the moment, and whether anything may be written to it.

    Args:
        key: the run's key.
        folder: where raw files are.
        screen: that boxes are pixels of.
    """

    def __init__(self, key: RunKey, folder: Path, screen: Screen) -> None:
        self._key: Final = key
        self._folder: Final = folder
        self._screen: Final = screen
        self._begun: Begin | None = None
        self._next: Begin | None = None
        self._file: int | None = None
        self._writer: RawWriter | None = None
        self._deadline = 0
        self._is_paused = False
        self._is_stopped = False
        self._is_pending = False
        self._skipped = 0
        self._last = 0
        self._is_span = False
        self._is_span_in_file = False
        self._window = Window(time=0, window=0, in_scope=False)
        self._tree: ElementTree | None = None
        self._frame: PlacedPicture | None = None
        self._events = self._trees = self._frames = self._lost = 0

    @property
    def begun(self) -> Begin | None:
        """What is being written to, or will be next."""
        return self._next or self._begun

    @property
    def group(self) -> ApplicationGroup | None:
        """What is in scope; None while nothing is recorded."""
        return self.begun.group if self.begun else None

    @property
    def shield(self) -> Box | None:
        """The recorder's own window."""
        return self.begun.shield if self.begun else None

    @property
    def wants_frames(self) -> bool:
        """Whether pixels were consented to."""
        return self.begun is not None and Stream.FRAMES in self.begun.streams

    @property
    def may_write(self) -> bool:
        """Whether something that happened now could be recorded now."""
        return self.begun is not None and not self._is_paused and not self._is_stopped and self.left_ms > 0

    @property
    def is_paused(self) -> bool:
        """Whether a person or the session paused it."""
        return self._is_paused

    @property
    def left_ms(self) -> int:
        """How long until the deadline, in milliseconds; 0 if it has passed."""
        return max(0, self._deadline - boot_ms())

    @property
    def is_pending(self) -> bool:
        """Whether something waits for ``flush``."""
        return self._is_pending

    @property
    def totals(self) -> Totals:
        """What was written in all files."""
        return Totals(events=self._events, trees=self._trees, frames=self._frames, lost=self._lost)

    def begin(self, begin: Begin) -> None:
        """Write to the file of ``begin`` from its ``server_ms`` on; at once where no file is open.

        Raises:
            OSError: the file is not there.
        """
        self._next = begin
        if self._writer is None:
            self._switch()

    def permit(self, deadline: int) -> None:
        """Set the deadline, in milliseconds of the boot clock."""
        self._deadline = deadline

    def pause(self) -> None:
        """Write nothing until ``resume``."""
        self.flush()
        self._is_paused = True
        self._is_behind()

    def resume(self) -> None:
        """Write again."""
        self._is_paused = False

    def stop(self) -> None:
        """Write nothing more, ever: the indicator is gone, say, and nobody sees that it is recorded."""
        self._is_stopped = True

    def write(self, item: Event | Snapshot) -> None:
        """Write an item, if it may be written now.

        Raises:
            RawError: the file is full, or the item breaks a rule other than that of secure spans.
            OSError: it cannot be written.
        """
        self.turn(item.time)
        match item:
            case SecureBegin() | SecureEnd():
                self._is_span = isinstance(item, SecureBegin)
            case Window():
                self._window = item
                if not item.in_scope:
                    self._forget_state()
            case _:
                pass
        if self._writer is None or not self.may_write:
            self._skipped += 1
            self._is_behind()
            return
        if self._skipped:
            self._skipped = 0
            self._add(Lost(time=item.time))
        self._align_span(item.time)
        if isinstance(item, Snapshot):
            self._write_snapshot(item)
        elif not isinstance(item, SecureBegin | SecureEnd):
            self._add(item)

    def turn(self, now: int) -> None:
        """Change to the next file if its time has come.

        Args:
            now: on the display server's clock; everything before it was written.
        """
        if self._next is not None and _since(self._next.server_ms, now) >= 0:
            self._switch()

    def flush(self) -> None:
        """Bring to the file what is pending, unless nothing may be written any more."""
        if self._writer is not None and self._is_pending and not self._is_stopped and self.left_ms > 0:
            self._writer.flush()
            self._is_pending = False

    def finish(self) -> None:
        """End the file. Idempotent."""
        if self._writer is not None:
            if self.may_write:
                if self._is_span_in_file:
                    self._add(SecureEnd(time=self._last))
                self._writer.finish()
            self._close()
        self._begun = self._next = None
        self._forget_state()

    def drop(self) -> None:
        """Close the file without what is pending."""
        self._close()
        self._begun = self._next = None
        self._forget_state()

    def _switch(self) -> None:
        begin, self._next = self._next, None
        if begin is None:
            return
        tree, frame = self._tree, self._frame
        if self._writer is not None:
            self.finish()
        self._file = os.open(self._folder / begin.name, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        self._begun, self._last, self._is_span_in_file = begin, begin.server_ms, False
        start = Start(
            recording=begin.recording,
            started_at=begin.started_at,
            server_ms=begin.server_ms,
            screen=self._screen,
        )
        self._writer = RawWriter(_Unbuffered(self._file), self._key.sealer(begin.name), start)
        if self.may_write:
            self._add(replace(self._window, time=begin.server_ms))
            if self._window.in_scope and (tree is not None or frame is not None):
                self._write_snapshot(Snapshot(time=begin.server_ms, tree=tree, frame=frame))

    def _write_snapshot(self, snapshot: Snapshot) -> None:
        """Write tree and frame, and keep them for the start of the next file."""
        if self._writer is None:
            return
        self._last = time = self._not_before(snapshot.time)
        if snapshot.tree is not None:
            self._tree = snapshot.tree
            self._writer.add_tree(snapshot.tree, time)
            self._trees += 1
        if snapshot.frame is not None and self.wants_frames:
            self._frame = snapshot.frame
            self._writer.add_frame(snapshot.frame, time)
            self._frames += 1
        self._is_pending = True

    def _align_span(self, time: int) -> None:
        """Make the file's secure span what it should be, whatever was skipped."""
        if self._is_span != self._is_span_in_file:
            self._is_span_in_file = self._is_span
            kind = SecureBegin if self._is_span else SecureEnd
            self._add(kind(time=time))

    def _add(self, event: Event) -> None:
        if self._writer is None:
            return
        self._last = self._not_before(event.time)
        try:
            self._writer.add(event if event.time == self._last else replace(event, time=self._last))
        except RawError as error:
            if error.code is not RawCode.SECURE_KEY:
                raise
            self._lost += 1
            return
        self._events += 1
        self._lost += isinstance(event, Lost)
        self._is_pending = True

    def _not_before(self, time: int) -> int:
        return self._last if _since(self._last, time) < 0 else time

    def _is_behind(self) -> None:
        """Forget what the screen showed: by the time of the next writing it may show something else."""
        self._skipped = max(self._skipped, 1)
        self._forget_state()

    def _forget_state(self) -> None:
        self._tree = self._frame = None

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
        self._file = self._writer = None
        self._is_pending = False


class _Unbuffered:
    """Writes a chunk whole, or raises."""

    def __init__(self, file: int) -> None:
        self._file: Final = file

    def write(self, data: bytes, /) -> None:
        with memoryview(data) as left:
            at = 0
            while at < len(left):
                at += os.write(self._file, left[at:])


def _since(first: int, then: int) -> int:
    """Return the milliseconds from one server stamp to another; negative if the second is earlier."""
    span = (then - first) % CLOCK
    return span - CLOCK if span >= CLOCK // 2 else span
