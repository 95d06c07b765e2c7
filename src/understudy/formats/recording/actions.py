"""What a person did: acts on elements, each with the state before and the value after.

Rules

* An action says what was done to which element of which earlier state, and what came of it. It has no
  duration, no key times and no path of the pointer; there are no fields for them.
* Each act has its own type, and unknown fields are refused: a ``fill_secret`` with a value cannot be read.
* Characters are ``type``. ``key`` is for control keys and shortcuts.
* Merging is pure: actions in, actions out. It never reorders and never makes up a state or a value.

Fields and acts: ``docs/formats/recording.md``, section 9.

Example

>>> step = Key(at_ms=0, before=0, target=4, key="ArrowDown")
>>> [action.times for action in merge([step, step, step], same=lambda a, b: True) if isinstance(action, Key)]
[3]
"""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Annotated, Final, get_args

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from understudy.consent.primitives import Value
from understudy.formats.elements import Coordinate, ElementName, ElementNumber, ElementValue
from understudy.formats.recording.bounds import MAX_ACTIONS, MAX_VERSIONS
from understudy.formats.recording.layout import Milliseconds

VersionNumber = Annotated[int, Meta(ge=0, lt=MAX_VERSIONS)]
MAX_NOTCHES: Final = 10_000
Notches = Annotated[int, Meta(ge=-MAX_NOTCHES, le=MAX_NOTCHES)]
MAX_TIMES: Final = 1_000
MAX_TEXT: Final = 8_000

NAMED_KEYS: Final = frozenset(
    {
        "ArrowDown",
        "ArrowLeft",
        "ArrowRight",
        "ArrowUp",
        "Backspace",
        "ContextMenu",
        "Delete",
        "End",
        "Enter",
        "Escape",
        "Home",
        "Insert",
        "PageDown",
        "PageUp",
        "PrintScreen",
        "Space",
        "Tab",
        *(f"F{number}" for number in range(1, 25)),
    }
)
"""Keys with a name in W3C UI Events; the space bar is ``Space``."""

LEAVING_KEYS: Final = frozenset({"Enter", "Escape", "Tab"})
"""The only keys that may be recorded on a secure element."""


class Modifier(StrEnum):
    """Keys held during an act."""

    ALT = "alt"
    CONTROL = "control"
    META = "meta"
    SHIFT = "shift"


class Mark(StrEnum):
    """What a reader must know about how an action was recorded."""

    CLASSES = "classes"
    DROPPED = "dropped"
    POINTER_INSIDE = "pointer-inside"
    SURROGATE = "surrogate"


Modifiers = Annotated[tuple[Modifier, ...], Meta(max_length=len(Modifier))]
Marks = Annotated[tuple[Mark, ...], Meta(max_length=len(Mark))]


class Point(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A pixel of the screen; written as ``[x, y]``."""

    x: Coordinate
    y: Coordinate


class _Act(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="act"):
    """What every action says."""

    at_ms: Milliseconds
    before: VersionNumber | None
    target: ElementNumber | None = None
    marks: Marks = ()


class _Pointed(_Act, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="act"):
    point: Point | None = None
    modifiers: Modifiers = ()
    value: ElementValue | None = None


class Click(_Pointed, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="click"):
    """The main button, once."""


class DoubleClick(_Pointed, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="double_click"):
    """The main button, twice."""


class TripleClick(_Pointed, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="triple_click"):
    """The main button, three times."""


class RightClick(_Pointed, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="right_click"):
    """The secondary button."""


class MiddleClick(_Pointed, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="middle_click"):
    """The middle button."""


class Hover(_Act, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="hover"):
    """The pointer rested, and something opened."""

    point: Point | None = None


class Drag(_Pointed, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="drag"):
    """From ``point`` to ``to``, without the way between."""

    to: Point | None = None
    drop: ElementNumber | None = None


class Scroll(_Act, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="scroll"):
    """Wheel steps, summed; positive is right and down."""

    dx: Notches = 0
    dy: Notches = 0
    point: Point | None = None
    modifiers: Modifiers = ()


class Type(_Act, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="type"):
    """Text was entered; ``value`` is what the field then held."""

    text: ElementValue | None = None
    value: ElementValue | None = None


class Select(_Act, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="select"):
    """An option was chosen; ``target`` is the list, ``option_element`` the option where the tree has it."""

    option: ElementName | None
    option_element: ElementNumber | None = None
    value: ElementValue | None = None


class Key(_Act, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="key"):
    """A control key or a shortcut, ``times`` in a row."""

    key: Annotated[str, Meta(min_length=1, max_length=16)]
    modifiers: Modifiers = ()
    times: Annotated[int, Meta(ge=1, le=MAX_TIMES)] = 1
    value: ElementValue | None = None


class FillSecret(_Act, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="fill_secret"):
    """A secret was entered into ``target``. Nothing else is known of it, and there is no field for it."""


Action = (
    Click
    | DoubleClick
    | TripleClick
    | RightClick
    | MiddleClick
    | Hover
    | Drag
    | Scroll
    | Type
    | Select
    | Key
    | FillSecret
)
ACTS: Final = tuple(str(kind.__struct_config__.tag) for kind in get_args(Action))
"""The acts as they are written."""
CLICKS: Final = (Click, DoubleClick, TripleClick, RightClick, MiddleClick)


class ActionChunk(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of a chunk of actions."""

    actions: Annotated[tuple[Action, ...], Meta(min_length=1, max_length=MAX_ACTIONS)]


def act_of(action: Action) -> str:
    """Return the act as it is written: ``click``, ``fill_secret``."""
    return str(action.__struct_config__.tag)


def resulting_value(action: Action) -> str | None:
    """Return the value that the target had after the action, if the action says."""
    match action:
        case Hover() | Scroll() | FillSecret():
            return None
        case _:
            return action.value


def is_allowed_key(key: str, modifiers: Iterable[Modifier]) -> bool:
    """Return whether a key may be recorded as ``key``: a named key, or a shortcut on one character."""
    if key in NAMED_KEYS:
        return True
    held = set(modifiers) - {Modifier.SHIFT}
    return bool(held) and len(key) == 1 and key.isprintable() and key == key.lower() and key != " "


def merge(actions: Iterable[Action], same: Callable[[Action, Action], bool]) -> list[Action]:
    """Return the actions with runs on one place made one.

    Typing into a field, then more typing into it, is one ``type`` with the last value. A key pressed again
    counts up. Scrolling sums. A secret entered in pieces is entered once. Clicks are left alone: clicking
    twice is not clicking once.

    Args:
        actions: in order.
        same: whether two actions fall on the same place; their states differ, so element numbers cannot tell.
            ``ElementTree.place`` can.
    """
    merged: list[Action] = []
    for action in actions:
        joined = _join(merged[-1], action) if merged and same(merged[-1], action) else None
        if joined is None:
            merged.append(action)
        else:
            merged[-1] = joined
    return merged


def _join(first: Action, second: Action) -> Action | None:
    """Return the one action that two neighbours make, or None where they stay two."""
    marks = _united(first.marks, second.marks)
    match first, second:
        case Type(), Type():
            return replace(first, text=_joined_text(first, second), value=second.value, marks=marks)
        case Key(), Key() if (first.key, first.modifiers) == (second.key, second.modifiers):
            times = first.times + second.times
            if times > MAX_TIMES:
                return None
            unchanged = second.value is None and Mark.DROPPED not in second.marks
            value = first.value if unchanged else second.value
            return replace(first, times=times, value=value, marks=marks)
        case Scroll(), Scroll() if first.modifiers == second.modifiers:
            dx, dy = first.dx + second.dx, first.dy + second.dy
            if (dx, dy) == (0, 0) or max(abs(dx), abs(dy)) > MAX_NOTCHES:
                return None
            return replace(first, dx=dx, dy=dy, marks=marks)
        case FillSecret(), FillSecret():
            return replace(first, marks=marks)
        case _:
            return None


def _joined_text(first: Type, second: Type) -> str | None:
    """Return both texts in a row if the second was added at the end; the value is the truth otherwise."""
    if first.text is None or second.text is None or len(first.text) + len(second.text) > MAX_TEXT:
        return None
    values_known = first.value is not None and second.value is not None
    if values_known and second.value != f"{first.value}{second.text}":
        return None
    return first.text + second.text


def _united(first: tuple[Mark, ...], second: tuple[Mark, ...]) -> tuple[Mark, ...]:
    return tuple(sorted({*first, *second}))
