"""The state before a pointer act is the one in which the person decided, and says so when it is not."""

import pytest

from tests.unit.formats.takes import Take, el, page, path
from understudy.formats.elements import ElementTree
from understudy.formats.recording.actions import Click, Mark
from understudy.formats.recording.prestate import settled
from understudy.formats.recording.sights import RING_MS

OUTSIDE = (20, 20)
SAVE = (310, 210)


def desk(
    *, hovered: bool = False, title: str = "Draft", save: str = "Save", more: bool = False
) -> ElementTree:
    """Return a page whose button changes its look under the pointer, as pages do."""
    button = el("button", save, (300, 200, 80, 30), tag="button")
    hot = el("button", save, (298, 198, 84, 34), el("text", "glow", (300, 200, 80, 30)), tag="button")
    other = (el("button", "More", (300, 300, 80, 30), tag="button"),) if more else ()
    return page(
        el("heading", title, (0, 0, 200, 30)),
        el("button", "New", (20, 100, 80, 30), tag="button"),
        hot if hovered else button,
        *other,
    )


def approach(take: Take, start: tuple[int, int] = OUTSIDE) -> Take:
    return take.move(*path(start, SAVE))


def test_the_state_before_a_click_is_from_before_the_pointer_was_there() -> None:
    take = approach(Take().shows(desk()).at(500)).wait(60).shows(desk(hovered=True)).wait(200).click(*SAVE)
    played = take.play()
    click = played.only()
    assert isinstance(click, Click)
    assert played.before(click) == desk()
    assert played.target(click).name == "Save"
    assert click.marks == ()
    assert (played.assembler.pointer_actions, played.assembler.pointer_inside) == (1, 0)


def test_the_newest_state_from_before_is_taken_not_the_first() -> None:
    take = Take().shows(desk(title="Old")).at(300).move(OUTSIDE).at(400).shows(desk(title="New"))
    take = approach(take.at(500)).wait(100).shows(desk(title="New", hovered=True)).wait(90).click(*SAVE)
    played = take.play()
    assert played.before(played.only()) == desk(title="New")


def test_a_state_that_was_complete_while_the_pointer_entered_is_not_from_before() -> None:
    take = Take().shows(desk()).at(500).move(OUTSIDE, (200, 200), (296, 205)).wait(14)
    take.shows(desk(title="Late")).wait(6).move(SAVE).wait(300).click(*SAVE)
    played = take.play()
    assert played.before(played.only()) == desk(), "motion is thinned: it may have been inside already"


def test_a_pointer_that_was_seen_inside_by_its_press_alone_may_have_been_there_for_long() -> None:
    take = Take().shows(desk()).at(500).move(OUTSIDE).at(900).shows(desk(title="Late")).at(2_000).click(*SAVE)
    played = take.play()
    assert played.before(played.only()) == desk()


def test_the_effect_of_the_act_before_must_have_settled() -> None:
    take = Take().shows(desk()).at(500).move(OUTSIDE, (60, 110)).wait(200).click(60, 110)
    take.move(*path((60, 110), SAVE, 3), every=20).wait(30)
    entered = take.now
    take.at(entered + 20).shows(desk(title="Saved")).wait(200).click(*SAVE)
    played = take.play()
    _, click = played.acts
    assert click.marks == (Mark.POINTER_INSIDE,)
    assert played.before(click) == desk(title="Saved"), "what the new page shows, marked"


def test_a_settled_effect_is_a_state_before() -> None:
    take = Take().shows(desk()).at(500).move(OUTSIDE, (60, 110)).wait(200).click(60, 110)
    take.wait(120).shows(desk(title="Saved", more=True)).wait(200)
    take = approach(take, (60, 110)).wait(80).shows(desk(hovered=True, more=True)).wait(80).click(*SAVE)
    played = take.play()
    _, click = played.acts
    assert click.marks == ()
    assert played.before(click) == desk(title="Saved", more=True)


def test_acting_twice_in_one_place_is_marked_and_has_the_settled_state() -> None:
    take = approach(Take().shows(desk()).at(500)).wait(200).click(*SAVE)
    take.wait(150).shows(desk(title="Saved", hovered=True)).wait(2_000).click(*SAVE)
    played = take.play()
    first, second = played.acts
    assert first.marks == ()
    assert second.marks == (Mark.POINTER_INSIDE,)
    assert played.before(second) == desk(title="Saved", hovered=True)
    assert (played.assembler.pointer_actions, played.assembler.pointer_inside) == (2, 1)


def test_what_is_another_thing_in_the_earlier_state_is_not_taken_from_there() -> None:
    take = approach(Take().shows(desk(save="Next")).at(500)).wait(400)
    take.shows(desk(save="Submit")).wait(300).click(*SAVE)
    played = take.play()
    assert played.target(played.only()).name == "Submit"
    assert played.only().marks == (Mark.POINTER_INSIDE,)


def test_what_came_up_under_the_pointer_has_no_state_from_before() -> None:
    take = approach(Take().shows(desk()).at(500)).wait(300)
    dialog = page(el("dialog", "Sure?", (250, 150, 200, 150), el("button", "Yes", (300, 200, 80, 30))))
    played = take.shows(dialog).wait(300).click(*SAVE).play()
    assert played.target(played.only()).name == "Yes"
    assert played.only().marks == (Mark.POINTER_INSIDE,)


def test_a_state_is_forgotten_after_five_seconds_unless_it_is_the_last() -> None:
    take = approach(Take().shows(desk()).at(60_000)).wait(60)
    still = take.play()
    assert still.acts == []
    hot = take.wait(40).shows(desk(hovered=True)).wait(RING_MS - 500).click(*SAVE).play()
    assert hot.before(hot.only()) == desk(), "the last state stays, however old, and then 5 s more"
    late = approach(Take().shows(desk()).at(60_000)).wait(100).shows(desk(hovered=True))
    played = late.wait(RING_MS + 100).click(*SAVE).play()
    assert played.before(played.only()) == desk(hovered=True)
    assert played.only().marks == (Mark.POINTER_INSIDE,)


def test_without_any_state_there_is_neither_state_nor_target() -> None:
    played = Take().at(500).move(OUTSIDE, SAVE).wait(100).click(*SAVE).play()
    click = played.only()
    assert (click.before, click.target, click.marks) == (None, None, (Mark.POINTER_INSIDE,))


def test_beside_the_page_there_is_a_state_and_no_target() -> None:
    small = page(el("button", "Save", (30, 30, 50, 20)), box=(0, 0, 100, 100))
    click = Take().shows(small).at(500).move(OUTSIDE, (400, 400)).wait(100).click(400, 400).play().only()
    assert (click.before, click.target, click.marks) == (0, None, ())


def test_another_window_has_its_own_states() -> None:
    take = Take().window(1).shows(desk()).at(300).move(OUTSIDE).at(400).window(2)
    unseen = approach(take.wait(20)).wait(200).click(*SAVE).play()
    assert unseen.only().before is None, "what another window showed is no state before"
    back = Take().window(1).shows(desk()).at(300).window(2).wait(10).shows(desk(title="Two"))
    played = approach(back.at(9_000).window(1).wait(50)).wait(200).click(*SAVE).play()
    assert played.before(played.only()) == desk(), "the last state of a window stays"


@pytest.mark.parametrize(
    ("changes", "when"),
    [
        ([], 1_000),
        ([1_120], 1_120),
        ([1_249, 1_300, 1_400, 1_501], 1_400),
        ([1_251], 1_000),
        ([1_100, 1_200, 1_300, 1_400, 1_500, 1_600, 1_700, 1_800, 1_900, 2_000, 2_100], 2_000),
    ],
    ids=["nothing", "one", "quiet", "late", "at-most-1-s"],
)
def test_an_effect_settles_after_100_ms_of_quiet_and_at_most_a_second(changes: list[int], when: int) -> None:
    assert settled(1_000, changes) == when


def test_a_link_in_a_text_of_several_lines_is_entered_by_itself() -> None:
    def story(title: str) -> ElementTree:
        words = el("link", "here", (300, 200, 40, 11), tag="a"), el("text", "and on", (100, 200, 300, 22))
        return page(el("heading", title, (0, 0, 200, 30)), el("paragraph", "", (100, 200, 300, 22), *words))

    take = Take().shows(story("Old")).at(500).move(OUTSIDE, (150, 205)).wait(100).shows(story("New"))
    take.wait(100).move((200, 205), (290, 205), (310, 205), every=40).wait(90).click(310, 205)
    played = take.play()
    click = played.only()
    assert played.target(click).name == "here"
    assert (played.before(click), click.marks) == (story("New"), ())
