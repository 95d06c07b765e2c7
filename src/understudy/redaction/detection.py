"""Runs the patterns over a text: one pass tells which can hit at all, and only those look for their places.

Rules

* A gate that answers nothing has failed (its automaton ran out of memory): then every pattern is run alone.
* Patterns see the plain view of a text; hits are places in the text itself.
* What stands in attributes is judged by shapes alone: their random names are made by programs.

Example

>>> [(hit.kind.value, hit.start, hit.end) for hit in Detector().hits("Write to jane@acme-post.org!")]
[('email', 9, 27)]
"""

from functools import cache
from typing import Final

import msgspec
import re2

from understudy.redaction.checks import kept_length
from understudy.redaction.errors import RedactionError
from understudy.redaction.folding import BARE, PLAIN, View, is_whole_word
from understudy.redaction.kinds import EntityClass
from understudy.redaction.patterns import SPOKEN, TOKENS, TWIN, Pattern

MAX_MEMORY: Final = 1 << 28
"""Bytes that the gate's automaton may take; it takes a few per cent of that."""
MAX_TEXT: Final = 100_000
_ALIVE: Final = r"(?s)^."
_NOT_IN_ATTRIBUTES: Final = frozenset({"random", "assigned", "url", "www"})
_WORDY: Final = frozenset({EntityClass.ADDRESS, EntityClass.HEALTH, EntityClass.NAME})
_BROKEN_NUMBER: Final = r"[0-9](?:[^0-9A-Za-z]{0,3}[0-9]){8}"
"""Nine digits with anything between: worth a look without what is between."""


class Hit(msgspec.Struct, frozen=True):
    """A stretch of a text, and what it is."""

    start: int
    end: int
    kind: EntityClass

    def __repr__(self) -> str:
        return f"Hit({self.kind.value})"


class Detector:
    """The compiled patterns. Making one takes a tenth of a second; ``detector()`` keeps one."""

    def __init__(
        self, patterns: tuple[Pattern, ...] = TOKENS + SPOKEN, twin: tuple[Pattern, ...] = TWIN
    ) -> None:
        options = re2.Options()
        options.max_mem = MAX_MEMORY
        options.log_errors = False
        self._patterns = [(pattern, re2.compile(pattern.expression, options)) for pattern in patterns]
        self._twin = [(pattern, re2.compile(pattern.expression, options)) for pattern in twin]
        self._gate = re2.Set.SearchSet(options)
        for pattern in patterns:
            self._gate.Add(pattern.expression)
        self._broken = self._gate.Add(_BROKEN_NUMBER)
        self._alive = self._gate.Add(_ALIVE)
        self._gate.Compile()

    def hits(self, text: str, *, attribute: bool = False) -> tuple[Hit, ...]:
        """Return what the patterns find in ``text``, in order; hits may overlap.

        Raises:
            RedactionError: the text is longer than any field of a recording.
        """
        if len(text) > MAX_TEXT:
            raise RedactionError(f"a text of over {MAX_TEXT} characters")
        plain = PLAIN.of(text)
        if not plain:
            return ()
        found: list[Hit] = []
        matched = self._gate.Match(plain) or ()
        if self._alive not in matched:
            matched = range(self._alive)
        elif len(matched) == 1:
            return ()
        for number in sorted(matched):
            if number >= self._broken:
                continue
            pattern, compiled = self._patterns[number]
            if not (attribute and pattern.name in _NOT_IN_ATTRIBUTES):
                found += _found(pattern, compiled, text, plain, PLAIN)
        if self._broken in matched:
            bare = BARE.of(text)
            for pattern, compiled in self._twin:
                hits = _found(pattern, compiled, text, bare, BARE)
                found += [hit for hit in hits if is_whole_word(text, hit.start, hit.end)]
        return _outermost(found)


@cache
def detector() -> Detector:
    """Return the detector of the built-in patterns."""
    return Detector()


def _outermost(hits: list[Hit]) -> tuple[Hit, ...]:
    """Return the hits without those that are a piece of another; what is said at length may hold others."""
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end)):
        if not any(
            other.end >= hit.end and (other.kind not in _WORDY or _is_same(other, hit)) for other in kept
        ):
            kept.append(hit)
    return tuple(kept)


def _is_same(one: Hit, other: Hit) -> bool:
    return (one.start, one.end) == (other.start, other.end)


def _found(pattern: Pattern, compiled: "re2._Regexp[str]", text: str, seen: str, view: View) -> list[Hit]:
    hits = []
    for match in compiled.finditer(seen):
        start, end = match.span(1 if compiled.groups else 0)
        if pattern.check is not None and end > start:
            end = start + kept_length(pattern.check, seen[start:end])
        if end > start:
            if seen is not text and seen != text:
                start, end = view.span(text, start, end)
            hits.append(Hit(start, end, pattern.kind))
    return hits
