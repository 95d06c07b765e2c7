"""Keys become typing, named keys and shortcuts, on the element that had the focus, with what it then held."""

import pytest

from tests.unit.formats.takes import Take, el, page
from understudy.formats.elements import ElementTree
from understudy.formats.recording.actions import Action, Click, Key, Modifier, Type, act_of
from understudy.formats.recording.drafts import ENTRY_MS, ENTRY_PAUSE_MS
from understudy.formats.recording.keysyms import ALT, CONTROL, META, SHIFT


def form(
    name: str | None = "",
    town: str | None = "",
    *,
    focused: str = "",
    checked: bool = False,
    notes: str = "",
    secure: bool = False,
) -> ElementTree:
    def focus(of: str) -> str:
        return " focused" if of == focused else ""

    return page(
        el("textbox", "Name", (20, 20, 200, 24), value=name, states="editable focusable" + focus("Name")),
        el(
            "textbox",
            "Town",
            (20, 60, 200, 24),
            value=None if secure else town,
            states="editable focusable" + focus("Town") + " secure" * secure,
        ),
        el(
            "checkbox",
            "News",
            (20, 100, 20, 20),
            states="focusable" + focus("News") + " checked" * checked,
        ),
        el(
            "textbox",
            "Notes",
            (20, 140, 200, 90),
            value=notes,
            states="editable focusable multiline" + focus("Notes"),
        ),
        el("button", "Send", (20, 240, 80, 24), states="focusable" + focus("Send")),
    )


def typing(on: ElementTree | None = None) -> Take:
    return Take().shows(form(focused="Name") if on is None else on).at(1_000)


def typed(action: Action) -> tuple[str | None, str | None]:
    assert isinstance(action, Type)
    return action.text, action.value


def test_a_run_of_characters_is_one_act_with_the_value_that_the_field_then_held() -> None:
    take = typing().type("Ann").wait(400).shows(form("Ann", focused="Name")).wait(50).type(" Lee")
    played = take.wait(300).shows(form("Ann Lee", focused="Name")).play()
    action = played.only()
    assert typed(action) == ("Ann Lee", "Ann Lee")
    assert played.target(action).name == "Name"
    assert played.before(action) == form(focused="Name"), "the state before the first key"
    assert action.at_ms == 1_000


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (["A", "m", "v", "Backspace", "b"], "Amb"),
        (["A", "b", "ArrowLeft", "m", "ArrowRight", "e"], "Ambe"),
        (["a", "b", "ArrowLeft", "Delete", "c"], "ac"),
        (["a", "Backspace", "Backspace", "b"], "b"),
        (["a", "Delete"], "a"),
        (["a", "Home", "b"], None),
        (["a", "ArrowLeft", "ArrowLeft", "b"], None),
    ],
)
def test_corrections_belong_to_the_run_and_only_what_is_certain_is_text(
    keys: list[str], text: str | None
) -> None:
    assert typed(typing(form(None, focused="Name")).key(*keys).play().only()) == (text, None)


def test_where_values_are_known_they_decide_over_the_keys() -> None:
    take = typing().type("1120A").wait(150).shows(form("11:20 AM", focused="Name"))
    assert typed(take.play().only()) == ("11:20 AM", "11:20 AM")


def test_keys_that_the_values_bear_out_are_the_text() -> None:
    take = typing(form("amber", focused="Name")).key("a", modifiers=CONTROL).wait(120).type("amour")
    shortcut, action = take.wait(200).shows(form("amour", focused="Name")).play().acts
    assert isinstance(shortcut, Key)
    assert typed(action) == ("amour", "amour"), "not only what differs"
    added = typing(form("cat", focused="Name")).type("s").wait(200).shows(form("cats", focused="Name"))
    assert typed(added.play().only()) == ("s", "cats")


def test_a_field_that_took_nothing_has_no_resulting_value() -> None:
    assert typed(typing().type("abc").wait(200).shows(form(focused="Name")).play().only()) == ("abc", None)


def test_a_value_read_too_soon_is_not_the_result() -> None:
    take = typing().type("Ann").wait(40).shows(form("An", focused="Name")).wait(40).key("Tab")
    typing_, tab = take.wait(90).shows(form("Ann", focused="Town")).play().acts
    assert typed(typing_) == ("Ann", "Ann")
    assert isinstance(tab, Key)
    assert tab.value is None, "Tab changed nothing"


def test_what_a_key_changed_is_its_own_result() -> None:
    take = typing().type("ann").wait(200).shows(form("ann", focused="Name")).wait(100).key("Tab")
    typing_, tab = take.wait(150).shows(form("Ann", focused="Town")).play().acts
    assert typed(typing_) == ("ann", "ann")
    assert isinstance(tab, Key)
    assert tab.value == "Ann"


def test_a_result_is_looked_for_no_longer_than_a_second() -> None:
    take = typing().type("a").wait(1_001).shows(form("abc", focused="Name"))
    assert typed(take.play().only()) == ("a", None)


def test_enter_and_tab_after_typing_are_keys() -> None:
    acts = typing().type("Ann").wait(90).key("Tab").wait(120).shows(form("Ann", focused="Town"))
    played = acts.wait(60).type("Bonn").wait(90).key("Enter").wait(200).play()
    assert [act_of(action) for action in played.acts] == ["type", "key", "type", "key"]
    assert played.names() == ["Name", "Name", "Town", "Town"]


def test_moving_the_caret_at_the_end_of_a_run_is_no_part_of_it() -> None:
    acts = typing().key("a", "b", "ArrowLeft", "ArrowLeft").play().acts
    assert [act_of(action) for action in acts] == ["type", "key"]
    assert isinstance(acts[1], Key)
    assert (acts[1].key, acts[1].times) == ("ArrowLeft", 2)


def test_arrows_between_lines_belong_to_a_run_only_in_a_field_of_lines() -> None:
    assert len(typing(form(focused="Notes")).key("a", "ArrowUp", "b").play().acts) == 1
    acts = typing().key("a", "ArrowDown", "Enter").play().acts
    assert [act_of(action) for action in acts] == ["type", "key", "key"], "a suggestion was taken"


def test_a_key_pressed_again_counts_up() -> None:
    acts = typing().key("ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp").play().acts
    assert [(action.key, action.times) for action in acts if isinstance(action, Key)] == [
        ("ArrowDown", 3),
        ("ArrowUp", 1),
    ]
    slow = typing().key("ArrowDown").wait(550).key("ArrowDown").play().acts
    assert len(slow) == 2


@pytest.mark.parametrize(
    ("name", "modifiers", "key", "held"),
    [
        ("c", CONTROL, "c", (Modifier.CONTROL,)),
        ("C", CONTROL | SHIFT, "c", (Modifier.CONTROL, Modifier.SHIFT)),
        ("F", ALT, "f", (Modifier.ALT,)),
        (" ", CONTROL, "Space", (Modifier.CONTROL,)),
        ("l", META, "l", (Modifier.META,)),
        ("Tab", SHIFT, "Tab", (Modifier.SHIFT,)),
        ("Home", 0, "Home", ()),
    ],
)
def test_shortcuts_and_named_keys(name: str, modifiers: int, key: str, held: tuple[Modifier, ...]) -> None:
    action = typing().key(name, modifiers=modifiers).play().only()
    assert isinstance(action, Key)
    assert (action.key, action.modifiers, action.times) == (key, held, 1)


def test_shift_and_other_levels_with_a_character_are_typing() -> None:
    action = typing(form(None, focused="Name")).key("A", modifiers=SHIFT).wait(80).key("@", modifiers=128)
    assert typed(action.play().only()) == ("A@", None)


def test_a_dead_key_is_part_of_the_next_character_and_nothing_alone() -> None:
    take = typing(form(None, focused="Name")).down(0xFE51).wait(50).type("e")
    assert typed(take.play().only()) == ("é", None)
    assert typing().down(0xFE51).down(0xFFE1).down(0xFFE5).down(0x1008FF11).play().acts == []


def test_a_key_without_a_known_symbol_is_typing_of_which_the_keys_cannot_tell() -> None:
    blind = typing(form(None, focused="Name")).type("a").wait(80).down(0).wait(80).type("c")
    assert typed(blind.play().only()) == (None, None)
    told = typing().type("a").wait(80).down(0).wait(80).type("c").wait(150).shows(form("axc", focused="Name"))
    assert typed(told.play().only()) == ("axc", "axc")


def test_a_space_presses_a_button_and_is_a_character_in_a_field() -> None:
    take = typing(form(focused="News")).key(" ").wait(150).shows(form(focused="News", checked=True))
    action = take.play().only()
    assert isinstance(action, Key)
    assert (action.key, action.value) == ("Space", "true")
    assert typed(typing(form(None, focused="Name")).type(" a").play().only()) == (" a", None)


def test_a_run_ends_where_the_focus_moves_without_a_key() -> None:
    take = typing().type("12").wait(60).focus(2).wait(40).type("34").wait(200).shows(form("12", "34"))
    played = take.play()
    assert [typed(action) for action in played.acts] == [("12", "12"), ("34", "34")]
    assert played.names() == ["Name", "Town"]


def test_typing_into_the_parts_of_a_date_field_is_one_act_on_the_field() -> None:
    def dated(part: int) -> ElementTree:
        parts = (
            el("spinbutton", name, (20 + 40 * at, 20, 40, 20), states="focusable " + "focused" * (at == part))
            for at, name in enumerate(("Month", "Day", "Year"))
        )
        return page(el("datefield", "Date", (20, 20, 140, 20), el("group", "", (20, 20, 120, 20), *parts)))

    take = Take().shows(dated(0)).at(1_000).type("12").wait(60).shows(dated(1)).wait(40).type("04").wait(60)
    played = take.shows(dated(2)).wait(40).type("2019").play()
    assert typed(played.only()) == ("12042019", None)
    assert played.target(played.only()).name == "Date"


def test_a_clicked_field_has_the_focus_before_anything_says_so() -> None:
    take = typing().move((5, 5), (30, 70)).wait(100).click(30, 70).wait(60).type("Bonn").wait(200)
    played = take.shows(form("", "Bonn", focused="Town")).play()
    click, action = played.acts
    assert isinstance(click, Click)
    assert click.value is None
    assert played.target(action).name == "Town"
    assert typed(action) == ("Bonn", "Bonn")


def test_a_word_on_the_focus_that_comes_during_the_run_counts_if_there_was_only_an_old_one() -> None:
    take = typing().type("a").wait(300).key("Tab").wait(40).type("Bo").wait(30)
    take.shows(form("a", "Bo", focused="Town")).wait(70).type("nn").wait(200)
    played = take.shows(form("a", "Bonn", focused="Town")).play()
    assert [act_of(action) for action in played.acts] == ["type", "key", "type"]
    assert played.names() == ["Name", "Name", "Town"]
    assert typed(played.acts[2]) == ("Bonn", "Bonn")


def test_without_any_word_on_the_focus_there_is_no_target_and_no_value() -> None:
    action = typing(form()).type("abc").wait(200).shows(form("abc")).play().only()
    assert (action.target, typed(action)) == (None, ("abc", None))
    assert action.before == 0


def test_a_field_that_turns_out_to_be_secure_gives_no_text_but_a_gap() -> None:
    take = typing().key("Tab").wait(60).type("abc").wait(100).shows(form("a", focused="Town", secure=True))
    played = take.play(grid_ms=1_000)
    assert [act_of(action) for action in played.acts] == ["key"]
    assert [(gap.from_ms, gap.to_ms) for gap in played.stretch.gaps] == [(1_000, 2_000)]


def test_a_long_pause_and_a_long_run_part_typing() -> None:
    assert len(typing().type("a").wait(ENTRY_PAUSE_MS - 50).type("b").play().acts) == 1
    assert len(typing().type("a").wait(ENTRY_PAUSE_MS + 50).type("b").play().acts) == 2
    long = typing().type("a" * (ENTRY_MS // 1_000 + 5), every=1_000).play()
    assert [len(action.text or "") for action in long.acts if isinstance(action, Type)] == [31, 4]


def test_lost_events_in_a_run_leave_only_the_value() -> None:
    take = typing().type("a").lost().wait(50).type("c")
    assert typed(take.play().only()) == (None, None)
    told = typing().type("a").lost().wait(50).type("c").wait(150).shows(form("abc", focused="Name"))
    assert typed(told.play().only()) == ("abc", "abc")


@pytest.mark.parametrize(
    ("before", "after", "value"), [(False, True, "true"), (True, False, "false"), (True, None, "true")]
)
def test_a_click_on_what_can_be_checked_says_its_state_then(
    before: bool, after: bool | None, value: str
) -> None:
    take = typing(form(checked=before)).move((5, 5), (25, 105)).wait(100).click(25, 105).wait(150)
    if after is not None:
        take.shows(form(checked=after))
    click = take.play().only()
    assert isinstance(click, Click)
    assert click.value == value


def test_two_quick_clicks_on_two_boxes_have_their_own_states() -> None:
    def boxes(*states: str) -> ElementTree:
        rows = (el("checkbox", f"{n}", (20, 40 * n, 20, 20), states=s) for n, s in enumerate(states))
        return page(*rows)

    take = Take().shows(boxes("", "")).at(500).move((5, 300), (25, 10)).wait(100).click(25, 10)
    take.wait(60).move((25, 30), (25, 50)).wait(20).click(25, 50).wait(40).shows(boxes("checked", ""))
    acts = take.wait(200).shows(boxes("checked", "mixed")).play().acts
    assert [action.value for action in acts if isinstance(action, Click)] == ["true", "mixed"]
