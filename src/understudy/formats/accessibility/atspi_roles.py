"""What AT-SPI's numbers for roles and states mean, in the words of the vocabulary.

Rules

* Numbers, never role names: Qt says ``text`` for the role 40 of a password field.
* Every number of ``AtspiRole`` up to 2.56 has its word; a number from later is ``unknown``.
* ARIA's own word (``xml-roles``) is finer and wins, except over fields: a field stays what the program says.

Source: ``atspi-constants.h`` of at-spi2-core 2.56 (``AtspiRole``, ``AtspiStateType``).

Example

>>> ROLES[43].value, role_of(110, {"xml-roles": "main"}).value, role_of(999, {}).value
('button', 'main', 'unknown')
"""

from collections.abc import Mapping
from typing import Final

from understudy.formats.elements import ElementState, Role
from understudy.formats.vocabulary import ACTIONABLE_ROLES

PASSWORD: Final = 40
"""``ATSPI_ROLE_PASSWORD_TEXT``."""
STATIC: Final = 116
COMBO_BOX: Final = 11
SPIN_BUTTON: Final = 52
INTERNAL_FRAME: Final = 28
DOCUMENT_WEB: Final = 95
FRAME: Final = 23
TERMINAL: Final = 60

ROLES: Final[tuple[Role, ...]] = (
    Role.UNKNOWN,  # 0 invalid
    Role.LABEL,  # 1 accelerator label
    Role.ALERT,
    Role.IMAGE,  # 3 animation
    Role.BUTTON,  # 4 arrow
    Role.DATEFIELD,  # 5 calendar
    Role.CANVAS,
    Role.CHECKBOX,
    Role.MENUITEMCHECKBOX,
    Role.COLORPICKER,
    Role.COLUMNHEADER,  # 10
    Role.COMBOBOX,
    Role.DATEFIELD,
    Role.IMAGE,  # 13 desktop icon
    Role.WINDOW,  # 14 desktop frame
    Role.SLIDER,  # 15 dial
    Role.DIALOG,
    Role.GENERIC,  # 17 directory pane
    Role.CANVAS,  # 18 drawing area
    Role.DIALOG,  # 19 file chooser
    Role.GENERIC,  # 20 filler
    Role.GENERIC,  # 21 focus traversable
    Role.DIALOG,  # 22 font chooser
    Role.WINDOW,  # 23 frame
    Role.GENERIC,  # 24 glass pane
    Role.GENERIC,  # 25 html container
    Role.IMAGE,  # 26 icon
    Role.IMAGE,
    Role.IFRAME,  # 28 internal frame
    Role.LABEL,
    Role.GENERIC,  # 30 layered pane
    Role.LIST,
    Role.LISTITEM,
    Role.MENU,
    Role.MENUBAR,
    Role.MENUITEM,
    Role.DIALOG,  # 36 option pane
    Role.TAB,
    Role.TABLIST,
    Role.GROUP,  # 39 panel
    Role.TEXTBOX,  # 40 password text
    Role.MENU,  # 41 popup menu
    Role.PROGRESSBAR,
    Role.BUTTON,
    Role.RADIO,
    Role.MENUITEMRADIO,
    Role.GENERIC,  # 46 root pane
    Role.ROWHEADER,
    Role.SCROLLBAR,
    Role.GENERIC,  # 49 scroll pane
    Role.SEPARATOR,  # 50
    Role.SLIDER,
    Role.SPINBUTTON,
    Role.GENERIC,  # 53 split pane
    Role.STATUS,
    Role.TABLE,
    Role.CELL,
    Role.COLUMNHEADER,
    Role.ROWHEADER,
    Role.MENUITEM,  # 59 tear-off menu item
    Role.TERMINAL,  # 60
    Role.TEXTBOX,  # 61 text
    Role.BUTTON,  # 62 toggle button
    Role.TOOLBAR,
    Role.TOOLTIP,
    Role.TREE,
    Role.TREEGRID,
    Role.UNKNOWN,
    Role.GENERIC,  # 68 viewport
    Role.WINDOW,
    Role.UNKNOWN,  # 70 extended
    Role.GENERIC,  # 71 header
    Role.GENERIC,  # 72 footer
    Role.PARAGRAPH,
    Role.GENERIC,  # 74 ruler
    Role.APPLICATION,
    Role.TEXTBOX,  # 76 autocomplete
    Role.TEXTBOX,  # 77 edit bar
    Role.APPLICATION,  # 78 embedded: a page's own `role=application`
    Role.TEXTBOX,  # 79 entry
    Role.FIGURE,  # 80 chart
    Role.CAPTION,
    Role.DOCUMENT,
    Role.HEADING,
    Role.GENERIC,  # 84 page
    Role.GENERIC,  # 85 section
    Role.GENERIC,  # 86 redundant object
    Role.FORM,
    Role.LINK,
    Role.WINDOW,  # 89 input method window
    Role.ROW,  # 90
    Role.TREEITEM,
    Role.DOCUMENT,
    Role.DOCUMENT,
    Role.DOCUMENT,
    Role.DOCUMENT,
    Role.DOCUMENT,
    Role.NOTE,  # 97 comment
    Role.LISTBOX,
    Role.GROUP,
    Role.IMAGE,  # 100 image map
    Role.ALERT,  # 101 notification
    Role.STATUS,  # 102 info bar
    Role.METER,  # 103 level bar
    Role.TITLEBAR,
    Role.BLOCKQUOTE,
    Role.AUDIO,
    Role.VIDEO,
    Role.DEFINITION,
    Role.ARTICLE,
    Role.REGION,  # 110 landmark
    Role.LOG,
    Role.LOG,  # 112 marquee
    Role.MATH,
    Role.METER,  # 114 rating
    Role.TIMER,
    Role.TEXT,  # 116 static
    Role.MATH,
    Role.MATH,
    Role.GENERIC,  # 119 subscript
    Role.GENERIC,  # 120 superscript
    Role.LIST,  # 121 description list
    Role.TERM,
    Role.DEFINITION,  # 123 description value
    Role.NOTE,  # 124 footnote
    Role.GENERIC,  # 125 deleted content
    Role.GENERIC,  # 126 inserted content
    Role.GENERIC,  # 127 mark
    Role.GENERIC,  # 128 suggestion
    Role.BUTTON,  # 129 button with a menu
    Role.SWITCH,  # 130
)

_FIELDS: Final = frozenset({PASSWORD, SPIN_BUTTON, 61, 76, 77, 79})
_SHAPES: Final = frozenset({"path", "rect", "circle", "ellipse", "line", "polygon", "polyline", "g", "use"})
_LEAVES: Final = frozenset({7, 44})
_CONTROLS: Final = frozenset({"select", "input", "textarea", "button", "option"})
"""Tags that answer clicks by themselves."""
_COARSE: Final = frozenset({Role.GENERIC, Role.TEXT, Role.WINDOW, Role.UNKNOWN, Role.IMAGE, Role.TITLEBAR})
_ARIA: Final = {role.value: role for role in Role if role not in _COARSE} | {"img": Role.IMAGE}

_BITS: Final = {
    3: ElementState.BUSY,
    4: ElementState.CHECKED,
    7: ElementState.EDITABLE,
    9: ElementState.EXPANDABLE,
    10: ElementState.EXPANDED,
    11: ElementState.FOCUSABLE,
    12: ElementState.FOCUSED,
    16: ElementState.MODAL,
    17: ElementState.MULTILINE,
    18: ElementState.MULTISELECTABLE,
    20: ElementState.PRESSED,
    23: ElementState.SELECTED,
    25: ElementState.SHOWING,
    32: ElementState.MIXED,
    33: ElementState.REQUIRED,
    36: ElementState.INVALID,
    42: ElementState.HASPOPUP,
    43: ElementState.READONLY,
}
_LIVE: Final = 1 << 8 | 1 << 24
"""Enabled and sensitive: a node without both is disabled."""
ACTIVE: Final = 1 << 1
DEFUNCT: Final = 1 << 6
EDITABLE: Final = 1 << 7
FOCUSED: Final = 1 << 12
SHOWING: Final = 1 << 25

_known: dict[int, frozenset[ElementState]] = {}


def role_of(number: int, attributes: Mapping[str, str]) -> Role:
    """Return the role of a node by its role number, its tag and its ARIA word."""
    tag = attributes.get("tag", "")
    if number in _FIELDS:
        return Role.SEARCHBOX if attributes.get("text-input-type") == "search" else _numbered(number)
    aria = _ARIA.get(attributes.get("xml-roles", "").partition(" ")[0])
    if aria is not None:
        return aria
    if tag == "svg":
        return Role.IMAGE
    if tag in _SHAPES:
        return Role.SHAPE
    if tag == "option":
        return Role.OPTION
    if number == STATIC and tag == "code":
        return Role.CODE
    if tag == "figure":
        return Role.FIGURE
    if tag == "" and number == 39:  # noqa: PLR2004 - a panel: a toolkit's box without meaning, where a page has a group
        return Role.GENERIC
    return _numbered(number)


def is_field(number: int) -> bool:
    """Return whether a node of this role holds text that a person types."""
    return number in _FIELDS


def is_leaf(number: int, attributes: Mapping[str, str]) -> bool:
    """Return whether a node never has children: a run of text, a check box, a radio button."""
    return number in _LEAVES or (number == STATIC and not attributes.get("tag"))


def is_plain(number: int, attributes: Mapping[str, str]) -> bool:
    """Return whether a node of a page is one that nothing but its action can tell to be clickable."""
    tag = attributes.get("tag", "")
    if not tag or tag in _CONTROLS or number == STATIC:
        return False
    return role_of(number, attributes) not in ACTIONABLE_ROLES


def states_of(words: int) -> frozenset[ElementState]:
    """Return the states of a node by its 64 state bits (the first word low)."""
    states = _known.get(words)
    if states is None:
        found = {state for bit, state in _BITS.items() if words >> bit & 1}
        if ElementState.READONLY in found:  # Chromium says neither enabled nor sensitive of such a field
            found.discard(ElementState.EDITABLE)
        elif words & _LIVE != _LIVE:
            found.add(ElementState.DISABLED)
        states = frozenset(found)
        if len(_known) < 1_000:  # noqa: PLR2004 - a few dozen occur; a hostile page must not fill the memory
            _known[words] = states
    return states


def _numbered(number: int) -> Role:
    return ROLES[number] if 0 <= number < len(ROLES) else Role.UNKNOWN
