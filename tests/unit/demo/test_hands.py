"""What hands do by test input arrives in a real browser as a person's doing."""

import random
import string
import time
from typing import Any

import pytest

from tests.unit.demo.conftest import SPEED, Stage
from understudy.demo.errors import HandsError
from understudy.demo.hands import Hands, wait_until
from understudy.formats.elements import Box
from understudy.formats.screen import Screen
from understudy.recorder.capture.observed import server_ms

FIELD = """(() => {
  const place = 'position:absolute;left:20px;';
  document.body.innerHTML =
    `<textarea id="t" style="${place}top:20px;width:300px;height:60px"></textarea>` +
    `<div id="d" style="${place}top:120px;width:200px;height:80px;overflow:scroll"></div>`;
  document.getElementById('d').innerHTML = '<div style="height:2000px">long</div>';
  window.seen = [];
  for (const kind of ['mousedown', 'mouseup', 'click', 'dblclick', 'keydown', 'mousemove', 'wheel'])
    addEventListener(kind, event => seen.push({
      kind, x: event.clientX, y: event.clientY, key: event.key || '', trusted: event.isTrusted,
      at: event.timeStamp, shift: event.shiftKey === true,
    }), true);
  return true;
})()"""
AREA = (20.0, 20.0, 300.0, 60.0)
SCROLLED = (20.0, 120.0, 200.0, 80.0)


@pytest.fixture
def field(stage: Stage) -> Box:
    """Give an empty field the focus by a real click, and return where it is."""
    stage.page.navigate(stage.server.address())
    stage.page.evaluate(FIELD)
    box = stage.placement.on_screen(AREA)
    stage.hands.click(box)
    assert wait_until(lambda: stage.page.evaluate("document.activeElement.id") == "t", seconds=5)
    stage.page.evaluate("(seen.length = 0, true)")
    return box


def value(stage: Stage) -> str:
    return str(stage.page.evaluate("document.getElementById('t').value"))


def test_all_of_ascii_and_more_arrives_as_it_was_typed(stage: Stage, field: Box) -> None:
    text = string.ascii_letters + string.digits + string.punctuation + " жЖяΩω"
    stage.hands.write(text)
    assert wait_until(lambda: value(stage) == text, seconds=5), value(stage)


def test_characters_that_were_not_prepared_arrive_too(stage: Stage, field: Box) -> None:
    text = "größe łódź Привет 漢字"
    stage.hands.write(text)
    assert wait_until(lambda: value(stage) == text, seconds=5), value(stage)


def test_capitals_are_typed_with_a_real_shift(stage: Stage, field: Box) -> None:
    stage.hands.write("aB", slips=False)
    assert wait_until(lambda: value(stage) == "aB", seconds=5)
    pressed = [(event["key"], event["shift"]) for event in events(stage, "keydown")]
    assert pressed == [("a", False), ("Shift", True), ("B", True)]


def test_a_page_cannot_tell_it_from_a_person(stage: Stage, field: Box) -> None:
    stage.hands.write("abc")
    stage.hands.click(field)
    assert wait_until(lambda: bool(events(stage, "click")), seconds=5)
    assert all(event["trusted"] for event in events(stage, ""))


def test_a_click_falls_where_it_says(stage: Stage, field: Box) -> None:
    done = stage.hands.click(field)
    assert wait_until(lambda: bool(events(stage, "click")), seconds=5)
    click = events(stage, "click")[0]
    assert (click["x"] + stage.placement.left, click["y"] + stage.placement.top) == (done.x, done.y)
    assert field.contains(done.x, done.y)
    assert server_ms() - 5_000 < done.began < done.ended <= server_ms()


def test_named_keys_and_shortcuts_work(stage: Stage, field: Box) -> None:
    stage.hands.write("first", slips=False)
    stage.hands.press("Home")
    stage.hands.press("Delete", times=2)
    assert wait_until(lambda: value(stage) == "rst", seconds=5), value(stage)
    stage.hands.press("a", modifiers=("control",))
    stage.hands.write("x", slips=False)
    assert wait_until(lambda: value(stage) == "x", seconds=5), value(stage)


def test_the_wheel_scrolls_down_and_up_again(stage: Stage, field: Box) -> None:
    area = stage.placement.on_screen(SCROLLED)
    top = "document.getElementById('d').scrollTop"
    stage.hands.scroll(area, 3)
    assert wait_until(lambda: stage.page.evaluate(top) > 50, seconds=5)
    stage.hands.scroll(area, -3)
    assert wait_until(lambda: stage.page.evaluate(top) == 0, seconds=5)


def test_a_drag_selects_text(stage: Stage, field: Box) -> None:
    stage.hands.write("some words to select", slips=False)
    start = Box(field.x + 2, field.y + 4, 3, 10)
    stage.hands.drag(start, Box(field.x + 120, field.y + 4, 3, 10))
    chosen = "(t => t.selectionEnd - t.selectionStart)(document.getElementById('t'))"
    assert wait_until(lambda: stage.page.evaluate(chosen) > 5, seconds=5)


def test_at_a_persons_speed_it_takes_a_persons_time(stage: Stage, field: Box) -> None:
    hands = Hands(stage.display, stage.keys, screen=Screen(width=1280, height=800), rng=random.Random(3))
    hands.move_to(900, 700)
    stage.page.evaluate("(seen.length = 0, true)")
    began = time.monotonic()
    hands.click(field)
    took = time.monotonic() - began
    assert 0.4 < took < 2.5
    assert wait_until(lambda: bool(events(stage, "click")), seconds=5)
    down, up = events(stage, "mousedown")[0], events(stage, "mouseup")[0]
    assert 45 <= up["at"] - down["at"] <= 160
    assert len(events(stage, "mousemove")) >= 5


def test_keys_are_released_when_something_fails(stage: Stage, field: Box) -> None:
    with pytest.raises(HandsError):
        stage.hands.write("A\x00", slips=False)
    stage.hands.write("b", slips=False)
    assert wait_until(lambda: value(stage) == "Ab", seconds=5), value(stage)


def test_hurrying_gives_fewer_events_not_another_end(stage: Stage, field: Box) -> None:
    assert SPEED > 1
    done = stage.hands.move_to(300, 300)
    assert (done.x, done.y) == (300, 300)
    assert stage.display.pointer() == (300, 300)


def events(stage: Stage, kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stage.page.evaluate("seen")
    return [event for event in found if not kind or event["kind"] == kind]


@pytest.mark.parametrize("left", [100, 1_200])
def test_a_pointer_is_drawn_out_of_a_box_that_it_is_in(stage: Stage, left: int) -> None:
    box = Box(left, 300, 80, 40)
    stage.hands.move(box)
    assert stage.hands.draw_aside(box)
    assert not box.contains(*stage.display.pointer())
    assert not stage.hands.draw_aside(box), "it is not there any more"
