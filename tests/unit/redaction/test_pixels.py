"""Pixels: nothing is shown that is not explained, and black wins."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.unit.redaction.scene import HEIGHT, WIDTH, Page, X, Y, box_of, region
from understudy.formats.elements import Box, Element, ElementState, ElementTree, Role
from understudy.formats.picture import Picture, PlacedPicture
from understudy.redaction.errors import RedactionError
from understudy.redaction.pixels import MARGIN, NEUTRAL, masked

SHOWING = (ElementState.SHOWING,)


def tree_of(*elements: Element, states: tuple[ElementState, ...] = SHOWING) -> ElementTree:
    root = Element(role=Role.DOCUMENT, states=states, box=Box(0, 0, 100, 100))
    return ElementTree(elements=(root, *elements))


def element(role: Role, name: str, box: tuple[int, int, int, int], **more: object) -> Element:
    given = {"states": SHOWING, "parent": 0, **more}
    return Element(role=role, name=name, box=Box(*box), **given)  # type: ignore[arg-type]


def frame_of(x: int = 0, y: int = 0) -> PlacedPicture:
    pixels = np.random.default_rng(5).integers(1, 199, (100, 100, 3), np.uint8)
    return PlacedPicture(x=x, y=y, picture=Picture(width=100, height=100, rgb=pixels.tobytes()))


def shown(frame: PlacedPicture) -> NDArray[np.bool_]:
    """Return which pixels are neither neutral nor black."""
    pixels = region(frame, Box(frame.x, frame.y, 100, 100))
    seen: NDArray[np.bool_] = np.any((pixels != NEUTRAL) & (pixels != 0), axis=2)
    return seen


def test_nothing_is_shown_without_an_explanation() -> None:
    assert not shown(masked(frame_of(), [(tree_of(), frozenset())])).any()
    assert not shown(masked(frame_of(), [])).any()


def test_a_clean_leaf_is_copied_exactly_and_nothing_else() -> None:
    tree = tree_of(element(Role.TEXT, "Hello", (10, 20, 30, 8)))
    clean = masked(frame_of(), [(tree, frozenset())])
    assert shown(clean).sum() == 30 * 8
    assert np.array_equal(region(clean, Box(10, 20, 30, 8)), region(frame_of(), Box(10, 20, 30, 8)))


@pytest.mark.parametrize("role", [Role.IMAGE, Role.CANVAS, Role.VIDEO, Role.UNKNOWN, Role.IFRAME, Role.SHAPE])
def test_what_no_text_explains_is_not_shown_and_covers_what_lies_below(role: Role) -> None:
    tree = tree_of(
        element(Role.TEXT, "Hello", (10, 10, 50, 50)), element(role, "A caption", (20, 20, 10, 10))
    )
    clean = masked(frame_of(), [(tree, frozenset())])
    assert shown(clean).sum() == 50 * 50 - 100
    assert (region(clean, Box(20, 20, 10, 10)) == NEUTRAL).all()


@pytest.mark.parametrize(
    "more",
    [
        {"role": Role.TEXT, "name": ""},
        {"role": Role.BUTTON, "name": ""},
        {"role": Role.GENERIC, "name": " "},
        {"role": Role.TEXT, "name": "x" * 2_000},
        {"role": Role.TEXTBOX, "name": "A", "value": "x" * 8_000},
        {"role": Role.TEXT, "name": "hidden", "states": ()},
    ],
)
def test_what_has_no_text_or_too_much_or_does_not_show_is_not_explained(more: dict[str, object]) -> None:
    given = {"states": SHOWING, "parent": 0, "box": Box(10, 10, 20, 20), **more}
    tree = tree_of(Element(**given))  # type: ignore[arg-type]
    assert not shown(masked(frame_of(), [(tree, frozenset())])).any()


def test_a_source_that_cannot_tell_what_shows_is_believed() -> None:
    tree = tree_of(element(Role.TEXT, "Hello", (10, 10, 5, 5), states=()), states=())
    assert shown(masked(frame_of(), [(tree, frozenset())])).sum() == 25


def test_black_wins_over_clean_boxes_that_overlap_whatever_the_order() -> None:
    dirty = element(Role.TEXT, "secret", (20, 20, 20, 10))
    clean = element(Role.TEXT, "Hello", (10, 10, 60, 60))
    for tree, number in ((tree_of(dirty, clean), 1), (tree_of(clean, dirty), 2)):
        frame = masked(frame_of(), [(tree, frozenset({number}))])
        black = Box(20 - MARGIN, 20 - MARGIN, 20 + 2 * MARGIN, 10 + 2 * MARGIN)
        assert (region(frame, black) == 0).all()
        assert shown(frame).sum() == 60 * 60 - black.width * black.height


def test_secure_elements_are_black_also_when_nothing_says_so() -> None:
    states = (ElementState.SECURE, ElementState.SHOWING)
    tree = tree_of(element(Role.TEXTBOX, "Password", (10, 10, 20, 10), states=states))
    frame = masked(frame_of(), [(tree, frozenset())])
    assert (region(frame, Box(8, 8, 24, 14)) == 0).all()


def test_a_container_whose_name_holds_something_does_not_black_out_its_parts() -> None:
    tree = tree_of(element(Role.TEXT, "Hello", (10, 10, 5, 5)))
    assert shown(masked(frame_of(), [(tree, frozenset({0}))])).sum() == 25
    alone = tree_of(element(Role.DIALOG, "secret", (10, 10, 20, 20)))
    assert (region(masked(frame_of(), [(alone, frozenset({1}))]), Box(8, 8, 24, 24)) == 0).all()


def test_a_frame_of_two_trees_shows_what_both_explain_and_hides_what_one_hides() -> None:
    one = tree_of(element(Role.TEXT, "A", (0, 0, 20, 20)))
    two = tree_of(element(Role.TEXT, "A", (10, 0, 20, 20)), element(Role.TEXT, "b", (14, 10, 2, 2)))
    frame = masked(frame_of(), [(one, frozenset()), (two, frozenset({2}))])
    assert shown(frame).sum() == 10 * 20 - 6 * 6


def test_boxes_are_pixels_of_the_screen_and_may_leave_it() -> None:
    tree = tree_of(
        element(Role.TEXT, "Hello", (-5, 40, 20, 20)), element(Role.TEXT, "secret", (95, 95, 900, 900))
    )
    frame = masked(frame_of(3, 30), [(tree, frozenset({2}))])
    assert shown(frame).sum() == 12 * 20
    assert (region(frame, Box(93, 93, 10, 37)) == 0).all()


def test_masking_again_changes_nothing() -> None:
    tree = tree_of(element(Role.TEXT, "Hello", (10, 10, 50, 50)), element(Role.TEXT, "x", (20, 20, 5, 5)))
    once = masked(frame_of(), [(tree, frozenset({2}))])
    assert masked(once, [(tree, frozenset())], is_masked=True) == once


def test_pixels_that_do_not_fill_the_picture_are_refused() -> None:
    broken = PlacedPicture(x=0, y=0, picture=Picture(width=2, height=2, rgb=bytes(5)))
    with pytest.raises(RedactionError):
        masked(broken, [(tree_of(), frozenset())])


BOXES = st.tuples(st.integers(-20, 110), st.integers(-20, 110), st.integers(0, 60), st.integers(0, 60))


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(list(Role)), st.sampled_from(["", "text"]), BOXES), max_size=8),
    st.sets(st.integers(1, 8)),
)
def test_no_pixel_of_a_hidden_element_is_ever_shown(
    drawn: list[tuple[Role, str, tuple[int, int, int, int]]], dirty: set[int]
) -> None:
    tree = tree_of(*(element(role, name, box) for role, name, box in drawn))
    frame = masked(frame_of(), [(tree, dirty)])
    seen = shown(frame)
    for number in dirty & set(range(1, len(drawn) + 1)):
        left, top, width, height = drawn[number - 1][2]
        assert not seen[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)].any()


def test_a_page_is_masked_within_the_budget_of_a_frame() -> None:
    """A figure is measured in bench/redact.py; this only finds a loop over pixels."""
    page = Page()
    for number in range(35):
        page.add(Role.TEXT, f"text {number}")
    began = time.perf_counter()
    masked(page.frame(), [(page.tree(), frozenset({3, 9}))])
    assert time.perf_counter() - began < 1
    assert (X, Y, WIDTH, HEIGHT) == (30, 40, 500, 400)
    assert box_of(1).x == X + 6
