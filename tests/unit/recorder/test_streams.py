"""Streams: taking one away leaves a stretch that is still valid and says nothing of it."""

import io
from itertools import combinations

import pytest

from understudy.consent.purposes import Stream
from understudy.formats.elements import Box, Element, ElementState, ElementTree, Role
from understudy.formats.picture import Picture, PlacedPicture
from understudy.formats.recording.actions import Click, Drag, FillSecret, Key, Mark, Select, Type
from understudy.formats.recording.check import check
from understudy.formats.recording.gaps import Gap
from understudy.formats.recording.manifest import Manifest
from understudy.formats.recording.stretch import Stretch
from understudy.formats.recording.versions import Version
from understudy.formats.screen import Screen
from understudy.recorder.payload import FrameCache, manifest_of, payload_of, stretch_of
from understudy.recorder.streams import only, with_few_frames

ALL = (Stream.ELEMENTS, Stream.FRAMES, Stream.INPUT, Stream.TEXT_VALUES)
MANIFEST = Manifest(
    recording="rec_" + "A" * 22,
    ordinal=0,
    title="",
    task="order",
    application_group="web",
    started_at=0,
    ended_at=60,
    screen=Screen(width=64, height=48),
    source="synthetic",
    redaction=None,
)


def tree(value: str) -> ElementTree:
    return ElementTree(
        elements=(
            Element(role=Role.DOCUMENT),
            Element(role=Role.TEXTBOX, value=value, box=Box(0, 0, 9, 9), parent=0),
            Element(role=Role.TEXTBOX, states=(ElementState.SECURE,), parent=0),
            Element(role=Role.LISTBOX, parent=0),
        )
    )


def frame(shade: int) -> PlacedPicture:
    return PlacedPicture(x=0, y=0, picture=Picture(width=2, height=2, rgb=bytes([shade]) * 12))


STRETCH = Stretch(
    actions=(
        Click(at_ms=0, before=0, target=1),
        Type(at_ms=1_000, before=1, target=1, text="private", value="private"),
        FillSecret(at_ms=2_000, before=1, target=2),
        Select(at_ms=2_000, before=1, target=3, option="red", option_element=1, value="red"),
        Key(at_ms=3_000, before=2, key="Enter"),
        Drag(at_ms=4_000, before=3, target=1, drop=3),
    ),
    versions=(
        Version(at_ms=0, tree=0, frame=0),
        Version(at_ms=1_000, tree=1, frame=None),
        Version(at_ms=2_000, tree=None, frame=1),
        Version(at_ms=3_000, tree=1, frame=2),
        Version(at_ms=4_000, tree=0, frame=3),
    ),
    trees=(tree("private"), tree("more")),
    frames=(frame(0), frame(1), frame(2), frame(3)),
    gaps=(Gap(from_ms=5_000, to_ms=6_000),),
)


@pytest.mark.parametrize("size", range(5))
def test_any_choice_of_streams_gives_a_valid_file(size: int) -> None:
    for streams in combinations(ALL, size):
        payload = payload_of(with_few_frames(only(STRETCH, streams), 600), MANIFEST)
        assert not check(io.BytesIO(payload)).problems
        told = stretch_of(payload)
        assert bool(told.actions) == (Stream.INPUT in streams)
        assert bool(told.trees) == (Stream.ELEMENTS in streams)
        assert bool(told.frames) == ({Stream.FRAMES, Stream.INPUT} <= set(streams))
        if Stream.TEXT_VALUES not in streams:
            assert "private" not in repr([told.actions, told.trees])
        assert told.gaps == STRETCH.gaps


def test_everything_consented_to_changes_nothing() -> None:
    assert only(STRETCH, ALL) == STRETCH


def test_without_elements_an_act_keeps_its_kind_and_a_secret_says_nothing() -> None:
    told = only(STRETCH, (Stream.INPUT, Stream.TEXT_VALUES, Stream.FRAMES))
    assert [type(action) for action in told.actions] == [Click, Type, Select, Key, Drag]
    assert all(action.target is None for action in told.actions)


def test_without_texts_an_action_says_that_something_was_left_out() -> None:
    told = only(STRETCH, (Stream.INPUT, Stream.ELEMENTS))
    typed = next(action for action in told.actions if isinstance(action, Type))
    assert (typed.text, typed.value, typed.marks) == (None, None, (Mark.DROPPED,))


def test_frames_are_kept_before_actions_only_and_no_more_than_asked_for() -> None:
    few = with_few_frames(STRETCH, 2)
    assert few.frames == (frame(0), frame(1))
    assert len(few.trees) == 2
    none = with_few_frames(STRETCH, 0)
    assert not none.frames
    assert [version.tree for version in none.versions] == [0, 1, 1, 0]
    assert none.actions[4].before is None


def test_a_stretch_comes_back_from_its_file() -> None:
    payload = payload_of(STRETCH, MANIFEST)
    assert stretch_of(payload) == STRETCH
    assert manifest_of(payload) == MANIFEST


def test_the_cache_encodes_equal_pixels_once_and_forgets_what_is_not_asked_for() -> None:
    cache = FrameCache()
    first = cache(frame(1).picture)
    cache.next_round()
    assert cache(Picture(width=2, height=2, rgb=bytes([1]) * 12)) is first
    cache.next_round()
    cache.next_round()
    assert cache(frame(1).picture) is not first
    assert cache(frame(2).picture) != first
