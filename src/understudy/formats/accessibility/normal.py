"""The normal form of an element tree: what any source told, as every source would have told it.

A source (AT-SPI, a browser's own tree) makes one ``Draft`` for each node it was told of, in document order,
with the words of ``formats.vocabulary``; ``normal_tree`` then applies these rules and nothing else does.

Rules

* **Root.** A page's root is ``document``: name = the page's title, box = what the screen shows of it.
  Another window's root is ``window``. A root has the state ``showing`` and no other, and no tag, id or class.
* **Names** are one line: runs of white space are one space, none at the ends. Values stay as they are.
* **Told states** are ``TOLD`` only; no source can tell the others reliably. ``clickable`` is said only of
  roles that do not exist to be acted on. Text has ``showing`` at most.
* **Shows.** A node shows when its source says so and its box is not empty. What does not show is dropped.
* **Kept.** A node that shows is kept unless it is ``generic`` with neither name nor value and none of
  clickable, focusable and editable, or a text of white space. Children of a dropped node go to the nearest
  kept ancestor.
* **Secure.** A secure node keeps its name, and has neither value nor children. The caller marks it.
* **Texts.** A run of text is a ``text`` whose name is the text. Texts are dropped where together they say no
  more than the name of their parent. A kept element without a name, whose only child is one text, takes it
  as its name and the text is dropped. So a clickable ``span`` is called what stands in it.
* **Fields.** An editable, focusable ``generic`` is a ``textbox``. The content of a textbox or searchbox is
  its value, never its name or texts below it; without a value of its own it is the joined text below it.
* **Closed lists.** Options of a ``select`` that is not expanded are kept without ``showing``, with the box of
  the combobox; those of an open one that show have their own. The drop-down's list (``menu``, ``listbox``)
  between it and its options is dropped. A combobox without a value has the name of its one selected option.
* **Limits.** Depth, number and lengths are those of the format; what lies beyond is left out.

Example

>>> shown = frozenset({ElementState.SHOWING})
>>> leaf = Draft(role=Role.TEXT, name="Send ", states=shown, box=Box(1, 1, 30, 9))
>>> span = Draft(role=Role.GENERIC, states=shown | {ElementState.CLICKABLE}, box=Box(0, 0, 50, 10))
>>> span.children.append(leaf)
>>> tree = normal_tree(Draft(role=Role.DOCUMENT, name="Mail", box=Box(0, 0, 200, 100), children=[span]))
>>> [(element.role.value, element.name) for element in tree.elements]
[('document', 'Mail'), ('generic', 'Send')]
"""

import struct
from typing import Final

import msgspec

from understudy.formats.elements import (
    MAX_COORDINATE,
    MAX_DEPTH,
    MAX_ELEMENTS,
    Box,
    Element,
    ElementState,
    ElementTree,
    Role,
)
from understudy.formats.vocabulary import ACTIONABLE_ROLES

__all__ = ["TOLD", "Draft", "normal_tree", "number_text", "one_line", "placed_box"]

MAX_SOURCE_DEPTH: Final = 400
"""Levels of drafts that are looked at; dropped wrappers count here, though not in the tree."""

TOLD: Final = frozenset(
    {
        ElementState.BUSY,
        ElementState.CHECKED,
        ElementState.CLICKABLE,
        ElementState.DISABLED,
        ElementState.EDITABLE,
        ElementState.EXPANDABLE,
        ElementState.EXPANDED,
        ElementState.FOCUSABLE,
        ElementState.FOCUSED,
        ElementState.HASPOPUP,
        ElementState.INVALID,
        ElementState.MIXED,
        ElementState.MODAL,
        ElementState.MULTILINE,
        ElementState.MULTISELECTABLE,
        ElementState.PRESSED,
        ElementState.READONLY,
        ElementState.REQUIRED,
        ElementState.SECURE,
        ElementState.SELECTED,
        ElementState.SHOWING,
    }
)
"""The states that AT-SPI and a browser both tell."""

_SHOWING: Final = (ElementState.SHOWING,)
_REACHABLE: Final = frozenset({ElementState.CLICKABLE, ElementState.FOCUSABLE, ElementState.EDITABLE})
_FIELDS: Final = frozenset({Role.TEXTBOX, Role.SEARCHBOX})
_POPUPS: Final = frozenset({Role.MENU, Role.LISTBOX, Role.GENERIC})
_MAX_NAME: Final = 2_000
_MAX_VALUE: Final = 8_000
_MAX_CLASSES: Final = 16
_SINGLE_DIGITS: Final = 9
"""So many decimal digits tell any two numbers of 32 bits apart."""
_BINARY32: Final = struct.Struct("<f")


class Draft(msgspec.Struct, kw_only=True):
    """A node as its source told it, in the words of the vocabulary, before the normal form.

    ``box`` is in pixels of the screen. ``name`` of a text is the text, white space and all.
    """

    role: Role
    name: str = ""
    value: str | None = None
    states: frozenset[ElementState] = frozenset()
    box: Box | None = None
    tag: str | None = None
    id: str | None = None
    classes: tuple[str, ...] = ()
    children: list["Draft"] = msgspec.field(default_factory=list)


def one_line(text: str) -> str:
    """Return ``text`` as a name: one line, single spaces, none at the ends."""
    return " ".join(text.split())[:_MAX_NAME].rstrip()


def number_text(number: float) -> str:
    """Return the position of a slider or the like as text.

    A number that passed through 32 bits on its way, as browsers store positions, is written as the shortest
    text that means it.

    >>> number_text(40.0), number_text(0.25), number_text(0.30000001192092896)
    ('40', '0.25', '0.3')
    """
    shortest = (float(f"{number:.{digits}g}") for digits in range(1, _SINGLE_DIGITS + 1))
    same = next((short for short in shortest if _single(short) == number), number)
    return f"{same:.12g}"


def _single(number: float) -> float | None:
    """Return the number of 32 bits (IEEE 754 binary32) next to a number; None where it is too large."""
    try:
        nearest: float = _BINARY32.unpack(_BINARY32.pack(number))[0]
    except OverflowError:
        return None
    return nearest


def placed_box(x: int, y: int, width: int, height: int) -> Box:
    """Return the box, moved and cut to what the format can write."""
    low, high = -MAX_COORDINATE, MAX_COORDINATE
    return Box(
        min(max(x, low), high), min(max(y, low), high), min(max(width, 0), high), min(max(height, 0), high)
    )


def normal_tree(root: Draft, *, application: str | None = None, host: str | None = None) -> ElementTree:
    """Return the tree below ``root`` in normal form; ``host`` is that of the page."""
    top = _Kept(draft=root, role=root.role, name=one_line(root.name))
    _collect(root.children, top, None, 1)
    elements: list[Element] = []
    _write(top, None, elements, 1)
    return ElementTree(elements=tuple(elements), application=application and application[:200], host=host)


class _Kept(msgspec.Struct, kw_only=True):
    """A draft that has its place in the tree."""

    draft: Draft
    role: Role
    name: str
    value: str | None = None
    states: frozenset[ElementState] = frozenset(_SHOWING)
    box: Box | None = None
    children: list["_Kept"] = msgspec.field(default_factory=list)


def _collect(drafts: list[Draft], above: _Kept, box: Box | None, depth: int) -> None:
    """Put what is kept of ``drafts`` below ``above``; ``box`` is that of the ``select`` above them."""
    if depth > MAX_SOURCE_DEPTH:
        return
    for draft in drafts:
        is_option = box is not None and draft.role is Role.OPTION
        if is_option and ElementState.EXPANDED not in above.states:
            _keep(draft, above, draft.states - {ElementState.SHOWING}, box)
        elif box is not None and draft.role in _POPUPS:
            _collect(draft.children, above, box, depth + 1)
        elif _is_kept(draft):
            kept = _keep(draft, above, draft.states, draft.box)
            if ElementState.SECURE not in draft.states and kept.role is not Role.TEXT:
                is_list = kept.role is Role.COMBOBOX and draft.tag == "select"
                _collect(draft.children, kept, kept.box if is_list else None, depth + 1)
                _settle(kept)
        else:
            _collect(draft.children, above, box, depth + 1)


def _keep(draft: Draft, above: _Kept, states: frozenset[ElementState], box: Box | None) -> _Kept:
    role = draft.role
    if role is Role.GENERIC and {ElementState.EDITABLE, ElementState.FOCUSABLE} <= states:
        role = Role.TEXTBOX
    if role is Role.TEXT:
        states &= frozenset(_SHOWING)
    elif role in ACTIONABLE_ROLES:
        states -= {ElementState.CLICKABLE}
    value = None if ElementState.SECURE in states else draft.value
    name = draft.name if role is Role.TEXT else one_line(draft.name)
    kept = _Kept(draft=draft, role=role, name=name, value=value, states=states & TOLD, box=box)
    above.children.append(kept)
    return kept


def _is_kept(draft: Draft) -> bool:
    box = draft.box
    if ElementState.SHOWING not in draft.states or box is None or not box.width or not box.height:
        return False
    if draft.role is Role.TEXT:
        return bool(draft.name.strip())
    if draft.role is not Role.GENERIC or draft.value is not None or not _REACHABLE.isdisjoint(draft.states):
        return True
    return bool(draft.name.strip()) or ElementState.SECURE in draft.states


def _settle(kept: _Kept) -> None:
    """Apply what depends on the children: fields, comboboxes, names from texts."""
    children = kept.children
    texts = [child for child in children if child.role is Role.TEXT]
    if kept.role in _FIELDS:
        if kept.value is None:
            kept.value = _joined(kept)
        kept.children = [child for child in children if child.role is not Role.TEXT]
    elif kept.role is Role.COMBOBOX and kept.value is None:
        chosen = [child.name for child in children if ElementState.SELECTED in child.states]
        kept.value = chosen[0] if len(chosen) == 1 else None
    elif not texts:
        return
    elif kept.name:
        said = "".join(text.name for text in texts)
        if "".join(said.split()) == "".join(kept.name.split()):
            kept.children = [child for child in children if child.role is not Role.TEXT]
    elif len(children) == 1:
        kept.name = one_line(texts[0].name)
        kept.children = []


def _joined(kept: _Kept) -> str:
    """Return the text in a rich field: runs as they stand, blocks in lines of their own."""
    lines = [""]
    for child in kept.children:
        if child.role is Role.TEXT:
            lines[-1] += child.name
        else:
            lines += [child.name or _joined(child), ""]
    return "\n".join(line for line in lines if line)


def _write(kept: _Kept, parent: int | None, elements: list[Element], depth: int) -> None:
    if len(elements) == MAX_ELEMENTS or depth > MAX_DEPTH:
        return
    draft = kept.draft
    number = len(elements)
    elements.append(
        Element(
            role=kept.role,
            name=one_line(kept.name),
            value=None if kept.value is None else kept.value[:_MAX_VALUE],
            states=_SHOWING if parent is None else tuple(sorted(kept.states)),
            box=draft.box if parent is None else kept.box,
            parent=parent,
            tag=draft.tag[:64] if draft.tag and parent is not None else None,
            id=draft.id[:200] if draft.id and parent is not None else None,
            classes=() if parent is None else tuple(word[:100] for word in draft.classes[:_MAX_CLASSES]),
        )
    )
    for child in kept.children:
        _write(child, number, elements, depth + 1)
