r"""Pixels: a frame begins as a plain surface, and only what is explained is copied onto it.

Rules

* Explained is the box of an element that shows and whose text was looked at and is clean: a control, or an
  element without parts that has a text. Nothing else is. Pictures, canvases and what is unknown also cover
  what lies below them.
* What has an entity, is secure, or stands at a place that held an entity is filled black, 2 pixels outward.
  Black comes last, and wins.
* A frame that several trees belong to keeps what all of them explain, and loses what any of them hides.
* No blur, no scaling: what is filled is gone.

Example

>>> button = Element(role=Role.BUTTON, name="Go", box=Box(1, 0, 1, 1), parent=0)
>>> tree = ElementTree(elements=(Element(role=Role.DOCUMENT), button))
>>> row = PlacedPicture(x=0, y=0, picture=Picture(width=3, height=1, rgb=b"abcdefghi"))
>>> masked(row, [(tree, frozenset())]).picture.rgb
b'\xc8\xc8\xc8def\xc8\xc8\xc8'
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Final

import numpy as np
from numpy.typing import NDArray

from understudy.formats.elements import Box, Element, ElementState, ElementTree, Role
from understudy.formats.picture import Picture, PlacedPicture
from understudy.redaction.errors import RedactionError

NEUTRAL: Final = 200
"""The surface: a light grey."""
MARGIN: Final = 2
"""Pixels that black goes beyond a box: borders, and edges of glyphs."""

Mask = NDArray[np.bool_]

OPAQUE: Final = frozenset(
    {Role.IMAGE, Role.CANVAS, Role.VIDEO, Role.FIGURE, Role.IFRAME, Role.SHAPE, Role.MATH, Role.UNKNOWN}
)
"""What shows something that no text explains."""
_WORDLESS: Final = frozenset(
    {
        Role.CHECKBOX,
        Role.RADIO,
        Role.SWITCH,
        Role.SLIDER,
        Role.SCROLLBAR,
        Role.PROGRESSBAR,
        Role.METER,
        Role.SPINBUTTON,
    }
    | {Role.TEXTBOX, Role.SEARCHBOX, Role.COMBOBOX, Role.DATEFIELD, Role.SEPARATOR}
)
"""Controls that show nothing but their state and their value, so that an empty one is explained too."""
_CONTROLS: Final = _WORDLESS | {
    Role.BUTTON,
    Role.LINK,
    Role.MENUITEM,
    Role.MENUITEMCHECKBOX,
    Role.MENUITEMRADIO,
    Role.OPTION,
    Role.TAB,
    Role.TREEITEM,
}
_UNDRAWN: Final = frozenset(
    {
        Role.DOCUMENT,
        Role.WINDOW,
        Role.APPLICATION,
        Role.MAIN,
        Role.REGION,
        Role.FORM,
        Role.GROUP,
        Role.LIST,
        Role.TABLE,
    }
    | {
        Role.GRID,
        Role.ROWGROUP,
        Role.NAVIGATION,
        Role.BANNER,
        Role.CONTENTINFO,
        Role.COMPLEMENTARY,
        Role.ARTICLE,
    }
    | {
        Role.DIALOG,
        Role.ALERTDIALOG,
        Role.TOOLBAR,
        Role.TABPANEL,
        Role.TABLIST,
        Role.MENU,
        Role.MENUBAR,
        Role.LISTBOX,
    }
    | {Role.TREE, Role.TREEGRID, Role.RADIOGROUP, Role.SEARCH, Role.LOG, Role.ROW}
)
"""Containers: their name is drawn by their parts, or nowhere."""
MAX_NAME: Final = 2_000
MAX_VALUE: Final = 8_000


def masked(
    frame: PlacedPicture, trees: Iterable[tuple[ElementTree, AbstractSet[int]]], *, is_masked: bool = False
) -> PlacedPicture:
    """Return the frame with everything but explained text taken out.

    Args:
        frame: the pixels as they were captured.
        trees: what the screen showed with this frame, each with the numbers of the elements to be hidden.
        is_masked: whether it came out of here before; then more can only be hidden.

    Raises:
        RedactionError: the pixels do not fill the picture.
    """
    picture = frame.picture
    if len(picture.rgb) != picture.width * picture.height * 3:
        raise RedactionError("pixels that do not fill the picture")
    pixels = np.frombuffer(picture.rgb, np.uint8).reshape(picture.height, picture.width, 3)
    shown: Mask | None = None
    hidden = np.zeros(pixels.shape[:2], np.bool_)
    for tree, dirty in trees:
        explained = _explained(frame, tree, dirty)
        shown = explained if shown is None else shown & explained
        _hide(hidden, frame, tree, dirty)
    surface = pixels.copy() if is_masked else np.full_like(pixels, NEUTRAL)
    if shown is not None and not is_masked:
        np.copyto(surface, pixels, where=shown[:, :, None])
    surface[hidden] = 0
    return PlacedPicture(
        x=frame.x,
        y=frame.y,
        picture=Picture(width=picture.width, height=picture.height, rgb=surface.tobytes()),
    )


def _explained(frame: PlacedPicture, tree: ElementTree, dirty: AbstractSet[int]) -> Mask:
    """Return which pixels are copied; elements are drawn in the order of the document."""
    mask = np.zeros((frame.picture.height, frame.picture.width), np.bool_)
    parents = {element.parent for element in tree.elements}
    knows = ElementState.SHOWING in tree.elements[0].states
    for number, element in enumerate(tree.elements):
        if element.box is None or (knows and ElementState.SHOWING not in element.states):
            continue
        if element.role in OPAQUE:
            mask[_slices(frame, element.box)] = False
        elif number not in dirty and _is_explained(element, is_leaf=number not in parents):
            mask[_slices(frame, element.box)] = True
    return mask


def _is_explained(element: Element, *, is_leaf: bool) -> bool:
    if element.is_secure or len(element.name) >= MAX_NAME or len(element.value or "") >= MAX_VALUE:
        return False
    if element.role in _CONTROLS:
        return bool(element.name) or element.role in _WORDLESS
    return (
        is_leaf
        and element.role not in _UNDRAWN
        and bool(element.name.strip() or (element.value or "").strip())
    )


def _hide(hidden: Mask, frame: PlacedPicture, tree: ElementTree, dirty: AbstractSet[int]) -> None:
    parents = {element.parent for element in tree.elements}
    for number, element in enumerate(tree.elements):
        if element.box is None or not (number in dirty or element.is_secure):
            continue
        if element.role in _UNDRAWN and number in parents and not element.is_secure:
            continue  # its parts are judged one by one, and it is copied nowhere itself
        hidden[_slices(frame, element.box, MARGIN)] = True


def _slices(frame: PlacedPicture, box: Box, margin: int = 0) -> tuple[slice, slice]:
    left, top = box.x - frame.x - margin, box.y - frame.y - margin
    right, bottom = left + box.width + 2 * margin, top + box.height + 2 * margin
    return slice(max(0, top), max(0, bottom)), slice(max(0, left), max(0, right))
