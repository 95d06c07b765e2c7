"""Colours, sizes and text of contact sheets.

Rules

* Colours are those of the console: no red, which is kept for "recording now", "exposed" and "stopped".
* The face is Pillow's own, so that a sheet looks the same everywhere. It has no bold and few scripts: what
  it lacks shows as an empty box.
* Text is cut to the width that it has, with an ellipsis; it never runs into its neighbour.

>>> wrapped("one two three four", 14, width=60, lines=2)[0]
'one two'
"""

from functools import cache
from typing import Final

from PIL import Image, ImageDraw, ImageFont

Rgb = tuple[int, int, int]

GROUND: Final[Rgb] = (0xFF, 0xFF, 0xFF)
SURFACE: Final[Rgb] = (0xF6, 0xF7, 0xF8)
TEXT: Final[Rgb] = (0x1A, 0x1D, 0x21)
MUTED: Final[Rgb] = (0x56, 0x5D, 0x66)
ACCENT: Final[Rgb] = (0x0B, 0x6B, 0x6B)
BORDER: Final[Rgb] = (0x7C, 0x84, 0x8E)
BLACKENED: Final[Rgb] = (0x2B, 0x30, 0x36)
"""The ground of what redaction filled: its black, a shade off, so that lines show on it."""
HAIRLINE: Final[Rgb] = (0xD9, 0xDD, 0xE1)
"""Between cells: lighter than the border of a control, which it is not."""

TITLE: Final = 28
LEAD: Final = 16
BODY: Final = 14
LINE_HEIGHT: Final = 1.35


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def line_height(size: int) -> int:
    """Return the height of a line of text in pixels."""
    return round(size * LINE_HEIGHT)


def text_width(text: str, size: int) -> int:
    """Return the width of a line of text in pixels."""
    return round(_font(size).getlength(text))


def fitted(text: str, size: int, width: int) -> str:
    """Return the text, shortened with an ellipsis if it is wider than ``width`` pixels."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "…", size) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def wrapped(text: str, size: int, *, width: int, lines: int) -> list[str]:
    """Return the text as at most ``lines`` lines of ``width`` pixels; the last takes what is left, cut."""
    words = text.split()
    made: list[str] = []
    while words and len(made) < lines - 1:
        count = 1
        while count < len(words) and text_width(" ".join(words[: count + 1]), size) <= width:
            count += 1
        made.append(fitted(" ".join(words[:count]), size, width))
        words = words[count:]
    if words:
        made.append(fitted(" ".join(words), size, width))
    return made


def write(image: Image.Image, at: tuple[int, int], text: str, size: int, colour: Rgb = TEXT) -> None:
    """Write one line; ``at`` is the top left corner of its line box."""
    x, y = at
    draw = ImageDraw.Draw(image)
    draw.text((x, y + (line_height(size) - size) // 2), text, fill=colour, font=_font(size))


def write_centred(image: Image.Image, at: tuple[int, int], text: str, size: int, colour: Rgb = TEXT) -> None:
    """Write one line; ``at`` is its left end, half way up the letters."""
    ImageDraw.Draw(image).text(at, text, fill=colour, font=_font(size), anchor="lm")
