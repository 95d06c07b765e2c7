"""What a check found: problems with a code, the exact index where there is one, and a sentence.

Rules

* Codes are stable words: programs and people match on them. They are only ever added.
* ``index`` is the first log entry concerned; None where none can be named.
* A report without problems says what was checked, so that "nothing found" cannot mean "nothing looked at".

Example

>>> Report(size=3, root=bytes(32), entries=3, hashes=4, problems=()).is_sound
True
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MAX_PROBLEMS: Final = 100
"""A report stops listing there; one broken disk needs no million lines."""


class ProblemCode(StrEnum):
    """What can be wrong with a log or its store."""

    CHECKPOINT_MISSING = "checkpoint-missing"
    CHECKPOINT_MALFORMED = "checkpoint-malformed"
    CHECKPOINT_UNTRUSTED = "checkpoint-untrusted"
    QUORUM_MISSING = "quorum-missing"
    ROLLED_BACK = "rolled-back"
    FORKED = "forked"
    ROOT_MISMATCH = "root-mismatch"
    ENTRY_EDITED = "entry-edited"
    ENTRY_DROPPED = "entry-dropped"
    ENTRY_ADDED = "entry-added"
    ENTRY_REORDERED = "entry-reordered"
    TILE_MISSING = "tile-missing"
    TILE_MALFORMED = "tile-malformed"
    TILE_ALTERED = "tile-altered"
    BUNDLE_MISSING = "bundle-missing"
    BUNDLE_MALFORMED = "bundle-malformed"
    HASH_ALTERED = "hash-altered"
    HEAD_ALTERED = "head-altered"
    OPENING_ALTERED = "opening-altered"
    OPENING_MISSING = "opening-missing"
    ENTRY_ROOT_MISMATCH = "entry-root-mismatch"
    CLOCK_BACKWARDS = "clock-backwards"


NOTICES: Final = frozenset({ProblemCode.CLOCK_BACKWARDS})
"""Codes that are worth knowing and make nothing unsound."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding."""

    code: ProblemCode
    index: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """What was checked, and what was found.

    Attributes:
        size: the checkpoint's size; 0 if there was none to believe.
        root: the root that was recomputed.
        entries: how many entries were hashed again.
        hashes: how many stored hashes were compared.
        problems: findings, at most 100, in the order they were met.
        repaired: how many derived rows were put right (``fsck`` only).
    """

    size: int
    root: bytes
    entries: int
    hashes: int
    problems: tuple[Problem, ...]
    repaired: int = 0

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found but notices."""
        return all(problem.code in NOTICES for problem in self.problems)


class Findings:
    """Collects problems while a check runs."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, code: ProblemCode, index: int | None, text: str) -> None:
        """Note one problem, unless there are too many already."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(code, index, text))


def compare(found: list[bytes], expected: list[bytes]) -> tuple[ProblemCode, int] | None:
    """Say what was done to ``expected`` to make ``found``, and at which place; None if nothing.

    The two are leaf hashes from the same index on. ``found`` may go on, or stop, behind a drop or an
    addition.

    >>> compare([b"a", b"c"], [b"a", b"b", b"c"])
    (<ProblemCode.ENTRY_DROPPED: 'entry-dropped'>, 1)
    >>> compare([b"b", b"a"], [b"a", b"b"])
    (<ProblemCode.ENTRY_REORDERED: 'entry-reordered'>, 0)
    """
    if found == expected:
        return None
    place = next(
        (place for place, (one, other) in enumerate(zip(found, expected, strict=False)) if one != other),
        min(len(found), len(expected)),
    )
    if sorted(found) == sorted(expected):
        return ProblemCode.ENTRY_REORDERED, place
    if _continues(found[place:], expected[place + 1 :]) and place < len(expected):
        return ProblemCode.ENTRY_DROPPED, place
    if _continues(expected[place:], found[place + 1 :]) and place < len(found):
        return ProblemCode.ENTRY_ADDED, place
    return ProblemCode.ENTRY_EDITED, place


def _continues(one: list[bytes], other: list[bytes]) -> bool:
    """Whether the shorter of two begins the longer, with something to compare or nothing left."""
    length = min(len(one), len(other))
    return one[:length] == other[:length] and (length > 0 or not one)
