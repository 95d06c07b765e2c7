"""What the tests of the demonstrator share: a desktop, and a browser on it that takes real input."""

import random
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.desktop import desktop, private_desktop
from understudy.demo.desktop import Desktop
from understudy.demo.display import Display
from understudy.demo.hands import Hands
from understudy.demo.keys import Keys
from understudy.demo.pages import FOLDER, NAME
from understudy.demo.placement import Placement, measure
from understudy.formats.elements import Box
from understudy.learning.browser import Chromium, Page
from understudy.learning.miniwob import PageServer

__all__ = ["desktop", "display", "private_desktop", "stage"]

WINDOW = Box(60, 90, 500, 400)
SPEED = 25.0


class Stage(NamedTuple):
    """A window that was measured, and hands for it."""

    page: Page
    server: PageServer
    display: Display
    keys: Keys
    hands: Hands
    placement: Placement


@pytest.fixture
def display(desktop: Desktop) -> Iterator[Display]:
    with Display(desktop.display) as opened:
        yield opened


@pytest.fixture(scope="module")
def stage(desktop: Desktop) -> Iterator[Stage]:
    """Yield a browser with an empty page, at a place that is not a corner."""
    with Display(desktop.display) as opened, PageServer({NAME: FOLDER}) as server:
        keys = Keys(opened)
        keys.prepare("жЖяΩω")
        hands = Hands(opened, keys, screen=desktop.screen, rng=random.Random(1), speed=SPEED)
        address = server.address()
        with Chromium(address=address, environment=desktop.environment, window=WINDOW) as browser:
            browser.page.navigate(address)
            placement = measure(browser.page, opened, WINDOW)
            yield Stage(browser.page, server, opened, keys, hands, placement)
