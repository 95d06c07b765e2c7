"""The synthetic source: the same from the same seed, valid, of a real one's size, and marked as nobody's."""

import io
from collections.abc import Iterator

import pytest

from understudy.formats.elements import Box, ElementState, Role
from understudy.formats.picture import Picture
from understudy.formats.recording.actions import ACTS, FillSecret, Hover, Scroll, Type, act_of
from understudy.formats.recording.check import check
from understudy.formats.recording.errors import RecordingError
from understudy.formats.recording.layout import Kind
from understudy.formats.recording.reader import RecordingReader
from understudy.formats.synthetic import synthetic_recording, synthetic_segment
from understudy.formats.synthetic.page import BORDERS, HOST

RECORDING = "rec_AAAAAAAAAAAAAAAAAAAAAA"
START = 1_700_000_000
CANARIES = ("quartz-4411", "zoë ☃ 7", "x" * 2_000)


def segment(seed: int = 1, *, seconds: int = 60, actions: int = 12, canaries: tuple[str, ...] = ()) -> bytes:
    return synthetic_segment(
        seed,
        recording=RECORDING,
        ordinal=0,
        started_at=START,
        ended_at=START + seconds,
        canaries=canaries,
        actions=actions,
    )


def states(reader: RecordingReader) -> Iterator[tuple[int, int]]:
    for number in range(reader.count(Kind.VERSIONS)):
        version = reader.version(number)
        assert version.tree is not None
        assert version.frame is not None
        yield version.tree, version.frame


@pytest.mark.parametrize("seed", [0, 1, 99])
@pytest.mark.parametrize("seconds", [0, 1, 2, 60, 3_600])
def test_every_segment_keeps_every_rule(seed: int, seconds: int) -> None:
    assert check(io.BytesIO(segment(seed, seconds=seconds, canaries=CANARIES))).problems == ()


def test_the_same_arguments_give_the_same_bytes_and_others_do_not() -> None:
    assert segment(5) == segment(5)
    assert segment(5) != segment(6)


def test_a_segment_has_the_size_of_a_real_one() -> None:
    assert 50_000 < len(segment()) < 300_000


def test_a_long_segment_holds_every_kind_of_act_and_a_gap() -> None:
    reader = RecordingReader(io.BytesIO(segment(actions=24)))
    assert {act_of(action) for action in reader.actions()} == set(ACTS)
    (gap,) = reader.gaps()
    assert not any(gap.from_ms < action.at_ms < gap.to_ms for action in reader.actions())


def test_it_says_that_no_person_did_it() -> None:
    reader = RecordingReader(io.BytesIO(segment()))
    assert reader.manifest.is_synthetic
    assert reader.manifest.title.startswith("Synthetic")
    assert "No person" in (reader.manifest.instruction or "")
    assert reader.tree(0).host == HOST
    assert HOST.endswith(".example")


def test_every_canary_stands_in_a_name_in_a_value_and_in_typed_text() -> None:
    reader = RecordingReader(io.BytesIO(segment(canaries=CANARIES, actions=24)))
    typed = {action.text for action in reader.actions() if isinstance(action, Type)}
    assert set(CANARIES) <= typed
    for number in range(reader.count(Kind.TREES)):
        elements = reader.tree(number).elements
        assert set(CANARIES) <= {element.name for element in elements}
        assert set(CANARIES) <= {element.value for element in elements}


def test_a_canary_too_long_for_the_format_is_refused() -> None:
    with pytest.raises(RecordingError):
        segment(canaries=("x" * 2_001,))


def test_boxes_agree_with_pixels() -> None:
    reader = RecordingReader(io.BytesIO(segment(actions=24)))
    seen = 0
    for tree, frame in set(states(reader)):
        elements = reader.tree(tree).elements
        picture = reader.frame(frame).picture()
        for number, element in enumerate(elements):
            if element.box is None or element.role not in BORDERS:
                continue
            above = [other.box for other in elements[number + 1 :] if other.box and other.role in BORDERS]
            for x, y in corners(element.box):
                if not any(box.contains(x, y) for box in above):
                    assert pixel(picture, x, y) == BORDERS[element.role], element.id
                    seen += 1
    assert seen > 100


def corners(box: Box) -> tuple[tuple[int, int], ...]:
    right, bottom = box.x + box.width - 1, box.y + box.height - 1
    return (box.x, box.y), (right, box.y), (box.x, bottom), (right, bottom)


def pixel(picture: Picture, x: int, y: int) -> tuple[int, ...]:
    at = (y * picture.width + x) * 3
    return tuple(picture.rgb[at : at + 3])


def test_pointer_acts_hit_their_target() -> None:
    reader = RecordingReader(io.BytesIO(segment(actions=48)))
    hits = 0
    for action in reader.actions():
        point = getattr(action, "point", None)
        if point is None or action.before is None or action.target is None:
            continue
        version = reader.version(action.before)
        assert version.tree is not None
        assert reader.tree(version.tree).actionable_at(point.x, point.y) == action.target
        hits += isinstance(action, Hover | Scroll)
    assert hits > 2


def test_the_state_before_an_act_does_not_show_what_it_did() -> None:
    reader = RecordingReader(io.BytesIO(segment(actions=24)))
    checked = 0
    for action in reader.actions():
        if isinstance(action, Type) and action.before is not None and action.target is not None:
            version = reader.version(action.before)
            assert version.tree is not None
            assert reader.tree(version.tree).elements[action.target].value != action.value
            checked += 1
    assert checked > 2


def test_the_secret_is_in_no_tree_and_its_field_shows_no_length() -> None:
    reader = RecordingReader(io.BytesIO(segment(actions=24)))
    assert any(isinstance(action, FillSecret) for action in reader.actions())
    shown = set()
    for tree, frame in states(reader):
        elements = reader.tree(tree).elements
        secure = [element for element in elements if element.is_secure]
        assert all(element.value is None for element in secure)
        if any(element.role is Role.OPTION for element in elements):
            continue  # the open list lies over the field
        for element in secure:
            if element.box and ElementState.FOCUSED not in element.states:
                picture = reader.frame(frame).picture()
                row = (element.box.y + element.box.height // 2) * picture.width + element.box.x
                shown.add(picture.rgb[row * 3 : (row + element.box.width) * 3])
    assert len(shown) == 1


def test_the_segments_of_a_recording_follow_each_other() -> None:
    files = synthetic_recording(3, recording=RECORDING, started_at=START, segments=3, actions=4)
    manifests = [RecordingReader(io.BytesIO(data)).manifest for data in files]
    assert [manifest.ordinal for manifest in manifests] == [0, 1, 2]
    assert [manifest.recording for manifest in manifests] == [RECORDING] * 3
    assert manifests[0].ended_at == manifests[1].started_at
    assert len(set(files)) == 3
