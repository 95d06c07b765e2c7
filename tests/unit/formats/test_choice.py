"""Choosing in a native list is one ``select``, by pointer or keys; choosing in any other list is clicking."""

import pytest

from tests.unit.formats.takes import Played, Take, el, number_of, page, path
from understudy.formats.elements import ElementTree
from understudy.formats.recording.actions import Action, Click, Key, Select, Type, act_of
from understudy.formats.recording.drafts import OPENED_MS

NAMES = ("North", "South", "West")
COMBO = (100, 100, 120, 24)
ON_COMBO = (110, 110)
ON_SOUTH = (110, 160)


def combo(
    selected: str = "North",
    *,
    is_open: bool = False,
    focus: str = "",
    tag: str | None = "select",
    shown: tuple[str, ...] = NAMES,
    value: str | None = None,
) -> ElementTree:
    """Return a page with a drop-down list, as the normal form has it."""
    options = (
        el(
            "option",
            name,
            (100, 124 + 24 * at, 120, 24) if is_open else COMBO,
            states=f"focusable {'selected' * (name == selected)} "
            f"{'focused' * (name == focus)} {'' if is_open else 'hidden'}",
            tag=None if tag is None else "option",
        )
        for at, name in enumerate(NAMES)
        if name in shown
    )
    states = f"focusable haspopup {'expanded' * is_open} {'focused' * (focus == 'Region')}"
    return page(
        el("textbox", "Name", (100, 20, 120, 24), value="", states="editable focusable"),
        el("combobox", "Region", COMBO, *options, states=states, tag=tag, value=value),
        el("button", "Send", (400, 400, 80, 24), states="focusable"),
    )


def opened(tag: str | None = "select") -> Take:
    take = Take().shows(combo(tag=tag)).at(850).move((5, 5)).wait(60).move(*path((5, 5), ON_COMBO)).wait(100)
    return take.at(1_200).click(*ON_COMBO).wait(120).shows(combo(is_open=True, focus="North", tag=tag))


def chosen(take: Take, tag: str | None = "select") -> Played:
    return take.wait(120).shows(combo("South", tag=tag)).play(grid_ms=250)


def select_of(action: Action) -> Select:
    assert isinstance(action, Select)
    return action


@pytest.mark.parametrize("tag", ["select", None], ids=["browser", "desktop"])
def test_opening_a_list_and_clicking_an_option_is_one_select(tag: str | None) -> None:
    take = opened(tag).at(4_000).move(*path(ON_COMBO, ON_SOUTH)).wait(100).click(*ON_SOUTH)
    played = chosen(take, tag)
    action = select_of(played.only())
    assert (action.option, action.value) == ("South", "South")
    assert action.at_ms == 1_000, "when the list was opened"
    assert played.before(action) == combo(tag=tag), "the state before it was opened"
    assert action.target == number_of(combo(), "Region")
    assert action.option_element == number_of(combo(), "South")
    assert action.marks == ()
    assert (played.assembler.pointer_actions, played.assembler.pointer_inside) == (1, 0)


def test_choosing_what_is_chosen_already_is_a_select_without_a_new_value() -> None:
    on_north = (110, 135)
    take = opened().at(2_000).move(*path(ON_COMBO, on_north)).wait(100).click(*on_north).wait(100)
    action = select_of(take.shows(combo("North")).play().only())
    assert (action.option, action.value) == ("North", None)


def test_the_choice_is_told_by_its_effect_where_the_open_list_was_never_seen() -> None:
    take = Take().shows(combo()).at(1_000).move((5, 5), ON_COMBO).wait(90).click(*ON_COMBO).wait(500)
    played = chosen(take.move((110, 300)).wait(90).click(110, 300))
    action = select_of(played.only())
    assert (action.option, action.option_element) == ("South", number_of(combo(), "South"))


def test_pressing_dragging_and_releasing_in_a_list_is_a_select() -> None:
    take = Take().shows(combo()).at(1_000).move((5, 5), ON_COMBO).wait(90).press(*ON_COMBO)
    action = select_of(chosen(take.wait(300).move(*path(ON_COMBO, ON_SOUTH)).release(*ON_SOUTH)).only())
    assert (action.option, action.value) == ("South", "South")


def test_an_option_is_found_by_its_name_when_the_open_list_shows_only_some() -> None:
    take = Take().shows(combo()).at(1_000).move((5, 5), ON_COMBO).wait(90).click(*ON_COMBO).wait(120)
    take.shows(combo(is_open=True, shown=("South", "West"))).wait(400).move(ON_SOUTH).wait(90)
    action = select_of(chosen(take.click(*ON_SOUTH)).only())
    assert (action.option, action.option_element) == ("South", number_of(combo(), "South"))


def test_opening_and_closing_a_list_are_two_clicks() -> None:
    take = opened().wait(700).click(*ON_COMBO).wait(120).shows(combo(focus="Region"))
    assert [act_of(action) for action in take.play().acts] == ["click", "click"]


def test_leaving_an_open_list_by_a_click_elsewhere_is_two_clicks() -> None:
    take = opened().wait(700).move((440, 410)).wait(100).click(440, 410).wait(120).shows(combo())
    played = take.play()
    assert played.names() == ["Region", "Send"]
    assert [act_of(action) for action in played.acts] == ["click", "click"]


def test_an_opened_list_does_not_wait_for_ever() -> None:
    take = opened().wait(OPENED_MS + 100).move(*path(ON_COMBO, ON_SOUTH)).wait(100).click(*ON_SOUTH)
    click, action = chosen(take).acts
    assert isinstance(click, Click)
    assert select_of(action).option == "South"


@pytest.mark.parametrize("tag", ["div", "input", "ul"])
def test_a_list_that_the_page_built_is_clicked(tag: str) -> None:
    played = chosen(opened(tag).wait(700).move(*path(ON_COMBO, ON_SOUTH)).wait(90).click(*ON_SOUTH), tag)
    assert [act_of(action) for action in played.acts] == ["click", "click"]
    assert played.names() == ["Region", "South"]


def test_menus_and_suggestions_are_clicked() -> None:
    menu = page(
        el(
            "menu",
            "File",
            (0, 0, 100, 100),
            el("menuitem", "Open", (0, 0, 100, 20)),
            el("menuitem", "Save", (0, 20, 100, 20)),
        )
    )
    played = Take().shows(menu).at(1_000).move((300, 300), (50, 30)).wait(100).click(50, 30).play()
    assert [act_of(action) for action in played.acts] == ["click"]


def test_an_option_of_a_list_that_is_always_open_is_selected() -> None:
    def box(*selected: str) -> ElementTree:
        options = (
            el("option", name, (0, 20 * at, 100, 20), states="selected" * (name in selected), tag="option")
            for at, name in enumerate(NAMES)
        )
        return page(el("listbox", "Regions", (0, 0, 100, 60), *options, states="focusable", tag="select"))

    take = Take().shows(box("North")).at(1_000).move((300, 300), (50, 30)).wait(100).click(50, 30)
    action = select_of(take.wait(120).shows(box("South")).play().only())
    assert (action.target, action.option, action.option_element, action.value) == (1, "South", 3, "South")
    take = Take().shows(box("North", "South")).at(1_000).move((300, 300), (50, 30)).wait(100).click(50, 30)
    click = take.wait(120).shows(box("North")).play().only()
    assert isinstance(click, Click), "the choice was taken back"


@pytest.mark.parametrize(
    "keys",
    [["ArrowDown"], ["S"], ["s", "o"], ["ArrowDown", "ArrowDown", "ArrowUp"], [" ", "ArrowDown", "Enter"]],
)
def test_choosing_by_keys_is_a_select(keys: list[str]) -> None:
    take = Take().shows(combo(focus="Region")).at(1_000).key(*keys).wait(120)
    played = take.shows(combo("South", focus="Region")).play()
    action = select_of(played.only())
    assert (action.option, action.value) == ("South", "South")
    assert action.option_element == number_of(combo(), "South")
    assert played.assembler.pointer_actions == 0


def test_a_list_that_was_clicked_open_and_chosen_in_by_keys_is_one_select() -> None:
    take = opened().wait(300).key("ArrowDown", "Enter").wait(120).shows(combo("South", focus="Region"))
    played = take.play()
    action = select_of(played.only())
    assert played.before(action) == combo()
    assert action.at_ms == 1_000
    assert played.assembler.pointer_actions == 1


def test_enter_on_a_closed_list_is_its_own_key() -> None:
    take = Take().shows(combo(focus="Region")).at(1_000).key("ArrowDown").wait(150)
    take.shows(combo("South", focus="Region")).wait(100).key("Enter")
    assert [act_of(action) for action in take.play().acts] == ["select", "key"]


def test_a_choice_that_is_taken_over_by_tab_is_found() -> None:
    take = opened().wait(300).key("ArrowDown").wait(80).key("Tab").wait(120).shows(combo("South"))
    acts = take.play().acts
    assert [act_of(action) for action in acts] == ["select", "key"]


def test_keys_that_changed_nothing_in_a_list_are_keys() -> None:
    take = Take().shows(combo(focus="Region")).at(1_000).key("ArrowUp", "ArrowUp", "x", " ").wait(100)
    played = take.key("Escape").play()
    assert [act_of(action) for action in played.acts] == ["key", "type", "key", "key"]
    first, typed, space, escape = played.acts
    assert isinstance(first, Key)
    assert (first.key, first.times) == ("ArrowUp", 2)
    assert isinstance(typed, Type)
    assert typed.text == "x"
    assert isinstance(space, Key)
    assert space.key == "Space"
    assert isinstance(escape, Key)
    assert played.names() == ["Region"] * 4


def test_typing_into_a_list_that_takes_text_is_typing() -> None:
    def search(value: str) -> ElementTree:
        states = "editable focusable focused"
        return page(el("combobox", "City", COMBO, states=states, value=value, tag="input"))

    take = Take().shows(search("")).at(1_000).type("Bo").wait(120).shows(search("Bo")).wait(50)
    acts = take.key("ArrowDown", "Enter").play().acts
    assert [act_of(action) for action in acts] == ["type", "key", "key"]


def test_a_list_that_says_its_value_itself_is_believed() -> None:
    take = Take().shows(combo(focus="Region", value="North")).at(1_000).key("ArrowDown").wait(120)
    action = select_of(take.shows(combo("South", focus="Region", value="South (2)")).play().only())
    assert (action.option, action.value) == ("South", "South (2)")
