"""Oracles read the page and its instruction, and say so when a page is another one."""

import pytest

from tests.unit.demo.conftest import Stage
from understudy.demo.errors import OracleError
from understudy.demo.oracles import ORACLES
from understudy.demo.oracles.look import Look, Seen, look_at
from understudy.demo.oracles.steps import Choose, Click, Fill, Secret
from understudy.learning.miniwob import Episode
from understudy.learning.miniwob.tasks import task

PLACE = (10.0, 10.0, 80.0, 20.0)


def seen(number: int, tag: str, **more: object) -> Seen:
    described = {"parent": -1, "box": PLACE, "aim": PLACE, "seen": True} | more
    return Seen(number=number, tag=tag, **described)  # type: ignore[arg-type]


def look(instruction: str, *elements: Seen, bold: tuple[str, ...] = ()) -> Look:
    return Look(instruction=instruction, bold=bold, elements=elements)


def test_a_button_that_can_be_seen_is_preferred() -> None:
    hidden, shown = seen(0, "button", text="ok", seen=False), seen(1, "button", text="ok")
    step = ORACLES["click-button"](look('Click on the "ok" button.', hidden, shown))
    assert step == Click(target=shown)


def test_a_field_is_filled_once_and_then_submitted() -> None:
    button = seen(1, "button", id="subbtn")
    empty, full = seen(0, "input", id="tt"), seen(0, "input", id="tt", value="Ana")
    says = 'Enter "Ana" into the text field and press Submit.'
    assert ORACLES["enter-text"](look(says, empty, button)) == Fill(target=empty, text="Ana")
    assert ORACLES["enter-text"](look(says, full, button)) == Click(target=button)


def test_a_secret_is_a_secret_that_the_page_shows() -> None:
    field = seen(0, "input", id="password")
    step = ORACLES["enter-password"](
        look('Enter the password "x1" into both text fields and press submit.', field)
    )
    assert step == Secret(target=field, text="x1", shown=True)


def test_an_option_is_chosen_by_its_whole_text() -> None:
    field = seen(0, "select", options=("Ana", "Anabel"), chosen=0)
    step = ORACLES["choose-list"](look("Select Anabel from the list and click Submit.", field))
    assert step == Choose(target=field, option="Anabel")


@pytest.mark.parametrize("name", sorted(ORACLES))
def test_another_page_is_an_error_and_no_click(name: str) -> None:
    try:
        step = ORACLES[name](look("Nothing that can be understood.", bold=("a", "1")))
    except OracleError:
        return
    assert step is None


def test_a_look_has_the_instruction_the_elements_and_the_focus(stage: Stage) -> None:
    one = Episode.start(stage.page, stage.server.address(task("login-user").page), seed=3)
    found = look_at(stage.page)
    assert found.instruction == one.instruction
    field = found.first("input", dom_id="username")
    assert field.seen
    assert found.focused is None or found.focused.tag == "body"
    stage.hands.click(stage.placement.on_screen(field.aim))
    again = look_at(stage.page)
    assert again.focused is not None
    assert again.focused.id == "username"
    assert again.follows_focus(again.first("input", dom_id="password"))
    assert not again.follows_focus(again.first("button", dom_id="subbtn"))


def test_what_is_clipped_or_covered_cannot_be_seen(stage: Stage) -> None:
    stage.page.navigate(stage.server.address())
    stage.page.evaluate("""(() => {
      document.body.innerHTML =
        `<div style="height:50px;overflow:hidden">
           <p id="in">in</p><p id="out" style="margin-top:80px">out</p>
         </div>
         <p id="under">under</p>
         <div id="over" style="position:fixed;inset:100px 0 0 0;background:#fff"></div>`;
      document.getElementById('under').style.cssText = 'position:absolute;top:150px';
      return true;
    })()""")
    found = look_at(stage.page)
    assert found.first(dom_id="in").seen
    assert not found.first(dom_id="out").seen
    assert not found.first(dom_id="under").seen
    assert found.first(dom_id="over").seen


def test_kin_are_the_line_and_what_fills_it() -> None:
    line = seen(0, "li", box=(0.0, 0.0, 100.0, 20.0))
    link = seen(1, "a", parent=0, box=(2.0, 2.0, 90.0, 16.0), aim=(2.0, 2.0, 90.0, 16.0))
    words = seen(2, "span", parent=1, box=(4.0, 2.0, 80.0, 16.0))
    beside = seen(3, "b", parent=1, box=(93.0, 2.0, 4.0, 16.0))
    assert look("", line, link, words, beside).kin(link) == ("li", "span")
