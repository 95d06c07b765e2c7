"""What an element holds, what it is a part of, and which option is chosen in a native list.

Rules

* What can be checked holds ``true``, ``false`` or ``mixed``; a secure element holds nothing; a native list
  holds its value or the name of its one selected option; anything else holds its value.
* A native list is a combobox or a listbox that nobody types into, and a ``select`` where the source tells
  tags. Lists that a page builds itself are not native: choosing in them is clicking.
* An option belongs to the outermost list above it, with nothing but lists, menus and groups between.
* What is typed into a part of a native date field is typed into the field: it moves on by itself.

Example

>>> from msgspec.structs import replace
>>> page = Element(role=Role.DOCUMENT)
>>> menu = Element(role=Role.COMBOBOX, tag="select", parent=0)
>>> named = [Element(role=Role.OPTION, name=name, parent=1) for name in ("North", "South")]
>>> tree = ElementTree(elements=(page, menu, named[0], replace(named[1], states=(ElementState.SELECTED,))))
>>> held(tree, 1), list_of(tree, 2), option_named(tree, 1, "South")
('South', 1, 3)
"""

from typing import Final

from understudy.formats.elements import Element, ElementState, ElementTree, Role

__all__ = ["CHECKABLE", "chosen", "field_of", "held", "is_native_list", "list_of", "option_named"]

CHECKABLE: Final = frozenset(
    {Role.CHECKBOX, Role.MENUITEMCHECKBOX, Role.MENUITEMRADIO, Role.RADIO, Role.SWITCH}
)
_LISTS: Final = frozenset({Role.COMBOBOX, Role.LISTBOX})
_OPTIONS: Final = frozenset({Role.OPTION, Role.MENUITEM})
_UNLIKE: Final = frozenset({ElementState.EDITABLE, ElementState.SECURE})
_WRAPPERS: Final = frozenset({Role.GROUP, Role.GENERIC})
_BETWEEN: Final = frozenset({Role.LISTBOX, Role.MENU, Role.LIST, Role.GROUP, Role.GENERIC})


def is_native_list(element: Element) -> bool:
    """Return whether an element is a list of the system or of the browser that options are chosen in."""
    return element.role in _LISTS and element.tag in {None, "select"} and _UNLIKE.isdisjoint(element.states)


def list_of(tree: ElementTree, number: int) -> int | None:
    """Return the native list that an option belongs to; None if there is none."""
    if tree.elements[number].role not in _OPTIONS or tree.elements[number].is_secure:
        return None
    found = None
    above = tree.elements[number].parent
    while above is not None:
        element = tree.elements[above]
        if is_native_list(element):
            found = above
        if element.role not in _BETWEEN:
            break
        above = element.parent
    return found


def field_of(tree: ElementTree, number: int) -> int:
    """Return what is typed into where an element has the focus: its list, its date field, or itself."""
    found = list_of(tree, number)
    if found is not None:
        return found
    above = tree.elements[number].parent
    if tree.elements[number].role is Role.SPINBUTTON:
        while above is not None and tree.elements[above].role in _WRAPPERS:
            above = tree.elements[above].parent
        if above is not None and tree.elements[above].role is Role.DATEFIELD:
            return above
    return number


def held(tree: ElementTree, number: int) -> str | None:
    """Return what an element holds, in the words of a resulting value."""
    element = tree.elements[number]
    if element.is_secure:
        return None
    if element.role in CHECKABLE:
        if ElementState.MIXED in element.states:
            return "mixed"
        return "true" if ElementState.CHECKED in element.states else "false"
    if is_native_list(element):
        return chosen(tree, number) if element.value is None else element.value
    return element.value


def chosen(tree: ElementTree, number: int) -> str | None:
    """Return the name of the one selected option of a list; its value, where none or several are selected."""
    names = [tree.elements[option].name for option in _options(tree, number) if _is_selected(tree, option)]
    return names[0] if len(names) == 1 else tree.elements[number].value


def option_named(tree: ElementTree, number: int, name: str, like: int | None = None) -> int | None:
    """Return the option of a list that has a name; ``like`` is taken where several have it."""
    found = [option for option in _options(tree, number) if tree.elements[option].name == name]
    if like in found:
        return like
    return found[0] if found else None


def _options(tree: ElementTree, number: int) -> list[int]:
    found = (below for below in tree.below(number) if tree.elements[below].role in _OPTIONS)
    return [option for option in found if not tree.elements[option].is_secure]


def _is_selected(tree: ElementTree, option: int) -> bool:
    return ElementState.SELECTED in tree.elements[option].states
