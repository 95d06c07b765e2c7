"""Cutting: nothing of the stretch remains, nothing else goes, and what is left is a valid recording."""

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.formats.elements import Box, Element, ElementState, ElementTree, Role
from understudy.formats.picture import Picture
from understudy.formats.recording.actions import (
    Action,
    Click,
    Drag,
    FillSecret,
    Key,
    Mark,
    Point,
    Scroll,
    Select,
    Type,
)
from understudy.formats.recording.check import check
from understudy.formats.recording.edit import Edit, Opener, Removed, cut
from understudy.formats.recording.gaps import Gap
from understudy.formats.recording.layout import Kind
from understudy.formats.recording.manifest import Manifest
from understudy.formats.recording.reader import RecordingReader
from understudy.formats.recording.versions import Version
from understudy.formats.recording.writer import RecordingWriter
from understudy.formats.screen import Screen
from understudy.formats.source import RandomAccess
from understudy.formats.synthetic import synthetic_recording

START = 1_800_000_000
RECORDING = "rec_AAAAAAAAAAAAAAAAAAAAAA"


def at(seconds: float) -> int:
    """Return a moment of the test recordings in milliseconds UTC."""
    return START * 1_000 + round(seconds * 1_000)


def page(name: str, *, is_secure: bool = False) -> ElementTree:
    root = Element(role=Role.DOCUMENT, name=name, box=Box(0, 0, 8, 8))
    states = (ElementState.SECURE,) if is_secure else ()
    field = Element(role=Role.TEXTBOX, name="Field", box=Box(0, 0, 8, 8), parent=0, states=states)
    return ElementTree(elements=(root, field))


def picture(shade: int) -> Picture:
    return Picture(width=8, height=8, rgb=bytes([shade]) * 192)


def segment(
    ordinal: int,
    states: Iterable[tuple[int, str, int]],
    actions: Iterable[Action] = (),
    *,
    length: int = 60,
    is_secure: bool = False,
) -> bytes:
    """Return a segment that shows, at each second, a page of this name and a picture of this shade."""
    file = io.BytesIO()
    writer = RecordingWriter(file)
    for second, name, shade in states:
        tree = writer.add_tree(page(name, is_secure=is_secure))
        frame = writer.add_frame(picture(shade))
        writer.add_version(Version(at_ms=second * 1_000, tree=tree, frame=frame))
    for action in actions:
        writer.add_action(action)
    started_at = START + ordinal * 60
    writer.finish(
        Manifest(
            recording=RECORDING,
            ordinal=ordinal,
            title="",
            task="demo",
            application_group="web",
            started_at=started_at,
            ended_at=started_at + length,
            screen=Screen(width=8, height=8),
            source="synthetic",
            redaction=None,
        )
    )
    return file.getvalue()


def click(second: int, before: int | None, **fields: Any) -> Click:
    target = None if before is None else 1
    return Click(at_ms=second * 1_000, before=before, target=target, point=Point(1, 1), **fields)


def openers(payloads: Iterable[bytes]) -> list[Opener]:
    def opener(payload: bytes) -> Opener:
        @contextmanager
        def opened() -> Iterator[RandomAccess]:
            yield io.BytesIO(payload)

        return opened

    return [opener(payload) for payload in payloads]


def cut_out(payloads: list[bytes], from_ms: int, to_ms: int) -> tuple[list[bytes | None], Removed]:
    """Return the whole recording after the cut, each rewritten segment checked."""
    after: list[bytes | None] = list(payloads)
    removed = Removed()
    for edit in cut(openers(payloads), from_ms, to_ms):
        assert isinstance(edit, Edit)
        after[edit.place] = edit.payload
        removed += edit.removed
        if edit.payload is not None:
            assert check(io.BytesIO(edit.payload)).codes == frozenset()
    return after, removed


def read(payload: bytes | None) -> RecordingReader:
    assert payload is not None
    return RecordingReader(io.BytesIO(payload))


def pages(payload: bytes | None) -> set[str]:
    reader = read(payload)
    trees = (reader.tree(number) for number in range(reader.count(Kind.TREES)))
    return {tree.elements[0].name for tree in trees}


def shades(payload: bytes | None) -> set[int]:
    reader = read(payload)
    return {reader.frame(number).picture().rgb[0] for number in range(reader.count(Kind.FRAME))}


def seconds(payload: bytes | None) -> list[int]:
    return [action.at_ms // 1_000 for action in read(payload).actions()]


class TestInsideOneSegment:
    STATES = ((0, "first", 10), (10, "before", 20), (20, "inside", 30), (30, "after", 40))

    def test_actions_and_states_of_the_stretch_go_and_a_gap_stays(self) -> None:
        actions = [click(12, 1), click(20, 2), click(29, 2), click(31, 3)]
        (left,), removed = cut_out([segment(0, self.STATES, actions)], at(20), at(30))
        assert seconds(left) == [12, 31]
        assert pages(left) == {"first", "before", "after"}
        assert shades(left) == {10, 20, 40}
        assert read(left).gaps() == (Gap(from_ms=20_000, to_ms=30_000),)
        assert removed == Removed(actions=2, states=1)
        assert [action.target for action in read(left).actions()] == [1, 1]

    def test_the_stretch_is_widened_to_the_grid(self) -> None:
        actions = [click(19, 1), click(20, 1), click(30, 1), click(31, 1)]
        (left,), _ = cut_out([segment(0, self.STATES[:2], actions)], at(20.4), at(30.2))
        assert seconds(left) == [19, 31]
        assert read(left).gaps() == (Gap(from_ms=20_000, to_ms=31_000),)

    def test_a_later_action_whose_state_was_inside_keeps_no_target(self) -> None:
        actions: list[Action] = [
            click(35, 2),
            Select(at_ms=36_000, before=2, target=1, option="x", option_element=1),
            Drag(at_ms=37_000, before=2, target=1, drop=1),
            click(38, 3),
        ]
        (left,), removed = cut_out([segment(0, self.STATES, actions)], at(15), at(25))
        *lost, kept = read(left).actions()
        assert [(action.before, action.target) for action in lost] == [(None, None)] * 3
        assert isinstance(lost[1], Select)
        assert (lost[1].option, lost[1].option_element) == ("x", None)
        assert isinstance(lost[2], Drag)
        assert lost[2].drop is None
        assert kept.target == 1
        assert removed == Removed(states=1, lessened=3)

    def test_a_secret_without_its_state_says_nothing_and_goes(self) -> None:
        payload = segment(0, self.STATES, [FillSecret(at_ms=35_000, before=2, target=1)], is_secure=True)
        (left,), removed = cut_out([payload], at(15), at(25))
        assert seconds(left) == []
        assert removed == Removed(actions=1, states=1)

    def test_the_act_before_may_have_gone_on_into_it(self) -> None:
        """Typing that began before the cut carries what was typed inside it."""
        typed = Type(at_ms=11_000, before=1, target=1, text="canary", value="canary")
        earlier = Type(at_ms=10_000, before=1, target=1, text="earlier", value="earlier")
        (left,), removed = cut_out([segment(0, self.STATES, [earlier, typed])], at(20), at(30))
        first, last = read(left).actions()
        assert first == earlier
        assert isinstance(last, Type)
        assert (last.text, last.value, last.marks, last.target) == (None, None, (Mark.DROPPED,), 1)
        assert removed == Removed(states=1, lessened=1)

    @pytest.mark.parametrize(
        ("action", "is_lessened"),
        [
            (Select(at_ms=11_000, before=1, target=1, option="red", value="red"), True),
            (Key(at_ms=11_000, before=1, target=1, key="Backspace", value="re"), True),
            (click(11, 1, value="true"), True),
            (Key(at_ms=11_000, before=1, target=1, key="Tab"), False),
            (Scroll(at_ms=11_000, before=1, target=1, dy=3), False),
            (click(11, 1), False),
        ],
        ids=["select", "key-value", "click-value", "key", "scroll", "click"],
    )
    def test_it_keeps_what_says_nothing(self, action: Action, is_lessened: bool) -> None:
        (left,), removed = cut_out([segment(0, self.STATES, [action])], at(20), at(30))
        (kept,) = read(left).actions()
        assert (kept != action) == is_lessened
        assert removed.lessened == is_lessened
        assert (Mark.DROPPED in kept.marks) == is_lessened

    def test_nothing_happens_outside_the_recording(self) -> None:
        payload = segment(0, self.STATES)
        for stretch in ((at(-20), at(0)), (at(60), at(80)), (at(30), at(30)), (at(40), at(20))):
            assert cut(openers([payload]), *stretch) == []

    def test_a_segment_inside_the_stretch_goes_altogether(self) -> None:
        payloads = [segment(0, self.STATES, [click(12, 1)]), segment(1, self.STATES, [click(12, 1)])]
        after, removed = cut_out(payloads, at(0), at(60))
        assert after[0] is None
        assert (removed.segments, removed.actions) == (1, 1)
        after, removed = cut_out(payloads, at(-5), at(500))
        assert after == [None, None]
        assert removed == Removed(segments=2, actions=2, states=8)

    def test_the_end_of_a_segment_that_is_not_on_the_grid_is_cut_too(self) -> None:
        (left,), _ = cut_out([segment(0, self.STATES, [click(59, 1)])], at(40), at(60))
        assert seconds(left) == []
        assert read(left).gaps() == (Gap(from_ms=40_000, to_ms=60_000),)


class TestAcrossSegments:
    def test_both_sides_of_a_border_are_cut(self) -> None:
        states = ((0, "first", 10), (30, "half", 20))
        payloads = [
            segment(0, states, [click(31, 1), click(50, 1)]),
            segment(1, ((0, "half", 20), (20, "new", 30)), [click(10, 0), click(40, 1)]),
        ]
        (first, second), _ = cut_out(payloads, at(45), at(75))
        assert seconds(first) == [31]
        assert seconds(second) == [40]
        assert pages(second) == {"new"}
        assert read(first).gaps() == (Gap(from_ms=45_000, to_ms=60_000),)
        assert read(second).gaps() == (Gap(from_ms=0, to_ms=15_000),)

    def test_a_state_carried_over_from_inside_the_cut_goes_from_later_segments(self) -> None:
        """A segment repeats the state that it begins in; its file does not say when that was seen."""
        payloads = [
            segment(0, ((0, "first", 10), (50, "canary", 66)), [click(10, 0)]),
            segment(1, ((0, "canary", 66), (20, "new", 30)), [click(1, 0), click(21, 1)]),
            segment(2, ((0, "new", 30), (0, "canary", 66)), [click(5, 0), click(6, 1)]),
        ]
        (first, second, third), removed = cut_out(payloads, at(45), at(58))
        for left in (first, second, third):
            assert "canary" not in pages(left)
            assert 66 not in shades(left)
        assert [action.target for action in read(second).actions()] == [None, 1]
        assert [action.target for action in read(third).actions()] == [1, None]
        assert removed == Removed(states=3, lessened=2)
        assert read(third).gaps() == ()

    def test_even_if_no_segment_of_the_cut_shows_it(self) -> None:
        """The recorder keeps states before actions; a state without an action shows up only later."""
        payloads = [
            segment(0, ((0, "first", 10),), [click(10, 0)]),
            segment(1, ((0, "canary", 66), (20, "new", 30)), [click(1, 0)]),
        ]
        (_, second), _ = cut_out(payloads, at(45), at(58))
        assert pages(second) == {"new"}

    def test_a_state_that_is_also_shown_after_the_cut_stays(self) -> None:
        payloads = [
            segment(0, ((0, "first", 10), (55, "seen", 20)), [click(10, 0), click(56, 1)]),
            segment(1, ((0, "seen", 20),), [click(1, 0)]),
        ]
        after, removed = cut_out(payloads, at(20), at(50))
        assert after[1] == payloads[1]
        assert removed == Removed()

    def test_the_act_before_is_found_in_an_earlier_segment(self) -> None:
        typed = Type(at_ms=50_000, before=0, target=1, text="canary", value="canary")
        payloads = [
            segment(0, ((0, "a", 10),), [typed]),
            segment(1, ((5, "b", 20),), []),
            segment(2, ((5, "c", 30),), [click(30, 0)]),
        ]
        (first, second, _), removed = cut_out(payloads, at(121), at(140))
        (last,) = read(first).actions()
        assert isinstance(last, Type)
        assert last.text is None
        assert second == payloads[1]
        assert removed == Removed(states=1, lessened=2)

    def test_frames_are_copied_byte_for_byte(self) -> None:
        (payload,) = synthetic_recording(3, recording=RECORDING, started_at=START, segments=1)
        before = read(payload)
        known = {before.frame(number).webp for number in range(before.count(Kind.FRAME))}
        (left,), _ = cut_out([payload], at(10), at(20))
        after = read(left)
        assert {after.frame(number).webp for number in range(after.count(Kind.FRAME))} < known


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**16), st.integers(-10, 190), st.integers(0, 120))
def test_no_action_state_or_typed_text_of_the_stretch_remains(seed: int, begin: int, length: int) -> None:
    payloads = synthetic_recording(seed, recording=RECORDING, started_at=START, actions=6)
    after, _ = cut_out(payloads, at(begin), at(begin + length))
    for ordinal, (old, new) in enumerate(zip(payloads, after, strict=True)):
        kept = [] if new is None else list(read(new).actions())
        moments = [ordinal * 60 + action.at_ms // 1_000 for action in kept]
        assert not [moment for moment in moments if begin <= moment < begin + length]
        outside = [
            action
            for action in read(old).actions()
            if not begin <= ordinal * 60 + action.at_ms // 1_000 < begin + length
        ]
        assert len(kept) == len([action for action in outside if not _is_lost(action, kept)])


def _is_lost(action: Action, kept: list[Action]) -> bool:
    """Return whether an action outside the stretch went with its state; only a secret does."""
    return isinstance(action, FillSecret) and action.at_ms not in {
        other.at_ms for other in kept if isinstance(other, FillSecret)
    }
