"""The one schema for what the screen showed: document order, places, secure fields."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.unit.formats.forge import FIELD, ROOT, SECRET, TREE, spine
from tests.unit.formats.strategies import trees
from understudy.formats.elements import (
    MAX_DEPTH,
    MAX_ELEMENTS,
    Box,
    Element,
    ElementState,
    ElementTree,
    Role,
    is_sorted_set,
    tree_problems,
)
from understudy.formats.spelling import read, refit, spell
from understudy.sealing.errors import FormatError

MENU = ElementTree(
    elements=(
        Element(role=Role.WINDOW, box=Box(0, 0, 100, 100)),
        Element(role=Role.MENU, box=Box(0, 0, 50, 100), parent=0),
        Element(role=Role.MENUITEM, name="Open", box=Box(0, 0, 50, 20), parent=1),
        Element(role=Role.TEXT, name="Open", box=Box(2, 2, 20, 10), parent=2),
        Element(role=Role.MENUITEM, name="Save", box=Box(0, 20, 50, 20), parent=1),
        Element(role=Role.TEXT, name="idle", box=Box(60, 60, 20, 10), parent=0),
    )
)


def codes(tree: ElementTree) -> set[str]:
    return {code for code, _ in tree_problems(tree)}


def test_children_descendants_and_path_follow_document_order() -> None:
    assert MENU.children(0) == (1, 5)
    assert MENU.children(1) == (2, 4)
    assert tuple(MENU.below(1)) == (2, 3, 4)
    assert MENU.path(3) == (0, 1, 2, 3)
    with pytest.raises(IndexError):
        MENU.path(6)


def test_the_target_of_a_click_is_the_deepest_actionable_element() -> None:
    assert MENU.deepest_at(5, 5) == 3
    assert MENU.actionable_at(5, 5) == 2
    assert MENU.actionable_at(61, 61) == 5, "nothing on the way up is actionable: the deepest it is"
    assert MENU.actionable_at(200, 5) is None


def line(*words: Element, box: Box) -> ElementTree:
    """Return a paragraph of words and, after them, a text that goes on in the next line."""
    paragraph = Element(role=Role.PARAGRAPH, box=Box(0, 100, 160, 60), parent=0)
    text = Element(role=Role.TEXT, name="and so on, and on", box=box, parent=1)
    return ElementTree(
        elements=(Element(role=Role.DOCUMENT, box=Box(0, 0, 400, 400)), paragraph, *words, text)
    )


def test_a_text_of_several_lines_does_not_cover_the_link_before_it() -> None:
    link = Element(role=Role.LINK, name="here", box=Box(30, 114, 20, 11), parent=1)
    bold = Element(role=Role.TEXT, name="bold", box=Box(60, 114, 20, 11), parent=1)
    tree = line(link, bold, box=Box(2, 114, 150, 22))
    assert tree.deepest_at(40, 119) == 4
    assert tree.actionable_at(40, 119) == 2
    assert tree.actionable_at(65, 119) == 4, "nobody acts on another text"
    assert tree.actionable_at(40, 130) == 4, "the second line is the text's own"


def test_a_text_above_a_control_that_goes_on_as_far_down_is_in_front_of_it() -> None:
    button = Element(role=Role.BUTTON, name="Send", box=Box(20, 110, 80, 30), parent=1)
    assert line(button, box=Box(2, 114, 150, 22)).actionable_at(40, 120) == 3
    elsewhere = Element(role=Role.BUTTON, name="Send", box=Box(20, 110, 80, 20), parent=0)
    tree = line(box=Box(2, 114, 150, 22))
    page, paragraph, text = tree.elements
    apart = ElementTree(elements=(page, elsewhere, paragraph, replace(text, parent=2)))
    assert apart.actionable_at(40, 120) == 3, "it does not stand in the same line"


def test_a_disabled_control_is_not_actionable() -> None:
    button = Element(role=Role.BUTTON, states=(ElementState.DISABLED,))
    assert not button.is_actionable
    assert Element(role=Role.GENERIC, states=(ElementState.CLICKABLE,)).is_actionable


def test_what_does_not_show_is_not_hit_where_the_source_knows() -> None:
    # A closed list's options carry the list's box.
    box, showing = Box(0, 0, 10, 10), (ElementState.SHOWING,)
    root = Element(role=Role.DOCUMENT, box=box, states=showing)
    combo = Element(role=Role.COMBOBOX, box=box, states=showing, parent=0)
    option = Element(role=Role.OPTION, box=box, parent=1)
    assert ElementTree(elements=(root, combo, option)).deepest_at(5, 5) == 1
    unknowing = ElementTree(elements=(replace(root, states=()), replace(combo, states=()), option))
    assert unknowing.deepest_at(5, 5) == 2


def test_a_place_survives_changes_of_text_and_box() -> None:
    moved = replace(TREE, elements=(ROOT, replace(FIELD, value="amber", box=Box(9, 9, 40, 12)), SECRET))
    assert TREE.place(1) == moved.place(1)
    assert TREE.place(1) != TREE.place(2)


def test_a_place_of_a_tree_that_is_not_in_order_is_refused_not_searched_for_ever() -> None:
    looped = ElementTree(elements=(replace(ROOT, parent=1), replace(ROOT, parent=0)))
    with pytest.raises(FormatError):
        looped.place(1)


@pytest.mark.parametrize("parents", [(0,), (None, None), (None, 1), (None, 2, 0), (None, 0, 0, 1)])
def test_parents_off_the_path_are_refused(parents: tuple[int | None, ...]) -> None:
    elements = tuple(replace(ROOT, parent=parent) for parent in parents)
    assert codes(ElementTree(elements=elements)) == {"tree-order"}


def test_a_secure_element_has_neither_value_nor_children() -> None:
    assert codes(replace(TREE, elements=(ROOT, replace(SECRET, value="")))) == {"secure-content"}
    below = replace(FIELD, parent=1)
    assert codes(replace(TREE, elements=(ROOT, SECRET, below))) == {"secure-content"}
    assert codes(replace(TREE, elements=(ROOT, SECRET, FIELD))) == set()


def test_depth_and_number_are_bounded() -> None:
    assert codes(spine(MAX_DEPTH)) == set()
    assert codes(spine(MAX_DEPTH + 1)) == {"tree-depth"}
    flat = (ROOT, *[FIELD] * (MAX_ELEMENTS - 1))
    assert refit(ElementTree(elements=flat)).elements == flat
    with pytest.raises(FormatError):
        refit(ElementTree(elements=(*flat, FIELD)))


@pytest.mark.parametrize(
    "change",
    [
        {"name": "x" * 2_001},
        {"value": "x" * 8_001},
        {"tag": "x" * 65},
        {"id": "x" * 201},
        {"classes": ("x",) * 17},
        {"box": Box(0, 0, -1, 0)},
        {"box": Box(100_001, 0, 0, 0)},
        {"parent": MAX_ELEMENTS},
        {"name": "\ud800"},
    ],
    ids=["name", "value", "tag", "id", "classes", "box-side", "box-place", "parent", "surrogate"],
)
def test_every_field_is_bounded(change: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        refit(ElementTree(elements=(replace(ROOT, **change),)))


@pytest.mark.parametrize("host", ["example.org/path", "exa mple", "", "user@example.org"])
def test_only_a_host_can_be_written_never_a_path(host: str) -> None:
    with pytest.raises(FormatError):
        refit(replace(TREE, host=host))


def test_there_is_no_state_for_hover() -> None:
    assert not {"hover", "hovered", "pointer", "active"} & set(ElementState)


@given(tree=trees())
def test_any_tree_in_document_order_reads_back_and_has_no_problems(tree: ElementTree) -> None:
    assert read(ElementTree, spell(tree)) == tree
    assert codes(tree) == set()
    for number in range(len(tree.elements)):
        assert tree.path(number)[-1] == number
        assert all(child in set(tree.below(number)) for child in tree.children(number))


@given(words=st.lists(st.sampled_from("abc")))
def test_a_sorted_set_is_sorted_and_distinct(words: list[str]) -> None:
    assert is_sorted_set(words) == (words == sorted(set(words)))
