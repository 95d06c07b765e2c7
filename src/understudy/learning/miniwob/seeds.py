"""Which seeds are for what, so that nothing is scored on what was shown or tuned on.

Rules

* The three ranges share no seed.
* A seed is an integer; the page is seeded with its decimal digits.
* ``seeds(use, start)`` walks a range from any start and comes round at its end, so that any ``--seed`` of a
  command gives seeds of the right range.

Example

>>> list(seeds(Use.TUNING, start=999_999, count=2))
[1999999, 1000000]
>>> use_of(2_000_000)
<Use.REPORTED: 'reported'>
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final


class Use(StrEnum):
    """What an episode is for."""

    DEMONSTRATION = "demonstration"
    TUNING = "tuning"
    REPORTED = "reported"


SEEDS_EACH: Final = 1_000_000
RANGES: Final = {use: range(number * SEEDS_EACH, (number + 1) * SEEDS_EACH) for number, use in enumerate(Use)}


def seeds(use: Use, *, start: int, count: int) -> Iterator[int]:
    """Yield ``count`` seeds of ``use``, beginning with number ``start`` of its range."""
    for number in range(start, start + count):
        yield RANGES[use][number % SEEDS_EACH]


def use_of(seed: int) -> Use | None:
    """Return what ``seed`` is for, or None if it is in no range."""
    for use, numbers in RANGES.items():
        if seed in numbers:
            return use
    return None
