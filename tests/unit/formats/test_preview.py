"""Looking ahead: what is not decided yet is told as far as it has come, and nothing is decided by it."""

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.formats.takes import START, Take, el, page
from understudy.formats.elements import ElementTree
from understudy.formats.recording.actions import Type, act_of
from understudy.formats.recording.assembly import Assembler
from understudy.formats.recording.stretch import Stretch

END = 60_000


def field(value: str = "", *, secure: bool = False) -> ElementTree:
    return page(
        el("button", "Go", (20, 20, 60, 20), states="focusable"),
        el(
            "textbox",
            "Name",
            (20, 60, 200, 20),
            value=None if secure else value,
            states="editable focusable focused" + " secure" * secure,
        ),
    )


def busy() -> Take:
    """A click, a run of typing with a correction, a wheel, a drag, and another window for a while."""
    take = Take().window(1).shows(field()).at(1_000).click(30, 30).wait(900).type("Ann Le")
    take.key("Backspace").type("ee").wait(300).shows(field("Ann Lee")).wait(900).wheel(30, 70, 2)
    take.wait(300).press(30, 70).wait(50).move((90, 70)).release(90, 70).wait(700).type("x")
    return take.window(7, in_scope=False).wait(2_000).window(1).wait(200).shows(field("Ann Lee")).type("yz")


def assembled(take: Take, *, looking: frozenset[int], settling: frozenset[int]) -> tuple[Stretch, Assembler]:
    assembler = Assembler(START)
    for number, item in enumerate(take.items):
        assembler.feed(item)
        if number in looking:
            assembler.preview(0, END)
        if number in settling:
            assembler.settle(0)
    assembler.settle(None)
    return assembler.stretch(0, END), assembler


@given(looking=st.frozensets(st.integers(0, 120)), settling=st.frozensets(st.integers(0, 120), max_size=3))
def test_however_often_one_looks_what_is_decided_is_the_same(
    looking: frozenset[int], settling: frozenset[int]
) -> None:
    whole, plain = assembled(busy(), looking=frozenset(), settling=settling)
    told, looked = assembled(busy(), looking=looking, settling=settling)
    assert told == whole
    assert (looked.actions, looked.pointer_actions, looked.pointer_inside) == (
        plain.actions,
        plain.pointer_actions,
        plain.pointer_inside,
    )


def test_typing_is_told_as_far_as_it_has_come() -> None:
    take = Take().window(1).shows(field()).at(1_000).type("twelve chairs", every=300)
    assembler, seen = Assembler(START), ""
    for item in take.items:
        assembler.feed(item)
        told = [action for action in assembler.preview(0, END).actions if isinstance(action, Type)]
        assert len(told) <= 1
        text = (told[0].text or "") if told else ""
        assert len(seen) <= len(text) <= len(seen) + 1
        seen = text
    assert seen == "twelve chairs"
    assert assembler.stretch(0, END).actions == ()


def test_at_the_end_looking_ahead_is_what_settling_gives() -> None:
    take = busy()
    assembler = Assembler(START)
    for item in take.items:
        assembler.feed(item)
    ahead = assembler.preview(0, END)
    assembler.settle(None)
    assert ahead == assembler.stretch(0, END)
    assert [act_of(action) for action in ahead.actions][:3] == ["click", "type", "scroll"]


def test_a_secret_is_told_as_one_act_and_its_keys_not_at_all() -> None:
    take = Take().window(1).shows(field(secure=True)).at(1_000).secret()
    assembler, acts = Assembler(START), [""]
    for item in take.items:
        assembler.feed(item)
        acts = [act_of(action) for action in assembler.preview(0, END).actions]
        assert set(acts) <= {"fill_secret"}
    assert acts == ["fill_secret"]


def test_out_of_scope_is_a_gap_ahead_too() -> None:
    take = Take().window(1).shows(field()).at(2_000).window(7, in_scope=False).wait(3_000).type("private")
    assembler = Assembler(START)
    for item in take.items:
        assembler.feed(item)
    ahead = assembler.preview(0, 10_000)
    assert ahead.actions == ()
    assert [(gap.from_ms, gap.to_ms) for gap in ahead.gaps] == [(2_000, 10_000)]
