"""The tree of a live page, read by the browser itself, without any desktop."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from understudy.formats.accessibility.browser import Placement
from understudy.formats.elements import Box, Element, ElementState, ElementTree, Role, tree_problems
from understudy.learning.browser import Chromium, Page, page_tree
from understudy.learning.browser.errors import BrowserGoneError
from understudy.learning.miniwob import TASKS, Episode, PageServer
from understudy.learning.miniwob.pages import SURROUNDINGS

S = ElementState
CONTROLS = Path(__file__).parents[1] / "pages"


@pytest.fixture(scope="module")
def page(browser: Chromium) -> Iterator[Page]:
    with PageServer({"controls": CONTROLS}) as pages:
        browser.page.navigate(pages.address("controls/controls.html"))
        yield browser.page


def named(tree: ElementTree, key: str) -> Element:
    (found,) = [element for element in tree.elements if key in {element.id, element.name}]
    return found


def test_the_tree_is_sound_and_of_this_page(page: Page) -> None:
    tree = page_tree(page, application="browser")
    assert list(tree_problems(tree)) == []
    assert (tree.host, tree.application) == ("127.0.0.1", "browser")
    assert (tree.elements[0].role, tree.elements[0].name) == (Role.DOCUMENT, "Controls of all kinds")


def test_the_place_on_the_screen_is_asked_of_the_page_or_given(page: Page) -> None:
    viewport = page.viewport()
    asked, given = page_tree(page), page_tree(page, Placement(x=7, y=9, width=500, height=viewport.height))
    box, moved = asked.elements[1].box, given.elements[1].box
    assert box is not None
    assert moved is not None
    assert (moved.x - 7, moved.y - 9) == (box.x - viewport.left, box.y - viewport.top)


def test_no_secret_of_the_page_is_in_its_tree(page: Page) -> None:
    page.evaluate(
        "document.querySelector('#pw').value = 'correct horse'; document.querySelector('#pw').focus()"
    )
    tree = page_tree(page)
    field = named(tree, "pw")
    assert field.is_secure
    assert S.FOCUSED in field.states
    assert "horse" not in repr(tree)


def test_fields_have_what_they_hold(page: Page) -> None:
    page.evaluate(
        "document.querySelector('#n').value = 'Some one'; document.querySelector('#n').scrollIntoView()"
    )
    field = named(page_tree(page), "n")
    assert (field.role, field.value, field.name) == (Role.TEXTBOX, "Some one", "Name")
    assert set(field.states) >= {S.EDITABLE, S.REQUIRED}


@pytest.mark.parametrize("value", ["2020-10-16", ""])
def test_date_fields_have_parts_with_values(page: Page, value: str) -> None:
    page.evaluate(
        f"document.querySelector('#date').value = '{value}'; document.querySelector('#date').scrollIntoView()"
    )
    parts = [element for element in page_tree(page).elements if element.role is Role.SPINBUTTON]
    told = {element.name: element.value for element in parts if element.name in {"Month", "Day", "Year"}}
    assert told == (
        {"Month": "10", "Day": "16", "Year": "2020"} if value else {"Month": "", "Day": "", "Year": ""}
    )


def test_what_is_scrolled_away_is_not_in_the_tree(page: Page) -> None:
    page.evaluate("scrollTo(0, 0)")
    assert any(element.name == "Head line" for element in page_tree(page).elements)
    page.evaluate("scrollTo(0, 600)")
    tree = page_tree(page)
    assert all(element.name != "Head line" for element in tree.elements)
    window = tree.elements[0].box
    assert window is not None
    for element in tree.elements:
        if S.SHOWING in element.states and element.box is not None:
            assert element.box.y < window.y + window.height
            assert element.box.y + element.box.height > window.y


def test_a_large_page_is_read_up_to_the_bound_of_the_format(browser: Chromium, server: PageServer) -> None:
    browser.page.navigate(server.address())
    browser.page.evaluate(
        "document.body.innerHTML = '<style>button{position:fixed;left:0;top:0}</style>' +"
        " Array.from({length: 4000}, (_, n) => `<button>${n}</button>`).join('')"
    )
    tree = page_tree(browser.page)
    assert len(tree.elements) == 3_000
    assert list(tree_problems(tree)) == []


def test_a_deep_page_is_read_up_to_the_bound_of_the_format(browser: Chromium, server: PageServer) -> None:
    browser.page.navigate(server.address())
    browser.page.evaluate(
        "let at = document.body; for (let n = 0; n < 450; n++) {"
        " at = at.appendChild(document.createElement('div')); at.setAttribute('role', 'group');"
        " at.setAttribute('aria-label', 'level ' + n); at.append('x'); }"
    )
    assert list(tree_problems(page_tree(browser.page))) == []


def test_trees_of_tasks_hold_the_task_alone_and_cost_little(browser: Chromium, server: PageServer) -> None:
    took = []
    for task in TASKS:
        Episode.start(browser.page, server.address(task.page), seed=1_000_001)
        begun = time.perf_counter()
        tree = page_tree(browser.page, Placement(width=500, height=313))
        took.append(time.perf_counter() - begun)
        assert not {element.id for element in tree.elements} & {name[1:] for name in SURROUNDINGS}
        assert not any("START" in element.name or "reward" in element.name for element in tree.elements)
        assert all(
            element.box is None or element.box.x + element.box.width <= 500 for element in tree.elements
        )
    assert sorted(took)[len(took) // 2] < 0.5


def test_a_browser_that_is_gone_gives_no_tree(own_browser: Chromium) -> None:
    page = own_browser.page
    own_browser.close()
    with pytest.raises(BrowserGoneError):
        page_tree(page)


def test_boxes_are_pixels_of_the_screen_at_every_scale(server: PageServer) -> None:
    boxes = []
    for scale in (1.0, 2.0):
        with Chromium(
            address=server.address(), headless=True, window=Box(0, 0, 500, 400), scale=scale
        ) as browser:
            Episode.start(browser.page, server.address("miniwob/login-user.html"), seed=1)
            height = browser.page.viewport().height
            tree = page_tree(browser.page, Placement(width=500, height=height, scale=scale))
            boxes.append(named(tree, "subbtn").box)
    one, two = boxes
    assert one is not None
    assert two is not None
    assert abs(two.width - 2 * one.width) <= 2
    assert abs(two.y - 2 * one.y) <= 4
