"""The words for roles and states of elements: one vocabulary for every source.

Rules

* Where WAI-ARIA 1.2 has a word for a role, it is that word; the others are listed in
  ``docs/formats/recording.md``, section 6. What a source cannot name is ``unknown``.
* There is no state for hover: it would give away where the pointer was.
* Lists are append-only, and appending is a new version of the formats.
"""

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What an element is."""

    ALERT = "alert"
    ALERTDIALOG = "alertdialog"
    APPLICATION = "application"
    ARTICLE = "article"
    AUDIO = "audio"
    BANNER = "banner"
    BLOCKQUOTE = "blockquote"
    BUTTON = "button"
    CANVAS = "canvas"
    CAPTION = "caption"
    CELL = "cell"
    CHECKBOX = "checkbox"
    CODE = "code"
    COLORPICKER = "colorpicker"
    COLUMNHEADER = "columnheader"
    COMBOBOX = "combobox"
    COMPLEMENTARY = "complementary"
    CONTENTINFO = "contentinfo"
    DATEFIELD = "datefield"
    DEFINITION = "definition"
    DIALOG = "dialog"
    DOCUMENT = "document"
    FIGURE = "figure"
    FORM = "form"
    GENERIC = "generic"
    GRID = "grid"
    GRIDCELL = "gridcell"
    GROUP = "group"
    HEADING = "heading"
    IFRAME = "iframe"
    IMAGE = "image"
    LABEL = "label"
    LINK = "link"
    LIST = "list"
    LISTBOX = "listbox"
    LISTITEM = "listitem"
    LOG = "log"
    MAIN = "main"
    MATH = "math"
    MENU = "menu"
    MENUBAR = "menubar"
    MENUITEM = "menuitem"
    MENUITEMCHECKBOX = "menuitemcheckbox"
    MENUITEMRADIO = "menuitemradio"
    METER = "meter"
    NAVIGATION = "navigation"
    NOTE = "note"
    OPTION = "option"
    PARAGRAPH = "paragraph"
    PROGRESSBAR = "progressbar"
    RADIO = "radio"
    RADIOGROUP = "radiogroup"
    REGION = "region"
    ROW = "row"
    ROWGROUP = "rowgroup"
    ROWHEADER = "rowheader"
    SCROLLBAR = "scrollbar"
    SEARCH = "search"
    SEARCHBOX = "searchbox"
    SEPARATOR = "separator"
    SHAPE = "shape"
    SLIDER = "slider"
    SPINBUTTON = "spinbutton"
    STATUS = "status"
    SWITCH = "switch"
    TAB = "tab"
    TABLE = "table"
    TABLIST = "tablist"
    TABPANEL = "tabpanel"
    TERM = "term"
    TERMINAL = "terminal"
    TEXT = "text"
    TEXTBOX = "textbox"
    TIMER = "timer"
    TITLEBAR = "titlebar"
    TOOLBAR = "toolbar"
    TOOLTIP = "tooltip"
    TREE = "tree"
    TREEGRID = "treegrid"
    TREEITEM = "treeitem"
    UNKNOWN = "unknown"
    VIDEO = "video"
    WINDOW = "window"


class ElementState(StrEnum):
    """What can be true of an element, beside its value."""

    BUSY = "busy"
    CHECKED = "checked"
    CLICKABLE = "clickable"
    DISABLED = "disabled"
    EDITABLE = "editable"
    EXPANDABLE = "expandable"
    EXPANDED = "expanded"
    FOCUSABLE = "focusable"
    FOCUSED = "focused"
    HASPOPUP = "haspopup"
    INVALID = "invalid"
    MIXED = "mixed"
    MODAL = "modal"
    MULTILINE = "multiline"
    MULTISELECTABLE = "multiselectable"
    PRESSED = "pressed"
    READONLY = "readonly"
    REQUIRED = "required"
    SCROLLABLE = "scrollable"
    SECURE = "secure"
    SELECTABLE = "selectable"
    SELECTED = "selected"
    SHOWING = "showing"
    VISITED = "visited"


ACTIONABLE_ROLES: Final = frozenset(
    {
        Role.BUTTON,
        Role.CHECKBOX,
        Role.COLORPICKER,
        Role.COMBOBOX,
        Role.DATEFIELD,
        Role.LINK,
        Role.MENUITEM,
        Role.MENUITEMCHECKBOX,
        Role.MENUITEMRADIO,
        Role.OPTION,
        Role.RADIO,
        Role.SCROLLBAR,
        Role.SEARCHBOX,
        Role.SLIDER,
        Role.SPINBUTTON,
        Role.SWITCH,
        Role.TAB,
        Role.TEXTBOX,
        Role.TREEITEM,
    }
)
"""Roles that exist to be acted on; any other element counts when it is clickable or focusable."""
