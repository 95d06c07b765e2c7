"""Pointer gestures become the acts they were, on what they fell on, once."""

import pytest

from tests.unit.formats.takes import Take, el, number_of, page, path
from understudy.formats.elements import ElementTree
from understudy.formats.recording.actions import (
    Click,
    DoubleClick,
    Drag,
    FillSecret,
    Key,
    Mark,
    MiddleClick,
    Modifier,
    Point,
    RightClick,
    Scroll,
    TripleClick,
    act_of,
)
from understudy.formats.recording.keysyms import CONTROL


def desk(*, focused: bool = False, volume: str = "10") -> ElementTree:
    return page(
        el("group", "Card", (40, 40, 200, 100), el("text", "Words", (50, 50, 60, 20)), states="clickable"),
        el("button", "Go", (300, 40, 80, 30)),
        el("slider", "Volume", (300, 200, 200, 20), value=volume),
        el("list", "Bin", (300, 400, 200, 100)),
        el("textbox", "Password", (40, 300, 150, 24), states=f"secure focusable {'focused' * focused}"),
    )


PAGE = desk()


def opened() -> Take:
    return Take().shows(PAGE).at(500).move((5, 5), (6, 5)).at(1_000)


@pytest.mark.parametrize(
    ("button", "times", "kind"),
    [
        (1, 1, Click),
        (1, 2, DoubleClick),
        (1, 3, TripleClick),
        (2, 1, MiddleClick),
        (3, 1, RightClick),
    ],
)
def test_each_way_of_clicking_is_one_act_on_the_deepest_element_that_can_be_acted_on(
    button: int, times: int, kind: type[Click]
) -> None:
    played = opened().move(*path((6, 5), (60, 60))).wait(200).click(60, 60, button, times).play()
    click = played.only()
    assert type(click) is kind
    assert played.target(click).name == "Card", "the text in it cannot be acted on"
    assert click.point == Point(60, 60)
    assert click.value is None
    assert click.at_ms == 1_250, "the time of the first press, rounded down to the grid"


@pytest.mark.parametrize(
    ("wait", "to", "kinds"),
    [
        (60, (64, 64), ["double_click"]),
        (60, (66, 64), ["click", "click"]),
        (430, (60, 60), ["double_click"]),
        (450, (60, 60), ["click", "click"]),
    ],
    ids=["near", "far", "soon", "late"],
)
def test_two_clicks_are_one_act_within_half_a_second_and_five_pixels(
    wait: int, to: tuple[int, int], kinds: list[str]
) -> None:
    take = opened().move((60, 60)).wait(100).click(60, 60).wait(wait).click(*to)
    assert [act_of(action) for action in take.play().acts] == kinds


def test_a_fourth_click_is_a_new_one_and_right_clicks_are_never_counted() -> None:
    assert [act_of(act) for act in opened().click(60, 60, times=4).play().acts] == ["triple_click", "click"]
    assert [act_of(act) for act in opened().click(60, 60, 3, times=2).play().acts] == ["right_click"] * 2


def test_held_modifiers_belong_to_the_click_and_part_clicks() -> None:
    take = opened().hold(CONTROL).click(60, 60).hold(0).wait(50).click(60, 60)
    first, second = take.play().acts
    assert isinstance(first, Click)
    assert isinstance(second, Click)
    assert (first.modifiers, second.modifiers) == ((Modifier.CONTROL,), ())


def test_a_drag_says_from_where_to_where_and_onto_what_and_nothing_of_the_way() -> None:
    take = opened().move((60, 60)).wait(100).press(60, 60).move(*path((60, 60), (350, 450), 30)).wait(90)
    played = take.release(350, 450).play()
    drag = played.only()
    assert isinstance(drag, Drag)
    assert (drag.point, drag.to) == (Point(60, 60), Point(350, 450))
    assert drag.drop == number_of(PAGE, "Bin")
    assert played.target(drag).name == "Card"


def test_a_shaky_click_is_a_click_and_nine_pixels_are_a_drag() -> None:
    shaky = opened().move((60, 60)).wait(90).press(60, 60).wait(50).release(68, 52).play().only()
    assert isinstance(shaky, Click)
    drag = opened().move((60, 60)).wait(90).press(60, 60).wait(50).release(69, 60).play().only()
    assert isinstance(drag, Drag)


def test_a_drag_of_a_slider_has_its_new_value() -> None:
    take = opened().move((320, 210)).wait(100).press(320, 210).wait(200).move((420, 210)).wait(50)
    drag = take.release(420, 210).wait(150).shows(desk(volume="60")).play().only()
    assert isinstance(drag, Drag)
    assert drag.value == "60"


def test_a_click_and_then_a_drag_from_the_same_pixel_are_two_acts() -> None:
    take = opened().move((60, 60)).wait(90).click(60, 60).wait(80).press(60, 60).wait(200).release(200, 60)
    first, second = take.play().acts
    assert (act_of(first), act_of(second)) == ("click", "drag")


def test_the_wheel_is_one_act_for_a_run_in_one_direction() -> None:
    take = opened().move((350, 450)).wait(200)
    for _ in range(5):
        take.wait(60).wheel(350, 450, 1)
    take.wait(300).wheel(350, 450, -2).wait(1_100).wheel(350, 450, -1).wait(100).wheel(350, 450, 0, 3)
    played = take.play()
    assert [(act.dx, act.dy) for act in played.acts if isinstance(act, Scroll)] == [
        (0, 5),
        (0, -2),
        (0, -1),
        (3, 0),
    ]
    assert played.names() == ["Bin"] * 4


def test_a_wheel_that_turns_by_nothing_is_no_act() -> None:
    assert opened().wheel(350, 450, 0).play().acts == []


def test_the_wheel_takes_modifiers_from_the_keys_that_are_down() -> None:
    scroll = opened().down(0xFFE3).wait(20).wheel(350, 450, 1).wait(20).up(0xFFE3).play().only()
    assert isinstance(scroll, Scroll)
    assert scroll.modifiers == (Modifier.CONTROL,)


def test_scrolling_and_dragging_over_a_secure_field_are_acts_on_what_lies_around_it() -> None:
    scroll = opened().wheel(60, 310, 1).play()
    assert scroll.target(scroll.only()).name == "Synthetic page"
    drag = opened().press(60, 310).wait(100).release(160, 310).play().only()
    assert isinstance(drag, Drag)
    assert (drag.target, drag.drop, drag.value) == (0, 0, None)


def test_a_click_on_a_secure_field_has_no_value() -> None:
    played = opened().move((60, 310)).wait(80).click(60, 310).play()
    assert played.target(played.only()).is_secure


def test_a_press_whose_release_was_never_seen_counts() -> None:
    take = opened().press(310, 50).wait(200).lost().wait(300).click(60, 60)
    assert [act_of(action) for action in take.play().acts] == ["click", "click"]


def test_other_buttons_are_gaps_and_wheel_buttons_are_not() -> None:
    played = opened().press(310, 50, 8).wait(50).release(310, 50, 8).play(grid_ms=1_000)
    assert played.acts == []
    assert [(gap.from_ms, gap.to_ms) for gap in played.stretch.gaps] == [(1_000, 2_000)]
    assert opened().press(310, 50, 5).release(310, 50, 5).play().stretch.gaps == ()


def test_motion_focus_and_changes_of_the_screen_are_no_acts() -> None:
    take = opened().move(*path((5, 5), (790, 590), 200), every=10)
    for shade in range(20):
        take.wait(150).shows(page(el("text", f"News {shade}", (0, 0, 100, 20)))).focus(1)
    played = take.down(0xFFE1).up(0xFFE1).play()
    assert played.acts == []
    assert played.stretch.versions == ()
    assert played.assembler.actions == 0
    assert played.assembler.events == len([item for item in take.items if isinstance(item, tuple)])


def test_a_secret_is_one_act_without_content_on_the_field_that_had_the_focus() -> None:
    take = opened().move((60, 310)).wait(80).click(60, 310).wait(200).secret().wait(20).key("Enter")
    played = take.play()
    click, fill, enter = played.acts
    assert isinstance(click, Click)
    assert isinstance(fill, FillSecret)
    assert played.target(fill).name == "Password"
    assert isinstance(enter, Key)
    assert (enter.key, enter.value) == ("Enter", None)
    assert played.target(enter).is_secure
    assert played.stretch.gaps == ()


def test_a_secret_entered_in_pieces_is_one_act() -> None:
    take = opened().move((60, 310)).wait(80).click(60, 310).wait(200).secret(300).wait(50).secret(300)
    assert [act_of(action) for action in take.play().acts] == ["click", "fill_secret"]


def test_a_secret_without_a_field_is_a_gap_as_long_as_it_took() -> None:
    played = opened().secret(2_100).play(grid_ms=1_000)
    assert played.acts == []
    assert [(gap.from_ms, gap.to_ms) for gap in played.stretch.gaps] == [(1_000, 4_000)]


def test_a_secret_whose_field_is_known_a_moment_later_is_told() -> None:
    take = opened().veil().wait(120).shows(desk(focused=True)).wait(500).unveil()
    played = take.play()
    fill = played.only()
    assert isinstance(fill, FillSecret)
    assert played.before(fill) == PAGE
    assert played.target(fill).name == "Password"


def test_keys_on_a_secure_field_are_never_told_whoever_let_them_through() -> None:
    take = opened().focus(number_of(PAGE, "Password")).wait(50).type("abc").key("Backspace")
    played = take.wait(10).key("Escape", "Tab").play(grid_ms=1_000)
    assert [act_of(action) for action in played.acts] == ["key", "key"]
    assert [action.key for action in played.acts if isinstance(action, Key)] == ["Escape", "Tab"]
    assert [(gap.from_ms, gap.to_ms) for gap in played.stretch.gaps] == [(1_000, 2_000)]


def test_marks_tell_how_the_pointer_came() -> None:
    marks = [action.marks for action in opened().move((60, 60)).wait(200).click(60, 60).play().acts]
    assert marks == [()]
    assert [action.marks for action in Take().shows(PAGE).at(900).click(60, 60).play().acts] == [
        (Mark.POINTER_INSIDE,)
    ]
