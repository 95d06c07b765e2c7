"""The ring of versions, places in it, and the path of the pointer."""

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.formats.strategies import trees
from tests.unit.formats.takes import el, page, picture
from understudy.formats.elements import Box, ElementState, ElementTree
from understudy.formats.recording.sights import RING_MS, RING_VERSIONS, WINDOWS, Scene, Sights
from understudy.formats.recording.trace import Trace


def scene(name: str) -> Scene:
    return Scene(page(el("button", name, (0, 0, 10, 10))))


@given(tree=trees())
def test_places_are_those_of_the_tree_and_found_again(tree: ElementTree) -> None:
    named = Scene(tree)
    for number in range(len(tree.elements)):
        assert named.place(number) == tree.place(number)
        assert named.find(tree.place(number)) == number
    assert named.find(None) is None
    assert named.at((("button", "nowhere", 0),)) is None


@given(tree=trees())
def test_the_focus_is_the_last_element_that_says_so(tree: ElementTree) -> None:
    said = [n for n, element in enumerate(tree.elements) if ElementState.FOCUSED in element.states]
    assert Scene(tree).focused == (said[-1] if said else None)


def test_trees_and_frames_of_one_time_are_one_version() -> None:
    sights = Sights()
    sights.show_tree(10, scene("a"))
    sights.show_tree(40, scene("b"))
    both = sights.show_frame(40, picture(1))
    assert sights.newest(40) is both
    assert both.scene is not None
    assert both.scene.element(1).name == "b"
    early = sights.newest(39)
    assert early is not None
    assert (early.time, early.frame) == (10, None)


def test_what_shows_the_same_is_no_new_version() -> None:
    sights = Sights()
    first = sights.show_tree(10, scene("a"))
    again = sights.show_tree(900, scene("a"))
    assert again.scene is first.scene
    assert sights.last is first
    assert list(sights.after(10, 1_000)) == []


def test_a_version_goes_five_seconds_after_the_next_one_and_the_last_never() -> None:
    sights = Sights()
    first = sights.show_tree(0, scene("a"))
    assert sights.newest(100_000) is first
    second = sights.show_tree(100_000, scene("b"))
    assert sights.newest(99_999, now=100_000 + RING_MS) is first
    assert sights.newest(99_999, now=100_001 + RING_MS) is None
    assert sights.newest(900_000) is second


def test_the_ring_is_bounded_in_versions_and_windows() -> None:
    sights = Sights()
    for time in range(RING_VERSIONS + 10):
        sights.show_tree(time, scene(str(time)))
    assert sights.newest(9) is None
    assert sights.newest(10) is not None
    for window in range(WINDOWS + 5):
        sights.enter(window)
        sights.show_tree(1_000 + window, scene(str(window)))
    sights.enter(0)
    assert sights.last is None, "the window that was used longest ago is forgotten"
    sights.enter(WINDOWS + 4)
    assert sights.last is not None


@given(
    places=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 30), st.booleans()), min_size=1, max_size=20)
)
def test_the_pointer_was_outside_when_it_had_not_entered(places: list[tuple[int, int, bool]]) -> None:
    trace, box, now = Trace(), Box(10, 0, 10, 10), 0
    spots: list[tuple[int, bool]] = []
    for wait, x, is_motion in places:
        now += wait
        trace.add(now, x, 5, is_motion=is_motion)
        spots.append((now, box.contains(x, 5)))
    outside = [at for at, (_, is_in) in enumerate(spots) if not is_in]
    entered = trace.entered((box,), now)
    if not outside:
        assert entered is None
    elif entered is not None:
        assert spots[outside[-1]][0] <= entered
        assert all(entered <= time for time, _ in spots[outside[-1] + 1 :])
    left = trace.left((box,), now - 50)
    assert left is None or left > now - 50
