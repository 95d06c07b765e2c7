"""Each promise about actions is kept by a test that fails when the promise is broken."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.unit.formats import (
    test_assembly,
    test_choice,
    test_gestures,
    test_hover,
    test_prestate,
    test_typing,
)
from understudy.formats.elements import ElementTree
from understudy.formats.recording import (
    assembly,
    deciding,
    drafts,
    focus,
    gestures,
    hover,
    prestate,
    sights,
    trace,
)
from understudy.formats.recording.actions import Click, Key
from understudy.formats.recording.keysyms import Typed
from understudy.formats.recording.stretch import Stretch
from understudy.formats.recording.versions import Version

Fault = tuple[Any, str, Any]
Promise = Callable[[], None]

_ORIGIN_BEFORE = prestate.origin_before
_SEE = hover.Hovers.see


def gives(answer: object) -> Callable[..., Any]:
    return lambda *_, **__: answer


def _latest_state(state: sights.Sights, _: trace.Trace, *, x: int, y: int, time: int, **__: Any) -> Any:
    latest = state.newest(time)
    assert latest is not None
    assert latest.scene is not None
    return prestate.Origin(latest, latest.scene.tree.actionable_at(x, y))


def _unmarked(*told: Any, **named: Any) -> Any:
    return _ORIGIN_BEFORE(*told, **named)._replace(marks=())


def _see_all(*told: Any, **named: Any) -> None:
    _SEE(*told, **{**named, "acted": None})


class _Repeating(assembly.Assembler):
    """Gives what it gave before, again."""

    def stretch(self, from_ms: int, to_ms: int) -> Stretch:
        ready = self._ready.copy()
        stretch = super().stretch(from_ms, to_ms)
        self._ready = ready
        return stretch


_EVERYTHING = Stretch(
    actions=(Key(at_ms=0, before=None, key="Tab"),) * 2, versions=(Version(at_ms=0, tree=0, frame=0),) * 2
)
_CLICKED = test_gestures.test_each_way_of_clicking_is_one_act_on_the_deepest_element_that_can_be_acted_on
_TWICE = test_gestures.test_two_clicks_are_one_act_within_half_a_second_and_five_pixels
_CORRECTED = test_typing.test_corrections_belong_to_the_run_and_only_what_is_certain_is_text
_LATE = test_assembly.test_what_is_decided_late_comes_with_the_next_stretch_and_its_state_with_it

FAULTS: dict[str, tuple[Promise, list[Fault]]] = {
    "the state at the press is chosen": (
        test_prestate.test_the_state_before_a_click_is_from_before_the_pointer_was_there,
        [(gestures, "origin_at", _latest_state)],
    ),
    "the state while the pointer entered is chosen": (
        test_prestate.test_a_state_that_was_complete_while_the_pointer_entered_is_not_from_before,
        [(trace, "THINNED_MS", 0)],
    ),
    "nobody waits for the effect of the act before": (
        test_prestate.test_the_effect_of_the_act_before_must_have_settled,
        [(prestate, "settled", lambda acted, _: acted)],
    ),
    "pointer-inside is not said": (
        test_prestate.test_acting_twice_in_one_place_is_marked_and_has_the_settled_state,
        [(prestate, "origin_before", _unmarked)],
    ),
    "another thing in the same place is taken for the target": (
        test_prestate.test_what_is_another_thing_in_the_earlier_state_is_not_taken_from_there,
        [(prestate, "_same", lambda *told: told[2])],
    ),
    "the ring never forgets": (
        test_prestate.test_a_state_is_forgotten_after_five_seconds_unless_it_is_the_last,
        [(sights, "RING_MS", 10**9)],
    ),
    "windows share their states": (
        test_prestate.test_another_window_has_its_own_states,
        [(sights.Sights, "enter", gives(answer=True))],
    ),
    "the deepest element is the target, whatever it is": (
        partial(_CLICKED, 1, 1, Click),
        [(ElementTree, "actionable_at", ElementTree.deepest_at)],
    ),
    "each click of two is told": (
        partial(_TWICE, 60, (64, 64), ["double_click"]),
        [(drafts, "CLICKS_MS", -1)],
    ),
    "a shaky click is a drag": (
        test_gestures.test_a_shaky_click_is_a_click_and_nine_pixels_are_a_drag,
        [(drafts, "DRAG_PX", 2)],
    ),
    "a secret without a field leaves no gap": (
        test_gestures.test_a_secret_without_a_field_is_a_gap_as_long_as_it_took,
        [(gestures.Gestures, "_end_secret", gives(None))],
    ),
    "keys on a secure field are told": (
        test_gestures.test_keys_on_a_secure_field_are_never_told_whoever_let_them_through,
        [
            (gestures, "_leaves", gives(answer=True)),
            (deciding, "_is_secret", gives(answer=False)),
            (deciding, "LEAVING_KEYS", frozenset({"Backspace"})),
        ],
    ),
    "keys are told instead of the value": (
        test_typing.test_where_values_are_known_they_decide_over_the_keys,
        [(deciding, "entered", lambda text, **_: text)],
    ),
    "the resulting value is not looked for": (
        test_typing.test_a_run_of_characters_is_one_act_with_the_value_that_the_field_then_held,
        [(drafts.Draft, "results", gives([]))],
    ),
    "a value read too soon is taken": (
        test_typing.test_a_value_read_too_soon_is_not_the_result,
        [(drafts, "READ_MS", 0)],
    ),
    "what a key changed is not told": (
        test_typing.test_what_a_key_changed_is_its_own_result,
        [(deciding.Deciding, "_value", gives(None))],
    ),
    "what the next act did is told of this one": (
        test_typing.test_keys_that_the_values_bear_out_are_the_text,
        [(drafts.Draft, "follow", lambda draft, following: setattr(draft, "next_start", following.start))],
    ),
    "the focus is where it was before the click": (
        test_typing.test_a_clicked_field_has_the_focus_before_anything_says_so,
        [(focus.FocusLog, "may_move", gives(None))],
    ),
    "corrections are told as keys": (
        partial(_CORRECTED, ["A", "m", "v", "Backspace", "b"], "Amb"),
        [(gestures, "continues_entry", lambda key, *_: isinstance(key, Typed))],
    ),
    "text of a field that turns out secure is told": (
        test_typing.test_a_field_that_turns_out_to_be_secure_gives_no_text_but_a_gap,
        [(deciding, "_is_secret", gives(answer=False))],
    ),
    "the click that opened a list is told beside the choice": (
        partial(test_choice.test_opening_a_list_and_clicking_an_option_is_one_select, "select"),
        [(gestures.Gestures, "_taken_opener", gives(None))],
    ),
    "a choice in a native list is a click": (
        test_choice.test_an_option_of_a_list_that_is_always_open_is_selected,
        [(deciding, "list_of", gives(None))],
    ),
    "lists that a page built are native": (
        partial(test_choice.test_a_list_that_the_page_built_is_clicked, "div"),
        [(deciding, "list_of", lambda tree, number: tree.elements[number].parent)],
    ),
    "hovers are not told": (
        test_hover.test_resting_on_a_menu_until_it_opens_and_clicking_in_it_is_a_hover_and_a_click,
        [(hover.Hovers, "before", gives(()))],
    ),
    "every rest during which something changed is a hover": (
        test_hover.test_a_rest_that_led_to_nothing_is_no_act,
        [(hover, "_opened", gives(answer=True))],
    ),
    "whatever came up was opened by resting": (
        test_hover.test_what_came_up_far_away_was_not_opened_by_resting,
        [(hover, "_touch", gives(answer=True))],
    ),
    "a short rest is a hover": (
        test_hover.test_a_short_rest_is_no_hover,
        [(hover, "REST_MS", 0)],
    ),
    "a rest from before the last act is a hover": (
        test_hover.test_what_a_click_opened_was_not_opened_by_resting,
        [(hover.Hovers, "see", _see_all), (hover.Hovers, "forget", gives(None))],
    ),
    "scope is not looked at": (
        test_assembly.test_nothing_is_made_of_events_out_of_scope,
        [(assembly.Assembler, "_enter", gives(None))],
    ),
    "the click into a window out of scope is told": (
        test_assembly.test_a_click_into_a_window_out_of_scope_is_not_made_a_click_on_what_lay_below,
        [(gestures.Gestures, "withdraw", gives(None))],
    ),
    "actions are given twice": (_LATE, [(test_assembly, "Assembler", _Repeating)]),
    "actions that come late are dropped": (
        _LATE,
        [(assembly.Assembler, "settle", gives(9_500))],
    ),
    "all versions are kept": (
        test_assembly.test_a_stretch_holds_the_versions_that_its_actions_name_and_no_others,
        [(assembly, "gathered", gives(_EVERYTHING))],
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_seeded_fault_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    promise, faults = FAULTS[name]
    promise()
    for owner, attribute, fault in faults:
        monkeypatch.setattr(owner, attribute, fault)
    with pytest.raises((AssertionError, ValueError)):
        promise()
