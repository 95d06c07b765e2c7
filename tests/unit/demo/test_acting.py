"""What a person means as one act is written down as one, and what cannot be done is said."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.unit.demo.conftest import Stage
from understudy.demo.acting import Actor, option_row
from understudy.demo.display import WindowBox
from understudy.demo.errors import PersonError
from understudy.demo.oracles.look import Look, Seen, look_at
from understudy.demo.oracles.steps import Choose, Click, Fill, Hover, Press, Scroll, Secret
from understudy.demo.truth import EpisodeBegan, TruthAction, TruthLog, read_truth

PAGE = """(() => {
  document.body.innerHTML =
    `<label>Name <input id="name"></label> <label>Code <input id="code" type="password"></label>
     <select id="kind"><option>First<option>Second<option>Third</select>
     <div id="long" style="height:60px;overflow:scroll"><p style="height:2000px">text</p></div>
     <button id="send">Send</button>`;
  return true;
})()"""


class Scene:
    """An actor on a page of its own, and what it wrote down."""

    def __init__(self, stage: Stage, path: Path) -> None:
        self.stage = stage
        self.path = path
        self.log = TruthLog(path)
        self.log.write(EpisodeBegan(at=0, task="own", seed=0, instruction=""))
        self.actor = Actor(
            page=stage.page,
            placement=stage.placement,
            hands=stage.hands,
            display=stage.display,
            truth=self.log,
            rng=random.Random(2),
        )

    def look(self) -> tuple[Look, dict[str, Seen]]:
        look = look_at(self.stage.page)
        return look, {element.id: element for element in look.elements if element.id}

    def written(self) -> list[TruthAction]:
        self.actor.finish()
        return list(read_truth(self.path)[0].actions)


@pytest.fixture
def scene(stage: Stage, tmp_path: Path) -> Iterator[Scene]:
    stage.page.navigate(stage.server.address())
    stage.page.evaluate(PAGE)
    made = Scene(stage, tmp_path / "truth.jsonl")
    yield made
    made.log.close()


def test_a_field_is_clicked_and_then_typed_into(scene: Scene) -> None:
    look, named = scene.look()
    scene.actor.do(Fill(target=named["name"], text="Ana"), look)
    assert [(one.act, one.target.id, one.text) for one in scene.written()] == [
        ("click", "name", None),
        ("type", "name", "Ana"),
    ]
    assert scene.look()[1]["name"].value == "Ana"


def test_what_stands_in_a_field_is_replaced(scene: Scene) -> None:
    for text in ("first", "second"):
        look, named = scene.look()
        scene.actor.do(Fill(target=named["name"], text=text), look)
    assert scene.look()[1]["name"].value == "second"
    acts = [(one.act, one.key, one.modifiers) for one in scene.written()]
    assert acts[2:] == [("key", "a", ("control",)), ("type", None, ())]


def test_typing_on_is_one_act(scene: Scene) -> None:
    for text in ("ab", "abcd"):
        look, named = scene.look()
        scene.actor.do(Fill(target=named["name"], text=text, adds=True), look)
    assert [(one.act, one.text) for one in scene.written()] == [("click", None), ("type", "abcd")]


def test_turning_the_wheel_on_and_on_is_one_act(scene: Scene) -> None:
    for notches in (2, 1):
        look, named = scene.look()
        scene.actor.do(Scroll(target=named["long"], notches=notches), look)
    assert [(one.act, one.dy) for one in scene.written()] == [("scroll", 3)]


def test_a_secret_is_marked_with_its_span(scene: Scene) -> None:
    look, named = scene.look()
    scene.actor.do(Secret(target=named["code"], text="Pa$s-w0rd"), look)
    assert scene.look()[1]["code"].value == "Pa$s-w0rd"
    (secret,) = [one for one in scene.written() if one.act == "fill_secret"]
    (span,) = read_truth(scene.path)[0].secure
    assert (secret.secure, span.began, span.ended) == (True, secret.began, secret.ended)


def test_choosing_is_one_act_by_pointer_and_by_keys(scene: Scene) -> None:
    chosen = ["Second", "Third", "First", "Third", "First", "Second"]
    for option in chosen:
        look, named = scene.look()
        scene.actor.do(Choose(target=named["kind"], option=option), look)
        assert scene.look()[1]["kind"].value == option
    written = scene.written()
    assert [(one.act, one.option) for one in written] == [("select", option) for option in chosen]


def test_a_pointer_that_lies_on_the_target_is_drawn_aside_and_comes_back(scene: Scene) -> None:
    look, named = scene.look()
    scene.actor.do(Click(target=named["send"]), look)
    scene.stage.page.evaluate(
        "(window.crossed = [], send.onmouseleave = send.onmouseenter = send.onclick ="
        " event => crossed.push(event.type), true)"
    )
    scene.actor.do(Click(target=named["send"]), look)
    assert scene.stage.page.evaluate("crossed") == ["mouseleave", "mouseenter", "click"]
    assert [one.act for one in scene.written()] == ["click", "click"]


def test_other_steps_are_called_what_they_are(scene: Scene) -> None:
    look, named = scene.look()
    scene.actor.do(Hover(target=named["send"]), look)
    scene.actor.do(Click(target=named["send"]), look)
    scene.actor.do(Press(target=named["send"], key="Tab"), look)
    written = scene.written()
    assert [one.act for one in written] == ["hover", "click", "key"]
    assert all(one.target.tag == "button" and one.target.label == "Send" for one in written)
    assert written[1].point is not None
    assert written[1].target.box.contains(*written[1].point)


def test_an_option_that_there_is_not_is_an_error_before_any_click(scene: Scene) -> None:
    look, named = scene.look()
    with pytest.raises(PersonError):
        scene.actor.do(Choose(target=named["kind"], option="Fourth"), look)
    assert scene.written() == []


def test_a_list_that_does_not_open_is_an_error(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("understudy.demo.acting.POPUP_SECONDS", 0.2)
    look, named = scene.look()
    elsewhere = replace(named["kind"], aim=named["send"].aim)
    with pytest.raises(PersonError, match="did not open"):
        scene.actor.do(Choose(target=elsewhere, option="Second"), look)


@given(st.integers(1, 12), st.integers(12, 36), st.integers(0, 600), st.integers(40, 300))
def test_rows_of_a_list_share_its_height(options: int, height: int, top: int, width: int) -> None:
    popup = WindowBox(1, 10, top, width, options * height + 2)
    for number in range(options):
        row = option_row(popup, options, number)
        assert row is not None
        assert top < row.y
        assert row.y + row.height <= top + popup.height
        assert row.y == top + 1 + number * height


def test_a_list_that_scrolls_has_no_rows_to_point_at() -> None:
    assert option_row(WindowBox(1, 0, 0, 100, 400), 200, 3) is None
