"""The words of Chromium's protocol for roles and states, and ours.

Rules

* A role that WAI-ARIA names is that role. Chromium's own names, which begin with a capital, are listed one
  by one.
* What only says how a text looks (``strong``, ``emphasis``, ``mark``) is ``generic``: it is no part to act
  on.
* A word that is not here is ``unknown``, never a guess.

Names: ``AXObject::RoleName`` in Chromium's ``ax_object.cc``; ``AXPropertyName`` of the protocol.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from understudy.formats.vocabulary import ElementState, Role

_OWN: Final = {
    "Abbr": Role.GENERIC,
    "Audio": Role.AUDIO,
    "Canvas": Role.CANVAS,
    "ColorWell": Role.BUTTON,
    "Date": Role.DATEFIELD,
    "DateTime": Role.DATEFIELD,
    "DescriptionList": Role.LIST,
    "DescriptionListDetail": Role.DEFINITION,
    "DescriptionListTerm": Role.TERM,
    "Details": Role.GROUP,
    "DisclosureTriangle": Role.BUTTON,
    "DisclosureTriangleGrouped": Role.BUTTON,
    "EmbeddedObject": Role.UNKNOWN,
    "Figcaption": Role.CAPTION,
    "FooterAsNonLandmark": Role.GENERIC,
    "HeaderAsNonLandmark": Role.GENERIC,
    "Iframe": Role.IFRAME,
    "IframePresentational": Role.IFRAME,
    "InputTime": Role.DATEFIELD,
    "LabelText": Role.LABEL,
    "LayoutTable": Role.GENERIC,
    "LayoutTableCell": Role.GENERIC,
    "LayoutTableRow": Role.GENERIC,
    "Legend": Role.LABEL,
    "LineBreak": Role.TEXT,
    "MathMLIdentifier": Role.GENERIC,
    "MathMLMath": Role.MATH,
    "MathMLNumber": Role.GENERIC,
    "MathMLOperator": Role.GENERIC,
    "MathMLText": Role.GENERIC,
    "MenuListPopup": Role.MENU,
    "PluginObject": Role.UNKNOWN,
    "Pre": Role.GENERIC,
    "RootWebArea": Role.DOCUMENT,
    "Ruby": Role.GENERIC,
    "RubyAnnotation": Role.GENERIC,
    "Section": Role.GENERIC,
    "StaticText": Role.TEXT,
    "SvgRoot": Role.IMAGE,
    "Video": Role.VIDEO,
}

_LOOKS: Final = (
    "deletion",
    "emphasis",
    "insertion",
    "mark",
    "none",
    "presentation",
    "sectionfooter",
    "sectionheader",
    "strong",
    "subscript",
    "suggestion",
    "superscript",
    "time",
)

ROLES: Final[Mapping[str, Role]] = {
    **{role.value: role for role in Role if role is not Role.UNKNOWN},
    **dict.fromkeys(_LOOKS, Role.GENERIC),
    "graphics-document": Role.IMAGE,
    "graphics-object": Role.GROUP,
    "graphics-symbol": Role.IMAGE,
    "img": Role.IMAGE,
    **_OWN,
}

_SHAPES: Final = frozenset({"circle", "ellipse", "g", "line", "path", "polygon", "polyline", "rect", "use"})


def role_of(kind: str, tag: str) -> Role:
    """Return the role of a node by the browser's word and its tag.

    >>> role_of("StaticText", "#text").value, role_of("image", "circle").value
    ('text', 'shape')
    """
    role = ROLES.get(kind, Role.UNKNOWN)
    if role is Role.ROWGROUP and tag in _ROW_GROUPS:
        return Role.GENERIC
    if role is Role.SEARCHBOX and tag != "input":
        return Role.TEXTBOX
    if role in _PLAIN:
        if tag in _SHAPES:
            return Role.SHAPE
        if tag == "svg":
            return Role.IMAGE
    return role


_ROW_GROUPS: Final = frozenset({"tbody", "tfoot", "thead"})
"""The accessibility bus calls these plain sections."""
_PLAIN: Final = frozenset({Role.GENERIC, Role.GROUP, Role.IMAGE, Role.UNKNOWN})

FIELDS: Final = frozenset({Role.TEXTBOX, Role.SEARCHBOX, Role.COMBOBOX})
"""Roles whose value is a text; a combobox is one where a person types into it."""


def _is(name: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda told: told.get(name) in (True, "true")


def _names(name: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda told: told.get(name) not in (None, "", False, "false")


STATES: Final[Mapping[ElementState, Callable[[Mapping[str, Any]], bool]]] = {
    ElementState.BUSY: _is("busy"),
    ElementState.CHECKED: _is("checked"),
    ElementState.DISABLED: _is("disabled"),
    ElementState.EDITABLE: _names("editable"),
    ElementState.EXPANDABLE: lambda told: "expanded" in told,
    ElementState.EXPANDED: _is("expanded"),
    ElementState.FOCUSABLE: _is("focusable"),
    ElementState.FOCUSED: _is("focused"),
    ElementState.HASPOPUP: _names("hasPopup"),
    ElementState.INVALID: _names("invalid"),
    ElementState.MIXED: lambda told: "mixed" in (told.get("checked"), told.get("pressed")),
    ElementState.MODAL: _is("modal"),
    ElementState.MULTILINE: _is("multiline"),
    ElementState.MULTISELECTABLE: _is("multiselectable"),
    ElementState.PRESSED: _is("pressed"),
    ElementState.READONLY: _is("readonly"),
    ElementState.REQUIRED: _is("required"),
    ElementState.SELECTED: _is("selected"),
}
"""For each state, whether a node's properties tell it."""
