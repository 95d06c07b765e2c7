"""Pages that can be drawn and described: each control is one widget, with one box for tree and pixels.

Rules

* ``tree`` and ``picture`` are made from the same widgets at the same moment; there is nothing else on a page.
* A border is one pixel wide and lies on the outermost pixels of the box.
* A secure field is drawn as a plain block: not even the length of a secret shows, because it is not known.

Example

>>> page = form_page("Example", tile=bytes(TILE * TILE * 3))
>>> page.picture().width == WIDTH
True
"""

from dataclasses import dataclass, field, replace
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from understudy.formats.elements import Box, Element, ElementState, ElementTree, Role
from understudy.formats.picture import Picture

WIDTH: Final = 640
HEIGHT: Final = 480
TILE: Final = 72
"""Side of the picture on each page: seeded noise, so that files have the size of real ones."""
HOST: Final = "synthetic.example"

BORDERS: Final = {
    Role.BUTTON: (11, 107, 107),
    Role.CHECKBOX: (122, 79, 0),
    Role.COMBOBOX: (29, 86, 176),
    Role.LINK: (27, 107, 58),
    Role.MENUITEM: (86, 93, 102),
    Role.OPTION: (124, 132, 140),
    Role.ROW: (180, 185, 190),
    Role.TEXTBOX: (26, 29, 33),
}
"""Border colours; roles that are not here have no border."""
_FOCUS: Final = (180, 35, 24)
_INK: Final = (26, 29, 33)
_PAPER: Final = (255, 255, 255)
_FILL: Final = (246, 247, 248)


@dataclass
class Widget:
    """One control of a page. ``states`` never holds ``showing``: all widgets of a page show."""

    role: Role
    name: str
    box: Box | None
    value: str | None = None
    states: set[ElementState] = field(default_factory=set)
    tag: str = "div"
    id: str | None = None
    parent: int = 0

    def element(self) -> Element:
        """Return the element of the widget."""
        states = sorted({*self.states, ElementState.SHOWING})
        value = None if ElementState.SECURE in self.states else self.value
        return Element(
            role=self.role,
            name=self.name,
            value=value,
            states=tuple(states),
            box=self.box,
            parent=self.parent,
            tag=self.tag,
            id=self.id,
        )


@dataclass
class Page:
    """Widgets in document order; widget *n* is element *n* + 1, below the document."""

    title: str
    tile: bytes
    widgets: list[Widget] = field(default_factory=list)

    def number(self, id_: str) -> int:
        """Return the element number of the widget with that id."""
        return next(number for number, widget in enumerate(self.widgets, 1) if widget.id == id_)

    def widget(self, id_: str) -> Widget:
        """Return the widget with that id."""
        return self.widgets[self.number(id_) - 1]

    def focus(self, id_: str | None) -> None:
        """Move the focus; None takes it away."""
        for widget in self.widgets:
            widget.states.discard(ElementState.FOCUSED)
        if id_ is not None:
            self.widget(id_).states.add(ElementState.FOCUSED)

    def tree(self) -> ElementTree:
        """Return the page as elements."""
        root = Element(
            role=Role.DOCUMENT,
            name=self.title,
            states=(ElementState.SHOWING,),
            box=Box(0, 0, WIDTH, HEIGHT),
            tag="body",
        )
        elements = (root, *(widget.element() for widget in self.widgets))
        return ElementTree(elements=elements, application="Synthetic Browser", host=HOST)

    def picture(self) -> Picture:
        """Return the page as pixels."""
        image = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
        draw = ImageDraw.Draw(image)
        draw.font = ImageFont.load_default_imagefont()
        for widget in self.widgets:
            if widget.box is None:
                continue
            if widget.role is Role.IMAGE:
                tile = Image.frombytes("RGB", (TILE, TILE), self.tile)
                image.paste(tile, (widget.box.x, widget.box.y))
            else:
                _draw(draw, widget, widget.box)
        return Picture(width=WIDTH, height=HEIGHT, rgb=image.tobytes())


def _draw(draw: ImageDraw.ImageDraw, widget: Widget, box: Box) -> None:
    corners = (box.x, box.y, box.x + box.width - 1, box.y + box.height - 1)
    border = BORDERS.get(widget.role)
    if border is not None:
        draw.rectangle(corners, fill=_FILL, outline=border)
        inner = (corners[0] + 1, corners[1] + 1, corners[2] - 1, corners[3] - 1)
        if ElementState.FOCUSED in widget.states:
            draw.rectangle(inner, outline=_FOCUS)
        if ElementState.SECURE in widget.states or ElementState.CHECKED in widget.states:
            draw.rectangle((inner[0] + 2, inner[1] + 2, inner[2] - 2, inner[3] - 2), fill=_INK)
            return
        if widget.role is Role.CHECKBOX:
            return
    shown = widget.value if widget.value is not None else widget.name
    # The built-in bitmap font is the same everywhere, but knows Latin-1 only.
    text = shown.encode("latin-1", "replace").decode("latin-1").replace("\n", " ")
    draw.text((box.x + 4, box.y + 4), text[: box.width // 6], fill=_INK)


def form_page(title: str, tile: bytes) -> Page:
    """Return a form: text fields, a list, a check box, a field for a secret, a button."""
    page = Page(title=title, tile=tile)
    page.widgets += [
        Widget(Role.HEADING, "Synthetic order form", Box(16, 12, 300, 20), tag="h1"),
        *(
            Widget(Role.LABEL, label, Box(16, 48 + 32 * row, 96, 24), tag="label")
            for row, label in enumerate(("Reference", "Amount", "Notes", "Colour", "Confirm", "Password"))
        ),
        _field("reference", "Reference", 48),
        _field("amount", "Amount", 80),
        _field("notes", "Notes", 112),
        Widget(
            Role.COMBOBOX, "Colour", Box(120, 144, 200, 24), "red",
            {ElementState.FOCUSABLE, ElementState.EXPANDABLE}, "select", "colour",
        ),
        Widget(
            Role.CHECKBOX, "Confirm", Box(120, 180, 16, 16), None,
            {ElementState.FOCUSABLE}, "input", "confirm",
        ),
        replace(_field("secret", "Password", 208), states={ElementState.FOCUSABLE, ElementState.SECURE}),
        Widget(Role.BUTTON, "Send", Box(120, 244, 80, 26), None, {ElementState.FOCUSABLE}, "button", "send"),
        Widget(Role.IMAGE, "Picture", Box(WIDTH - TILE - 16, 16, TILE, TILE), tag="img"),
    ]  # fmt: skip
    return page


def list_page(title: str, tile: bytes, rows: list[str]) -> Page:
    """Return a list of rows under a menu and above a button that leads back."""
    page = Page(title=title, tile=tile)
    page.widgets += [
        Widget(Role.MENUITEM, "Actions", Box(16, 8, 80, 22), None, {ElementState.HASPOPUP}, "li", "menu"),
        Widget(Role.BUTTON, "Back", Box(112, 8, 60, 22), None, {ElementState.FOCUSABLE}, "button", "back"),
        *(
            Widget(
                Role.ROW, text, Box(16, 40 + 24 * row, 400, 22), None,
                {ElementState.CLICKABLE}, "tr", f"row{row}",
            )
            for row, text in enumerate(rows)
        ),
        Widget(Role.IMAGE, "Picture", Box(WIDTH - TILE - 16, 16, TILE, TILE), tag="img"),
    ]  # fmt: skip
    return page


def open_menu(page: Page, labels: tuple[str, ...]) -> None:
    """Open the menu of a list page: its items come last, above all else."""
    page.widgets += [
        Widget(Role.MENUITEM, label, Box(16, 30 + 22 * row, 120, 22), None, set(), "li", f"item{row}")
        for row, label in enumerate(labels)
    ]


def close_menu(page: Page) -> None:
    """Close the menu again."""
    page.widgets = [widget for widget in page.widgets if not (widget.id or "").startswith("item")]


def open_options(page: Page, id_: str, options: tuple[str, ...]) -> None:
    """Open the list of a combo box: like a browser's popup, it hangs below the document, above all else."""
    box = page.widget(id_).box or Box(0, 0, 0, 0)
    page.widgets += [
        Widget(
            Role.OPTION, option, Box(box.x, box.y + box.height + 20 * row, box.width, 20), None,
            {ElementState.SELECTABLE}, "option", f"option-{option}",
        )
        for row, option in enumerate(options)
    ]  # fmt: skip


def add_notes(page: Page, texts: tuple[str, ...]) -> None:
    """Show texts at the foot of a page, each as a name and as a value; what does not fit has no box."""
    for row, text in enumerate(texts):
        top = 288 + 24 * row
        box = Box(16, top, 290, 20) if top + 20 <= HEIGHT else None
        beside = None if box is None else Box(322, top, 300, 20)
        page.widgets.append(Widget(Role.TEXT, text, box, tag="p"))
        states = {ElementState.READONLY}
        page.widgets.append(Widget(Role.TEXTBOX, f"Note {row + 1}", beside, text, states, "input"))


def _field(id_: str, name: str, top: int) -> Widget:
    states = {ElementState.EDITABLE, ElementState.FOCUSABLE}
    return Widget(Role.TEXTBOX, name, Box(120, top, 200, 24), "", states, "input", id_)
