"""Pointers move as hands do: bounded in time, bell-shaped in speed, ending where they should."""

import math
import random

from hypothesis import given
from hypothesis import strategies as st

from understudy.demo.paths import (
    EVENT_MS,
    MAX_MS,
    MIN_MS,
    OVERSHOOT_FROM,
    Waypoint,
    aim,
    minimum_jerk,
    movement_ms,
    pointer_path,
)
from understudy.formats.elements import Box

SCREEN = (1280, 800)
starts = st.tuples(st.integers(0, SCREEN[0] - 1), st.integers(0, SCREEN[1] - 1))
boxes = st.builds(Box, st.integers(0, 1100), st.integers(0, 700), st.integers(1, 180), st.integers(1, 100))
seeds = st.integers(0, 2**32)


def total_ms(way: tuple[Waypoint, ...]) -> float:
    return sum(point.after_ms for point in way)


@given(starts, boxes, seeds)
def test_a_path_ends_in_the_target_and_never_leaves_the_screen(
    start: tuple[int, int], box: Box, seed: int
) -> None:
    way = pointer_path(start, box, bounds=SCREEN, rng=random.Random(seed))
    if way:
        assert box.contains(way[-1].x, way[-1].y)
    else:
        assert box.contains(*start)
    assert all(0 <= point.x < SCREEN[0] and 0 <= point.y < SCREEN[1] for point in way)


@given(starts, boxes, seeds)
def test_a_path_lasts_as_long_as_a_hand_and_has_as_many_events(
    start: tuple[int, int], box: Box, seed: int
) -> None:
    way = pointer_path(start, box, bounds=SCREEN, rng=random.Random(seed))
    if not way:
        return
    assert MIN_MS - 1 <= total_ms(way) <= MAX_MS + MIN_MS
    per_second = 1_000 * len(way) / total_ms(way)
    assert 60 <= per_second <= 110
    assert all(0 < point.after_ms <= EVENT_MS[1] + EVENT_MS[0] for point in way)


@given(starts, boxes, seeds)
def test_the_same_seed_gives_the_same_path(start: tuple[int, int], box: Box, seed: int) -> None:
    first = pointer_path(start, box, bounds=SCREEN, rng=random.Random(seed))
    assert first == pointer_path(start, box, bounds=SCREEN, rng=random.Random(seed))


def test_speed_is_bell_shaped() -> None:
    """The middle third of the time covers most of the way, the first and the last tenth hardly any."""
    for seed in range(40):
        way = pointer_path((10, 10), Box(150, 90, 10, 10), bounds=SCREEN, rng=random.Random(seed))
        shares, done, at = [], 0.0, 0.0
        x, y = 10, 10
        for point in way:
            done += math.hypot(point.x - x, point.y - y)
            at += point.after_ms
            shares.append((at / total_ms(way), done))
            x, y = point.x, point.y
        whole = shares[-1][1]
        early = max(way_done for share, way_done in shares if share <= 0.15)
        late = max(way_done for share, way_done in shares if share <= 0.85)
        assert early < 0.1 * whole
        assert late > 0.9 * whole


def test_paths_bend_and_differ() -> None:
    ways = {
        pointer_path((0, 400), Box(900, 390, 40, 20), bounds=SCREEN, rng=random.Random(n)) for n in range(20)
    }
    assert len(ways) == 20
    straight = [all(385 <= point.y <= 415 for point in way) for way in ways]
    assert not all(straight)


def test_some_long_movements_go_too_far_and_short_ones_never() -> None:
    def goes_too_far(distance: int, seed: int) -> bool:
        way = pointer_path((0, 400), Box(distance, 390, 20, 20), bounds=SCREEN, rng=random.Random(seed))
        return max(point.x for point in way) >= distance + 20

    far = sum(goes_too_far(900, seed) for seed in range(200))
    assert 10 <= far <= 100
    assert not any(goes_too_far(int(OVERSHOOT_FROM) - 60, seed) for seed in range(200))


@given(boxes, seeds)
def test_a_person_points_at_the_inner_part(box: Box, seed: int) -> None:
    x, y = aim(box, random.Random(seed))
    assert box.contains(x, y)
    if box.width >= 10:
        assert box.x + 0.15 * box.width <= x <= box.x + 0.85 * box.width


@given(st.floats(1, 2_000), st.floats(1, 400), seeds)
def test_movements_last_between_the_bounds(distance: float, width: float, seed: int) -> None:
    assert MIN_MS <= movement_ms(distance, width, random.Random(seed)) <= MAX_MS


def test_far_and_small_takes_longer_than_near_and_large() -> None:
    def mean(distance: float, width: float) -> float:
        return sum(movement_ms(distance, width, random.Random(seed)) for seed in range(100)) / 100

    assert mean(800, 12) > 1.5 * mean(60, 40)


@given(st.floats(0, 1))
def test_minimum_jerk_runs_from_nothing_to_all(share: float) -> None:
    assert -1e-9 <= minimum_jerk(share) <= 1 + 1e-9
    assert math.isclose(minimum_jerk(share) + minimum_jerk(1 - share), 1, abs_tol=1e-9)
