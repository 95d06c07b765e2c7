"""Actions in plain words, for the person who did them and for whoever looks at a sheet.

Rules

* A sentence says the act, the target by its role and name, what was entered, and what is not what it was:
  left out, replaced, or only the shape of it.
* Recorded text is foreign text: ``visible`` takes from it what could steer a terminal or turn a line around.
* Secrets have no words: of a ``fill_secret`` only its field is known.

Example

>>> from understudy.formats.elements import Element, ElementTree, Role
>>> send = Element(role=Role.BUTTON, name="Send", parent=0)
>>> page = ElementTree(elements=(Element(role=Role.DOCUMENT), send))
>>> sentence(Click(at_ms=0, before=0, target=1), page)
'clicked button “Send”'
"""

import unicodedata
from typing import Final

from understudy.formats.elements import Element, ElementTree, Role
from understudy.formats.recording.actions import (
    Action,
    Click,
    DoubleClick,
    Drag,
    FillSecret,
    Hover,
    Key,
    Mark,
    MiddleClick,
    Modifier,
    Point,
    RightClick,
    Scroll,
    Select,
    TripleClick,
    Type,
)

MAX_SHOWN: Final = 80
"""Characters of one name or text in a sentence."""

_CONTROL_PICTURES: Final = 0x2400
_REPLACEMENT: Final = "\ufffd"

_ROLES: Final = {
    Role.ALERTDIALOG: "alert",
    Role.CHECKBOX: "check box",
    Role.COLORPICKER: "colour field",
    Role.COLUMNHEADER: "column header",
    Role.COMBOBOX: "list",
    Role.DATEFIELD: "date field",
    Role.DOCUMENT: "page",
    Role.GENERIC: "element",
    Role.GRIDCELL: "cell",
    Role.LISTBOX: "list",
    Role.LISTITEM: "list item",
    Role.MENUITEM: "menu item",
    Role.MENUITEMCHECKBOX: "menu item",
    Role.MENUITEMRADIO: "menu item",
    Role.PROGRESSBAR: "progress bar",
    Role.RADIO: "radio button",
    Role.RADIOGROUP: "group",
    Role.ROWHEADER: "row header",
    Role.SEARCHBOX: "search field",
    Role.SPINBUTTON: "number field",
    Role.TABLIST: "tabs",
    Role.TABPANEL: "tab",
    Role.TEXTBOX: "field",
    Role.TREEITEM: "tree item",
    Role.UNKNOWN: "element",
}
_CHECKED: Final = {"true": "checked", "false": "not checked", "mixed": "partly checked"}
_CHECKABLE: Final = frozenset(
    {Role.CHECKBOX, Role.MENUITEMCHECKBOX, Role.MENUITEMRADIO, Role.RADIO, Role.SWITCH}
)
_MODIFIERS: Final = {
    Modifier.ALT: "Alt",
    Modifier.CONTROL: "Ctrl",
    Modifier.META: "Meta",
    Modifier.SHIFT: "Shift",
}
_MARKS: Final = {
    Mark.CLASSES: "only the shape of it is kept",
    Mark.DROPPED: "its content is left out",
    Mark.SURROGATE: "with stand-ins for what was found",
}
"""What the person should know; the other marks are for learners."""


def visible(text: str, limit: int = MAX_SHOWN) -> str:
    r"""Return recorded text as one line that is safe to print, at most ``limit`` characters of it.

    Control characters become their pictures, white space a space, and what else has no shape of its own
    (changes of direction, joiners, private use) the replacement character.

    >>> visible("a\x1b[31m\u202eb\nc")
    'a␛[31m�b␊c'
    """
    shown = "".join(_shape(character) for character in text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1].rstrip() + "…"


def quoted(text: str) -> str:
    """Return recorded text in quotation marks, safe to print."""
    return f"“{visible(text)}”"


def element_words(element: Element) -> str:
    """Return what a person would call an element: its role, and its name if it has one."""
    role = _ROLES.get(element.role, element.role.value)
    if element.name.strip():
        return f"{role} {quoted(element.name.strip())}"
    return f"{role} #{visible(element.id)}" if element.id else f"{role} without a name"


def sentence(action: Action, tree: ElementTree | None) -> str:
    """Return the action in words; ``tree`` is that of the state before it, if there is one."""
    notes = [_MARKS[mark] for mark in action.marks if mark in _MARKS]
    said = _said(action, tree)
    return f"{said} ({'; '.join(notes)})" if notes else said


def time_words(milliseconds: int) -> str:
    """Return a time since the start as minutes and seconds.

    >>> time_words(65_250)
    '1:05'
    """
    return f"{milliseconds // 60_000}:{milliseconds // 1_000 % 60:02}"


def _said(action: Action, tree: ElementTree | None) -> str:
    match action:
        case Click() | DoubleClick() | TripleClick() | RightClick() | MiddleClick():
            verb = _CLICKED[type(action)]
            at = _target(action.target, tree, action.point)
            return f"{verb} {at}{_with(action.modifiers)}{_left(action.value, action.target, tree)}"
        case Hover():
            return f"rested on {_target(action.target, tree, action.point)}"
        case Drag():
            dragged, to = (
                _target(action.target, tree, action.point),
                _target(action.drop, tree, action.to),
            )
            return f"dragged {dragged} to {to}{_with(action.modifiers)}"
        case Scroll():
            at = _target(action.target, tree, action.point)
            return f"scrolled {_scrolled(action.dx, action.dy)} in {at}{_with(action.modifiers)}"
        case Type():
            return _typed(action, tree)
        case Select():
            chosen = "something" if action.option is None else quoted(action.option)
            return f"chose {chosen} in {_target(action.target, tree)}"
        case Key():
            keys = "+".join((*(_MODIFIERS[held] for held in action.modifiers), _key(action.key)))
            times = f" {action.times} times" if action.times > 1 else ""
            at = "" if action.target is None else f" in {_target(action.target, tree)}"
            return f"pressed {keys}{times}{at}{_left(action.value, action.target, tree)}"
        case FillSecret():
            return f"entered a secret into {_target(action.target, tree)}"


_CLICKED: Final = {
    Click: "clicked",
    DoubleClick: "double-clicked",
    TripleClick: "triple-clicked",
    RightClick: "right-clicked",
    MiddleClick: "middle-clicked",
}


def _typed(action: Type, tree: ElementTree | None) -> str:
    target = _target(action.target, tree)
    if action.text is None:
        return (
            f"typed into {target}"
            if action.value is None
            else f"typed into {target}, which then held {quoted(action.value)}"
        )
    then = action.value not in {None, action.text}
    return f"typed {quoted(action.text)} into {target}" + (
        f", which then held {quoted(action.value or '')}" if then else ""
    )


def _target(number: int | None, tree: ElementTree | None, point: Point | None = None) -> str:
    if number is not None and tree is not None:
        return element_words(tree.elements[number])
    at = "" if point is None else f" at {point.x}, {point.y}"
    return f"something{at}"


def _left(value: str | None, target: int | None, tree: ElementTree | None) -> str:
    """Return what the act left in its target."""
    if value is None:
        return ""
    is_checkable = tree is not None and target is not None and tree.elements[target].role in _CHECKABLE
    if is_checkable and value in _CHECKED:
        return f", then {_CHECKED[value]}"
    return f", which then held {quoted(value)}"


def _with(modifiers: tuple[Modifier, ...]) -> str:
    return f" with {'+'.join(_MODIFIERS[held] for held in modifiers)}" if modifiers else ""


def _scrolled(dx: int, dy: int) -> str:
    ways = [
        f"{'down' if dy > 0 else 'up'} {abs(dy)}" if dy else "",
        f"{'right' if dx > 0 else 'left'} {abs(dx)}" if dx else "",
    ]
    return " and ".join(way for way in ways if way)


def _key(key: str) -> str:
    return key.upper() if len(key) == 1 else key


def _shape(character: str) -> str:
    if character.isprintable():
        return character
    if ord(character) < ord(" "):
        return chr(_CONTROL_PICTURES + ord(character))
    return " " if unicodedata.category(character) == "Zs" else _REPLACEMENT
