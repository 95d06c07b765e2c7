"""Actions in words: what a person would say, and nothing that steers a terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.formats.elements import Element, ElementState, ElementTree, Role
from understudy.formats.recording.actions import (
    Action,
    Click,
    DoubleClick,
    Drag,
    FillSecret,
    Hover,
    Key,
    Mark,
    MiddleClick,
    Modifier,
    Point,
    RightClick,
    Scroll,
    Select,
    TripleClick,
    Type,
)
from understudy.formats.recording.words import element_words, sentence, visible

TREE = ElementTree(
    elements=(
        Element(role=Role.DOCUMENT, name="Page"),
        Element(role=Role.BUTTON, name="Send", parent=0),
        Element(role=Role.TEXTBOX, name=" Name ", parent=0),
        Element(role=Role.CHECKBOX, name="Confirm", parent=0),
        Element(role=Role.COMBOBOX, id="colour", parent=0),
        Element(role=Role.TEXTBOX, name="Password", parent=0, states=(ElementState.SECURE,)),
        Element(role=Role.GENERIC, parent=0),
    )
)
AT = Point(3, 4)


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (Click(at_ms=0, before=0, target=1, point=AT), "clicked button “Send”"),
        (DoubleClick(at_ms=0, before=0, target=1), "double-clicked button “Send”"),
        (TripleClick(at_ms=0, before=0, target=2), "triple-clicked field “Name”"),
        (RightClick(at_ms=0, before=0, target=1), "right-clicked button “Send”"),
        (
            MiddleClick(at_ms=0, before=0, target=1, modifiers=(Modifier.CONTROL, Modifier.SHIFT)),
            "middle-clicked button “Send” with Ctrl+Shift",
        ),
        (
            Click(at_ms=0, before=0, target=3, value="true"),
            "clicked check box “Confirm”, then checked",
        ),
        (
            Click(at_ms=0, before=0, target=2, value="true"),
            "clicked field “Name”, which then held “true”",
        ),
        (Click(at_ms=0, before=None, point=AT), "clicked something at 3, 4"),
        (Click(at_ms=0, before=None), "clicked something"),
        (Hover(at_ms=0, before=0, target=6), "rested on element without a name"),
        (Drag(at_ms=0, before=0, target=1, drop=2), "dragged button “Send” to field “Name”"),
        (Drag(at_ms=0, before=0, target=1, to=AT), "dragged button “Send” to something at 3, 4"),
        (Scroll(at_ms=0, before=0, target=0, dy=3), "scrolled down 3 in page “Page”"),
        (Scroll(at_ms=0, before=0, target=0, dx=-1, dy=-2), "scrolled up 2 and left 1 in page “Page”"),
        (
            Type(at_ms=0, before=0, target=2, text="granite", value="granite"),
            "typed “granite” into field “Name”",
        ),
        (
            Type(at_ms=0, before=0, target=2, text="x", value="granitex"),
            "typed “x” into field “Name”, which then held “granitex”",
        ),
        (
            Type(at_ms=0, before=0, target=2, text="x", value=""),
            "typed “x” into field “Name”, which then held “”",
        ),
        (
            Type(at_ms=0, before=0, target=2, text=None, value="g"),
            "typed into field “Name”, which then held “g”",
        ),
        (
            Type(at_ms=0, before=0, target=2, marks=(Mark.DROPPED,)),
            "typed into field “Name” (its content is left out)",
        ),
        (
            Type(at_ms=0, before=0, target=2, text="Ana", value="Ana", marks=(Mark.SURROGATE,)),
            "typed “Ana” into field “Name” (with stand-ins for what was found)",
        ),
        (Select(at_ms=0, before=0, target=4, option="red", value="red"), "chose “red” in list #colour"),
        (Select(at_ms=0, before=0, target=4, option=None), "chose something in list #colour"),
        (Key(at_ms=0, before=0, key="s", modifiers=(Modifier.CONTROL,)), "pressed Ctrl+S"),
        (
            Key(at_ms=0, before=0, target=4, key="ArrowDown", times=3),
            "pressed ArrowDown 3 times in list #colour",
        ),
        (FillSecret(at_ms=0, before=0, target=5), "entered a secret into field “Password”"),
        (Click(at_ms=0, before=0, target=5, marks=(Mark.POINTER_INSIDE,)), "clicked field “Password”"),
    ],
    ids=lambda case: ascii(case) if isinstance(case, str) else "",
)
def test_every_act_is_told_in_plain_words(action: Action, said: str) -> None:
    assert sentence(action, None if action.before is None else TREE) == said


def test_every_role_has_a_word_for_people() -> None:
    for role in Role:
        said = element_words(Element(role=role, name="x"))
        assert said.endswith(" “x”")
        assert said.islower()


@given(st.text(max_size=200), st.integers(2, 100))
def test_nothing_that_is_shown_steers_a_terminal(text: str, limit: int) -> None:
    shown = visible(text, limit)
    assert len(shown) <= limit
    assert shown.isprintable()
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Zl", "Zp", "Cs"}


def test_what_is_harmless_is_shown_as_it_is() -> None:
    for text in ("Grüße, 10 €", "日本語", "naïve “quotes”", "a" * 80):
        assert visible(text) == text
    assert visible("a" * 81) == "a" * 79 + "…"
