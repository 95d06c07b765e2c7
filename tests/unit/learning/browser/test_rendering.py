"""What a page shows in some face is found again by the picture of the text in that face."""

import io
import random

from PIL import Image

from understudy.formats.picture import Picture
from understudy.learning.browser.chromium import Chromium
from understudy.learning.browser.rendering import render
from understudy.redaction.canaries.pixels import shows, template

DICE = random.Random(7)
TEXTS = ["".join(DICE.choices("bcdfghjkmnpqrstvwxz23456789", k=14)) for _ in range(23)]


def test_every_text_is_found_in_a_page_that_shows_it_and_in_no_other() -> None:
    with Chromium(headless=True, announce=lambda _: None) as browser:
        templates = [
            template(number, *pictures)
            for number, pictures in enumerate(render(browser.page, TEXTS, face="13.3333px Arial"))
        ]
        browser.page.evaluate(
            "document.body.innerHTML = '<div style=\"position:absolute;left:37px;top:51px;"
            'font:13.3333px Arial;color:#222;background:#eef">Name: ' + TEXTS[5] + ", and more</div>'"
        )
        with Image.open(io.BytesIO(browser.page.screenshot())) as shot:
            image = shot.convert("RGB")
    page = Picture(width=image.width, height=image.height, rgb=image.tobytes())
    assert [each.canary for each in templates if shows(page, each)] == [5]
