from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.formats.accessibility.atspi import CLICK, Node, element_tree, is_password
from understudy.formats.accessibility.atspi_roles import ROLES, role_of, states_of
from understudy.formats.accessibility.normal import number_text
from understudy.formats.elements import (
    MAX_DEPTH,
    MAX_ELEMENTS,
    Element,
    ElementState,
    ElementTree,
    Role,
    tree_problems,
)
from understudy.formats.spelling import read, spell

LIVE = 1 << 8 | 1 << 24
SHOWN = LIVE | 1 << 25
CHECKED = 1 << 4
FIELD = SHOWN | 1 << 7 | 1 << 11
OPEN = SHOWN | 1 << 10
BOX = (10, 20, 30, 40)


def node(role: int, name: str = "", *children: Node, states: int = SHOWN, **more: object) -> Node:
    made = Node(role=role, name=name, states=states, box=BOX, children=list(children))
    for field, value in more.items():
        setattr(made, field, value)
    return made


def tag(name: str, **more: str) -> dict[str, str]:
    return {"tag": name} | {key.replace("_", "-"): value for key, value in more.items()}


def elements_of(*children: Node) -> tuple[Element, ...]:
    """Return the elements below a page."""
    return element_tree(node(95, "Page", *children)).elements[1:]


def only(child: Node) -> Element:
    (element,) = elements_of(child)
    return element


@pytest.mark.parametrize(
    ("number", "attributes", "role"),
    [
        (43, tag("button"), Role.BUTTON),
        (79, tag("input", text_input_type="text"), Role.TEXTBOX),
        (79, tag("input", text_input_type="search"), Role.SEARCHBOX),
        (79, tag("input", xml_roles="button"), Role.TEXTBOX),
        (11, tag("select"), Role.COMBOBOX),
        (35, tag("option"), Role.OPTION),
        (98, tag("select"), Role.LISTBOX),
        (110, tag("nav", xml_roles="navigation"), Role.NAVIGATION),
        (110, tag("div"), Role.REGION),
        (62, tag("div", xml_roles="switch"), Role.SWITCH),
        (56, tag("div", xml_roles="gridcell"), Role.GRIDCELL),
        (16, tag("div", xml_roles="alertdialog dialog"), Role.ALERTDIALOG),
        (82, tag("svg"), Role.IMAGE),
        (27, tag("rect"), Role.SHAPE),
        (27, tag("img"), Role.IMAGE),
        (39, tag("fieldset"), Role.GROUP),
        (39, {}, Role.GENERIC),
        (85, tag("div", xml_roles="presentation"), Role.GENERIC),
        (116, {}, Role.TEXT),
        (116, tag("code"), Role.CODE),
        (-1, {}, Role.UNKNOWN),
        (4_000_000_000, {}, Role.UNKNOWN),
    ],
)
def test_a_number_a_tag_and_an_aria_word_make_a_role(
    number: int, attributes: dict[str, str], role: Role
) -> None:
    assert role_of(number, attributes) is role


def test_every_number_up_to_the_last_has_a_word() -> None:
    assert len(ROLES) == 131
    known = {40: Role.TEXTBOX, 60: Role.TERMINAL, 83: Role.HEADING, 88: Role.LINK, 91: Role.TREEITEM}
    assert {number: ROLES[number] for number in known} == known


def test_states_are_those_of_the_bits() -> None:
    assert states_of(FIELD) == {ElementState.EDITABLE, ElementState.FOCUSABLE, ElementState.SHOWING}
    assert states_of(1 << 25) == {ElementState.SHOWING, ElementState.DISABLED}
    assert ElementState.HASPOPUP in states_of(LIVE | 1 << 42)


def test_an_element_that_nothing_says_anything_of_is_left_out() -> None:
    found = elements_of(node(85, "", node(43, "Go", attributes=tag("button")), attributes=tag("div")))
    assert [(e.role, e.parent) for e in found] == [(Role.BUTTON, 0)]


def test_a_clickable_element_is_called_what_stands_in_it() -> None:
    star = node(85, "", node(116, "Click "), attributes=tag("span", **{"class": "a b"}), action=CLICK)
    element = only(star)
    assert (element.role, element.name, element.classes) == (Role.GENERIC, "Click", ("a", "b"))
    assert ElementState.CLICKABLE in element.states
    assert (
        only(node(85, "", node(116, "Click"), attributes=tag("span"), action="doDefault")).role is Role.TEXT
    )


def test_a_text_that_repeats_the_name_of_its_parent_is_left_out() -> None:
    assert only(node(43, "Send now", node(116, "Send "), node(116, "now"))).name == "Send now"
    found = elements_of(node(88, "Read", node(116, "Read more")))
    assert [e.name for e in found] == ["Read", "Read more"]


def test_white_space_and_list_markers_are_no_elements() -> None:
    item = node(32, "", node(116, "• ", attributes=tag("::marker")), node(116, " "), node(116, "First"))
    assert only(item).name == "First"


def test_what_does_not_show_is_left_out_and_its_children_stay() -> None:
    hidden = node(43, "Hidden", states=LIVE)
    empty = node(43, "Empty")
    empty.box = (5, 5, 0, 7)
    outer = node(43, "Outer", node(88, "Inner"), states=LIVE)
    assert [e.name for e in elements_of(hidden, empty, outer)] == ["Inner"]


def test_the_options_of_a_closed_list_stay_at_its_place() -> None:
    options = [
        node(35, "Apple", states=LIVE, attributes=tag("option")),
        node(35, "Pear", states=SHOWN | 1 << 23, attributes=tag("option")),
    ]
    for option in options:
        option.box = (1, 1, 2, 2)
    closed = node(11, "", node(33, "", *options, states=LIVE), attributes=tag("select"))
    combobox, apple, pear = elements_of(closed)
    assert combobox.value == "Pear"
    assert apple.box == pear.box == combobox.box
    assert ElementState.SHOWING not in apple.states + pear.states
    assert ElementState.SELECTED in pear.states


def test_the_options_of_an_open_list_have_places_of_their_own() -> None:
    shown = node(35, "Apple", attributes=tag("option"))
    shown.box = (10, 60, 30, 10)
    hidden = node(35, "Below", states=LIVE, attributes=tag("option"))
    opened = node(11, "", node(33, "", shown, hidden), states=OPEN, attributes=tag("select"))
    combobox, apple = elements_of(opened)
    assert apple.box != combobox.box
    assert ElementState.SHOWING in apple.states


@pytest.mark.parametrize(
    ("role", "more", "value"),
    [
        (79, {"text": "typed"}, "typed"),
        (79, {"text": ""}, ""),
        (51, {"number": 40.0}, "40"),
        (51, {"number": 0.5}, "0.5"),
        (52, {"number": 3.0, "text": "3 pieces"}, "3 pieces"),
        (43, {"text": "Send"}, None),
        (12, {"text": "\ufffc\ufffc"}, None),
    ],
)
def test_a_value_is_the_text_of_a_field_or_its_number(
    role: int, more: dict[str, object], value: str | None
) -> None:
    assert only(node(role, "Name", states=FIELD, **more)).value == value


def test_an_editable_part_of_a_page_is_a_textbox_with_its_lines() -> None:
    lines = [node(73, "", node(116, "one "), node(116, "more")), node(73, "", node(116, "two"))]
    found = elements_of(node(85, "", *lines, states=FIELD, attributes=tag("div")))
    assert (found[0].role, found[0].value) == (Role.TEXTBOX, "one more\ntwo")


def test_a_pressed_toggle_is_pressed_and_a_switch_is_checked() -> None:
    assert ElementState.PRESSED in only(node(62, "B", states=SHOWN | CHECKED)).states
    switch = only(node(62, "S", states=SHOWN | CHECKED, attributes=tag("div", xml_roles="switch")))
    assert ElementState.CHECKED in switch.states


def test_a_page_inside_a_page_belongs_to_its_frame() -> None:
    inner = node(95, "Inner", node(43, "In"), states=SHOWN | 1 << 11)
    frame, button = elements_of(node(28, "", inner, attributes=tag("iframe")))
    assert (frame.role, button.parent) == (Role.IFRAME, 1)


def test_a_window_is_a_window_whatever_is_in_it() -> None:
    tree = element_tree(node(16, "Dialog", node(39, "", node(29, "Name"), node(61, "", text="x"))))
    assert [e.role for e in tree.elements] == [Role.DIALOG, Role.LABEL, Role.TEXTBOX]
    assert element_tree(node(20, "Odd")).elements[0].role is Role.WINDOW


# Secrets.

SECRET = "Zq9xWv7kTn"


@pytest.mark.parametrize(
    "more",
    [
        {"role": 40},
        {"role": 61, "attributes": {"text-input-type": "password"}},
        {"role": 79, "is_secure": True},
        {"role": 85, "is_secure": True},
        {"role": 11, "is_secure": True, "states": OPEN},
    ],
)
def test_a_secret_has_neither_value_nor_content(more: dict[str, object]) -> None:
    inside = node(116, SECRET)
    fields = {"name": "Password", "states": FIELD, "box": BOX, "text": SECRET, "number": 4.0}
    secret = Node(**(fields | {"children": [inside]} | more))  # type: ignore[arg-type]
    element = only(secret)
    assert element.is_secure
    assert (element.name, element.value) == ("Password", None)


def test_the_control_without_the_mark_it_would_be_there() -> None:
    assert only(node(79, "Password", states=FIELD, text=SECRET)).value == SECRET


def test_password_is_a_number_or_a_type_never_a_name() -> None:
    assert is_password(40, {})
    assert is_password(79, {"text-input-type": "password"})
    assert not is_password(61, {"id": "password"})


@pytest.mark.parametrize(("told", "name"), [("", ""), ("Our cat", "Our cat"), ("Our cat. ", "Our cat")])
def test_the_browsers_offer_to_describe_a_picture_is_no_name(told: str, name: str) -> None:
    offer = "To get missing image descriptions, open the context menu."
    assert only(node(27, told + offer, attributes=tag("img"))).name == name
    assert only(node(27, "Our cat.", attributes=tag("img"))).name == "Our cat."
    assert only(node(116, offer)).name == offer, "what a page says itself stays"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.30000001192092896, "0.3"),
        (0.3, "0.3"),
        (1 / 3, "0.333333333333"),
        (16777216.0, "16777216"),
        (-2.5, "-2.5"),
        (1e300, "1e+300"),
        (0.0, "0"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
    ],
)
def test_a_position_is_written_as_short_as_it_was_meant(number: float, text: str) -> None:
    assert number_text(number) == text


def labelled(shown: str) -> list[Node]:
    """Return a label around a check box and a secret, as Chromium tells it."""
    return [
        node(
            29,
            "",
            node(116, "Both "),
            node(7, f"Both {shown}", attributes=tag("input", id="box", name_from="related-element")),
            node(79, "", states=FIELD, text=SECRET, is_secure=True, attributes=tag("input")),
            attributes=tag("label"),
        ),
        node(7, "Remember me", attributes=tag("input", name_from="related-element")),
        node(79, "User", states=FIELD, attributes=tag("input", name_from="related-element")),
        node(29, "", node(116, "User"), attributes=tag("label")),
        node(90, f"Row {SECRET}", node(40, ""), attributes=tag("tr", name_from="contents")),
    ]


@pytest.mark.parametrize("shown", [SECRET, "\u2022" * 10])
def test_a_name_that_quotes_a_secret_is_taken_away(shown: str) -> None:
    names = [element.name for element in elements_of(*labelled(shown))]
    assert not any(SECRET in name or "\u2022" in name for name in names)
    assert {"Both", "Remember me", "User"} <= set(names)


def test_the_control_without_a_secret_names_stay() -> None:
    plain = labelled(SECRET)
    plain[0].children[2].is_secure = False
    plain[4].children[0].role = 79
    assert f"Both {SECRET}" in [element.name for element in elements_of(*plain)]


# Anything at all.

ATTRIBUTES = st.dictionaries(
    st.sampled_from(["tag", "id", "class", "xml-roles", "text-input-type", "name-from"]),
    st.one_of(
        st.text(max_size=4),
        st.sampled_from(["select", "option", "password", "contents", "related-element", "iframe", "main"]),
    ),
    max_size=3,
)
NUMBERS = st.integers(-(2**31), 2**31 - 1)
LEAVES = st.builds(
    Node,
    role=st.one_of(st.sampled_from([11, 28, 29, 35, 40, 79, 85, 95, 116]), st.integers(-1, 140)),
    name=st.text(max_size=6),
    states=st.one_of(st.sampled_from([SHOWN, FIELD, OPEN, LIVE]), st.integers(0, 2**64 - 1)),
    box=st.one_of(st.just(BOX), st.none(), st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS)),
    attributes=ATTRIBUTES,
    action=st.sampled_from(["", CLICK, "doDefault"]),
    text=st.one_of(st.none(), st.text(max_size=4), st.just(SECRET)),
    number=st.one_of(st.none(), st.floats()),
    is_secure=st.booleans(),
    children=st.just([]),
)


def adopted(parent: Node, children: list[Node]) -> Node:
    parent.children = children
    return parent


NODES = st.recursive(
    LEAVES, lambda below: st.builds(adopted, LEAVES, st.lists(below, max_size=4)), max_leaves=25
)


@settings(max_examples=150)
@given(NODES)
def test_whatever_is_read_makes_a_tree_that_the_format_takes(root: Node) -> None:
    tree = element_tree(root, application="x", host="h.example")
    assert list(tree_problems(tree)) == []
    assert read(ElementTree, spell(tree)) == tree
    assert not any(
        e.is_secure and (e.value is not None or tree.children(n)) for n, e in enumerate(tree.elements)
    )


@settings(max_examples=100)
@given(NODES)
def test_no_text_of_a_secret_is_in_the_tree(root: Node) -> None:
    for each in everything(root):
        is_secret = each.is_secure or is_password(each.role, each.attributes)
        each.text = SECRET if is_secret else None
        each.name = "" if SECRET in each.name else each.name
    assert SECRET.encode() not in spell(element_tree(root))


def everything(root: Node) -> Iterator[Node]:
    yield root
    for child in root.children:
        yield from everything(child)


def test_the_bounds_of_the_format_hold_whatever_comes() -> None:
    deep = node(43, "leaf")
    for number in range(MAX_DEPTH * 3):
        deep = node(31, f"{number}", deep)
    wide = node(95, "Wide", *(node(43, "x" * 3_000, text="y") for _ in range(MAX_ELEMENTS + 5)))
    for root in (deep, wide):
        tree = element_tree(root)
        assert len(tree.elements) <= MAX_ELEMENTS
        assert list(tree_problems(tree)) == []
        assert read(ElementTree, spell(tree)) == tree
