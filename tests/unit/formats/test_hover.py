"""A hover is told where a rest opened what was acted on next, and nowhere else."""

from tests.unit.formats.takes import Played, Spec, Take, el, page, path
from understudy.formats.elements import ElementTree
from understudy.formats.recording.actions import Click, Hover, act_of
from understudy.formats.recording.hover import REST_MS

START = (5, 300)
FILE = (50, 20)
RECENT = (50, 70)
LETTER = (170, 70)


def menu(
    *, is_open: bool = False, deeper: bool = False, extra: Spec | None = None, flat: bool = False
) -> ElementTree:
    """Return a page with a menu that opens under the pointer, and a menu in it that does too."""
    letter = el("menuitem", "Letter", (140, 60, 120, 24))
    recent = el("menuitem", "Recent", (20, 60, 120, 24), *([letter] if deeper else []))
    items = [el("menuitem", "New", (20, 36, 120, 24)), recent] if is_open else []
    bar = el("listitem", "File", (20, 10, 120, 24), *([] if flat else items))
    rest = (*(items if flat else ()), *([] if extra is None else [extra]))
    return page(el("list", "Bar", (0, 0, 800, 36), bar), el("button", "Go", (600, 500, 60, 24)), *rest)


def resting(milliseconds: int = 700, *, opens_after: int = 350, on: ElementTree | None = None) -> Take:
    """Return a take in which the pointer rests on the menu, which opens."""
    take = Take().shows(menu()).at(1_000).move(*path(START, FILE))
    take.wait(opens_after).shows(menu(is_open=True) if on is None else on)
    return take.wait(milliseconds - opens_after)


def clicked(take: Take, *way: tuple[int, int]) -> Played:
    return take.move(*way).wait(100).click(*way[-1]).play()


def acts(played: Played) -> list[tuple[str, str | None]]:
    return [(act_of(act), name) for act, name in zip(played.acts, played.names(), strict=True)]


def test_resting_on_a_menu_until_it_opens_and_clicking_in_it_is_a_hover_and_a_click() -> None:
    played = clicked(resting(), *path(FILE, RECENT))
    assert acts(played) == [("hover", "File"), ("click", "Recent")]
    hover, click = played.acts
    assert isinstance(hover, Hover)
    assert isinstance(click, Click)
    assert played.before(hover) == menu(), "before the pointer was there"
    assert played.before(click) == menu(is_open=True)
    assert hover.marks == click.marks == ()
    assert (played.assembler.pointer_actions, played.assembler.pointer_inside) == (2, 0)


def test_menus_in_menus_are_hovers_in_a_row() -> None:
    take = resting().move(*path(FILE, RECENT)).wait(400).shows(menu(is_open=True, deeper=True)).wait(200)
    played = clicked(take, *path(RECENT, LETTER))
    assert acts(played) == [("hover", "File"), ("hover", "Recent"), ("click", "Letter")]


def test_what_opens_beside_the_element_counts_too() -> None:
    played = clicked(resting(on=menu(is_open=True, flat=True)), *path(FILE, RECENT))
    assert acts(played) == [("hover", "File"), ("click", "Recent")]


def test_what_opened_may_be_read_when_the_pointer_is_on_its_way_into_it() -> None:
    take = Take().shows(menu()).at(1_000).move(*path(START, FILE)).wait(400)
    take.move((50, 33), (50, 40)).wait(20).shows(menu(is_open=True)).wait(80)
    assert acts(clicked(take, (50, 60), RECENT)) == [("hover", "File"), ("click", "Recent")]


def test_a_hover_is_remembered_longer_than_the_ring() -> None:
    played = clicked(resting(9_000), *path(FILE, RECENT))
    assert acts(played) == [("hover", "File"), ("click", "Recent")]


def test_a_rest_that_led_to_nothing_is_no_act() -> None:
    assert resting(3_000).play().acts == []
    elsewhere = clicked(resting(), *path(FILE, (620, 510)))
    assert acts(elsewhere) == [("click", "Go")]


def test_a_short_rest_is_no_hover() -> None:
    take = Take().shows(menu()).at(1_000).move(*path(START, FILE, 3)).wait(100).shows(menu(is_open=True))
    played = clicked(take.wait(REST_MS - 250), *path(FILE, RECENT, 3))
    assert acts(played) == [("click", "Recent")]


def test_what_was_there_before_was_not_opened_by_resting() -> None:
    take = Take().shows(menu(is_open=True)).at(1_000).move(*path(START, FILE)).wait(900)
    assert acts(clicked(take, *path(FILE, RECENT))) == [("click", "Recent")]


def test_what_came_up_far_away_was_not_opened_by_resting() -> None:
    news = el("link", "News", (500, 300, 100, 24))
    take = Take().shows(menu()).at(1_000).move(*path(START, FILE)).wait(350).shows(menu(extra=news)).wait(300)
    assert acts(clicked(take, *path(FILE, (510, 310)))) == [("click", "News")]


def test_what_a_click_opened_was_not_opened_by_resting() -> None:
    take = Take().shows(menu()).at(1_000).move(*path(START, FILE)).wait(100).click(*FILE)
    take.wait(1_500).shows(menu(is_open=True)).wait(600)
    assert acts(clicked(take, *path(FILE, RECENT))) == [("click", "File"), ("click", "Recent")]


def test_what_typing_brought_up_was_not_opened_by_resting() -> None:
    take = Take().shows(menu()).at(1_000).move(*path(START, FILE)).wait(100).type("re")
    take.wait(400).shows(menu(is_open=True)).wait(600)
    assert [act_of(act) for act in clicked(take, *path(FILE, RECENT)).acts] == ["type", "click"]


def test_what_came_up_under_a_pointer_that_stayed_was_not_opened_by_it() -> None:
    dialog = el("dialog", "Sure?", (10, 5, 200, 150), el("button", "Yes", (20, 10, 80, 24)))
    take = Take().shows(menu()).at(1_000).move(*path(START, FILE)).wait(500).shows(menu(extra=dialog))
    assert acts(clicked(take.wait(400), FILE)) == [("click", "Yes")]
