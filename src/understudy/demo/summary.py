"""The files that a run of the demonstration begins and ends with.

Rules

* Planted strings come from the seed, and from letters and digits that spell no word.
* The summary is sorted, so that two runs can be compared line by line.

Example: ``write_summary(folder / "summary.json", {"seed": 1})``.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

CANARY_COUNT: Final = 8
LETTERS: Final = "bcdfghjkmnpqrstvwxz23456789"
LENGTH: Final = 14


def plant_canaries(path: Path, seed: int) -> None:
    """Write strings that occur nowhere else, one a line, for the search stage."""
    digests = (
        hashlib.sha256(f"understudy demo {seed} {number}".encode()).digest() for number in range(CANARY_COUNT)
    )
    lines = ("".join(LETTERS[byte % len(LETTERS)] for byte in digest[:LENGTH]) for digest in digests)
    path.write_text("".join(f"{line}\n" for line in lines))


def write_summary(path: Path, summary: dict[str, Any]) -> None:
    """Write ``summary.json``, sorted."""
    path.write_text(json.dumps(summary, indent=2, sort_keys=True) + "\n")
