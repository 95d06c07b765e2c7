"""From single events to drafts of acts: clicks, drags, scrolls, keys, runs of typing, secrets, hovers.

Rules

* One gesture is open at a time; what begins ends it. What is complete waits, in order, until it can be
  decided.
* The state before an act is looked up when the act begins, while the ring still holds it.
* A press counts even if its release was never seen: the press is what programs act on.
* Whatever cannot be said in actions is noted as missing, never as something similar.

Example: see ``understudy.formats.recording.assembly``.
"""

from collections import deque
from collections.abc import Iterator
from copy import copy

from understudy.formats.elements import Element
from understudy.formats.raw.events import (
    ButtonPress,
    ButtonRelease,
    Event,
    KeyPress,
    KeyRelease,
    Motion,
    SecureBegin,
    SecureEnd,
    Wheel,
)
from understudy.formats.recording.actions import LEAVING_KEYS, Modifier, Point
from understudy.formats.recording.deciding import Missing
from understudy.formats.recording.drafts import (
    LEFT,
    RIGHT,
    Draft,
    Entered,
    Hovered,
    Keyed,
    Pointed,
    Scrolled,
    Secret,
    Struck,
    begins_entry,
    continues_entry,
    takes_text,
)
from understudy.formats.recording.entry import Stroke
from understudy.formats.recording.focus import FocusLog
from understudy.formats.recording.hover import Hovers
from understudy.formats.recording.keysyms import Accent, Pressed, Typed, composed, held, held_by, meaning
from understudy.formats.recording.prestate import Origin, origin_at
from understudy.formats.recording.sights import Place, Scene, Sight, Sights
from understudy.formats.recording.trace import Trace

_WHEEL_BUTTONS = range(4, 8)
"""Core buttons that are wheel steps; sources tell those as such."""


class Gestures:
    """What is being done, and what was done and is not decided yet.

    Args:
        sights: what the screen showed; whoever feeds events keeps it up to date.

    Attributes:
        focus: what is known of the focus.
        missing: what cannot be told in actions; to be taken away by the caller.
    """

    def __init__(self, sights: Sights) -> None:
        self.focus = FocusLog()
        self.missing: list[Missing] = []
        self._sights = sights
        self._trace = Trace()
        self._hovers = Hovers()
        self._open: Draft | None = None
        self._waiting: deque[Draft] = deque()
        self._secret: Secret | None = None
        self._accent: Accent | None = None
        self._held: set[Modifier] = set()
        self._acted: int | None = None

    @property
    def first_start(self) -> int | None:
        """When the oldest draft began."""
        oldest = self._waiting[0] if self._waiting else self._open
        return None if oldest is None else oldest.first_start

    @property
    def undecided(self) -> tuple[Draft, ...]:
        """Copies of the drafts that are not decided, in order."""
        drafts = (*self._waiting, self._open)
        return tuple(copy(draft) for draft in drafts if draft is not None)

    def input(self, event: Event, time: int) -> None:
        """Take an event of a window in scope."""
        match event:
            case Motion(x=x, y=y):
                self._trace.add(time, x, y, is_motion=True)
            case KeyPress():
                self._press_key(event, time)
            case KeyRelease():
                self._hold(event.keysym, is_down=False)
            case ButtonPress():
                self._press_button(event, time)
            case ButtonRelease():
                self._release_button(event, time)
            case Wheel():
                self._turn(event, time)
            case SecureBegin():
                self._begin_secret(time)
            case SecureEnd():
                self._end_secret(time)
            case _:
                pass

    def follow(self, event: Event, time: int) -> None:
        """Take an event of a window out of scope: only where the pointer is and what is held matters."""
        match event:
            case Motion(x=x, y=y):
                self._trace.add(time, x, y, is_motion=True)
            case KeyPress() | KeyRelease():
                self._hold(event.keysym, is_down=isinstance(event, KeyPress))
            case SecureEnd():
                self._end_secret(time)
            case _:
                pass

    def shown(self, old: Sight | None, new: Sight) -> None:
        """Note that the screen showed something new."""
        scene = new.scene
        if scene is None:
            return
        self.focus.tell(new.time, scene, scene.focused)
        self._hovers.see(old, new, sights=self._sights, trace=self._trace, acted=self._acted)
        for draft in (*self._waiting, self._open):
            if draft is not None:
                draft.see(new.time, scene)

    def completed(self, now: int) -> Iterator[Draft]:
        """Yield the drafts that can be decided, in order, and forget them."""
        if self._open is not None and now > self._open.stale_at:
            self.close()
        while self._waiting and now > self._waiting[0].final_at:
            yield self._waiting.popleft()

    def close(self) -> None:
        """Complete what is open."""
        if self._open is not None:
            self._waiting.append(self._open)
            self._open = None

    def leave(self) -> None:
        """Complete what is open and forget what belonged to the window: another one is active."""
        self.close()
        self._hovers.forget()
        self.focus.forget()

    def arrive(self, time: int) -> None:
        """Take up what the window that is active now showed when it was last: an old word on the focus."""
        last = self._sights.last
        if last is not None and last.scene is not None:
            self.focus.tell(last.time, last.scene, last.scene.focused)
        self.focus.may_move(time)

    def lose(self) -> None:
        """Note that events were lost."""
        self._trace.forget()
        self._hovers.forget()
        self._held.clear()
        if isinstance(self._open, Entered):
            self._open.is_exact = False
        elif isinstance(self._open, Pointed):
            self.close()

    def withdraw(self, since: int) -> int | None:
        """Take back what the pointer began since a time, with what led to it; return when it began."""
        self.close()
        began: int | None = None
        while self._waiting and isinstance(last := self._waiting[-1], Pointed | Scrolled | Hovered):
            newest = last.pressed if isinstance(last, Pointed) else last.start
            if newest < since and not (began is not None and isinstance(last, Hovered)):
                break
            began = last.start
            self._waiting.pop()
            if isinstance(last, Pointed) and last.opener is not None:
                self._waiting.append(last.opener)
        return began

    def _begin(self, draft: Draft, time: int) -> None:
        """Open a draft."""
        for earlier in self._waiting:
            if earlier.next_start is None:
                earlier.follow(draft)
        self._open = draft
        self._acted = time

    def _act(self, time: int) -> None:
        self._acted = time
        self._hovers.forget()

    # Pointer

    def _press_button(self, event: ButtonPress, time: int) -> None:
        self._trace.add(time, event.x, event.y, is_motion=False)
        if event.button in _WHEEL_BUTTONS:
            return
        if not LEFT <= event.button <= RIGHT:
            self.close()
            self._act(time)
            self.missing.append(Missing(time, time))
            return
        point, modifiers = Point(event.x, event.y), held(event.modifiers)
        open_ = self._open
        if isinstance(open_, Pointed) and open_.goes_on(time, point, event.button, modifiers):
            open_.count += 1
            open_.is_down = True
            open_.pressed = open_.end = time
            open_.later.clear()
            self._act(time)
            return
        self.close()
        origin = self._origin(event.x, event.y, time)
        has_hovered = self._add_hovers(origin, time)
        opener = None if has_hovered or event.button != LEFT else self._taken_opener(time)
        self._begin(
            Pointed(
                start=time,
                end=time,
                origin=origin,
                button=event.button,
                modifiers=modifiers,
                point=point,
                to=point,
                pressed=time,
                opener=opener,
            ),
            time,
        )
        self._act(time)
        self._move_focus(time, origin)

    def _release_button(self, event: ButtonRelease, time: int) -> None:
        self._trace.add(time, event.x, event.y, is_motion=False)
        draft = self._open
        if not isinstance(draft, Pointed) or not draft.is_down or draft.button != event.button:
            return
        draft.is_down, draft.to, draft.end = False, Point(event.x, event.y), time
        draft.later.clear()
        self._act(time)
        if draft.is_drag and draft.count > 1:
            self._split(draft)
        elif draft.is_drag:
            self.close()

    def _split(self, draft: Pointed) -> None:
        """Make clicks of the presses before the last, which became a drag."""
        drag = Pointed(
            start=draft.pressed,
            end=draft.end,
            origin=draft.origin,
            button=draft.button,
            modifiers=draft.modifiers,
            point=draft.point,
            to=draft.to,
            pressed=draft.pressed,
            is_down=False,
        )
        draft.count -= 1
        draft.to, draft.end, draft.next_start = draft.point, draft.pressed, draft.pressed
        self.close()
        self._waiting.append(drag)

    def _turn(self, event: Wheel, time: int) -> None:
        self._trace.add(time, event.x, event.y, is_motion=False)
        step = (event.dx, event.dy)
        if step == (0, 0):
            return
        point, modifiers = Point(event.x, event.y), tuple(sorted(self._held))
        if isinstance(self._open, Scrolled) and self._open.goes_on(point, step, modifiers):
            self._open.steps.append(step)
            self._open.end = time
            self._open.later.clear()
        else:
            self.close()
            origin = self._origin(event.x, event.y, time)
            self._add_hovers(origin, time)
            draft = Scrolled(
                start=time, end=time, origin=origin, modifiers=modifiers, point=point, steps=[step]
            )
            self._begin(draft, time)
        self._act(time)

    def _origin(self, x: int, y: int, time: int) -> Origin:
        return origin_at(self._sights, self._trace, x=x, y=y, time=time, acted=self._acted)

    def _add_hovers(self, origin: Origin, time: int) -> bool:
        """Line up the hovers that led to an act, and return whether there were any."""
        place = origin.place
        rests = () if place is None else self._hovers.before(place, time, self._trace)
        for rest in rests:
            point = Point(rest.spot.x, rest.spot.y)
            hovered = Hovered(start=rest.entered, end=rest.entered, origin=rest.origin, point=point)
            self._begin(hovered, rest.entered)
            self.close()
        return bool(rests)

    def _taken_opener(self, time: int) -> Pointed | None:
        """Return the click that opened a list right before, and take it out of the line."""
        last = self._waiting[-1] if self._waiting else None
        if not isinstance(last, Pointed) or not last.is_opening or last.next_start is not None:
            return None
        self._waiting.pop()
        last.next_start = time
        return last

    # Keys

    def _press_key(self, event: KeyPress, time: int) -> None:
        self._hold(event.keysym, is_down=True)
        key = meaning(event.keysym, event.modifiers)
        if isinstance(key, Accent):
            self._accent = key
            return
        if key is None:
            return
        if self._accent is not None and isinstance(key, Typed):
            key = Typed(composed(self._accent.mark, key.character))
        self._accent = None
        place, is_sure = self.focus.at(time)
        sight = self._sights.newest(time)
        element = self._element(sight, place)
        if element is not None and element.is_secure and not _leaves(key) and not is_sure:
            place, element = None, None  # an old word: whoever let the key through knew better
        elif element is not None and element.is_secure and not _leaves(key):
            self.close()
            self._act(time)
            self.missing.append(Missing(time, time))
            return
        self._strike(key, time, place, sight, element, is_sure=is_sure)
        self._act(time)

    def _strike(
        self,
        key: Stroke,
        time: int,
        place: Place | None,
        sight: Sight | None,
        element: Element | None,
        *,
        is_sure: bool,
    ) -> None:
        run = self._open
        goes_on = isinstance(run, Entered) and run.goes_on(time, place, is_sure=is_sure)
        if key == Typed(" ") and not goes_on and not takes_text(element):
            key = Pressed("Space", held(0))
        if isinstance(run, Entered) and goes_on and continues_entry(key, element, run):
            if is_sure and not run.is_sure:
                run.place, run.is_sure = place, True
            run.add(time, key, sight)
            if key == Pressed("Enter"):
                self.close()
                self.focus.may_move(time)
        elif begins_entry(key, element):
            self._begin_entry(key, time, place, sight, is_sure=is_sure)
        elif isinstance(key, Pressed):
            self._press_named(key, time, place, sight)

    def _begin_entry(
        self, key: Stroke, time: int, place: Place | None, sight: Sight | None, *, is_sure: bool
    ) -> None:
        self.close()
        last = self._waiting[-1] if self._waiting else None
        is_here = isinstance(last, Pointed) and last.origin.place == place
        self._begin(
            Entered(
                start=time,
                end=time,
                origin=Origin(sight),
                place=place,
                is_sure=is_sure,
                struck=[Struck(time, key, sight)],
                opener=self._taken_opener(time) if is_here else None,
            ),
            time,
        )

    def _press_named(self, key: Pressed, time: int, place: Place | None, sight: Sight | None) -> None:
        draft = self._open
        if isinstance(draft, Keyed) and (draft.key, draft.place) == (key, place):
            draft.times += 1
            draft.end = time
            draft.later.clear()
        else:
            self.close()
            number = None if sight is None or sight.scene is None else sight.scene.find(place)
            self._begin(Keyed(start=time, end=time, origin=Origin(sight, number), key=key, place=place), time)
        self.focus.may_move(time)

    def _hold(self, keysym: int, *, is_down: bool) -> None:
        modifier = held_by(keysym)
        if modifier is not None:
            (self._held.add if is_down else self._held.discard)(modifier)

    def _begin_secret(self, time: int) -> None:
        self.close()
        place, _ = self.focus.at(time)
        secret = Secret(start=time, end=time, origin=Origin(self._sights.newest(time)), place=place)
        self._begin(secret, time)
        self.close()
        self._secret = secret
        self._act(time)

    def _end_secret(self, time: int) -> None:
        if self._secret is not None:
            self._secret.ended = time
            if self._secret.is_missing:
                self.missing.append(Missing(self._secret.start, time))
            self._secret = None

    def _move_focus(self, time: int, origin: Origin) -> None:
        scene: Scene | None = None if origin.sight is None else origin.sight.scene
        self.focus.may_move(time, scene, origin.number)

    @staticmethod
    def _element(sight: Sight | None, place: Place | None) -> Element | None:
        return None if sight is None or sight.scene is None else sight.scene.at(place)


def _leaves(key: Stroke) -> bool:
    return isinstance(key, Pressed) and key.name in LEAVING_KEYS
