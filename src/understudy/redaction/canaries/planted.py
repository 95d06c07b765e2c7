r"""The list of canaries: one a line, random, long enough to occur nowhere by chance.

Rules

* A canary has at least 12 characters and at most 200; lines are stripped, empty ones skipped, none repeated.
* None is part of another: finding one would count as finding both.

Example

>>> read_canaries("qzv7k2mx9w4t\n\nvq83hfjz0xkd\n")
('qzv7k2mx9w4t', 'vq83hfjz0xkd')
"""

from typing import Final

from understudy.consent.errors import UnderstudyError

SHORTEST: Final = 12
LONGEST: Final = 200
MOST: Final = 1_000
GRAM: Final = 4
"""Characters in a row of a password that count as a leak of it."""


class CanaryError(UnderstudyError):
    """A list of canaries that would prove nothing."""


def read_canaries(text: str, *, shortest: int = SHORTEST) -> tuple[str, ...]:
    """Return the canaries in the text of a file.

    Raises:
        CanaryError: there are none, or one is too short, too long, repeated, or part of another.
    """
    canaries = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not canaries or len(canaries) > MOST:
        raise CanaryError(f"{len(canaries)} canaries", hint=f"one a line, 1 to {MOST}")
    for number, canary in enumerate(canaries, 1):
        if not shortest <= len(canary) <= LONGEST:
            raise CanaryError(
                f"canary {number} has {len(canary)} characters",
                hint=f"{shortest} to {LONGEST}, random, from an alphabet that occurs nowhere else",
            )
        if any(canary in other for place, other in enumerate(canaries, 1) if place != number):
            raise CanaryError(f"canary {number} is part of another one, or there twice")
    return canaries


def grams(password: str) -> frozenset[str]:
    """Return every run of ``GRAM`` characters of a password: finding one of them is finding a leak."""
    return frozenset(password[start : start + GRAM] for start in range(len(password) - GRAM + 1))
