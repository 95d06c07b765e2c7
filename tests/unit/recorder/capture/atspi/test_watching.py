"""Real pages in a real browser: what capture is told of them."""

import asyncio

import pytest

from tests.unit.recorder.capture.atspi.conftest import Eyes, Site, act, live
from understudy.demo.hands import Hands
from understudy.formats.elements import Box, ElementState, Role, tree_problems
from understudy.learning.browser import Chromium
from understudy.recorder.capture.observed import Security, server_ms

FORM = """
<h1>Order</h1>
<label for=name>Full name</label> <input id=name value="Synthetic Ann"><br>
<label><input type=checkbox id=agree> I agree</label><br>
<label for=pw>Password</label> <input type=password id=pw><br>
<select id=fruit><option>Apple<option selected>Pear<option>Plum</select><br>
<textarea id=note>one
two</textarea> <input type=range id=far value=40><br>
<button id=send onclick="out.textContent='Done'">Send <b>now</b></button>
<button disabled>Later</button>
<span id=star class="icon star" onclick="1">more</span> <div id=plain>plain text</div>
<ul><li>First</ul><div id=out></div>
"""
"""One of each kind of element that the tasks of the demonstration have."""


def test_a_form_page_is_told_element_by_element(eyes: Eyes, browser: Chromium, site: Site) -> None:
    browser.page.navigate(site.page("Order form", FORM))

    async def story(eyes: Eyes) -> None:
        tree = await eyes.shows("Order form")
        told = [(e.role.value, e.name, e.value, e.id) for e in tree.elements]
        assert told == [
            ("document", "Order form", None, None),
            ("heading", "Order", None, None),
            ("label", "Full name", None, None),
            ("textbox", "Full name", "Synthetic Ann", "name"),
            ("checkbox", "I agree", None, "agree"),
            ("label", "Password", None, None),
            ("textbox", "Password", None, "pw"),
            ("combobox", "", "Pear", "fruit"),
            ("option", "Apple", None, None),
            ("option", "Pear", None, None),
            ("option", "Plum", None, None),
            ("textbox", "", "one\ntwo", "note"),
            ("slider", "", "40", "far"),
            ("button", "Send now", None, "send"),
            ("button", "Later", None, None),
            ("generic", "more", None, "star"),
            ("text", "plain text", None, None),
            ("list", "", None, None),
            ("listitem", "First", None, None),
        ]
        assert list(tree_problems(tree)) == []
        assert tree.host == "127.0.0.1"
        assert eyes.find(id="pw").is_secure
        assert eyes.find(id="star").states == (ElementState.CLICKABLE, ElementState.SHOWING)
        assert eyes.find(id="star").classes == ("icon", "star")
        assert ElementState.DISABLED in eyes.find(name="Later").states
        assert ElementState.SHOWING not in eyes.find(name="Plum").states
        frame = eyes.snapshots[-1].frame
        root = tree.elements[0].box
        assert frame is not None
        assert root == Box(frame.x, frame.y, frame.picture.width, frame.picture.height)

    live(eyes, story)


def test_a_click_is_followed_by_the_state_it_led_to(
    eyes: Eyes, browser: Chromium, site: Site, hands: Hands
) -> None:
    browser.page.navigate(site.page("Click", FORM))

    async def story(eyes: Eyes) -> None:
        await eyes.shows("Click")
        await eyes.is_quiet()
        before = len(eyes.snapshots)
        clicked = await act(hands.click, eyes.box(id="send"))
        done = await eyes.until(lambda: eyes.find(name="Done"), seconds=2)
        assert done.role is Role.TEXT
        shot = next(shot for shot in eyes.snapshots[before:] if shot.tree == eyes.tree)
        assert shot.time - clicked < 400
        assert shot.frame is not None
        await act(hands.click, eyes.box(id="agree"))
        await eyes.until(lambda: ElementState.CHECKED in eyes.find(id="agree").states, seconds=2)

    live(eyes, story)


def test_typing_is_told_as_the_value_of_its_field(
    eyes: Eyes, browser: Chromium, site: Site, hands: Hands
) -> None:
    browser.page.navigate(site.page("Typing", FORM))

    async def story(eyes: Eyes) -> None:
        await eyes.shows("Typing")
        await act(hands.click, eyes.box(id="note"))
        await eyes.until(lambda: ElementState.FOCUSED in eyes.find(id="note").states)
        await eyes.is_quiet()
        count = len(eyes.snapshots)
        await act(hands.write, "synthetic words", slips=False)
        await eyes.until(lambda: "synthetic words" in (eyes.find(id="note").value or ""), seconds=2)
        assert len(eyes.snapshots) - count <= 4

    live(eyes, story)


def test_text_is_told_before_the_key_that_takes_it_away(
    eyes: Eyes, browser: Chromium, site: Site, hands: Hands
) -> None:
    next_page = site.page("Arrived", "arrived")
    form = f"<form action='{next_page}'><input id=q autofocus></form>"
    browser.page.navigate(site.page("Search", form))

    async def story(eyes: Eyes) -> None:
        await eyes.shows("Search")
        await act(hands.click, eyes.box(id="q"))
        await eyes.security(Security.PLAIN)
        await eyes.is_quiet()
        await act(hands.write, "synthetic", slips=False)
        await asyncio.sleep(0.12)  # a person's pause before Enter, and less than it takes to tell by itself
        await act(hands.press, "Enter")
        await eyes.shows("Arrived")
        values = [e.value for shot in eyes.snapshots if shot.tree for e in shot.tree.elements if e.id == "q"]
        assert values[-1] == "synthetic"

    live(eyes, story)


def test_an_open_list_shows_its_options_where_they_are(
    eyes: Eyes, browser: Chromium, site: Site, hands: Hands
) -> None:
    browser.page.navigate(site.page("List", FORM))

    async def story(eyes: Eyes) -> None:
        await eyes.shows("List")
        closed = eyes.box(id="fruit")
        assert eyes.box(name="Plum") == closed
        await act(hands.click, closed)
        await eyes.until(lambda: ElementState.SHOWING in eyes.find(name="Plum").states, seconds=3)
        plum = eyes.box(name="Plum")
        assert plum.y > closed.y
        assert ElementState.EXPANDED in eyes.find(id="fruit").states
        await act(hands.click, plum)
        await eyes.until(lambda: eyes.find(id="fruit").value == "Plum", seconds=3)
        await eyes.until(lambda: ElementState.SHOWING not in eyes.find(name="Plum").states, seconds=3)

    live(eyes, story)


def test_the_next_page_is_found_at_once_and_without_a_gap(
    eyes: Eyes, browser: Chromium, site: Site, hands: Hands
) -> None:
    second = site.page("Second", "<p>here</p>")
    browser.page.navigate(site.page("First", f"<a id=go href='{second}'>next</a>"))

    async def story(eyes: Eyes) -> None:
        await eyes.shows("First")
        clicked = await act(hands.click, eyes.box(id="go"))
        await eyes.shows("Second")
        shot = next(shot for shot in reversed(eyes.snapshots) if shot.tree is not None)
        assert shot.time - clicked < 800
        assert None not in eyes.pages

    live(eyes, story)


def test_a_page_of_another_host_is_not_read(eyes: Eyes, browser: Chromium, site: Site, hands: Hands) -> None:
    other = site.page("Elsewhere", "<p>not yours</p>", host="localhost")
    browser.page.navigate(site.page("Home", f"<a id=go href='{other}'>away</a>"))

    async def story(eyes: Eyes) -> None:
        await eyes.shows("Home")
        await act(hands.click, eyes.box(id="go"))
        await eyes.until(lambda: eyes.pages[-1] is None)
        told = len(eyes.snapshots)
        await act(hands.click, Box(100, 100, 200, 100))
        await asyncio.sleep(0.7)
        assert len(eyes.snapshots) == told
        assert not any(
            "not yours" in e.name for shot in eyes.snapshots if shot.tree for e in shot.tree.elements
        )

    live(eyes, story)
    browser.page.navigate(site.page("Back", ""))


def test_a_frame_of_another_host_is_an_element_without_content(
    eyes: Eyes, browser: Chromium, site: Site
) -> None:
    other = site.page("Inner", "<p>not yours</p>", host="localhost")
    own = site.page("Own", "<p>ours</p>")
    browser.page.navigate(
        site.page("Frames", f"<iframe src='{other}'></iframe><iframe src='{own}'></iframe>")
    )

    async def story(eyes: Eyes) -> None:
        await eyes.shows("Frames")
        await eyes.until(lambda: eyes.find(name="ours"))
        names = [element.name for shot in eyes.snapshots if shot.tree for element in shot.tree.elements]
        assert "not yours" not in names
        assert sum(element.role is Role.IFRAME for element in eyes.tree.elements) == 2

    live(eyes, story)


def test_a_field_that_a_script_fills_is_told(eyes: Eyes, browser: Chromium, site: Site) -> None:
    script = "<input id=day readonly><script>setTimeout(() => day.value = '3 May', 1200)</script>"
    browser.page.navigate(site.page("Script", script))

    async def story(eyes: Eyes) -> None:
        await eyes.shows("Script")
        await eyes.until(lambda: eyes.find(id="day").value == "3 May", seconds=4)

    live(eyes, story)


def test_what_scrolls_is_told_where_it_went(eyes: Eyes, browser: Chromium, site: Site, hands: Hands) -> None:
    page = "<div style='height:300px'></div><button id=b>B</button><div style='height:2000px'></div>"
    browser.page.navigate(site.page("Scroll", page))

    async def story(eyes: Eyes) -> None:
        await eyes.shows("Scroll")
        before = eyes.box(id="b")
        await act(hands.scroll, Box(200, 200, 50, 50), 1)
        await eyes.until(lambda: eyes.box(id="b").y < before.y, seconds=2)

    live(eyes, story)


@pytest.mark.parametrize("nodes", [60])
def test_idle_costs_next_to_nothing(eyes: Eyes, browser: Chromium, site: Site, nodes: int) -> None:
    rows = "".join(f"<li><a href=#{n}>item {n}</a>" for n in range(nodes // 2))
    browser.page.navigate(site.page("Idle", f"<ul>{rows}</ul>"))

    async def story(eyes: Eyes) -> None:
        await eyes.shows("Idle")
        await eyes.is_quiet()
        told, began = len(eyes.snapshots), server_ms()
        await asyncio.sleep(1.5)
        assert len(eyes.snapshots) == told, began

    live(eyes, story)
