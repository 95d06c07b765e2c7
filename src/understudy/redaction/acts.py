"""Makes actions clean: what was typed, chosen and left in a field.

Rules

* The act stays, whatever becomes of its text: an order of acts is what is learned from.
* Text that nothing explains, because there is no element it belongs to, is dropped and marked so.
* What was typed is a piece of the value, and becomes the same piece of the value's surrogate; where no piece
  is left, and where a piece cannot be placed, it is dropped.
* Text that already holds classes of characters instead of characters stays.

Example

>>> cleaner = Cleaner(bytes(32), ALL_LAYERS)
>>> typed = Type(at_ms=0, before=0, target=2, text="Jane", value="Jane")
>>> clean = cleaned_action(typed, EntityClass.NAME, cleaner)
>>> clean.marks, clean.text == clean.value != "Jane"
((<Mark.SURROGATE: 'surrogate'>,), True)
"""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from understudy.formats.recording.actions import (
    Action,
    FillSecret,
    Hover,
    Mark,
    Scroll,
    Select,
    Type,
    resulting_value,
)
from understudy.redaction.cleaning import ALL_LAYERS, Cleaner
from understudy.redaction.folding import SQUEEZED
from understudy.redaction.kinds import SECRETS, EntityClass

__all__ = ["ALL_LAYERS", "EntityClass", "cleaned_action", "texts_of"]

CHECKED: Final = frozenset({"true", "false", "mixed"})
"""The values of what can be checked."""
_NAME: Final = 2_000
_VALUE: Final = 8_000


def texts_of(action: Action) -> tuple[str, ...]:
    """Return the texts that an action holds; those made of character classes hold nothing."""
    if Mark.CLASSES in action.marks:
        return ()
    texts: list[str | None] = [resulting_value(action)]
    if isinstance(action, Type):
        texts.append(action.text)
    elif isinstance(action, Select):
        texts.append(action.option)
    return tuple(text for text in texts if text and text not in CHECKED)


def cleaned_action(action: Action, kind: EntityClass | None, cleaner: Cleaner) -> Action:
    """Return ``action`` without entities.

    Args:
        action: as it was captured.
        kind: class of the place that it acts on, if that ever held an entity.
        cleaner: what is known of the recording.
    """
    if not texts_of(action):
        return action
    if action.before is None or action.target is None:
        return _marked(_without_text(action), action, {Mark.DROPPED})
    value = _value(resulting_value(action), kind, cleaner)
    match action:
        case Hover() | Scroll() | FillSecret():
            return action
        case Type():
            text = _typed(action, value, kind, cleaner)
            return _marked(replace(action, text=text, value=value), action)
        case Select():
            option = _value(action.option, kind, cleaner, _NAME)
            return _marked(replace(action, option=option, value=value), action)
        case _:
            return _marked(replace(action, value=value), action)


def _value(value: str | None, kind: EntityClass | None, cleaner: Cleaner, limit: int = _VALUE) -> str | None:
    if value is None or value in CHECKED:
        return value
    return (cleaner.clean(value) if kind is None else cleaner.whole(value, kind)).text[:limit]


def _typed(action: Type, value: str | None, kind: EntityClass | None, cleaner: Cleaner) -> str | None:
    """Return what was typed, as the same piece of what the field then shows."""
    text = action.text
    if text is None or not text.strip():
        return text
    if text == action.value:
        return value
    if action.value is None or value is None:
        return _alone(text, kind, cleaner)
    if value == action.value:
        return _alone(text, None, cleaner)
    start = action.value.rfind(text)
    if kind in SECRETS:
        return value
    if kind is None:
        return _alone(text, None, cleaner, is_near=True)
    if start < 0:
        return cleaner.whole(text, kind).text
    return (
        value[start : start + len(text)] if start + len(text) < len(action.value) else value[start:] or None
    )


def _alone(text: str, kind: EntityClass | None, cleaner: Cleaner, *, is_near: bool = False) -> str | None:
    """Return a text that has no value to be a piece of; None for an unplaced piece of an entity."""
    if kind is not None:
        return cleaner.whole(text, kind).text
    clean = cleaner.clean(text).text
    if clean != text or cleaner.entities.is_own(text):
        return clean
    return None if cleaner.is_piece(text, is_near=is_near) and SQUEEZED.of(text) else clean


def _without_text(action: Action) -> Action:
    match action:
        case Hover() | Scroll() | FillSecret():
            return action
        case Type():
            return replace(action, text=None, value=None)
        case Select():
            return replace(action, option=None, value=None)
        case _:
            return replace(action, value=None)


def _marked(clean: Action, action: Action, marks: Iterable[Mark] = ()) -> Action:
    """Return ``clean`` with marks for what differs from ``action``."""
    added = set(marks)
    for before, after in zip(_all_texts(action), _all_texts(clean), strict=True):
        if before != after:
            added.add(Mark.SURROGATE if after is not None else Mark.DROPPED)
    return replace(clean, marks=tuple(sorted({*action.marks, *added})))


def _all_texts(action: Action) -> tuple[str | None, ...]:
    match action:
        case Type():
            return action.text, action.value
        case Select():
            return action.option, action.value
        case _:
            return (resulting_value(action),)
