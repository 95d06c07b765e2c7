"""How a hand moves a pointer: curved, bell-shaped in speed, a little imprecise.

Rules

* A movement lasts 200 to 700 ms, by Fitts's law: longer for farther and smaller targets.
* Its speed follows the minimum-jerk curve: slow, fast, slow. It bends to one side and trembles by a pixel.
* Some long movements go a little too far and come back. The end lies in the inner part of the target.
* All randomness is the caller's generator: the same seed gives the same path.

Sources: Fitts 1954; Flash and Hogan 1985 (minimum jerk).

Example

>>> import random
>>> way = pointer_path((0, 0), Box(300, 200, 80, 20), bounds=(1280, 800), rng=random.Random(1))
>>> Box(300, 200, 80, 20).contains(way[-1].x, way[-1].y)
True
"""

import math
import random
from typing import Final, NamedTuple

from understudy.formats.elements import Box

MIN_MS: Final = 200.0
MAX_MS: Final = 700.0
EVENT_MS: Final = (10.0, 15.0)
"""Shortest and longest time between two events of the pointer: 66 to 100 events a second."""
OVERSHOOT_FROM: Final = 180.0
"""Distance in pixels from which a movement may go too far."""
_OVERSHOOT_CHANCE: Final = 0.25
_CORRECTION_MS: Final = 130.0
_TREMBLE: Final = 0.6
_INNER: Final = 0.3

Point = tuple[float, float]


class Waypoint(NamedTuple):
    """After ``after_ms`` milliseconds more, the pointer is at the pixel (x, y)."""

    after_ms: float
    x: int
    y: int


def minimum_jerk(share: float) -> float:
    """Return how much of the way is done after a share of the time; both from 0 to 1."""
    return share**3 * (10 - 15 * share + 6 * share * share)


def aim(box: Box, rng: random.Random) -> tuple[int, int]:
    """Return a pixel of the box where a person would point: near its middle, never on its edge."""
    return _aim_between(box.x, box.width, rng), _aim_between(box.y, box.height, rng)


def movement_ms(distance: float, width: float, rng: random.Random) -> float:
    """Return how long a movement takes over a distance to a target of a width, both in pixels."""
    difficulty = math.log2(distance / max(width, 1.0) + 1.0)
    return min(max((190.0 + 95.0 * difficulty) * rng.lognormvariate(0.0, 0.12), MIN_MS), MAX_MS)


def pointer_path(
    start: tuple[int, int], target: Box, *, bounds: tuple[int, int], rng: random.Random
) -> tuple[Waypoint, ...]:
    """Return the way from a pixel into a target.

    Args:
        start: where the pointer is.
        target: where it goes, in pixels of the screen.
        bounds: width and height of the screen; no waypoint lies outside.
        rng: the only source of randomness.
    """
    return path_to(start, aim(target, rng), min(target.width, target.height), bounds=bounds, rng=rng)


def path_to(
    start: tuple[int, int],
    end: tuple[int, int],
    width: float,
    *,
    bounds: tuple[int, int],
    rng: random.Random,
) -> tuple[Waypoint, ...]:
    """Return the way from a pixel to another, as ``pointer_path``; ``width`` is the target's smaller side."""
    distance = math.dist(start, end)
    if distance < 1:
        return ()
    lasts = movement_ms(distance, width, rng)
    if distance < OVERSHOOT_FROM or rng.random() > _OVERSHOOT_CHANCE:
        return tuple(_stroke(start, end, lasts, bounds, rng))
    beyond = rng.uniform(0.02, 0.05)
    too_far = (
        end[0] + (end[0] - start[0]) * beyond + rng.gauss(0, 2),
        end[1] + (end[1] - start[1]) * beyond + rng.gauss(0, 2),
    )
    first = _stroke(start, too_far, max(lasts - _CORRECTION_MS, MIN_MS), bounds, rng)
    turn = (first[-1].x, first[-1].y)
    return (*first, *_stroke(turn, end, _CORRECTION_MS, bounds, rng))


def _stroke(
    start: Point, end: Point, lasts: float, bounds: tuple[int, int], rng: random.Random
) -> list[Waypoint]:
    """Return one movement without correction."""
    distance = math.dist(start, end)
    bend = rng.gauss(0.0, 0.06) * distance
    across = (0.0, 0.0)
    if distance > 0:
        across = ((start[1] - end[1]) / distance, (end[0] - start[0]) / distance)
    way, at = [], 0.0
    while at < lasts:
        step = min(rng.uniform(*EVENT_MS), lasts - at)
        if lasts - at - step < EVENT_MS[0] / 2:
            step = lasts - at
        at += step
        share = minimum_jerk(at / lasts)
        # The bend is largest in the middle and gone at both ends; so is the trembling.
        off = bend * math.sin(math.pi * share) + rng.gauss(0.0, _TREMBLE) * math.sin(math.pi * share)
        x = start[0] + (end[0] - start[0]) * share + across[0] * off
        y = start[1] + (end[1] - start[1]) * share + across[1] * off
        way.append(Waypoint(step, _clip(x, bounds[0]), _clip(y, bounds[1])))
    return way


def _aim_between(start: int, length: int, rng: random.Random) -> int:
    middle = start + (length - 1) / 2
    spread = _INNER * length
    off = min(max(rng.gauss(0.0, length / 8), -spread), spread)
    return round(middle + off)


def _clip(value: float, size: int) -> int:
    return min(max(round(value), 0), size - 1)
