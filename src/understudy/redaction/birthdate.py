"""Dates as people write them: read, moved by some days, and written the same way.

Rules

* Only whole dates with a day, a month and a year are read; what is ambiguous is read day first with dots and
  month first with slashes, and the surrogate keeps that order.
* ``spellings`` gives the numeric forms in which the same day is likely to stand elsewhere.

Example

>>> [shifted(text, lambda _: 30) for text in ("12.03.1980", "March 3, 1980", "soon")]
['11.04.1980', 'April 2, 1980', None]
"""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

_MONTHS: Final = "January February March April May June July August September October November December"
_MONATE: Final = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"
_ENGLISH: Final = tuple(_MONTHS.split())
_GERMAN: Final = tuple(_MONATE.split())
_YEAR_FIRST: Final = re.compile(r"(?P<y>[12][0-9]{3})(?P<s>[-./ ])(?P<m>[0-9]{1,2})(?P=s)(?P<d>[0-9]{1,2})")
_DAY_FIRST: Final = re.compile(
    r"(?P<d>[0-9]{1,2})(?P<s>[-. ])\s?(?P<m>[0-9]{1,2})(?P=s)\s?(?P<y>[12][0-9]{3}|[0-9]{2})"
)
_MONTH_FIRST: Final = re.compile(
    r"(?P<m>[0-9]{1,2})(?P<s>/)(?P<d>[0-9]{1,2})(?P=s)(?P<y>[12][0-9]{3}|[0-9]{2})"
)
_NAMED: Final = re.compile(
    r"(?P<d>[0-9]{1,2})(?:st|nd|rd|th|\.)? (?P<m>[^\W\d_]{3,9})\.?,? (?P<y>[12][0-9]{3})"
)
_NAME_FIRST: Final = re.compile(
    r"(?P<m>[^\W\d_]{3,9})\.? (?P<d>[0-9]{1,2})(?:st|nd|rd|th)?,? (?P<y>[12][0-9]{3})"
)
_FORMS: Final = (_YEAR_FIRST, _DAY_FIRST, _MONTH_FIRST, _NAMED, _NAME_FIRST)
_CENTURY: Final = 30
_MAX_MONTH: Final = 12


def shifted(text: str, days: Callable[[str], int]) -> str | None:
    """Return the date in ``text`` moved back or forth, written alike; None where it is no whole date.

    Args:
        text: nothing but a date.
        days: how far to move; asked with the ISO form, so that all spellings of a day move alike.
    """
    read = _read(text)
    if read is None:
        return None
    match, day = read
    moved = day + timedelta(days=days(day.isoformat()))
    pieces = {"y": match["y"], "m": match["m"], "d": match["d"]}
    pieces["y"] = f"{moved.year:04}"[-len(match["y"]) :]
    pieces["d"] = f"{moved.day:0{len(match['d'])}}"
    pieces["m"] = (
        f"{moved.month:0{len(match['m'])}}" if match["m"].isdigit() else _name(match["m"], moved.month)
    )
    written, last = "", 0
    for group in sorted("ymd", key=match.start):
        written += text[last : match.start(group)] + pieces[group]
        last = match.end(group)
    return written + text[last:]


def spellings(text: str) -> tuple[str, ...]:
    """Return the day in ``text`` in the common numeric forms; nothing where it is no whole date."""
    read = _read(text)
    if read is None:
        return ()
    day = read[1]
    forms = ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y")
    return tuple(day.strftime(form) for form in forms)


def _read(text: str) -> tuple[re.Match[str], date] | None:
    for form in _FORMS:
        match = form.fullmatch(text.strip())
        if match is None or match.string != text:
            continue
        month = int(match["m"]) if match["m"].isdigit() else _month(match["m"])
        day, year = int(match["d"]), int(match["y"])
        if month > _MAX_MONTH >= day:
            month, day = day, month
        if len(match["y"]) == len("80"):
            year += 2000 if year < _CENTURY else 1900
        try:
            return match, date(year, month, day)
        except ValueError:
            continue
    return None


def _month(name: str) -> int:
    for names in (_ENGLISH, _GERMAN):
        for number, known in enumerate(names, 1):
            if known.lower().startswith(name.lower()[:3]) and known.lower().startswith(name.lower()):
                return number
    return 0


def _name(like: str, month: int) -> str:
    names = _GERMAN if _month(like) and _GERMAN[_month(like) - 1].startswith(like.title()) else _ENGLISH
    if any(known.lower() == like.lower() for known in _ENGLISH):
        names = _ENGLISH
    name = names[month - 1]
    return name if like.title() in (*_ENGLISH, *_GERMAN) else name[: len(like)]
