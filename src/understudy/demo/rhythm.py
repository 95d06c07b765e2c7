"""How a person types: uneven gaps, keys held for a moment, now and then a slip.

Rules

* Gaps between presses are log-normal with a median of about 125 ms, longer before capitals and punctuation,
  shorter for a letter repeated. Long texts are typed faster: the median falls to about 70 ms.
* A slip is a neighbouring letter, noticed at once and taken back by one Backspace. What stands there in the
  end is the text.
* All randomness is the caller's generator.

Example

>>> import random
>>> "".join(stroke.character for stroke in strokes("Anna", rng=random.Random(1)))
'Anna'
"""

import math
import random
from typing import Final, NamedTuple

BACKSPACE: Final = "\b"
MEDIAN_MS: Final = 125.0
FAST_MEDIAN_MS: Final = 70.0
LONG_FROM: Final = 20
LONG_TO: Final = 120
"""Lengths between which typing gets faster."""
MAX_SLIPS: Final = 2
_SLIP_CHANCE: Final = 0.012
_SPREAD: Final = 0.33

_ROWS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


class Stroke(NamedTuple):
    """A key: wait ``gap_ms`` since the last press, press, hold for ``hold_ms``, release."""

    character: str
    gap_ms: float
    hold_ms: float


def strokes(text: str, *, rng: random.Random, slips: bool = True) -> tuple[Stroke, ...]:
    """Return the keys that type a text.

    Args:
        text: any characters; a slip happens only at letters a to z.
        rng: the only source of randomness.
        slips: whether there may be slips at all.
    """
    median = typing_median(len(text))
    done: list[Stroke] = []
    slipped = 0
    for before, character in zip(("", *text), text, strict=False):
        near = _neighbours(character)
        if slips and near and slipped < MAX_SLIPS and rng.random() < _SLIP_CHANCE:
            slipped += 1
            done.append(_stroke(rng.choice(near), before, median, rng))
            noticed = rng.uniform(180.0, 420.0)
            done.append(Stroke(BACKSPACE, noticed, _hold(rng)))
        done.append(_stroke(character, before, median, rng))
    return tuple(done)


def typing_median(length: int) -> float:
    """Return the median gap in milliseconds in a text of ``length`` characters.

    >>> typing_median(8), typing_median(500)
    (125.0, 70.0)
    """
    share = min(max((length - LONG_FROM) / (LONG_TO - LONG_FROM), 0.0), 1.0)
    return MEDIAN_MS + (FAST_MEDIAN_MS - MEDIAN_MS) * share


def _stroke(character: str, before: str, median: float, rng: random.Random) -> Stroke:
    gap = median * rng.lognormvariate(0.0, _SPREAD)
    if character.isupper() or not (character.isalnum() or character.isspace()):
        gap *= 1.3
    elif character == before:
        gap *= 0.8
    return Stroke(character, min(max(gap, 35.0), 900.0), _hold(rng))


def _hold(rng: random.Random) -> float:
    return min(max(72.0 * math.exp(rng.gauss(0.0, 0.2)), 35.0), 140.0)


def _neighbours(character: str) -> str:
    """Return the keys left and right of a letter."""
    for row in _ROWS:
        at = row.find(character) if character else -1
        if at >= 0:
            return row[max(at - 1, 0) : at] + row[at + 1 : at + 2]
    return ""
