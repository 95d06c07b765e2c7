"""A live page, read over the accessibility bus and by the browser's own protocol, has the same elements.

Every demonstrated task, as it begins and half of the way; then a page with controls of all kinds, at several
scales and scrolled. What may differ is ``compare.EXPLAINED`` and nothing else.
"""

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.desktop import desktop
from tests.unit.learning.miniwob.solutions import MIDDLES, PRELUDE
from understudy.demo.desktop import Desktop
from understudy.formats.accessibility.compare import EXPLAINED, Difference, differences, explain, unexplained
from understudy.formats.elements import Box, ElementTree, tree_problems
from understudy.learning.browser import Chromium, page_tree
from understudy.learning.miniwob import TASKS, Episode, PageServer, Task
from understudy.learning.miniwob.tasks import task
from understudy.recorder.capture.atspi.accessibility import Accessibility
from understudy.recorder.capture.observed import ActiveWindow

__all__ = ["desktop"]

CONTROLS: Final = Path(__file__).parent / "pages"
WINDOW: Final = Box(40, 30, 500, 400)
SETTLE_SECONDS: Final = 8.0
SEED: Final = 7


class Bus:
    """The accessibility bus of a desktop, asked from a synchronous test."""

    def __init__(self, desktop: Desktop) -> None:
        self._runner = asyncio.Runner()
        session = desktop.environment["DBUS_SESSION_BUS_ADDRESS"]
        self._accessibility = self._runner.run(
            Accessibility.start(on_focus=lambda _: None, session_address=session)
        )

    def tree(self, pid: int, box: Box) -> ElementTree | None:
        return self._runner.run(self._tree(pid, box))

    async def _tree(self, pid: int, box: Box) -> ElementTree | None:
        window = ActiveWindow(window=1, application="chromium", pid=pid, title="", box=box)
        page = await self._accessibility.page(window)
        return None if page is None else await self._accessibility.tree(page)

    def close(self) -> None:
        self._runner.run(self._accessibility.close())
        self._runner.close()


@pytest.fixture(scope="module")
def bus(desktop: Desktop) -> Iterator[Bus]:
    one = Bus(desktop)
    yield one
    one.close()


@pytest.fixture(scope="module")
def pages() -> Iterator[PageServer]:
    with PageServer({"controls": CONTROLS}) as running:
        yield running


@pytest.fixture(scope="module")
def shown(desktop: Desktop, bus: Bus, pages: PageServer) -> Iterator[Chromium]:
    """Yield a browser with a window on the desktop, started after accessibility was switched on."""
    environment = desktop.environment
    with Chromium(address=pages.address(), environment=environment, window=WINDOW) as browser:
        yield browser


def told(difference: Difference, left: ElementTree, right: ElementTree) -> str:
    """Return a difference with what it is about, for the report of a test."""
    one = None if difference.left is None else left.elements[difference.left]
    other = None if difference.right is None else right.elements[difference.right]
    return f"{difference.aspect}: {one} | {other}"


def settled(
    bus: Bus, browser: Chromium, window: Box, after: ElementTree | None = None
) -> tuple[ElementTree, ElementTree]:
    """Return both trees as soon as they agree, or as they are after a while; ``after`` is what no longer is.

    Nothing tells when the bus has heard of the last change of a page, so it is asked until two answers
    are the same, and not the old one. The browser is asked after that: its own protocol takes notice of
    changes, and the bus may then miss them.
    """
    until = time.monotonic() + SETTLE_SECONDS
    left: ElementTree | None = None
    while True:
        time.sleep(0.1)
        before, left = left, bus.tree(browser.pid, window)
        is_late = time.monotonic() > until
        if left is not None and len(left.elements) > 1 and (is_late or (left == before and left != after)):
            right = page_tree(browser.page)
            if is_late or not unexplained(left, right):
                return left, right
        assert not is_late, "no page on the bus"


def assert_equal(left: ElementTree, right: ElementTree) -> None:
    assert [told(one, left, right) for one in unexplained(left, right)] == []
    assert list(tree_problems(left)) == list(tree_problems(right)) == []
    assert left.host == right.host == "127.0.0.1"


@pytest.mark.parametrize("one", TASKS, ids=lambda one: one.name)
def test_a_demonstrated_task_has_the_same_elements(
    bus: Bus, shown: Chromium, pages: PageServer, one: Task
) -> None:
    episode = Episode.start(shown.page, pages.address(one.page), seed=SEED)
    begun = settled(bus, shown, WINDOW)
    assert_equal(*begun)
    assert episode.instruction.split()[0] in " ".join(element.name for element in begun[0].elements)
    if one.name in MIDDLES:
        time.sleep(0.1)  # what the browser read of the page above is told to the bus first
        shown.page.evaluate(f"(() => {{ {PRELUDE} {MIDDLES[one.name]} }})()")
        half = settled(bus, shown, WINDOW, after=begun[0])
        assert_equal(*half)
        assert half[1] != begun[1]


def test_an_open_list_differs_only_in_what_is_explained(bus: Bus, shown: Chromium, pages: PageServer) -> None:
    Episode.start(shown.page, pages.address(task("choose-list").page), seed=SEED)
    closed, _ = settled(bus, shown, WINDOW)
    middle = "(box => [box.x + box.width / 2, box.y + box.height / 2])"
    x, y = shown.page.evaluate(f"{middle}(document.querySelector('select').getBoundingClientRect())")
    for kind in ("mousePressed", "mouseReleased"):
        shown.page.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
    left, right = settled(bus, shown, WINDOW, after=closed)
    assert_equal(left, right)
    found = differences(left, right)
    assert {why.name for one in found if (why := explain(one, left, right))} == {EXPLAINED[0].name}
    options = [element for element in left.elements if element.role == "option"]
    assert options
    assert len({element.box for element in options}) == len(options)


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
def test_controls_of_all_kinds_are_the_same_at_every_scale(
    desktop: Desktop, bus: Bus, pages: PageServer, scale: float
) -> None:
    window = Box(20, 10, round(1200 / scale), round(760 / scale))
    whole = Box(0, 0, desktop.screen.width, desktop.screen.height)
    address = pages.address("controls/controls.html")
    with Chromium(address=address, environment=desktop.environment, window=window, scale=scale) as browser:
        browser.page.navigate(address)
        left, right = settled(bus, browser, whole)
        assert_equal(left, right)
        assert len(left.elements) > 60
        browser.page.evaluate("scrollTo(0, 350)")
        left, right = settled(bus, browser, whole, after=left)
        assert_equal(left, right)
        assert len(left.elements) > 20


def test_the_check_can_fail(bus: Bus, shown: Chromium, pages: PageServer) -> None:
    Episode.start(shown.page, pages.address(task("login-user").page), seed=SEED)
    left, _ = settled(bus, shown, WINDOW)
    for change in (
        "document.querySelector('#subbtn').textContent = 'Other'",
        "document.querySelector('#username').value = 'typed'",
        "document.querySelector('#username').style.marginLeft = '3px'",
        "document.querySelector('label').remove()",
        "document.querySelector('#subbtn').disabled = true",
    ):
        Episode.start(shown.page, pages.address(task("login-user").page), seed=SEED)
        shown.page.evaluate(change)
        assert unexplained(left, page_tree(shown.page)), change


def test_the_environment_of_this_test_is_not_used(desktop: Desktop) -> None:
    assert desktop.environment["DBUS_SESSION_BUS_ADDRESS"] != os.environ.get("DBUS_SESSION_BUS_ADDRESS")
