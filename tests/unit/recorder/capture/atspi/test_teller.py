from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from understudy.formats.elements import Box
from understudy.formats.picture import Picture, PlacedPicture
from understudy.formats.raw.events import CLOCK
from understudy.recorder.capture.atspi.teller import Teller, bare_tree
from understudy.recorder.capture.observed import Snapshot

TREES = [bare_tree("xterm", title, Box(0, 0, 9, 9)) for title in ("a", "b", "c")]
FRAMES = [
    PlacedPicture(x=x, y=0, picture=Picture(width=1, height=1, rgb=bytes([shade] * 3)))
    for x in (0, 1)
    for shade in (0, 9)
]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(TREES), st.sampled_from([None, *FRAMES]), st.integers(0, CLOCK - 1), st.booleans()
        )
    )
)
def test_what_is_told_adds_up_to_what_was_shown(
    steps: list[tuple[object, PlacedPicture | None, int, bool]],
) -> None:
    told: list[Snapshot] = []
    teller = Teller(told.append)
    tree, frame = None, None
    for shown, pixels, time, resets in steps:
        if resets:
            teller.reset()
            tree = frame = None
        before = len(told)
        teller.tell(shown, pixels, time)  # type: ignore[arg-type]
        for snapshot in told[before:]:
            assert snapshot.tree is not None or snapshot.frame is not None
            assert snapshot.tree != tree or snapshot.tree is None
            tree = snapshot.tree or tree
            frame = snapshot.frame or frame
        assert tree == shown
        assert pixels is None or frame == pixels


@given(st.lists(st.integers(0, CLOCK - 1), min_size=1))
def test_times_never_run_backwards(times: list[int]) -> None:
    told: list[Snapshot] = []
    teller = Teller(told.append)
    for number, time in enumerate(times):
        teller.tell(TREES[number % 2], None, time)
    for one, other in pairwise(told):
        assert (other.time - one.time) % CLOCK <= CLOCK // 2
