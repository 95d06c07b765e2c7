"""Whether a long token is a word, a name in a program, or something that only a machine or a dice makes.

Rules

* Tokens of fewer than 12 characters are never called random: too many words would be.
* Letters are judged by how usual each follows the one before it in English, German and Latin; digits by how
  often letters and digits change. Dates, versions and words joined by ``-`` or ``_`` are no random tokens.
* This is a guess. It is no layer to rely on: labels find what it misses.

Levels: 9 is usual, 0 is never; measured on the documentation of Python, and on lists of German and Latin
words.

Example

>>> [is_random(token) for token in ("x7Gq9ZpL2mNv4Rt8", "qzkvwpxhrtgbnj")]
[True, True]
>>> [is_random(token) for token in ("internationalization", "2024-05-17T12:30")]
[False, False]
"""

import re
from functools import lru_cache
from typing import Final

MIN_TOKEN: Final = 12
USUAL: Final = 5.3
"""Mean level below which letters are no word; nine of ten random tokens are below, one word in thousands."""
_MIXED_RUN: Final = 3.5
_MIN_CHANGES: Final = 3

_MATRIX: Final = (
    "46763464624767261878554452 76558333764854742765722163 72547327607743832657632040 "
    "74569433833534742665643350 64776543513767454877354642 73557743804744842766622250 "
    "74439467724656640765633133 83448423714555830657532152 65766561214768753677251405 "
    "83327323616223745363732039 74558444715648643575535240 74468433804744740366642062 "
    "86458322714564771365621140 73677573765436641478552142 45664552415768660866656433 "
    "83458445704734762867623050 34444423436425434664935220 74668453715565741677543150 "
    "64648447724544663478634251 74558427813554751766634363 66657552614778471777221212 "
    "83429343804343641433343241 84558536812547743765334443 64757545722553582468344563 "
    "65667544622768683677555244 73329923712454633443414344"
)
LEVELS: Final = tuple(_MATRIX.split())

_LEVEL: Final = {
    chr(97 + first) + chr(97 + second): int(level)
    for first, row in enumerate(LEVELS)
    for second, level in enumerate(row)
}
_LETTERS: Final = re.compile(r"[A-Za-z]+")
_RUNS: Final = re.compile(r"[A-Za-z]+|[0-9]+")
_CAMEL: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_JOINTS: Final = re.compile(r"[-_=/+~]+")
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz"
_ROWS: Final = f"{_ALPHABET}{_ALPHABET} qwertyuiopasdfghjklzxcvbnmqwertyuiop qwertzuiopasdfghjklyxcvbnm"
_MIN_DISTINCT: Final = 5


@lru_cache(maxsize=16384)
def is_random(token: str) -> bool:
    """Return whether ``token`` looks like chance rather than like words."""
    parts = [part for part in _JOINTS.split(token) if part]
    core = "".join(parts)
    if len(core) < MIN_TOKEN or len(set(core.lower())) < _MIN_DISTINCT:
        return False
    if all(_is_plain(part) for part in parts):
        return False
    if any(map(str.isdigit, core)):
        if sum(map(str.isalpha, core)) < _MIN_CHANGES:
            return False
        return any(_is_mixed(part) for part in parts if len(part) >= MIN_TOKEN // 2) or _is_mixed(core)
    return _is_unusual(core)


def _is_plain(part: str) -> bool:
    """Return whether a part between joints is a number, or a word that may end in a number."""
    letters, digits = part.rstrip("0123456789"), part.lstrip("0123456789")
    if not letters or not digits:
        return len(part) <= MIN_TOKEN
    if letters.isalpha() or digits.isalpha():
        word = letters if letters.isalpha() else digits
        return len(word) < MIN_TOKEN // 2 or not _is_unusual(word)
    return False


def _is_mixed(part: str) -> bool:
    runs = _RUNS.findall(part)
    if len(runs) <= _MIN_CHANGES or len(part) < MIN_TOKEN // 2:
        return False
    words = [run for run in runs if run.isalpha()]
    if not words or len(words) == len(runs):
        return False
    return sum(map(len, words)) / len(words) <= _MIXED_RUN or _is_unusual("".join(words))


def _is_unusual(word: str) -> bool:
    lower = word.lower()
    if lower in _ROWS or len(set(lower)) < _MIN_DISTINCT or not lower.isascii():
        return False
    # Humps of camelCase are words of their own; letters of changing case are not humps.
    humps = _CAMEL.findall(word)
    if len(humps) > 1 and len(word) / len(humps) < _MIXED_RUN:
        return True
    levels = [
        _LEVEL[pair]
        for hump in humps
        for pair in map("".join, zip(hump.lower(), hump.lower()[1:], strict=False))
    ]
    return bool(levels) and sum(levels) / len(levels) < USUAL
