"""A comparison finds every act that was recorded right, and every fault."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from understudy.demo.matching import Reason, Recorded, compare, compare_episode, overlap, recorded_in
from understudy.demo.truth import EpisodeBegan, TruthAction, TruthEpisode, TruthTarget
from understudy.formats.elements import Box, Element, Role
from understudy.formats.recording.actions import (
    Action,
    Click,
    FillSecret,
    Hover,
    Key,
    Modifier,
    Scroll,
    Select,
    Type,
    act_of,
)
from understudy.formats.recording.reader import RecordingReader
from understudy.formats.synthetic import synthetic_segment

FIELD = TruthTarget(tag="input", id="name", box=Box(10, 10, 200, 24))
SECRET = TruthTarget(tag="input", id="pw", box=Box(10, 40, 200, 24))
LIST = TruthTarget(tag="select", id="kind", box=Box(10, 70, 200, 24))
LINK = TruthTarget(tag="a", id="tab", box=Box(14, 104, 40, 12), kin=("li",))
BUTTON = TruthTarget(tag="button", id="send", box=Box(10, 130, 80, 30))


def did(act: str, target: TruthTarget, **more: object) -> TruthAction:
    return replace(TruthAction(act=act, target=target, began=0, ended=1), **more)


DONE = [
    did("click", FIELD),
    did("type", FIELD, text="zq"),
    did("key", FIELD, key="Tab"),
    did("fill_secret", SECRET, text="hidden"),
    did("select", LIST, option="Second"),
    did("scroll", LIST, dy=3),
    did("hover", LINK),
    did("click", LINK),
    did("click", BUTTON),
]
ACTIONS: list[Action] = [
    Click(at_ms=0, before=0, target=1),
    Type(at_ms=0, before=0, target=1),
    Key(at_ms=0, before=0, target=1, key="Tab"),
    FillSecret(at_ms=0, before=0, target=1),
    Select(at_ms=0, before=0, target=1, option="Second"),
    Scroll(at_ms=0, before=0, target=1, dy=3),
    Hover(at_ms=0, before=0, target=1),
    Click(at_ms=0, before=0, target=1),
    Click(at_ms=0, before=0, target=1),
]


def element(target: TruthTarget, role: Role = Role.BUTTON) -> Element:
    return Element(role=role, tag=target.tag, id=target.id, box=target.box)


PERFECT = [
    Recorded(action=action, element=element(done.target)) for done, action in zip(DONE, ACTIONS, strict=True)
]
places = st.integers(0, len(DONE) - 1)


def test_a_perfect_recording_matches_in_everything() -> None:
    found = compare(DONE, PERFECT)
    assert found.matched == len(DONE)
    assert (found.missed, found.invented) == ((), ())


@given(st.sets(places))
def test_acts_that_are_not_recorded_are_missed_and_nothing_else(left_out: set[int]) -> None:
    recorded = [each for number, each in enumerate(PERFECT) if number not in left_out]
    found = compare(DONE, recorded)
    assert found.matched == len(DONE) - len(left_out)
    assert len(found.missed) == len(left_out)
    assert found.invented == ()


@given(st.lists(st.tuples(places, places), max_size=4))
def test_acts_that_nobody_did_are_invented_and_nothing_else(added: list[tuple[int, int]]) -> None:
    recorded = list(PERFECT)
    elsewhere = TruthTarget(tag="p", box=Box(900, 600, 20, 20))
    for at, which in added:
        recorded.insert(at, Recorded(action=PERFECT[which].action, element=element(elsewhere)))
    found = compare(DONE, recorded)
    assert found.matched == len(DONE)
    assert len(found.invented) == len(added)
    assert found.missed == ()


@given(places)
def test_a_wrong_target_is_missed_and_invented_and_says_why(place: int) -> None:
    recorded = list(PERFECT)
    moved = replace(element(DONE[place].target), box=Box(600, 600, 50, 20))
    recorded[place] = Recorded(action=PERFECT[place].action, element=moved)
    found = compare(DONE, recorded)
    assert found.matched == len(DONE) - 1
    assert [(one.place, one.reason, one.near) for one in found.missed] == [
        (place, Reason.WRONG_TARGET, place)
    ]
    assert [(one.place, one.reason) for one in found.invented] == [(place, Reason.WRONG_TARGET)]


@given(places)
def test_a_wrong_act_on_the_right_target_is_no_match(place: int) -> None:
    other = Click if act_of(ACTIONS[place]) != "click" else FillSecret
    recorded = list(PERFECT)
    recorded[place] = Recorded(action=other(at_ms=0, before=0, target=1), element=PERFECT[place].element)
    found = compare(DONE, recorded)
    assert found.matched == len(DONE) - 1
    assert found.missed[0].reason is Reason.WRONG_ACT


def test_the_same_act_recorded_twice_is_invented_once() -> None:
    found = compare(DONE, [PERFECT[0], *PERFECT])
    assert (found.matched, len(found.missed), len(found.invented)) == (len(DONE), 0, 1)


def test_order_counts() -> None:
    swapped = [PERFECT[1], PERFECT[0], *PERFECT[2:]]
    assert compare(DONE, swapped).matched == len(DONE) - 1


def test_another_key_another_modifier_or_the_other_way_is_wrong() -> None:
    for place, action in (
        (2, Key(at_ms=0, before=0, target=1, key="Enter")),
        (2, Key(at_ms=0, before=0, target=1, key="Tab", modifiers=(Modifier.SHIFT,))),
        (5, Scroll(at_ms=0, before=0, target=1, dy=-3)),
    ):
        recorded = list(PERFECT)
        recorded[place] = Recorded(action=action, element=PERFECT[place].element)
        assert compare(DONE, recorded).missed[0].reason is Reason.WRONG_KEY


def test_an_act_without_a_target_is_no_match() -> None:
    recorded = [Recorded(action=replace(ACTIONS[0], target=None)), *PERFECT[1:]]
    assert compare(DONE, recorded).missed[0].reason is Reason.NO_TARGET


@pytest.mark.parametrize(
    ("box", "tag", "is_right"),
    [
        (Box(14, 104, 40, 12), "a", True),
        (Box(10, 100, 60, 20), "li", True),  # the line that the link fills
        (Box(10, 100, 60, 20), None, True),  # a source that knows no tags
        (Box(10, 100, 60, 20), "section", False),
        (Box(0, 0, 1000, 740), "a", False),  # the whole page has the link's middle in it, too
        (Box(60, 104, 40, 12), "a", False),
    ],
)
def test_the_element_must_be_the_one_that_was_meant(box: Box, tag: str | None, is_right: bool) -> None:
    named = Element(role=Role.TAB, tag=tag, box=box)
    found = compare([DONE[7]], [Recorded(action=ACTIONS[7], element=named)])
    assert bool(found.matched) is is_right


def test_a_part_of_a_date_field_counts_as_the_field() -> None:
    part = Element(role=Role.SPINBUTTON, tag="div", box=Box(12, 12, 18, 18))
    assert compare([DONE[1]], [Recorded(action=ACTIONS[1], element=part)]).matched == 1
    beside = replace(part, box=Box(300, 12, 18, 18))
    assert compare([DONE[1]], [Recorded(action=ACTIONS[1], element=beside)]).matched == 0


def test_what_a_segment_holds_is_read_with_its_elements() -> None:
    segment = synthetic_segment(
        7, recording="rec_AAAAAAAAAAAAAAAAAAAAAA", ordinal=0, started_at=0, ended_at=60
    )
    reader = RecordingReader(io.BytesIO(segment))
    recorded = recorded_in(reader)
    assert recorded
    assert all((each.element is None) == (each.action.target is None) for each in recorded)
    done = [
        did(each.act, TruthTarget(tag=each.element.tag or "", box=each.element.box), **keyed(each.action))
        for each in recorded
        if each.element is not None and each.element.box is not None
    ]
    assert done
    episode = TruthEpisode(
        began=EpisodeBegan(at=0, task="synthetic", seed=7, instruction=""),
        ended=None,
        actions=tuple(done),
        secure=(),
    )
    assert compare_episode(episode, [reader]).matched == len(done)


def test_a_reason_never_holds_a_text() -> None:
    found = compare([did("type", FIELD, text="zq-secret")], [])
    assert "zq-secret" not in repr(found)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 50), st.integers(1, 50))
def test_overlap_is_symmetric_and_whole_for_equal_boxes(x: int, y: int, width: int, height: int) -> None:
    first, second = Box(10, 10, 30, 20), Box(x, y, width, height)
    assert overlap(first, second) == overlap(second, first)
    assert overlap(second, second) == 1
    assert 0 <= overlap(first, second) <= 1


def keyed(action: Action) -> dict[str, object]:
    match action:
        case Key():
            return {"key": action.key, "modifiers": tuple(str(held) for held in action.modifiers)}
        case Scroll():
            return {"dy": action.dy}
        case _:
            return {}
