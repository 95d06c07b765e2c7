"""Acts in the making: what one gesture or one run of keys was, before it is known what came of it.

Rules

* A draft is complete when something else begins or when it is ``stale_at``; it is decided after ``final_at``,
  when the value that it led to is known, or never will be.
* All of that depends on times of events alone, never on when anybody asks.
* Times are milliseconds since the start of the recording.

Example: see ``understudy.formats.recording.assembly``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from understudy.formats.elements import Element, ElementState, Role
from understudy.formats.recording.actions import LEAVING_KEYS, MAX_NOTCHES, Modifier, Point
from understudy.formats.recording.choice import is_native_list
from understudy.formats.recording.entry import CARET, ERASING, LINES, Stroke
from understudy.formats.recording.keysyms import Pressed, Typed
from understudy.formats.recording.prestate import FIRST_CHANGE_MS, Origin
from understudy.formats.recording.sights import Place, Scene, Sight

RESULT_MS: Final = 1_000
"""How long after an act its resulting value is looked for."""
READ_MS: Final = 100
"""A tree that was complete sooner after an act may have been read before its effect."""
MOST_CLICKS: Final = 3
CLICKS_MS: Final = 500
CLICKS_PX: Final = 5
DRAG_PX: Final = 8
SCROLL_PX: Final = 50
WHEEL_PAUSE_MS: Final = 1_000
KEY_PAUSE_MS: Final = 500
"""Steps of the wheel, or presses of one key, that are further apart are two acts."""
ENTRY_PAUSE_MS: Final = 5_000
ENTRY_MS: Final = 30_000
"""The longest run of typing: what is open cannot be held, and would be lost in a crash."""
OPENED_MS: Final = 10_000
"""How long an opened list waits for the choice."""
LEFT, MIDDLE, RIGHT = 1, 2, 3
NEVER: Final = 1 << 62

_CHOOSING: Final = CARET | LINES
_TEXT_ROLES: Final = frozenset(
    {Role.COMBOBOX, Role.DATEFIELD, Role.SEARCHBOX, Role.SPINBUTTON, Role.TERMINAL, Role.TEXTBOX}
)


class Later(NamedTuple):
    """A tree that was complete after an act."""

    time: int
    scene: Scene


@dataclass(slots=True, kw_only=True)
class Draft:
    """What all drafts know. ``end`` is the time of the last event that belongs to it."""

    start: int
    end: int
    origin: Origin
    next_start: int | None = None
    is_reused: bool = False
    later: list[Later] = field(default_factory=list)

    @property
    def where(self) -> Place | None:
        """The place that it is about, as far as is known."""
        return self.origin.place

    @property
    def is_quiet(self) -> bool:
        """Whether there was time to see a change, and there was none."""
        return not self.later and (self.next_start is None or self.next_start - self.end >= FIRST_CHANGE_MS)

    @property
    def first_start(self) -> int:
        """When it began, the opening of its list included."""
        return self.start

    @property
    def stale_at(self) -> int:
        """After this time nothing more can belong to it."""
        return self.end

    @property
    def final_at(self) -> int:
        """After this time it can be decided, if it is complete."""
        return self.end + RESULT_MS

    def see(self, time: int, scene: Scene) -> None:
        """Take a tree that may show what came of it."""
        if self.start < time <= self.end + RESULT_MS:
            self.later.append(Later(time, scene))

    def follow(self, following: "Draft") -> None:
        """Note what began next. What it does to the same place is no result of this."""
        self.next_start = following.start
        if isinstance(following, Entered | Pointed) or (
            isinstance(following, Keyed) and following.key.name not in LEAVING_KEYS
        ):
            self.is_reused = following.where is None or following.where == self.where

    def results(self) -> list[Scene]:
        """Return the trees that may show what came of it, the most telling first.

        That is the newest settled one before the next act; if there is none, those after the next act began,
        unless it is an act on the same place, and then one that may have been read too soon.
        """
        until = NEVER if self.next_start is None else self.next_start
        told = [one for one in self.later if self.end < one.time <= self.end + RESULT_MS]
        settled = [one for one in told if one.time >= self.end + READ_MS]
        before = [one.scene for one in settled if one.time <= until]
        if before:
            return [before[-1]]
        soon = [one.scene for one in told if one.time < self.end + READ_MS]
        after = [] if self.is_reused else [one.scene for one in settled]
        return after + soon[-1:]


@dataclass(slots=True, kw_only=True)
class Hovered(Draft):
    """The pointer rested and something opened."""

    point: Point


@dataclass(slots=True, kw_only=True)
class Pointed(Draft):
    """A button: clicks in one place, or a drag."""

    button: int
    modifiers: tuple[Modifier, ...]
    point: Point
    to: Point
    pressed: int
    count: int = 1
    is_down: bool = True
    opener: "Pointed | None" = None

    @property
    def first_start(self) -> int:
        """When it began, the opening of its list included."""
        return self.opener.start if self.opener else self.start

    @property
    def stale_at(self) -> int:
        """Until then another click may follow."""
        return NEVER if self.is_down else self.pressed + CLICKS_MS

    @property
    def final_at(self) -> int:
        """A list that was opened waits for the choice."""
        return self.end + (OPENED_MS if self.is_opening and self.next_start is None else RESULT_MS)

    @property
    def is_drag(self) -> bool:
        """Whether the main button was released somewhere else."""
        moved = max(abs(self.to.x - self.point.x), abs(self.to.y - self.point.y))
        return self.button == LEFT and moved > DRAG_PX

    @property
    def is_opening(self) -> bool:
        """Whether it is a plain click on a list that drops down."""
        element = self.origin.element
        is_plain = (self.button, self.count) == (LEFT, 1) and not self.is_drag
        return is_plain and element is not None and element.role is Role.COMBOBOX and is_native_list(element)

    def goes_on(self, time: int, point: Point, button: int, modifiers: tuple[Modifier, ...]) -> bool:
        """Return whether a press is one more click of it."""
        far = max(abs(point.x - self.point.x), abs(point.y - self.point.y))
        return (
            not self.is_down
            and self.button == button == LEFT
            and self.modifiers == modifiers
            and self.count < MOST_CLICKS
            and time - self.pressed <= CLICKS_MS
            and far <= CLICKS_PX
        )


@dataclass(slots=True, kw_only=True)
class Scrolled(Draft):
    """The wheel, turned one way."""

    modifiers: tuple[Modifier, ...]
    point: Point
    steps: list[tuple[int, int]]

    @property
    def stale_at(self) -> int:
        """Until then it may go on."""
        return self.end + WHEEL_PAUSE_MS

    def goes_on(self, point: Point, step: tuple[int, int], modifiers: tuple[Modifier, ...]) -> bool:
        """Return whether a step is more of it."""
        far = max(abs(point.x - self.point.x), abs(point.y - self.point.y))
        is_same_way = all(_sign(one) == _sign(other) for one, other in zip(step, self.steps[0], strict=True))
        room = len(self.steps) * 128 < MAX_NOTCHES - 128
        return far <= SCROLL_PX and is_same_way and modifiers == self.modifiers and room


@dataclass(slots=True, kw_only=True)
class Keyed(Draft):
    """One key or shortcut, again and again."""

    key: Pressed
    place: Place | None
    times: int = 1

    @property
    def where(self) -> Place | None:
        """The place that it is about, as far as is known."""
        return self.place

    @property
    def stale_at(self) -> int:
        """Until then it may be pressed again."""
        return self.end + KEY_PAUSE_MS


class Struck(NamedTuple):
    """One key of a run, with the state before it."""

    time: int
    stroke: Stroke
    sight: Sight | None


@dataclass(slots=True, kw_only=True)
class Entered(Draft):
    """A run of typing in one field, or of choosing in one list."""

    place: Place | None
    is_sure: bool
    struck: list[Struck]
    is_exact: bool = True
    opener: Pointed | None = None

    @property
    def where(self) -> Place | None:
        """The place that it is about, as far as is known."""
        return self.place

    @property
    def first_start(self) -> int:
        """When it began, the opening of its list included."""
        return self.opener.start if self.opener else self.start

    @property
    def stale_at(self) -> int:
        """Until then it may go on."""
        return self.end + ENTRY_PAUSE_MS

    @property
    def has_opened(self) -> bool:
        """Whether the run itself opened its list."""
        keys = [one.stroke for one in self.struck]
        return self.opener is not None or any(key in _OPENING for key in keys)

    def goes_on(self, time: int, place: Place | None, *, is_sure: bool) -> bool:
        """Return whether a key at this focus may belong to it."""
        is_here = place == self.place or not (is_sure and self.is_sure)
        return is_here and time - self.start <= ENTRY_MS

    def add(self, time: int, stroke: Stroke, sight: Sight | None) -> None:
        """Take one more key."""
        self.struck.append(Struck(time, stroke, sight))
        self.end = time
        self.later.clear()


@dataclass(slots=True, kw_only=True)
class Secret(Draft):
    """Something was entered into a secure field; ``ended`` once that is known."""

    place: Place | None
    ended: int | None = None
    is_missing: bool = False


_OPENING: Final = frozenset(
    {
        Typed(" "),
        Pressed("F4"),
        Pressed("ArrowDown", (Modifier.ALT,)),
        Pressed("ArrowUp", (Modifier.ALT,)),
    }
)


def begins_entry(stroke: Stroke, element: Element | None) -> bool:
    """Return whether a key begins a run on the element that has the focus."""
    if isinstance(stroke, Typed):
        return True
    is_list = element is not None and is_native_list(element)
    return is_list and (stroke in _OPENING or (stroke.name in _CHOOSING and not stroke.modifiers))


def continues_entry(stroke: Stroke, element: Element | None, run: Entered) -> bool:
    """Return whether a key goes on with a run: a character, a correction, a step in a list."""
    if isinstance(stroke, Typed):
        return True
    if element is not None and is_native_list(element):
        is_open = run.has_opened or ElementState.EXPANDED in element.states
        return begins_entry(stroke, element) or (stroke == Pressed("Enter") and is_open)
    if set(stroke.modifiers) - {Modifier.SHIFT}:
        return False
    is_text = element is not None and ElementState.MULTILINE in element.states
    return stroke.name in ERASING | CARET | (LINES if is_text else frozenset())


def takes_text(element: Element | None) -> bool:
    """Return whether a space is a character there, and not a press of a button or a step down the page."""
    return element is None or element.role in _TEXT_ROLES or ElementState.EDITABLE in element.states


def last_edit(struck: Sequence[Struck]) -> int:
    """Return how many keys of a run there are up to the last that changed the text."""
    edits = (
        at
        for at, one in reversed(tuple(enumerate(struck, 1)))
        if isinstance(one.stroke, Typed) or one.stroke.name in ERASING
    )
    return next(edits, 0)


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
