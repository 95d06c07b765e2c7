"""The writer stores everything once, in order, and refuses what ``check`` would refuse."""

import io
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.unit.formats.forge import ACTIONS, FILLED, GAPS, MANIFEST, PICTURE, SECRET, TREE, VERSIONS, spine
from tests.unit.formats.strategies import acts, pictures, secrets, trees
from understudy.formats.elements import ElementTree
from understudy.formats.picture import Picture
from understudy.formats.recording import writer as module
from understudy.formats.recording.actions import Action, Click, Key, Type
from understudy.formats.recording.bounds import MAX_GAPS
from understudy.formats.recording.check import check
from understudy.formats.recording.errors import Code, RecordingError
from understudy.formats.recording.gaps import Gap, united
from understudy.formats.recording.layout import Kind
from understudy.formats.recording.manifest import Manifest
from understudy.formats.recording.reader import RecordingReader
from understudy.formats.recording.versions import Version
from understudy.formats.recording.writer import RecordingWriter


def filled() -> tuple[RecordingWriter, io.BytesIO]:
    """Return a writer that holds the items of the small file, and its file."""
    file = io.BytesIO()
    writer = RecordingWriter(file)
    writer.add_tree(TREE)
    writer.add_tree(FILLED)
    writer.add_frame(PICTURE, 2, 3)
    for version in VERSIONS:
        writer.add_version(version)
    for action in ACTIONS:
        writer.add_action(action)
    for gap in GAPS:
        writer.add_gap(gap)
    return writer, file


def test_what_was_written_is_read_back() -> None:
    writer, file = filled()
    writer.finish(MANIFEST)
    assert check(file).problems == ()
    reader = RecordingReader(file)
    assert reader.manifest == MANIFEST
    assert tuple(reader.actions()) == ACTIONS
    assert (reader.tree(0), reader.tree(1)) == (TREE, FILLED)
    assert reader.frame(0).picture() == PICTURE
    assert reader.gaps() == GAPS


def test_equal_trees_and_frames_are_stored_once() -> None:
    writer, file = filled()
    assert writer.add_tree(replace(TREE)) == 0
    assert writer.add_frame(replace(PICTURE), 2, 3) == 0
    assert writer.add_frame(PICTURE, 3, 2) == 1, "the same pixels elsewhere are another frame"
    writer.add_version(Version(at_ms=9_000, tree=0, frame=1))
    writer.finish(MANIFEST)
    reader = RecordingReader(file)
    assert (reader.count(Kind.TREES), reader.count(Kind.FRAME)) == (2, 2)


def test_the_same_items_give_the_same_bytes() -> None:
    (first, one), (second, two) = filled(), filled()
    first.finish(MANIFEST)
    second.finish(MANIFEST)
    assert one.getvalue() == two.getvalue()


def test_without_finish_there_is_no_recording() -> None:
    _, file = filled()
    assert check(file).codes == {Code.TRUNCATED}


def test_gaps_that_touch_become_one() -> None:
    writer, file = filled()
    writer.add_gap(Gap(from_ms=12_000, to_ms=20_000))
    writer.finish(MANIFEST)
    assert RecordingReader(file).gaps() == (Gap(from_ms=10_000, to_ms=21_000),)


Step = Callable[[RecordingWriter], object]

REFUSED: dict[str, tuple[Code, Step]] = {
    "tree-order": (Code.TREE_ORDER, lambda w: w.add_tree(replace(TREE, elements=(SECRET,)))),
    "secure-value": (
        Code.SECURE_CONTENT,
        lambda w: w.add_tree(replace(TREE, elements=(*TREE.elements[:2], replace(SECRET, value="x")))),
    ),
    "long-name": (
        Code.MALFORMED,
        lambda w: w.add_tree(replace(TREE, elements=(replace(TREE.elements[0], name="x" * 2_001),))),
    ),
    "off-screen": (Code.FRAME_BOX, lambda w: w.add_frame(PICTURE, 65_530, 0)),
    "no-tree": (Code.DANGLING, lambda w: w.add_version(Version(at_ms=9_000, tree=2, frame=None))),
    "no-frame": (Code.DANGLING, lambda w: w.add_version(Version(at_ms=9_000, tree=None, frame=1))),
    "nothing": (Code.EMPTY_VERSION, lambda w: w.add_version(Version(at_ms=9_000, tree=None, frame=None))),
    "earlier-version": (Code.TIME_ORDER, lambda w: w.add_version(Version(at_ms=0, tree=0, frame=None))),
    "earlier-action": (Code.TIME_ORDER, lambda w: w.add_action(ACTIONS[0])),
    "no-state": (Code.DANGLING, lambda w: w.add_action(Click(at_ms=9_000, before=2))),
    "no-element": (Code.DANGLING, lambda w: w.add_action(Click(at_ms=9_000, before=0, target=3))),
    "typed-key": (Code.TYPED_KEY, lambda w: w.add_action(Key(at_ms=9_000, before=0, target=1, key="a"))),
    "typed-secret": (
        Code.SECURE_CONTENT,
        lambda w: w.add_action(Type(at_ms=9_000, before=0, target=2, text=None, value=None)),
    ),
    "secret-value": (
        Code.SECURE_CONTENT,
        lambda w: w.add_action(Click(at_ms=9_000, before=0, target=2, value="x")),
    ),
    "counted-secret": (
        Code.SECURE_CONTENT,
        lambda w: w.add_action(Key(at_ms=9_000, before=0, target=2, key="Backspace", times=8)),
    ),
    "long-time": (Code.MALFORMED, lambda w: w.add_gap(Gap(from_ms=0, to_ms=86_400_001))),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_check_would_refuse_is_not_written(name: str) -> None:
    code, step = REFUSED[name]
    writer, _ = filled()
    with pytest.raises(RecordingError) as caught:
        step(writer)
    assert caught.value.code is code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ended_at": MANIFEST.started_at - 1}, Code.MANIFEST_TIMES),
        ({"ended_at": MANIFEST.started_at + 4}, Code.TIME_RANGE),
        ({"source": "recorder"}, Code.UNREDACTED),
        ({"time_grid_ms": 3_000}, Code.TIME_OFF_GRID),
        ({"screen": replace(MANIFEST.screen, width=9)}, Code.FRAME_BOX),
        ({"title": "x" * 201}, Code.MALFORMED),
        ({"locale": "e"}, Code.MALFORMED),
        ({"source": "import:"}, Code.MALFORMED),
        ({"time_grid_ms": 249}, Code.MALFORMED),
    ],
    ids=["backwards", "short", "unstamped", "grid", "screen", "title", "locale", "source", "fine-grid"],
)
def test_a_manifest_that_does_not_fit_the_content_is_refused(change: dict[str, object], code: Code) -> None:
    writer, _ = filled()
    with pytest.raises(RecordingError) as caught:
        writer.finish(replace(MANIFEST, **change))
    assert caught.value.code is code


def test_a_tree_that_no_version_shows_is_refused() -> None:
    writer, _ = filled()
    writer.add_tree(spine(3))
    with pytest.raises(RecordingError) as caught:
        writer.finish(MANIFEST)
    assert caught.value.code is Code.UNREFERENCED


def test_more_items_than_the_bound_are_refused() -> None:
    writer, _ = filled()
    manifest = replace(MANIFEST, ended_at=MANIFEST.started_at + 3_600, time_grid_ms=250)
    for number in range(MAX_GAPS - 1):
        writer.add_gap(Gap(from_ms=30_000 + number * 500, to_ms=30_250 + number * 500))
    with pytest.raises(RecordingError) as caught:
        writer.finish(manifest)
    assert caught.value.code is Code.TOO_MANY


def test_a_file_over_the_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_RECORDING_BYTES", 1_000)
    writer, file = filled()
    with pytest.raises(RecordingError) as caught:
        writer.finish(MANIFEST)
    assert caught.value.code is Code.TOO_LARGE
    assert "screen" in caught.value.hint
    assert check(file).codes == {Code.TRUNCATED}


def test_messages_hold_no_recorded_text() -> None:
    writer, _ = filled()
    with pytest.raises(RecordingError) as caught:
        writer.add_action(Type(at_ms=9_000, before=0, target=2, text="quartz-4411", value="quartz-4411"))
    assert "quartz" not in f"{caught.value} {caught.value.hint}"


@st.composite
def recordings(draw: st.DrawFn) -> tuple[bytes, list[Action], list[ElementTree], list[Picture], list[Gap]]:
    """Draw a recording and return its file and what went in."""
    file = io.BytesIO()
    writer = RecordingWriter(file)
    shown = draw(st.lists(trees(), min_size=1, max_size=4))
    frames = draw(st.lists(pictures(), min_size=1, max_size=3))
    steps: list[Action] = []
    at_ms = 0
    for tree in shown:
        at_ms += draw(st.integers(0, 5)) * 1_000
        frame = writer.add_frame(draw(st.sampled_from(frames)))
        before = writer.add_version(Version(at_ms=at_ms, tree=writer.add_tree(tree), frame=frame))
        safe = [number for number, element in enumerate(tree.elements) if not element.is_secure]
        secure = [number for number, element in enumerate(tree.elements) if element.is_secure]
        targets = st.none() | st.sampled_from(safe)
        for _ in range(draw(st.integers(0, 3))):
            at_ms += draw(st.integers(0, 3)) * 1_000
            steps.append(draw(acts(at_ms, before, targets)))
            writer.add_action(steps[-1])
        for number in secure:
            steps.append(secrets(at_ms, before, number))
            writer.add_action(steps[-1])
    seconds = st.integers(0, 60)
    gaps = [
        Gap(from_ms=min(pair) * 1_000, to_ms=max(pair) * 1_000)
        for pair in draw(st.lists(st.tuples(seconds, seconds), max_size=4))
    ]
    for gap in gaps:
        writer.add_gap(gap)
    writer.finish(MANIFEST_LONG)
    return file.getvalue(), steps, shown, frames, gaps


MANIFEST_LONG: Manifest = replace(MANIFEST, ended_at=MANIFEST.started_at + 300)


@given(drawn=recordings())
def test_any_recording_round_trips_and_has_no_problems(
    drawn: tuple[bytes, list[Action], list[ElementTree], list[Picture], list[Gap]],
) -> None:
    data, steps, shown, frames, gaps = drawn
    assert check(io.BytesIO(data)).problems == ()
    reader = RecordingReader(io.BytesIO(data))
    assert list(reader.actions()) == steps
    assert reader.gaps() == united(gaps)
    for number, tree in enumerate(shown):
        version = reader.version(number)
        assert version.tree is not None
        assert reader.tree(version.tree) == tree
        assert version.frame is not None
        assert reader.frame(version.frame).picture() in frames
