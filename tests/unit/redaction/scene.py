"""A page of a form, drawn and described at once, on which canaries can be typed and shown.

Rules

* Every element has a box of its own and, if it has a text, pixels there that depend on the text alone. Each
  text is drawn as noise made from it, so that even a few pixels of it can be found again.
* All data is synthetic.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from understudy.formats.elements import Box, Element, ElementState, ElementTree, Role
from understudy.formats.picture import Picture, PlacedPicture
from understudy.formats.recording.actions import Action
from understudy.formats.recording.stretch import Stretch
from understudy.formats.recording.versions import Version

WIDTH, HEIGHT, ROW = 500, 400, 20
X, Y = 30, 40
"""Where the page lies on the screen."""
_SHOWING = (ElementState.SHOWING,)
_FIELD = tuple(sorted((ElementState.EDITABLE, ElementState.FOCUSABLE, ElementState.SHOWING)))


def noise(text: str, width: int, height: int) -> NDArray[np.uint8]:
    """Return pixels that only this text has."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@dataclass
class Page:
    """Elements below each other, each in a row of its own; element 0 is the document."""

    title: str = "Synthetic form"
    host: str | None = "synthetic.example"
    elements: list[Element] = field(default_factory=list)

    def add(self, role: Role, name: str = "", value: str | None = None, **more: object) -> int:
        """Add an element and return its number."""
        number = len(self.elements) + 1
        states = _FIELD if role in {Role.TEXTBOX, Role.COMBOBOX, Role.SEARCHBOX} else _SHOWING
        given = {
            "role": role,
            "name": name,
            "value": value,
            "states": states,
            "parent": 0,
            "box": box_of(number),
        }
        self.elements.append(Element(**{**given, **more}))  # type: ignore[arg-type]
        return number

    def form(self, rows: Iterable[tuple[str, str]]) -> list[int]:
        """Add a label and a field for each (label, value); return the numbers of the fields."""
        numbers = []
        for label, value in rows:
            self.add(Role.TEXT, label)
            numbers.append(self.add(Role.TEXTBOX, value=value, tag="input", id=f"f{len(self.elements)}"))
        return numbers

    def tree(self) -> ElementTree:
        root = Element(role=Role.DOCUMENT, name=self.title, states=_SHOWING, box=Box(X, Y, WIDTH, HEIGHT))
        return ElementTree(elements=(root, *self.elements), application="Browser", host=self.host)

    def frame(self) -> PlacedPicture:
        pixels = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
        for element in self.elements:
            shown = element.value if element.value is not None else element.name
            box = element.box
            if box is not None and shown:
                top, left = box.y - Y, box.x - X
                pixels[top : top + box.height, left : left + box.width] = noise(shown, box.width, box.height)
        return PlacedPicture(x=X, y=Y, picture=Picture(width=WIDTH, height=HEIGHT, rgb=pixels.tobytes()))


def box_of(number: int) -> Box:
    """Return the box of an element: two columns, so that boxes do not touch."""
    column, row = divmod(number - 1, HEIGHT // ROW - 1)
    return Box(X + 6 + column * 160, Y + 6 + row * ROW, 150, 14)


def region(frame: PlacedPicture, box: Box) -> NDArray[np.uint8]:
    """Return the pixels of a box of the screen."""
    picture = frame.picture
    pixels = np.frombuffer(picture.rgb, np.uint8).reshape(picture.height, picture.width, 3)
    top, left = box.y - frame.y, box.x - frame.x
    return pixels[top : top + box.height, left : left + box.width]


def stretch_of(pages: Sequence[Page], actions: Sequence[Action] = ()) -> Stretch:
    """Return a stretch in which each page is a version, a second apart."""
    versions = tuple(Version(at_ms=1000 * n, tree=n, frame=n) for n in range(len(pages)))
    return Stretch(
        actions=tuple(actions),
        versions=versions,
        trees=tuple(page.tree() for page in pages),
        frames=tuple(page.frame() for page in pages),
    )


def texts_in(stretch: Stretch) -> Iterable[str]:
    """Yield every text that a stretch holds."""
    for tree in stretch.trees:
        yield from filter(None, (tree.application, tree.host))
        for element in tree.elements:
            yield from filter(None, (element.name, element.value, element.tag, element.id, *element.classes))
    for action in stretch.actions:
        for name in ("text", "value", "option"):
            text = getattr(action, name, None)
            if text:
                yield text
