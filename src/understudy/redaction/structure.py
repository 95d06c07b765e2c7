"""The first layer: what an element holds, told by what it is and what stands beside it.

Rules

* A field's class comes from its name, id and classes, and from the text before it, whichever speaks first.
* Static text is a value only if its label is nothing but a label and says so: by a colon, as a term or a
  row's head, as the head of its column, or in the text's own id or class.
* What is inside a classed field or cell is of its class. Options of a classed list are, unless they are the
  months, places or numbers that everybody has.
* Nothing here looks at what the value looks like.

Example

>>> label = Element(role=Role.TEXT, name="Employee ID:", parent=0)
>>> box = Element(role=Role.TEXTBOX, value="whatever", parent=0)
>>> read(ElementTree(elements=(Element(role=Role.DOCUMENT), label, box))).fields
{2: <EntityClass.EMPLOYEE: 'employee'>}
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from understudy.formats.elements import Element, ElementState, ElementTree, Role
from understudy.redaction.kinds import SECRETS, EntityClass
from understudy.redaction.labels import exact_label_class, label_class, words_of
from understudy.redaction.stopwords import is_stopword

FIELDS: Final = frozenset({Role.TEXTBOX, Role.SEARCHBOX, Role.COMBOBOX, Role.SPINBUTTON, Role.DATEFIELD})
_STATIC: Final = frozenset(
    {Role.TEXT, Role.PARAGRAPH, Role.DEFINITION, Role.CELL, Role.GRIDCELL, Role.LISTITEM, Role.GENERIC}
    | {Role.LABEL, Role.TERM, Role.ROWHEADER, Role.HEADING, Role.STATUS, Role.CAPTION}
)
_HEADS: Final = frozenset({Role.TERM, Role.ROWHEADER, Role.LABEL})
_CELLS: Final = frozenset({Role.CELL, Role.GRIDCELL, Role.ROWHEADER, Role.COLUMNHEADER})
_TABLES: Final = frozenset({Role.TABLE, Role.GRID, Role.TREEGRID})
_CONTROLS: Final = frozenset(
    {Role.BUTTON, Role.LINK, Role.CHECKBOX, Role.RADIO, Role.OPTION, Role.TAB, Role.MENUITEM, Role.SWITCH}
    | {Role.SLIDER, Role.IMAGE}
)
_INNER: Final = _STATIC - {Role.LABEL} | {Role.LINK}
_COMMON_OPTIONS: Final = SECRETS | {
    EntityClass.ADDRESS,
    EntityClass.BIRTH_DATE,
    EntityClass.HEALTH,
    EntityClass.PHONE,
    EntityClass.SALARY,
}
"""Classes whose lists hold what everybody has: countries, months, dialling codes, ranges."""
_NOT_BY_CLASS: Final = frozenset(
    {EntityClass.ADDRESS, EntityClass.HEALTH, EntityClass.ACCOUNT, EntityClass.URL}
)
_VAGUE: Final = frozenset({"name", "user", "contact", "client", "customer", "sender", "recipient", "account"})
_FAR: Final = 6
MAX_STATIC: Final = 200


class Structure(msgspec.Struct, frozen=True):
    """What a tree tells: the class of each field (None where none is told), and of each static text."""

    fields: dict[int, EntityClass | None]
    statics: dict[int, EntityClass]
    labels: dict[int, str]

    def __repr__(self) -> str:
        return f"Structure(fields={len(self.fields)}, statics={len(self.statics)})"


def read(tree: ElementTree) -> Structure:
    """Return what the structure of a tree tells of its elements."""
    elements = tree.elements
    fields: dict[int, EntityClass | None] = {}
    statics: dict[int, EntityClass] = {}
    labels: dict[int, str] = {}
    for number, element in enumerate(elements):
        if is_field(element):
            label = _label_before(elements, number)
            labels[number] = f"{element.name} {label}".strip()
            fields[number] = _field_class(element, label)
        elif _is_value(element):
            label = _label_beside(elements, number)
            if label:
                labels[number] = label
            kind = exact_label_class(label) if label else None
            kind = kind or _own_class(element)
            if kind is not None:
                statics[number] = kind
    for number, kind in _in_columns(elements):
        statics.setdefault(number, kind)
    _spread(tree, fields, statics)
    return Structure(fields, statics, labels)


def is_field(element: Element) -> bool:
    """Return whether a person can enter text there, or choose one."""
    return element.role in FIELDS or ElementState.EDITABLE in element.states


def _field_class(element: Element, before: str) -> EntityClass | None:
    if element.is_secure:
        return EntityClass.PASSWORD
    for told in (element.name, element.id or "", before):
        kind = label_class(told) if told else None
        if kind is not None:
            return kind
    return next(filter(None, map(exact_label_class, element.classes)), None)


def _label_before(elements: tuple[Element, ...], number: int) -> str:
    """Return the text that stands before a field, if no other control stands between."""
    above = set(_ancestors(elements, number))
    for other in range(number - 1, max(-1, number - _FAR), -1):
        element = elements[other]
        if other not in above and (is_field(element) or element.role in _CONTROLS):
            return ""
        if other in above and element.role not in _STATIC and element.role is not Role.GROUP:
            continue
        if sum(map(str.isalnum, element.name)) > 1 and element.parent is not None:
            return element.name
    return ""


def _label_beside(elements: tuple[Element, ...], number: int) -> str:
    """Return the label that a static text is the value of."""
    colon = False
    for other in range(number - 1, max(-1, number - _FAR), -1):
        element = elements[other]
        if element.role not in _STATIC:
            if element.role in _CONTROLS or is_field(element):
                return ""
            continue
        name = element.name.strip()
        if not any(map(str.isalnum, name)):
            colon = colon or name.endswith(":")
            continue
        is_head = colon or name.endswith(":") or element.role in _HEADS
        parent = None if element.parent is None else elements[element.parent]
        is_head = is_head or (parent is not None and parent.role in _HEADS)
        if is_head or (exact_label_class(name) is not None and _is_pair(elements, other, number)):
            return name
        return ""
    return ""


def _is_pair(elements: tuple[Element, ...], first: int, second: int) -> bool:
    """Return whether two texts are the only two cells of one row."""
    one, other = _cell_of(elements, first), _cell_of(elements, second)
    if one is None or other is None or one == other:
        return False
    row = elements[one].parent
    cells = [
        number for number, element in enumerate(elements) if element.parent == row and element.role in _CELLS
    ]
    return cells == [one, other]


def _cell_of(elements: tuple[Element, ...], number: int) -> int | None:
    return next(
        (step for step in (number, *_ancestors(elements, number)) if elements[step].role in _CELLS), None
    )


def _is_value(element: Element) -> bool:
    if element.role not in _STATIC or element.role in _HEADS or not 0 < len(element.name) <= MAX_STATIC:
        return False
    name = element.name.strip()
    return not name.endswith(":") and not is_stopword(name) and exact_label_class(name) is None


def _own_class(element: Element) -> EntityClass | None:
    """Return the class that an element's own id or classes tell, as in ``class="user-email"``."""
    for told in (element.id or "", *element.classes):
        kind = exact_label_class(told) if told else None
        if kind is not None and kind not in _NOT_BY_CLASS and words_of(told) not in _VAGUE:
            return kind
    return None


def _in_columns(elements: tuple[Element, ...]) -> Iterator[tuple[int, EntityClass]]:
    """Yield the cells below a column's head that is a label."""
    heads: dict[int, dict[int, tuple[str, EntityClass]]] = {}
    position: dict[int, int] = {}
    for number, element in enumerate(elements):
        if element.role not in _CELLS or element.parent is None:
            continue
        place = position[element.parent] = position.get(element.parent, -1) + 1
        table = next((up for up in _ancestors(elements, number) if elements[up].role in _TABLES), None)
        if table is None:
            continue
        columns = heads.setdefault(table, {})
        if element.role is Role.COLUMNHEADER:
            kind = exact_label_class(element.name)
            if kind is not None:
                columns[place] = (words_of(element.name), kind)
        elif place in columns:
            words, kind = columns[place]
            # A column "Name" may hold files or goods; beside mail addresses or numbers it holds people.
            if words not in _VAGUE or len({other for _, other in columns.values()}) > 1:
                yield number, kind


def _spread(
    tree: ElementTree, fields: dict[int, EntityClass | None], statics: dict[int, EntityClass]
) -> None:
    """Give what is inside of something classed the same class."""
    for number, kind in [*fields.items(), *statics.items()]:
        if kind is None:
            continue
        for below in tree.below(number):
            element = tree.elements[below]
            is_option = element.role is Role.OPTION and kind not in _COMMON_OPTIONS
            if (is_option or element.role in _INNER) and not is_stopword(element.name):
                statics.setdefault(below, kind)


def _ancestors(elements: tuple[Element, ...], number: int) -> Iterator[int]:
    parent = elements[number].parent
    while parent is not None and parent < number:
        yield parent
        number, parent = parent, elements[parent].parent
