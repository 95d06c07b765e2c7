"""From raw events to actions: feed what a raw file holds, take stretches of actions out.

Rules

* Pure: time is what the events say. The same items give the same actions, however often they are settled and
  wherever stretches are cut; an action that is not decided yet comes with a later stretch.
* One thing happens at a time: what begins ends what was open. A click waits 500 ms for the next, typing 5 s
  for the next key, an opened list 10 s for the choice; then 1 s passes for the value that came of it.
* Only presses, keys and the wheel make actions. Motion, focus and changes of the screen make none.
* Nothing is made of events while a window out of scope is active; there is a gap instead. A click up to
  200 ms before belongs to that window.
* What cannot be told in actions is a gap: lost events, other keys on a secure field, a secret without a
  field.

All rules: ``docs/formats/recording.md``, section 15.

Example

>>> from understudy.formats.raw.events import KeyPress
>>> from understudy.formats.screen import Screen
>>> start = Start(
...     recording="rec_AAAAAAAAAAAAAAAAAAAAAA", started_at=0, server_ms=70, screen=Screen(width=8, height=6)
... )
>>> assembler = Assembler(start)
>>> assembler.feed((KeyPress(time=1_570, keycode=36, keysym=0xFF0D),))
>>> assembler.settle(None)
1500
>>> assembler.stretch(0, 10_000).actions[0].key
'Enter'
"""

from collections import deque
from collections.abc import Iterable
from copy import copy
from typing import Final

from understudy.formats.elements import ElementTree
from understudy.formats.picture import PlacedPicture
from understudy.formats.raw.body import Start
from understudy.formats.raw.events import (
    CLOCK,
    Event,
    Focus,
    FrameComplete,
    Lost,
    Motion,
    TreeComplete,
    Window,
)
from understudy.formats.recording.actions import Mark
from understudy.formats.recording.deciding import Decided, Deciding, Missing
from understudy.formats.recording.drafts import NEVER, Draft
from understudy.formats.recording.gathering import gathered
from understudy.formats.recording.gestures import Gestures
from understudy.formats.recording.manifest import DEFAULT_GRID_MS
from understudy.formats.recording.sights import Scene, Sights
from understudy.formats.recording.stretch import Stretch

SCOPE_MS: Final = 200
"""A press makes a window active a moment later. If that window is out of scope, so was the press."""
TREES_KEPT: Final = 64
FRAMES_KEPT: Final = 4
"""Trees and frames that an event may name again; what is older names nothing any more."""

Item = tuple[Event, ...] | ElementTree | PlacedPicture


class Assembler:
    """Makes actions of one recording's raw items.

    Args:
        start: of the raw file that comes first; its ``server_ms`` is time 0.
        grid_ms: of the manifest.

    Attributes:
        events: events fed.
        actions: actions decided.
        pointer_actions: those of them that the pointer did.
        pointer_inside: those of these without a state from before the pointer was there.
    """

    def __init__(self, start: Start, *, grid_ms: int = DEFAULT_GRID_MS) -> None:
        self.events = 0
        self.actions = 0
        self.pointer_actions = 0
        self.pointer_inside = 0
        self._grid: Final = grid_ms
        self._stamp = start.server_ms
        self._now = 0
        self._trees: dict[int, Scene] = {}
        self._frames: dict[int, PlacedPicture] = {}
        self._tree_count = self._frame_count = 0
        self._sights = Sights()
        self._gestures = Gestures(self._sights)
        self._deciding = Deciding(self._gestures.focus)
        self._ready: deque[Decided] = deque()
        self._gaps: list[tuple[int, int]] = []
        self._out_since: int | None = None

    def feed(self, item: Item) -> None:
        """Take the next item of a raw file, in the order in which ``RawReader.items`` gives them."""
        if isinstance(item, ElementTree):
            self._trees[self._tree_count] = Scene(item)
            self._trees.pop(self._tree_count - TREES_KEPT, None)
            self._tree_count += 1
        elif isinstance(item, PlacedPicture):
            self._frames[self._frame_count] = item
            self._frames.pop(self._frame_count - FRAMES_KEPT, None)
            self._frame_count += 1
        else:
            for event in item:
                self._take(event)
            self.events += len(item)

    def turn(self) -> None:
        """Go on with another raw file of the same run: numbers of trees and frames begin anew."""
        self._trees.clear()
        self._frames.clear()
        self._tree_count = self._frame_count = 0

    def settle(self, until_ms: int | None) -> int:
        """Decide what can be decided.

        Args:
            until_ms: everything before this time has been fed; None: everything has.

        Returns:
            The time up to which all is decided: a good place to cut.
        """
        if until_ms is None:
            self._gestures.close()
        self._decide(self._gestures.completed(NEVER if until_ms is None else until_ms))
        open_since = self._gestures.first_start
        until_ms = self._now if until_ms is None else until_ms
        return until_ms if open_since is None else min(until_ms, open_since)

    def stretch(self, from_ms: int, to_ms: int) -> Stretch:
        """Return what was decided of the time before ``to_ms`` and not yet taken, and forget it.

        Stretches are taken in order, each beginning where the one before ended. Times are milliseconds since
        the start of the recording, and those in the stretch since ``from_ms``. An action that was decided too
        late for its own stretch is at 0 of the next.
        """
        decided = []
        while self._ready and self._ready[0].time < to_ms:
            decided.append(self._ready.popleft())
        gaps = [(begin, end) for begin, end in self._gaps if begin < to_ms]
        self._gaps = [(max(begin, to_ms), end) for begin, end in self._gaps if end > to_ms or begin >= to_ms]
        if self._out_since is not None and self._out_since < to_ms:
            gaps.append((self._out_since, to_ms))
            self._out_since = to_ms
        return gathered(decided, gaps, from_ms, to_ms, self._grid)

    def preview(self, from_ms: int, to_ms: int) -> Stretch:
        """Return what ``stretch`` would if nothing more came, and decide and forget nothing.

        A run of typing is in it as far as it has come. Later stretches tell it whole.
        """
        deciding = copy(self._deciding)
        outcomes = [one for draft in self._gestures.undecided for one in deciding.decide(draft)]
        decided = [*self._ready, *(one for one in outcomes if isinstance(one, Decided))]
        missing = [(one.start, one.end) for one in outcomes if isinstance(one, Missing)]
        gaps = [*self._gaps, *missing]
        if self._out_since is not None:
            gaps.append((self._out_since, to_ms))
        return gathered(
            [one for one in decided if one.time < to_ms],
            [(begin, end) for begin, end in gaps if begin < to_ms],
            from_ms,
            to_ms,
            self._grid,
        )

    def _take(self, event: Event) -> None:
        before, now = self._now, self._clock(event.time)
        gestures = self._gestures
        self._decide(gestures.completed(now))
        is_in = self._out_since is None
        match event:
            case Motion():
                gestures.follow(event, now)
            case Window():
                self._enter(event, now)
            case Lost():
                self._gaps.append((before, now))
                gestures.lose()
            case TreeComplete(tree=tree):
                if is_in and tree in self._trees:
                    last = self._sights.last
                    gestures.shown(last, self._sights.show_tree(now, self._trees[tree]))
            case FrameComplete(frame=frame):
                if is_in and frame in self._frames:
                    last = self._sights.last
                    gestures.shown(last, self._sights.show_frame(now, self._frames[frame]))
            case Focus(tree=tree, element=element):
                if is_in and tree in self._trees:
                    gestures.focus.tell(now, self._trees[tree], element)
            case _:
                (gestures.input if is_in else gestures.follow)(event, now)
        if gestures.missing:
            self._gaps += gestures.missing
            gestures.missing.clear()

    def _clock(self, stamp: int) -> int:
        """Return the milliseconds since the start; a stamp from before the last is as late as the last."""
        step = (stamp - self._stamp) % CLOCK
        if step < CLOCK // 2:
            self._stamp = stamp
            self._now += step
        return self._now

    def _enter(self, event: Window, now: int) -> None:
        """Note which window is active."""
        if not event.in_scope:
            if self._out_since is None:
                began = self._gestures.withdraw(now - SCOPE_MS)
                self._gestures.leave()
                self._out_since = now if began is None else began
            return
        if self._out_since is not None:
            if now > self._out_since:
                self._gaps.append((self._out_since, now))
            self._out_since = None
            self._sights.enter(event.window)
            self._gestures.arrive(now)
        elif self._sights.enter(event.window):
            self._gestures.leave()
            self._gestures.arrive(now)

    def _decide(self, drafts: Iterable[Draft]) -> None:
        for draft in drafts:
            for one in self._deciding.decide(draft):
                if isinstance(one, Missing):
                    self._gaps.append((one.start, one.end))
                    continue
                self._ready.append(one)
                self.actions += 1
                self.pointer_actions += one.is_pointer
                self.pointer_inside += one.is_pointer and Mark.POINTER_INSIDE in one.action.marks
