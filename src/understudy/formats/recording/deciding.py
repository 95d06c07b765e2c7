"""From a complete draft to actions: which act it was, on what, and what came of it.

Rules

* A click on an option of a native list, or keys that changed what the list holds, are one ``select`` on the
  list; the click that opened the list right before is part of it. Any other list is clicked.
* What is checked says its state after a click. Everything else says its value if it changed.
* A secure element gets clicks, hovers, leaving keys and ``fill_secret``, and never a value. What else was
  done to it is missing, and said to be.
* A secret without a known field is missing, too.
* Nothing is decided twice, and nothing is guessed: without a target there is none.

Example: see ``understudy.formats.recording.assembly``.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from msgspec.structs import replace

from understudy.formats.elements import ElementState
from understudy.formats.recording.actions import (
    LEAVING_KEYS,
    Action,
    Click,
    DoubleClick,
    Drag,
    FillSecret,
    Hover,
    Key,
    MiddleClick,
    Point,
    RightClick,
    Scroll,
    Select,
    TripleClick,
    Type,
    merge,
)
from understudy.formats.recording.choice import CHECKABLE, chosen, held, is_native_list, list_of, option_named
from understudy.formats.recording.drafts import (
    LEFT,
    MIDDLE,
    READ_MS,
    RESULT_MS,
    RIGHT,
    Draft,
    Entered,
    Hovered,
    Keyed,
    Pointed,
    Scrolled,
    Secret,
    Struck,
    last_edit,
)
from understudy.formats.recording.entry import bears_out, entered, text_of
from understudy.formats.recording.focus import FocusLog
from understudy.formats.recording.keysyms import Pressed, Typed
from understudy.formats.recording.prestate import Origin
from understudy.formats.recording.sights import Place, Scene, Sight


class Decided(NamedTuple):
    """An action, not yet numbered: its time, its state before, and where it was."""

    time: int
    sight: Sight | None
    action: Action
    place: Place | None = None
    is_pointer: bool = False


class Missing(NamedTuple):
    """Something happened between the two times that is not to be had."""

    start: int
    end: int


class Past(NamedTuple):
    """What a place held after the last act that was decided."""

    time: int
    window: int | None
    place: Place | None
    value: str | None


class Deciding:
    """Decides drafts in their order.

    Args:
        focus: what is known of the focus.
    """

    def __init__(self, focus: FocusLog) -> None:
        self._focus = focus
        self._past: Past | None = None
        self._secret: Place | None = None

    def decide(self, draft: Draft) -> list[Decided | Missing]:
        """Return the actions that a draft was, in order, and what is missing of it."""
        outcomes = list(self._outcomes(draft))
        for one in outcomes:
            if isinstance(one, Decided):
                self._secret = one.place if isinstance(one.action, FillSecret) else None
        return outcomes

    def _outcomes(self, draft: Draft) -> Iterator[Decided | Missing]:
        match draft:
            case Hovered(point=point):
                yield _decided(draft.start, draft.origin, Hover, is_pointer=True, point=point)
            case Pointed():
                yield from self._pointed(draft)
            case Scrolled():
                yield from _scrolled(draft)
            case Keyed():
                yield from self._keyed(draft)
            case Entered():
                yield from self._entered(draft)
            case Secret():
                yield from self._filled(draft)
            case _:
                pass

    def _pointed(self, draft: Pointed) -> Iterator[Decided | Missing]:
        select = self._selected_by_pointer(draft)
        opener = draft.opener
        if opener is not None and (select is None or select.time != opener.start):
            yield from self._pointed(opener)
        yield select or self._clicked(draft)

    def _selected_by_pointer(self, draft: Pointed) -> Decided | None:
        """Return the ``select`` that a click was, if it was one."""
        if (draft.button, draft.count) != (LEFT, 1):
            return None
        origin, scene = draft.origin, _scene(draft.origin)
        number = None if scene is None or origin.number is None else list_of(scene.tree, origin.number)
        option = origin.element
        if draft.is_drag or scene is None or number is None or option is None or origin.place is None:
            base = draft.opener.origin if draft.opener else origin
            return self._selected_by_effect(draft, base) if draft.opener or draft.is_drag else None
        later = next((scene.at(origin.place) for scene in draft.results()), None)
        was_selected = ElementState.SELECTED in option.states
        if was_selected and later is not None and ElementState.SELECTED not in later.states:
            return None  # a click that took the choice back
        base, start = Origin(origin.sight, number, origin.marks), draft.start
        if draft.opener is not None and draft.opener.origin.place == base.place:
            base, start = draft.opener.origin, draft.opener.start
        value = self._value(draft, base)
        return _select(start, base, option.name, value, like=origin.place, is_pointer=True)

    def _selected_by_effect(self, draft: Pointed | Entered, base: Origin) -> Decided | None:
        """Return the ``select`` that an act was, if the list holds another option after it."""
        scene, place, element = _scene(base), base.place, base.element
        if scene is None or base.number is None or element is None or not is_native_list(element):
            return None
        found = [(later.scene, later.scene.find(place)) for later in draft.later if later.time > draft.end]
        after, number = next(((one, at) for one, at in reversed(found) if at is not None), (None, None))
        if after is None or number is None:
            return None
        option = chosen(after.tree, number)
        if option is None or option == chosen(scene.tree, base.number):
            return None
        opener = draft.opener
        value = held(after.tree, number)
        self._remember(draft, base, value)
        is_pointer = opener is not None or isinstance(draft, Pointed)
        start = opener.start if opener else draft.start
        return _select(start, base, option, value, is_pointer=is_pointer)

    def _clicked(self, draft: Pointed) -> Decided:
        origin, point, modifiers = draft.origin, draft.point, draft.modifiers
        if draft.is_drag:
            origin = _bare(origin)
            drop = _bare(_at(origin.sight, draft.to)).number
            value = self._value(draft, origin)
            return _decided(
                draft.start,
                origin,
                Drag,
                is_pointer=True,
                point=point,
                to=draft.to,
                drop=drop,
                modifiers=modifiers,
                value=value,
            )
        kind: Callable[..., Action] = (Click, DoubleClick, TripleClick)[draft.count - 1]
        kind = {LEFT: kind, MIDDLE: MiddleClick, RIGHT: RightClick}[draft.button]
        value = self._value(draft, origin)
        return _decided(
            draft.start, origin, kind, is_pointer=True, point=point, modifiers=modifiers, value=value
        )

    def _keyed(self, draft: Keyed) -> Iterator[Decided | Missing]:
        element = draft.origin.element
        if element is not None and element.is_secure and draft.key.name not in LEAVING_KEYS:
            yield Missing(draft.start, draft.end)
            return
        keys = list(_keys(draft.start, draft.origin, draft.key, draft.times))
        last = keys.pop()
        yield from keys
        yield last._replace(action=replace(last.action, value=self._value(draft, draft.origin)))

    def _entered(self, draft: Entered) -> Iterator[Decided | Missing]:
        place = draft.place
        if not draft.is_sure:
            until = draft.end + RESULT_MS if draft.next_start is None else draft.next_start
            place = self._focus.first(draft.start, min(until, draft.end + RESULT_MS)) or place
        sight = draft.origin.sight
        scene = None if sight is None else sight.scene
        origin = Origin(sight, None if scene is None else scene.find(place))
        element = origin.element
        select = None
        if element is not None and is_native_list(element):
            base = draft.opener.origin if draft.opener else origin
            select = self._selected_by_effect(draft, base) if base.place == place else None
        if draft.opener is not None and (select is None or select.time != draft.opener.start):
            yield from self._pointed(draft.opener)
        if any(_is_secret(seen, place) for seen in _scenes(draft)):
            yield Missing(draft.start, draft.end)
        elif select is not None:
            yield select
        elif element is not None and is_native_list(element):
            yield from _literally(draft.struck, place, in_list=True)
        else:
            yield from self._typed(draft, origin, place)

    def _typed(self, draft: Entered, origin: Origin, place: Place | None) -> Iterator[Decided]:
        edits = last_edit(draft.struck)
        text = text_of(one.stroke for one in draft.struck[:edits]) if draft.is_exact else None
        before = self._before(origin)
        found = ((scene, scene.find(place)) for scene in draft.results())
        values = [held(scene.tree, number) for scene, number in found if number is not None]
        fitting = (value for value in values if bears_out(text, before=before, after=value))
        value = next(fitting, values[0] if values else None)
        if origin.number is None:
            value = None
        if values and origin.number is not None:
            self._remember(draft, origin, value)
        if edits:
            text = entered(text, before=before, after=value)
            told = None if value == before else value
            yield _decided(draft.start, origin, Type, text=text, value=told)
        yield from _literally(draft.struck[edits:], place)

    def _filled(self, draft: Secret) -> Iterator[Decided | Missing]:
        scene = _scene(draft.origin)
        until = draft.start + RESULT_MS if draft.ended is None else min(draft.ended, draft.start + RESULT_MS)
        for place in (draft.place, self._focus.first(draft.start, until)):
            if scene is not None and place is not None and _is_secret(scene, place):
                if place != self._secret:
                    yield _decided(draft.start, draft.origin._replace(number=scene.find(place)), FillSecret)
                return
        draft.is_missing = True
        yield Missing(draft.start, draft.start if draft.ended is None else draft.ended)

    def _value(self, draft: Draft, origin: Origin) -> str | None:
        """Return the resulting value of a target, if it changed; always, of what can be checked."""
        place, element = origin.place, origin.element
        if place is None or element is None or element.is_secure:
            return None
        before = self._before(origin)
        after = before
        results = draft.results()
        if not results and not draft.is_quiet:
            return None
        if results:
            number = results[0].find(place)
            if number is None:
                return None
            after = held(results[0].tree, number)
        self._remember(draft, origin, after)
        return after if after != before or element.role in CHECKABLE else None

    def _remember(self, draft: Draft, origin: Origin, value: str | None) -> None:
        window = None if origin.sight is None else origin.sight.window
        self._past = Past(draft.end, window, origin.place, value)

    def _before(self, origin: Origin) -> str | None:
        """Return what a target held before an act: what the act before left there, if the state is older."""
        scene = _scene(origin)
        if scene is None or origin.sight is None or origin.number is None:
            return None
        past = self._past
        sight = origin.sight
        is_past = past is not None and (past.window, past.place) == (sight.window, origin.place)
        if past is not None and is_past and sight.time < past.time + READ_MS:
            return past.value
        return held(scene.tree, origin.number)


def _scrolled(draft: Scrolled) -> Iterator[Decided]:
    origin = _bare(draft.origin)
    steps = [
        _decided(
            draft.start,
            origin,
            Scroll,
            is_pointer=True,
            dx=dx,
            dy=dy,
            point=draft.point,
            modifiers=draft.modifiers,
        )
        for dx, dy in draft.steps
    ]
    for action in merge((step.action for step in steps), same=lambda *_: True):
        yield steps[0]._replace(action=action)


def _keys(start: int, origin: Origin, key: Pressed, times: int) -> Iterator[Decided]:
    one = _decided(start, origin, Key, key=key.name, modifiers=key.modifiers)
    for action in merge([one.action] * times, same=lambda *_: True):
        yield one._replace(action=action)


def _literally(struck: Sequence[Struck], place: Place | None, *, in_list: bool = False) -> Iterator[Decided]:
    """Return keys as what they are: text, and keys."""

    def key_of(one: Struck) -> Pressed | None:
        if in_list and one.stroke == Typed(" "):
            return Pressed("Space")
        return one.stroke if isinstance(one.stroke, Pressed) else None

    for key, group in groupby(struck, key_of):
        run = list(group)
        first = run[0]
        scene = None if first.sight is None else first.sight.scene
        origin = Origin(first.sight, None if scene is None else scene.find(place))
        if key is None:
            yield _decided(first.time, origin, Type, text=text_of(one.stroke for one in run))
        else:
            yield from _keys(first.time, origin, key, len(run))


def _select(
    start: int,
    base: Origin,
    option: str,
    value: str | None,
    *,
    like: Place | None = None,
    is_pointer: bool = False,
) -> Decided:
    scene = _scene(base)
    number = None
    if scene is not None and base.number is not None:
        number = option_named(scene.tree, base.number, option, scene.find(like))
    return _decided(
        start, base, Select, is_pointer=is_pointer, option=option, option_element=number, value=value
    )


def _decided(
    time: int, origin: Origin, kind: Callable[..., Action], *, is_pointer: bool = False, **said: object
) -> Decided:
    action = kind(at_ms=0, before=None, target=origin.number, marks=origin.marks, **said)
    return Decided(time, origin.sight, action, origin.place, is_pointer)


def _scene(origin: Origin) -> Scene | None:
    return None if origin.sight is None else origin.sight.scene


def _scenes(draft: Entered) -> Iterator[Scene]:
    """Yield what was seen before, during and after a run."""
    for one in draft.struck:
        if one.sight is not None and one.sight.scene is not None:
            yield one.sight.scene
    yield from (later.scene for later in draft.later)


def _is_secret(scene: Scene, place: Place | None) -> bool:
    element = scene.at(place)
    return element is not None and element.is_secure


def _at(sight: Sight | None, point: Point) -> Origin:
    """Return what lies at a point of a version."""
    found = None if sight is None or sight.scene is None else sight.scene.tree.actionable_at(point.x, point.y)
    return Origin(sight, found)


def _bare(origin: Origin) -> Origin:
    """Return the target, or what lies around it where it is secure."""
    while (element := origin.element) is not None and element.is_secure:
        origin = origin._replace(number=element.parent)
    return origin
