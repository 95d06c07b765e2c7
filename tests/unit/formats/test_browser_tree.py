"""A browser's answers become elements in normal form, and nothing that is no answer becomes anything."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.formats.browser_forge import Forge, Part, text
from understudy.formats.accessibility.browser import BrowserPage, Placement, browser_tree, inner_nodes
from understudy.formats.accessibility.browser_roles import ROLES, STATES
from understudy.formats.accessibility.layout import STYLES, frame_ids, read_layout
from understudy.formats.elements import Box, Element, ElementState, ElementTree, Role, tree_problems
from understudy.sealing.errors import FormatError

S = ElementState
BIG = (0.0, 0.0, 100.0, 50.0)
PLACE = Placement(width=200, height=100)


def only(tree: ElementTree) -> Element:
    root, element = tree.elements
    assert root.role is Role.DOCUMENT
    return element


def test_the_root_is_the_page_where_it_shows() -> None:
    tree = Forge().tree(x=40, y=30, scale=2)
    (root,) = tree.elements
    assert (root.name, root.states, root.box) == ("A page", (S.SHOWING,), Box(40, 30, 400, 200))
    assert tree.host == "pages.example"


def test_a_button_has_what_both_interfaces_tell() -> None:
    button = Part(
        tag="button",
        role="button",
        name="Send",
        attributes={"id": "go", "class": "big  red"},
        told={"focusable": True, "pressed": "true", "hasPopup": "menu", "expanded": False},
        is_clickable=True,
        children=[text("Send")],
    )
    element = only(Forge(button).tree())
    assert (element.role, element.name, element.value) == (Role.BUTTON, "Send", None)
    assert element.states == (S.EXPANDABLE, S.FOCUSABLE, S.HASPOPUP, S.PRESSED, S.SHOWING)
    assert (element.tag, element.id, element.classes) == ("button", "go", ("big", "red"))


@pytest.mark.parametrize(
    ("bounds", "scale", "expected"),
    [
        ((1.0, 2.0, 3.0, 4.0), 1, Box(41, 32, 3, 4)),
        ((1.25, 2.75, 3.5, 4.5), 1, Box(41, 32, 4, 6)),
        ((2.0, 4.0, 6.0, 8.0), 2, Box(42, 34, 6, 8)),
        ((-30.5, 0.0, 40.0, 10.0), 1, Box(9, 30, 41, 10)),
    ],
)
def test_boxes_go_outward_to_whole_pixels_of_the_screen(
    bounds: tuple[float, float, float, float], scale: float, expected: Box
) -> None:
    tree = Forge(Part(role="button", name="x", box=bounds)).tree(x=40, y=30, scale=scale)
    assert only(tree).box == expected


def test_scrolling_moves_boxes_and_what_is_scrolled_out_is_not_there() -> None:
    near = Part(role="button", name="near", box=(0, 60, 20, 20))
    far = Part(role="button", name="far", box=(0, 10, 20, 20))
    element = only(Forge(near, far, scroll=(0, 50)).tree())
    assert (element.name, element.box) == ("near", Box(0, 10, 20, 20))


HIDDEN = {"overflow-x": "hidden", "overflow-y": "hidden"}
LOW = Part(role="button", name="low", box=(0, 40, 20, 20))


@pytest.mark.parametrize(
    ("outer", "is_there"),
    [
        (Part(box=(0, 0, 50, 30), styles=HIDDEN, children=[LOW]), False),
        (Part(box=(0, 0, 50, 41), styles=HIDDEN, children=[LOW]), True),
        (Part(box=(0, 0, 50, 30), children=[LOW]), True),
        (Part(tag="body", box=(0, 0, 50, 30), styles=HIDDEN, children=[LOW]), True),
        (
            Part(
                box=(0, 0, 50, 30),
                styles=HIDDEN,
                children=[Part(role="button", name="low", box=(0, 40, 9, 9), styles={"position": "fixed"})],
            ),
            True,
        ),
        (Part(box=(0, 200, 50, 50), children=[LOW]), True),
    ],
    ids=["cut off", "cut", "overflowing", "body", "fixed", "parent elsewhere"],
)
def test_what_ancestors_cut_off_does_not_show(outer: Part, is_there: bool) -> None:
    names = [element.name for element in Forge(outer).tree().elements[1:]]
    assert ("low" in names) is is_there


def test_hidden_and_undrawn_nodes_do_not_show() -> None:
    hidden = Part(role="button", name="hidden", styles={"visibility": "hidden"})
    undrawn = Part(role="button", name="undrawn", box=None)
    empty = Part(role="button", name="empty", box=(5, 5, 0, 10))
    assert len(Forge(hidden, undrawn, empty).tree().elements) == 1


def test_an_inline_element_goes_around_what_stands_in_it() -> None:
    inline = {"display": "inline"}
    label = Part(
        tag="label",
        role="LabelText",
        box=(10, 10, 30, 10),
        styles=inline,
        children=[
            text("Name", (10, 10, 30, 10)),
            Part(tag="input", role="textbox", box=(40, 5, 20, 20), styles={"display": "inline-block"}),
            Part(tag="i", role="", box=(90, 90, 5, 5), styles={"display": "inline", "position": "absolute"}),
        ],
    )
    assert Forge(label).tree().elements[1].box == Box(10, 5, 50, 20)


def test_a_password_has_neither_value_nor_content_and_names_nothing_around_it() -> None:
    field = Part(
        tag="input",
        role="textbox",
        value="•••",
        held="hunter2",
        attributes={"type": "PassWord"},
        told={"editable": "plaintext", "focusable": True},
        children=[text("hunter2")],
    )
    around = Part(role="button", name="Enter hunter2", source="contents", children=[field])
    beside = Part(role="checkbox", name="PIN •••")
    tree = Forge(around, beside).tree()
    assert "hunter2" not in repr(tree)
    assert "•" not in repr(tree)
    secure = [element for element in tree.elements if element.is_secure]
    assert [(element.role, element.value) for element in secure] == [(Role.TEXTBOX, None)]
    named = Part(role="button", name="Door", source="attribute", children=[field])
    assert Forge(named).tree().elements[1].name == "Door"


@pytest.mark.parametrize(
    ("part", "value"),
    [
        (Part(tag="input", role="textbox", held="typed", value="told"), "typed"),
        (Part(tag="input", role="textbox", held=""), ""),
        (Part(tag="input", role="textbox", children=[text("placeholder")]), ""),
        (Part(role="textbox", value="rich"), "rich"),
        (Part(tag="input", role="slider", value=40, told={"valuetext": "40"}), "40"),
        (Part(role="meter", value=0.25), "0.25"),
        (Part(tag="progress", role="progressbar"), "0"),
        (Part(tag="span", role="spinbutton", value=0, told={"valuetext": ""}), ""),
        (Part(tag="span", role="spinbutton", value=10, told={"valuetext": ""}), "10"),
        (Part(tag="span", role="spinbutton", value=0, attributes={"aria-valuetext": "00"}), "00"),
        (Part(tag="span", role="spinbutton", value=1, attributes={"aria-valuetext": "AM"}), "AM"),
        (Part(tag="input", role="spinbutton", held="0", value=0), "0"),
        (Part(tag="input", role="combobox", held="Fra", told={"editable": "plaintext"}), "Fra"),
        (Part(role="button", value="never"), None),
    ],
)
def test_values_are_what_the_field_holds(part: Part, value: str | None) -> None:
    assert only(Forge(part).tree()).value == value


def test_a_closed_list_keeps_its_options_and_an_open_one_shows_them() -> None:
    def tree(*, expanded: bool) -> ElementTree:
        options = [
            Part(tag="option", role="option", name=name, box=None, told={"selected": name == "B"})
            for name in "AB"
        ]
        popup = Part(tag="div", role="MenuListPopup", box=None, children=options)
        told = {"expanded": expanded, "focusable": True}
        return Forge(
            Part(tag="select", role="combobox", value="B", box=BIG, told=told, children=[popup])
        ).tree()

    for expanded in (False, True):
        _, combobox, *options = tree(expanded=expanded).elements
        assert combobox.value == "B"
        assert [option.name for option in options] == ["A", "B"]
        assert {option.box for option in options} == {combobox.box}
        assert all((S.SHOWING in option.states) is expanded for option in options)
        assert [S.SELECTED in option.states for option in options] == [False, True]


def test_texts_say_nothing_twice() -> None:
    heading = Part(tag="h1", role="heading", name="Title", source="contents", children=[text("Title")])
    close = Part(tag="button", role="button", name="Close", children=[text("x")])
    paragraph = Part(tag="p", role="paragraph", children=[text("Words "), Part(role="StaticText", name=" ")])
    icon = Part(role="generic", is_clickable=True, children=[text("Star")])
    elements = Forge(heading, close, paragraph, icon).tree().elements[1:]
    assert [(element.role, element.name) for element in elements] == [
        (Role.HEADING, "Title"),
        (Role.BUTTON, "Close"),
        (Role.PARAGRAPH, "Words"),
        (Role.GENERIC, "Star"),
    ]


def test_wrappers_are_looked_through_and_listeners_are_kept() -> None:
    inside = Part(role="link", name="in", told={"focusable": True})
    wrapped = Part(role="", children=[Part(children=[Part(role="", box=None, children=[inside])])])
    row = Part(is_clickable=True, children=[inside, inside])
    label = Part(tag="label", role="LabelText", is_clickable=True)
    elements = Forge(wrapped, row, label).tree().elements
    assert [element.role.value for element in elements] == [
        "document", "link", "generic", "link", "link", "label",
    ]  # fmt: skip
    assert [S.CLICKABLE in element.states for element in elements] == [
        False,
        False,
        True,
        False,
        False,
        False,
    ]


def test_the_inside_of_the_browsers_own_controls_is_asked_for_and_placed() -> None:
    part = Part(tag="span", role="spinbutton", name="Month", value=3, box=(5, 5, 10, 10), is_inner=True)
    undrawn = Part(tag="span", role="button", name="gone", box=None, is_inner=True)
    date = Part(tag="input", role="Date", box=BIG, children=[part, undrawn])
    forge = Forge(date)
    asked = inner_nodes(BrowserPage(frames={"": forge.nodes}, snapshot=forge.snapshot))
    assert asked == sorted(forge.inner)
    without = browser_tree(BrowserPage(frames={"": forge.nodes}, snapshot=forge.snapshot), PLACE)
    assert [element.role for element in without.elements] == [Role.DOCUMENT, Role.DATEFIELD]
    _, field, month = forge.tree().elements
    assert (field.role, month.role, month.name, month.value) == (
        Role.DATEFIELD,
        Role.SPINBUTTON,
        "Month",
        "3",
    )
    assert (month.box, month.tag, month.parent) == (Box(5, 5, 10, 10), "span", 1)


def test_an_inner_page_stands_where_its_frame_is() -> None:
    forge = Forge(
        Part(tag="iframe", role="Iframe", box=(20, 10, 104, 54), styles={"border-left-width": "2px"})
    )
    inner = Forge(
        Part(role="button", name="deep", box=(5, 5, 10, 10)),
        Part(role="button", name="out", box=(99, 99, 9, 9)),
    )
    shift = 1_000
    for node in inner.nodes:
        node["backendDOMNodeId"] += shift
    document = copy.deepcopy(inner.document)
    document["nodes"]["backendNodeId"] = [number + shift for number in document["nodes"]["backendNodeId"]]
    document["layout"]["bounds"][0] = [0, 0, 50, 40]
    base = len(forge.strings)
    strings = [*forge.strings, *inner.strings, "inner frame"]
    for name in ("title", "documentURL"):
        document[name] += base
    document["frameId"] = len(strings) - 1
    document["nodes"]["nodeName"] = [word + base for word in document["nodes"]["nodeName"]]
    document["layout"]["styles"] = [[w + base for w in row] for row in document["layout"]["styles"]]
    first = copy.deepcopy(forge.document)
    first["nodes"]["contentDocumentIndex"] = {"index": [1], "value": [1]}
    snapshot = {"documents": [first, document], "strings": strings}
    assert frame_ids(snapshot) == ["inner frame"]
    page = BrowserPage(frames={"": forge.nodes, "inner frame": inner.nodes}, snapshot=snapshot)
    root, frame, button = browser_tree(page, PLACE).elements
    assert (root.role, frame.role, frame.box) == (Role.DOCUMENT, Role.IFRAME, Box(22, 10, 50, 40))
    assert (button.name, button.box, button.parent) == ("deep", Box(27, 15, 10, 10), 1)
    closed = BrowserPage(frames={"": forge.nodes}, snapshot=snapshot)
    assert len(browser_tree(closed, PLACE).elements) == 2


def test_a_document_inside_itself_is_refused() -> None:
    forge = Forge(Part(tag="iframe", role="Iframe"))
    forge.document["nodes"]["contentDocumentIndex"] = {"index": [1], "value": [0]}
    with pytest.raises(FormatError):
        forge.tree()


@pytest.mark.parametrize(
    ("told", "tag", "states"),
    [
        ({"editable": "plaintext", "readonly": True}, "input", {S.READONLY}),
        ({"editable": "richtext", "focusable": True}, "div", {S.EDITABLE, S.FOCUSABLE, S.MULTILINE}),
        ({"editable": "richtext"}, "p", {S.EDITABLE}),
        ({"checked": "mixed", "invalid": "true"}, "div", {S.MIXED, S.INVALID}),
        ({"checked": "false", "invalid": "false", "disabled": True}, "div", {S.DISABLED}),
        ({"busy": True, "modal": True, "required": True, "multiselectable": True}, "div",
         {S.BUSY, S.MODAL, S.REQUIRED, S.MULTISELECTABLE}),
    ],
)  # fmt: skip
def test_states_are_those_that_both_interfaces_tell(
    told: dict[str, object], tag: str, states: set[ElementState]
) -> None:
    element = only(Forge(Part(tag=tag, role="listbox", told=told)).tree())
    assert set(element.states) == states | {S.SHOWING}


def test_words_that_nobody_knows_are_unknown() -> None:
    assert only(Forge(Part(role="HolographicPanel", name="x")).tree()).role is Role.UNKNOWN
    assert set(ROLES.values()) <= set(Role)
    assert S.SECURE not in STATES
    assert S.SHOWING not in STATES


def test_a_tree_is_never_deeper_or_longer_than_the_format_allows() -> None:
    deep = Part(role="button", name="end")
    for _ in range(450):
        deep = Part(role="group", name="g", children=[deep])
    many = [Part(role="button", name=str(number)) for number in range(4_000)]
    for tree in (Forge(deep).tree(), Forge(*many).tree()):
        assert list(tree_problems(tree)) == []
        assert len(tree.elements) <= 3_000


NOT_ANSWERS: list[tuple[object, object]] = [
    ([], Forge().snapshot),
    ([{"nodeId": 1}], Forge().snapshot),
    (["x"], Forge().snapshot),
    (Forge().nodes, {}),
    (Forge().nodes, {"documents": [], "strings": []}),
    (Forge().nodes, {"documents": [{}], "strings": []}),
    (Forge().nodes, {**Forge().snapshot, "strings": []}),
]


@pytest.mark.parametrize(("nodes", "snapshot"), NOT_ANSWERS)
def test_what_is_no_answer_is_refused(nodes: Any, snapshot: Any) -> None:
    with pytest.raises(FormatError):
        browser_tree(BrowserPage(frames={"": nodes}, snapshot=snapshot), PLACE)


def test_a_snapshot_without_the_styles_is_refused() -> None:
    forge = Forge()
    forge.document["layout"]["styles"] = [
        styles[: len(STYLES) // 2] for styles in forge.document["layout"]["styles"]
    ]
    with pytest.raises(FormatError):
        read_layout(forge.snapshot, width=10, height=10)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-1e6, 1e6) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[Any, Any]:
    """Return answers of a real shape in which something was replaced."""
    forge = Forge(
        Part(tag="input", role="textbox", held="x", children=[text("a")]),
        Part(role="button", name="b", children=[text("c"), Part(role="", children=[text("d")])]),
    )
    answers: Any = copy.deepcopy([forge.nodes, forge.snapshot])
    for _ in range(draw(st.integers(1, 3))):
        at = answers
        while isinstance(at, (dict, list)) and at:
            key = draw(st.sampled_from(sorted(at) if isinstance(at, dict) else list(range(len(at)))))
            if not isinstance(at[key], (dict, list)) or not at[key] or draw(st.integers(0, 4)) == 0:
                at[key] = draw(JSON)
                break
            at = at[key]
    return answers[0], answers[1]


@given(answers=spoiled())
def test_spoiled_answers_give_a_sound_tree_or_are_refused(answers: tuple[Any, Any]) -> None:
    nodes, snapshot = answers
    page = BrowserPage(frames={"": nodes}, snapshot=snapshot)
    try:
        inner_nodes(page)
        tree = browser_tree(page, PLACE)
    except FormatError:
        return
    assert list(tree_problems(tree)) == []
