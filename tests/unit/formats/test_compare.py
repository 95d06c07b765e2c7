"""Two trees are told apart in exactly what differs, and only the listed kinds of difference are explained."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.formats.accessibility.compare import (
    EXPLAINED,
    Aspect,
    differences,
    explain,
    unexplained,
)
from understudy.formats.elements import Box, Element, ElementState, ElementTree, Role

S = ElementState
BUTTON = Element(
    role=Role.BUTTON, name="Go", box=Box(5, 5, 10, 10), parent=0, tag="button", states=(S.SHOWING,)
)
ROOT = Element(role=Role.DOCUMENT, name="A page", box=Box(0, 0, 100, 100), states=(S.SHOWING,))


def tree(*elements: Element) -> ElementTree:
    return ElementTree(elements=(ROOT, *elements))


def changed(element: Element, **fields: object) -> Element:
    values = {name: getattr(element, name) for name in element.__struct_fields__}
    return Element(**{**values, **fields})


def test_equal_trees_do_not_differ() -> None:
    assert differences(tree(BUTTON, BUTTON), tree(BUTTON, BUTTON)) == []


@pytest.mark.parametrize(
    ("fields", "aspect"),
    [
        ({"role": Role.LINK}, Aspect.ROLE),
        ({"name": "Stop"}, Aspect.NAME),
        ({"value": "v"}, Aspect.VALUE),
        ({"states": ()}, Aspect.STATES),
        ({"box": Box(5, 6, 10, 10)}, Aspect.BOX),
        ({"box": None}, Aspect.BOX),
        ({"tag": "a"}, Aspect.TAG),
        ({"id": "x"}, Aspect.ID),
        ({"classes": ("x",)}, Aspect.CLASSES),
    ],
)
def test_each_field_that_differs_is_told_once(fields: dict[str, object], aspect: Aspect) -> None:
    other = changed(BUTTON, **fields)
    around = changed(BUTTON, name="Other", box=Box(50, 50, 5, 5), id="other")
    found = differences(tree(around, BUTTON, around), tree(around, other, around))
    assert [(one.aspect, one.left, one.right) for one in found] == [(aspect, 2, 2)]
    assert unexplained(tree(BUTTON), tree(other))


def test_an_element_that_one_has_is_told_as_that() -> None:
    extra = changed(BUTTON, name="Extra", box=Box(70, 70, 5, 5), id="extra")
    (found,) = differences(tree(BUTTON, extra, BUTTON), tree(BUTTON, BUTTON))
    assert (found.aspect, found.left, found.right) == (Aspect.ONLY_LEFT, 2, None)
    (found,) = differences(tree(BUTTON, BUTTON), tree(BUTTON, extra, BUTTON))
    assert (found.aspect, found.left, found.right) == (Aspect.ONLY_RIGHT, None, 2)


def test_another_parent_is_told() -> None:
    group = Element(role=Role.GROUP, name="g", box=Box(0, 0, 50, 50), parent=0)
    found = differences(tree(group, changed(BUTTON, parent=1)), tree(group, BUTTON))
    assert [one.aspect for one in found] == [Aspect.PARENT]


def test_slack_is_by_edge() -> None:
    off = tree(changed(BUTTON, box=Box(6, 5, 10, 10)))
    assert differences(tree(BUTTON), off, slack=1) == []
    assert differences(tree(BUTTON), tree(changed(BUTTON, box=Box(6, 5, 11, 10))), slack=1) != []


LIST = Element(
    role=Role.COMBOBOX, box=Box(0, 0, 50, 20), parent=0, tag="select", states=(S.EXPANDED, S.SHOWING)
)
OPTION = Element(
    role=Role.OPTION, name="A", box=Box(0, 0, 50, 20), parent=1, tag="option", states=(S.SHOWING,)
)


@pytest.mark.parametrize(
    ("left", "right", "is_explained"),
    [
        ((LIST, changed(OPTION, box=Box(0, 20, 50, 9))), (LIST, OPTION), True),
        ((LIST, changed(OPTION, states=(S.FOCUSED, S.SHOWING))), (LIST, OPTION), True),
        ((LIST, OPTION), (changed(LIST, states=(S.EXPANDED, S.FOCUSED, S.SHOWING)), OPTION), True),
        ((LIST, changed(OPTION, states=(S.SELECTED, S.SHOWING))), (LIST, OPTION), False),
        ((LIST, changed(OPTION, name="B")), (LIST, OPTION), False),
        ((LIST, OPTION), (LIST,), False),
        ((changed(LIST, states=(S.SHOWING,)), changed(OPTION, box=Box(0, 20, 50, 9))),
         (changed(LIST, states=(S.SHOWING,)), OPTION), False),
        ((Element(role=Role.IMAGE, box=Box(1, 1, 1, 1), parent=0),), (), True),
        ((), (Element(role=Role.IMAGE, box=Box(1, 1, 1, 1), parent=0),), False),
        ((Element(role=Role.IMAGE, name="Trash", box=Box(1, 1, 1, 1), parent=0),), (), False),
        ((Element(role=Role.IMAGE, tag="img", box=Box(1, 1, 1, 1), parent=0),), (), False),
    ],
)  # fmt: skip
def test_only_the_listed_kinds_are_explained(
    left: tuple[Element, ...], right: tuple[Element, ...], is_explained: bool
) -> None:
    one, other = tree(*left), tree(*right)
    assert differences(one, other)
    assert (unexplained(one, other) == []) is is_explained
    assert any(explain(found, one, other) for found in differences(one, other)) is is_explained


def test_every_explanation_stands_in_the_documentation() -> None:
    page = (Path(__file__).parents[3] / "docs" / "formats" / "elements.md").read_text()
    for explanation in EXPLAINED:
        assert f"**{explanation.name}.**" in page


NAMES = st.sampled_from(["a", "b", "c"])
ELEMENTS = st.lists(
    st.builds(
        Element,
        role=st.sampled_from([Role.BUTTON, Role.TEXT]),
        name=NAMES,
        box=st.builds(Box, st.integers(0, 2), st.just(0), st.just(5), st.just(5)),
        parent=st.just(0),
        id=st.none() | NAMES,
    ),
    max_size=6,
)


@given(left=ELEMENTS, right=ELEMENTS)
def test_trees_differ_in_nothing_only_if_they_are_equal(left: list[Element], right: list[Element]) -> None:
    one, other = tree(*left), tree(*right)
    assert (differences(one, other) == []) is (one == other)


@given(left=ELEMENTS, right=ELEMENTS)
def test_every_element_is_accounted_for_once(left: list[Element], right: list[Element]) -> None:
    found = differences(tree(*left), tree(*right))
    only_left = [one.left for one in found if one.aspect is Aspect.ONLY_LEFT]
    only_right = [one.right for one in found if one.aspect is Aspect.ONLY_RIGHT]
    assert len(left) - len(only_left) == len(right) - len(only_right)
    assert len(set(only_left)) == len(only_left)
    assert len(set(only_right)) == len(only_right)
