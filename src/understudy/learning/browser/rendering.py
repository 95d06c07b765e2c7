"""Draws texts as the browser draws them, black on white, one picture each.

Rules

* Browsers place letters at fractions of a pixel, so every text is drawn twice, half a pixel apart.
* Texts are handed over as text, never as markup.

Example::

    with Chromium(headless=True) as browser:
        pictures = render(browser.page, ["one", "two"], face="16px Arial")
"""

import io
import json
from collections.abc import Sequence
from typing import Final

from PIL import Image

from understudy.formats.picture import Picture
from understudy.learning.browser.page import Page

LINE: Final = 28
"""Pixels from line to line."""
PLACES: Final = 2

_DRAW: Final = """
((texts, face, places, height) => {
  document.documentElement.style.background = "white";
  document.body.replaceChildren();
  document.body.style.cssText = "margin:0;background:white;color:black";
  const lines = texts.flatMap(text => Array.from({length: places}, (_, place) => [text, place]));
  return lines.map(([text, place], line) => {
    const span = document.createElement("span");
    span.style.cssText = "position:absolute;left:8px;white-space:pre;line-height:normal";
    span.style.font = face;
    span.style.paddingLeft = (place / places) + "px";
    span.style.top = (line * height) + "px";
    span.textContent = text;
    document.body.append(span);
    const box = span.getBoundingClientRect();
    return [Math.floor(box.left), Math.floor(box.top), Math.ceil(box.right), Math.ceil(box.bottom)];
  });
})
"""


def render(page: Page, texts: Sequence[str], *, face: str) -> list[tuple[Picture, ...]]:
    """Return the pictures of every text, in order, ``PLACES`` of each.

    Args:
        page: any page; what it shows is replaced.
        texts: single lines.
        face: a CSS ``font``, such as ``bold 16px Arial``; at most 24 pixels high.

    Raises:
        BrowserError: the browser did not do it.
    """
    pictures: list[tuple[Picture, ...]] = []
    at_once = max(1, int(page.evaluate("innerHeight")) // LINE // PLACES)
    for start in range(0, len(texts), at_once):
        some = list(texts[start : start + at_once])
        boxes = page.evaluate(f"{_DRAW}({json.dumps(some)}, {json.dumps(face)}, {PLACES}, {LINE})")
        with Image.open(io.BytesIO(page.screenshot())) as shot:
            whole = shot.convert("RGB")
        cuts = [whole.crop(tuple(box)) for box in boxes]
        drawn = [Picture(width=cut.width, height=cut.height, rgb=cut.tobytes()) for cut in cuts]
        pictures += [tuple(drawn[at : at + PLACES]) for at in range(0, len(drawn), PLACES)]
    return pictures
