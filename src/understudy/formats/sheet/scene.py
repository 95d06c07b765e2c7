"""One act as a picture: what the screen showed before it, the target outlined, the point marked.

Rules

* Without a frame the boxes of the elements are drawn as a wireframe; without either, a word says so.
* The target is outlined and the pixel that was pointed at is ringed; a drag has a line to where it went.
* Fields for secrets are hatched, and so is what redaction blackened: nothing of it is there, and that can be
  seen. Redaction fills with black; in a file without its stamp black is only a colour.
* A view is a box of the screen. All acts of a recording share one, so that the page does not jump about.
"""

from collections.abc import Iterable
from functools import reduce
from typing import Final

import msgspec
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from understudy.formats.elements import Box, Element, ElementState, ElementTree
from understudy.formats.recording.actions import (
    CLICKS,
    Action,
    Drag,
    Hover,
    Point,
    Scroll,
)
from understudy.formats.recording.frames import Frame
from understudy.formats.recording.words import visible
from understudy.formats.sheet.ink import (
    ACCENT,
    BLACKENED,
    BODY,
    BORDER,
    GROUND,
    HAIRLINE,
    MUTED,
    SURFACE,
    TEXT,
    Rgb,
    fitted,
    line_height,
    text_width,
    write,
    write_centred,
)

MAX_ENLARGED: Final = 2.0
"""Small pages are enlarged at most so much: more shows nothing more."""
MARGIN: Final = 10
"""Pixels of the screen around what a page shows."""
_RING: Final = 7
_SMOOTH: Final = 4
_HATCH: Final = 6
_LABEL: Final = 11
_SMALLEST: Final = 7
_STROKE: Final = 7
"""Black that is thinner is the stroke of a letter or a border; an odd number."""
_OUTLINE: Final = 2


class Shot(msgspec.Struct, frozen=True, kw_only=True):
    """One act, and what was to be seen before it."""

    action: Action
    at_ms: int
    tree: ElementTree | None
    frame: Frame | None
    said: str
    is_redacted: bool = False


def view_of(shots: Iterable[Shot]) -> Box | None:
    """Return the part of the screen in which everything that the shots show happens, if anything shows."""
    boxes: list[Box] = []
    limits: list[Box] = []
    for shot in shots:
        if shot.frame is not None:
            limits.append(Box(shot.frame.x, shot.frame.y, shot.frame.width, shot.frame.height))
        if shot.tree is not None:
            boxes += _content_of(shot.tree)
            limits += [box for box in (shot.tree.elements[0].box,) if box and shot.frame is None]
    if not limits:
        return _around(boxes)
    limit, content = _around(limits), _around(boxes)
    if limit is None or content is None:
        return limit
    return _common(_widened(content, MARGIN), limit) or limit


def draw_shot(shot: Shot, view: Box | None, width: int, height: int) -> Image.Image:
    """Return the picture of an act in a cell of that many pixels."""
    cell = Image.new("RGB", (width, height), SURFACE)
    box = _shown(shot, view)
    if box is None:
        said = "nothing of the screen is kept"
        at = ((width - text_width(said, BODY)) // 2, (height - line_height(BODY)) // 2)
        write(cell, at, said, BODY, MUTED)
        return cell
    scale = min(width / box.width, height / box.height, MAX_ENLARGED)
    size = (max(1, round(box.width * scale)), max(1, round(box.height * scale)))
    at = ((width - size[0]) // 2, (height - size[1]) // 2)
    scene = _Scene(box, scale, size)
    image = (
        scene.wireframe(shot.tree)
        if shot.frame is None
        else scene.photograph(shot.frame, is_redacted=shot.is_redacted)
    )
    if shot.tree is not None:
        scene.hatch_secrets(image, shot.tree)
    scene.mark(image, shot)
    cell.paste(image, at)
    return cell


class _Scene:
    """A box of the screen, drawn at a scale."""

    def __init__(self, view: Box, scale: float, size: tuple[int, int]) -> None:
        self._view = view
        self._scale = scale
        self._size = size

    def photograph(self, frame: Frame, *, is_redacted: bool) -> Image.Image:
        """Return the frame's part of the view; what lies outside the frame is plain."""
        picture = frame.picture()
        pixels = Image.frombytes("RGB", (picture.width, picture.height), picture.rgb)
        whole = Image.new("RGB", (self._view.width, self._view.height), SURFACE)
        whole.paste(pixels, (frame.x - self._view.x, frame.y - self._view.y))
        image = whole.resize(self._size, Image.Resampling.LANCZOS)
        if is_redacted:
            blocks = _black_blocks(whole).resize(self._size, Image.Resampling.NEAREST)
            image.paste(_stripes(self._size, ground=BLACKENED), (0, 0), blocks)
        return image

    def wireframe(self, tree: ElementTree | None) -> Image.Image:
        """Return the boxes of the elements, and the names that fit into them."""
        image = Image.new("RGB", self._size, GROUND)
        draw = ImageDraw.Draw(image)
        parents = set() if tree is None else {element.parent for element in tree.elements}
        for number, element in enumerate(() if tree is None else tree.elements):
            corners = self._corners(element.box)
            if corners is None or not _is_shown(element, tree):
                continue
            is_leaf = number not in parents
            if element.is_actionable:
                draw.rectangle(corners, fill=SURFACE, outline=BORDER)
            elif not is_leaf and number:
                draw.rectangle(corners, outline=HAIRLINE)
            if is_leaf:
                self._label(image, corners, element)
        return image

    def hatch_secrets(self, image: Image.Image, tree: ElementTree) -> None:
        """Hatch the fields for secrets, unless something lies above them."""
        for number, element in enumerate(tree.elements):
            corners, box = self._corners(element.box), element.box
            if not element.is_secure or box is None or corners is None:
                continue
            if tree.deepest_at(box.x + box.width // 2, box.y + box.height // 2) == number:
                _hatch(image, corners)

    def mark(self, image: Image.Image, shot: Shot) -> None:
        """Outline the target and mark the point."""
        action = shot.action
        if shot.tree is not None and action.target is not None:
            self._outline(image, shot.tree.elements[action.target].box)
            if isinstance(action, Drag) and action.drop is not None:
                self._outline(image, shot.tree.elements[action.drop].box)
        point = action.point if isinstance(action, (*CLICKS, Hover, Drag, Scroll)) else None
        if point is None:
            return
        here = self._place(point)
        if isinstance(action, Drag) and action.to is not None:
            there = self._place(action.to)
            draw = ImageDraw.Draw(image)
            draw.line((*here, *there), fill=GROUND, width=4)
            draw.line((*here, *there), fill=ACCENT, width=2)
            _ring(image, there)
        _ring(image, here)

    def _outline(self, image: Image.Image, box: Box | None) -> None:
        corners = self._corners(box)
        if corners is None:
            return
        left, top, right, bottom = corners
        draw = ImageDraw.Draw(image)
        for distance in range(_OUTLINE + 1, -1, -1):
            around = (left - distance, top - distance, right + distance, bottom + distance)
            draw.rectangle(around, outline=ACCENT if 0 < distance <= _OUTLINE else GROUND)

    def _label(self, image: Image.Image, corners: tuple[int, int, int, int], element: Element) -> None:
        left, top, right, bottom = corners
        size = min(bottom - top - 1, _LABEL)
        said = visible(element.value or element.name)
        room = right - left - 6
        if said.strip() and size >= _SMALLEST and room > size:
            write_centred(image, (left + 4, (top + bottom) // 2), fitted(said, size, room), size, TEXT)

    def _place(self, point: Point) -> tuple[int, int]:
        return (
            round((point.x + 0.5 - self._view.x) * self._scale),
            round((point.y + 0.5 - self._view.y) * self._scale),
        )

    def _corners(self, box: Box | None) -> tuple[int, int, int, int] | None:
        """Return left, top, right, bottom in the picture; None for what does not lie in it."""
        if box is None or _common(box, self._view) is None:
            return None
        left, top = round((box.x - self._view.x) * self._scale), round((box.y - self._view.y) * self._scale)
        right = round((box.x + box.width - self._view.x) * self._scale) - 1
        bottom = round((box.y + box.height - self._view.y) * self._scale) - 1
        return left, top, max(left, right), max(top, bottom)


def _shown(shot: Shot, view: Box | None) -> Box | None:
    """Return the box to draw: the view, if this act shows anything in it, else what the act shows."""
    own = view_of([shot])
    if view is None or own is None:
        return own
    return view if _common(own, view) is not None else own


def _content_of(tree: ElementTree) -> list[Box]:
    """Return the boxes of what shows something: elements without children."""
    parents = {element.parent for element in tree.elements}
    return [
        element.box
        for number, element in enumerate(tree.elements)
        if element.box is not None
        and element.box.width
        and element.box.height
        and number
        and number not in parents
        and _is_shown(element, tree)
    ]


def _is_shown(element: Element, tree: ElementTree | None) -> bool:
    knows = tree is not None and ElementState.SHOWING in tree.elements[0].states
    return not knows or ElementState.SHOWING in element.states


def _around(boxes: list[Box]) -> Box | None:
    """Return the smallest box around all of them."""
    if not boxes:
        return None
    left, top = min(box.x for box in boxes), min(box.y for box in boxes)
    right = max(box.x + box.width for box in boxes)
    bottom = max(box.y + box.height for box in boxes)
    return Box(left, top, right - left, bottom - top) if right > left and bottom > top else None


def _widened(box: Box, by: int) -> Box:
    return Box(box.x - by, box.y - by, box.width + 2 * by, box.height + 2 * by)


def _common(box: Box, other: Box) -> Box | None:
    """Return what two boxes have in common."""
    left, top = max(box.x, other.x), max(box.y, other.y)
    right = min(box.x + box.width, other.x + other.width)
    bottom = min(box.y + box.height, other.y + other.height)
    return Box(left, top, right - left, bottom - top) if right > left and bottom > top else None


def _hatch(image: Image.Image, corners: tuple[int, int, int, int]) -> None:
    """Draw slanted lines over a rectangle."""
    left, top, right, bottom = corners
    width, height = right - left + 1, bottom - top + 1
    patch = _stripes((width, height), ground=SURFACE)
    ImageDraw.Draw(patch).rectangle((0, 0, width - 1, height - 1), outline=MUTED)
    image.paste(patch, (left, top))


def _stripes(size: tuple[int, int], *, ground: Rgb) -> Image.Image:
    width, height = size
    patch = Image.new("RGB", size, ground)
    draw = ImageDraw.Draw(patch)
    for x in range(-height, width, _HATCH):
        draw.line((x, height, x + height, 0), fill=MUTED)
    return patch


def _black_blocks(image: Image.Image) -> Image.Image:
    """Return where the image is black in more than strokes: a mask."""
    brightest = reduce(ImageChops.lighter, image.split())
    black = brightest.point([255] + [0] * 255)
    return black.filter(ImageFilter.MinFilter(_STROKE)).filter(ImageFilter.MaxFilter(_STROKE))


def _ring(image: Image.Image, at: tuple[int, int]) -> None:
    """Draw a ring around a point, smooth at its edges."""
    side = 2 * _RING + 5
    middle = side * _SMOOTH // 2
    mask = Image.new("L", (side * _SMOOTH, side * _SMOOTH))
    halo = Image.new("L", mask.size)
    for canvas, radii in (
        (halo, ((_RING + 1.5, 255), (_RING - 3.5, 0))),
        (mask, ((_RING, 255), (_RING - 2, 0))),
    ):
        draw = ImageDraw.Draw(canvas)
        for radius, fill in (*radii, (1.6 if canvas is mask else 2.6, 255)):
            reach = radius * _SMOOTH
            draw.ellipse((middle - reach, middle - reach, middle + reach, middle + reach), fill=fill)
    corner = (at[0] - side // 2, at[1] - side // 2)
    for canvas, colour in ((halo, GROUND), (mask, ACCENT)):
        small = canvas.resize((side, side), Image.Resampling.BOX)
        image.paste(Image.new("RGB", (side, side), colour), corner, small)
