"""A page's place on the screen is measured, to the pixel."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.demo.conftest import WINDOW, Stage
from understudy.demo import placement as module
from understudy.demo.errors import PersonError
from understudy.demo.placement import Placement, measure
from understudy.formats.elements import Box

sides = st.floats(0, 2_000, allow_nan=False)


def test_the_measured_place_is_where_the_window_was_put(stage: Stage) -> None:
    assert stage.placement == Placement(left=WINDOW.x, top=WINDOW.y, scale=1.0)


def test_nothing_of_the_measuring_stays_in_the_page(stage: Stage) -> None:
    measure(stage.page, stage.display, WINDOW)
    assert stage.page.evaluate("typeof window.understudyProbe") == "undefined"


def test_a_window_that_takes_no_pointer_is_given_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READY_SECONDS", 0.3)
    with pytest.raises(PersonError):
        measure(stage.page, stage.display, Box(900, 600, 100, 100))


@given(sides, sides, sides, sides, st.sampled_from([1.0, 1.5, 2.0]))
def test_boxes_keep_their_place_and_are_never_empty(
    x: float, y: float, width: float, height: float, scale: float
) -> None:
    box = Placement(left=10.0, top=20.0, scale=scale).on_screen((x, y, width, height))
    assert abs(box.x - (10 + x * scale)) <= 0.5
    assert box.width == 1 or abs(box.x + box.width - (10 + (x + width) * scale)) <= 0.5
    assert box.width >= 1
    assert box.height >= 1
