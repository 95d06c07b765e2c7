"""What has been found so far in one recording, and where it stands in any text.

Rules

* An entity is found again whatever its case, spaces, accents or invisible characters; if it has 6 letters
  and digits or more, whatever stands between them too.
* Entities of fewer than 5 characters are found as whole words only, unless their script puts no spaces
  between words. Entities of fewer than 3 (2 in such a script) and stop words are not looked for.
* Parts that give somebody away alone are entities too: names of 4 letters and more, the mailbox of an
  address, a number without its country code, a day in other spellings.
* A beginning of 5 characters and more, where a word begins and ends, stands for the entity: it was being
  typed.
* What was put in as a surrogate is never found, not even by a later entity that happens to be like it.

Example

>>> entities = Entities(Maker(bytes(32)))
>>> entities.add("Jane Doe", EntityClass.NAME), entities.add("jane doe", EntityClass.NAME)
(True, False)
>>> [(found.start, found.end) for found in entities.find("Mail from JANE  DOE, or Jane.")]
[(10, 19), (24, 28)]
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Final

import msgspec
import phonenumbers

from understudy.redaction.birthdate import spellings
from understudy.redaction.folding import (
    BARE,
    SQUEEZED,
    View,
    is_unspaced,
    is_whole_word,
    is_word_end,
    is_word_start,
)
from understudy.redaction.kinds import HIDDEN, PLACEHOLDERS, EntityClass
from understudy.redaction.matching import Matcher
from understudy.redaction.stopwords import GENERIC_MAILBOXES, TITLES, is_stopword
from understudy.redaction.surrogate import Maker, Surrogate

MIN_ENTITY: Final = 3
MIN_UNSPACED: Final = 2
MIN_INSIDE: Final = 5
"""From here on an entity is found inside of words."""
MIN_BARE: Final = 6
MIN_PART: Final = 4
MIN_PREFIX: Final = 5
MAX_PREFIX: Final = 160
LONG_PREFIX: Final = 24
"""A beginning this long needs no word to end behind it."""
MIN_NATIONAL: Final = 7
_CONSTANTS: Final = (*PLACEHOLDERS.values(), HIDDEN, "www.example.com", "example.com", "@example.com")
_SHARED: Final = frozenset(map(SQUEEZED.of, _CONSTANTS))


class Entity(msgspec.Struct, eq=False):
    """One thing found: its class, its squeezed spelling, what stands for it, and that squeezed."""

    kind: EntityClass
    squeezed: str
    surrogate: Surrogate
    shown: str

    def __repr__(self) -> str:
        return f"Entity({self.kind.value})"


class Found(msgspec.Struct, frozen=True):
    """A stretch of a text that holds an entity, or the beginning of one."""

    start: int
    end: int
    entity: Entity
    is_prefix: bool = False

    def render(self, text: str) -> str:
        """Return what stands there instead."""
        occurrence, surrogate = text[self.start : self.end], self.entity.surrogate
        return surrogate.render_prefix(occurrence) if self.is_prefix else surrogate.render(occurrence)


class Entities:
    """All entities of one recording. Grows only."""

    def __init__(self, maker: Maker, *, with_prefixes: bool = True, with_parts: bool = True) -> None:
        self._maker = maker
        self.with_prefixes = with_prefixes
        self._with_parts = with_parts
        maker.clashes = self._shows_entity
        self._known: dict[str, Entity] = {}
        self._bare: dict[str, Entity] = {}
        self._searched: list[str] = []
        self._sorted: list[str] = []
        self._squeezed_matcher: Matcher[tuple[Entity, bool]] = Matcher()
        self._bare_matcher: Matcher[tuple[Entity, bool]] = Matcher()
        self._own = Matcher[None]()
        self._own_bare = Matcher[None]()
        self._own_sorted: list[str] = []
        for constant in _CONSTANTS:
            self._own.put(SQUEEZED.of(constant), None)

    def __len__(self) -> int:
        return len(self._known)

    def __repr__(self) -> str:
        return f"Entities({len(self)})"

    def add(self, text: str, kind: EntityClass) -> bool:
        """Take an entity in, with what gives it away alone; return whether it is new."""
        squeezed = SQUEEZED.of(text)
        if not squeezed or squeezed in self._known or self.is_own(text):
            return False
        surrogate = self._maker.surrogate(text, kind)
        entity = Entity(kind, squeezed, surrogate, SQUEEZED.of(surrogate.text))
        self._known[squeezed] = entity
        insort(self._sorted, squeezed)
        self.issue(entity.surrogate.text)
        self._search(entity, text)
        if self._with_parts:
            for part, part_kind in _parts(text, kind):
                self.add(part, part_kind)
        return True

    def get(self, text: str) -> Entity | None:
        """Return the entity that is the whole of ``text``."""
        found = self._known.get(SQUEEZED.of(text))
        return found if found is not None else self._bare.get(BARE.of(text))

    def beginning_with(self, text: str) -> Entity | None:
        """Return an entity of which ``text`` is a proper beginning."""
        squeezed = SQUEEZED.of(text)
        place = bisect_left(self._sorted, squeezed)
        if squeezed and place < len(self._sorted) and self._sorted[place].startswith(squeezed):
            return self._known[self._sorted[place]]
        return None

    def around(self, text: str, least: int = MIN_PART) -> Entity | None:
        """Return an entity of which ``text`` is a piece, from ``least`` characters on."""
        squeezed = SQUEEZED.of(text)
        if len(squeezed) < least or is_stopword(text):
            return None
        return next((self._known[known] for known in self._searched if squeezed in known), None)

    def find(self, text: str) -> list[Found]:
        """Return the entities in ``text`` in order; they do not overlap, and none lies in a surrogate."""
        squeezed = self._squeezed_matcher.find(SQUEEZED.of(text))
        bare = self._bare_matcher.find(BARE.of(text))
        if not squeezed and not bare:
            return []
        found = [*self._matches(text, SQUEEZED, squeezed), *self._matches(text, BARE, bare)]
        if not found:
            return []
        own = self.own_spans(text)
        loose = [one for one in found if not any(start <= one.start and one.end <= end for start, end in own)]
        return apart(loose)

    def is_own(self, text: str) -> bool:
        """Return whether ``text`` is nothing but surrogates, or the beginning of one."""
        squeezed = SQUEEZED.of(text)
        place = bisect_left(self._own_sorted, squeezed)
        if place < len(self._own_sorted) and self._own_sorted[place].startswith(squeezed):
            return True
        spans = self.own_spans(text)
        if not spans:
            return False
        rest = "".join(
            character
            for place, character in enumerate(text)
            if not any(start <= place < end for start, end in spans)
        )
        return not SQUEEZED.of(rest).strip(".,;:!?-_/()\"'")

    def issued_spans(self, text: str) -> list[tuple[int, int]]:
        """Return where surrogates stand in ``text`` that were made for one entity."""
        if len(self._own) == len(_CONSTANTS):
            return []
        return [span for span in self.own_spans(text) if SQUEEZED.of(text[slice(*span)]) not in _SHARED]

    def own_spans(self, text: str) -> list[tuple[int, int]]:
        """Return where surrogates stand in ``text``."""
        spans = []
        for view, matcher in ((SQUEEZED, self._own), (BARE, self._own_bare)):
            folded = view.of(text)
            spans += [view.span(text, start, end) for start, end, _ in matcher.find(folded)]
        return spans

    def _search(self, entity: Entity, text: str) -> None:
        """Look for the entity from now on."""
        squeezed, bare = entity.squeezed, BARE.of(text)
        least = MIN_UNSPACED if is_unspaced(squeezed) else MIN_ENTITY
        if len(squeezed) < least or is_stopword(text):
            return
        self._reissue(squeezed)
        self._searched.append(squeezed)
        self._squeezed_matcher.put(squeezed, (entity, False), over=True)
        if len(bare) >= MIN_BARE:
            self._bare.setdefault(bare, entity)
            self._bare_matcher.put(bare, (entity, False))
        if self.with_prefixes:
            for length in range(MIN_PREFIX, min(len(squeezed), MAX_PREFIX + 1)):
                if not is_stopword(squeezed[:length]):
                    self._squeezed_matcher.put(squeezed[:length], (entity, True))

    def _matches(
        self, text: str, view: View, matches: list[tuple[int, int, tuple[Entity, bool]]]
    ) -> Iterator[Found]:
        for start, end, (entity, is_prefix) in matches:
            first, last = view.span(text, start, end)
            length = end - start
            if is_prefix:
                is_there = is_word_start(text, first) and (length >= LONG_PREFIX or is_word_end(text, last))
            else:
                is_there = (
                    length >= MIN_INSIDE or is_unspaced(text[first:last]) or is_whole_word(text, first, last)
                )
            if is_there:
                yield Found(first, last, entity, is_prefix)

    def _shows_entity(self, text: str) -> bool:
        squeezed = SQUEEZED.of(text)
        return any(known in squeezed for known in self._searched)

    def issue(self, text: str) -> None:
        """Remember what was put in somewhere, so that it is never taken for something recorded."""
        squeezed, bare = SQUEEZED.of(text), BARE.of(text)
        if len(squeezed) >= MIN_ENTITY:  # shorter ones are in any text, and would protect it
            self._own.put(squeezed, None)
        if len(bare) >= MIN_BARE:
            self._own_bare.put(bare, None)
        place = bisect_left(self._own_sorted, squeezed)
        if place == len(self._own_sorted) or self._own_sorted[place] != squeezed:
            self._own_sorted.insert(place, squeezed)

    def _reissue(self, squeezed: str) -> None:
        """Take back the surrogates in which a new entity would be hidden, and give others."""
        showing = [other for other in self._known.values() if squeezed in other.shown]
        if not showing:
            return
        self._maker.forget(squeezed)
        self._searched.append(squeezed)
        for other in showing:
            shown = other.shown
            other.surrogate = self._maker.surrogate(other.surrogate.original, other.kind)
            other.shown = SQUEEZED.of(other.surrogate.text)
            if other.shown != shown:
                self._take_back(shown)
            self.issue(other.surrogate.text)
        self._searched.pop()

    def _take_back(self, shown: str) -> None:
        """Forget a surrogate and its beginnings."""
        for length in range(1, len(shown) + 1):
            place = bisect_left(self._own_sorted, shown[:length])
            if place < len(self._own_sorted) and self._own_sorted[place] == shown[:length]:
                self._own.drop(shown[:length])
                self._own_bare.drop(BARE.of(shown[:length]))
                del self._own_sorted[place]


def _parts(text: str, kind: EntityClass) -> Iterator[tuple[str, EntityClass]]:
    match kind:
        case EntityClass.NAME:
            for word in text.replace(",", " ").split():
                part = word.strip(".'\u2019\"()-")
                if (
                    len(SQUEEZED.of(part)) >= MIN_PART
                    and SQUEEZED.of(part) not in TITLES
                    and not is_stopword(part)
                ):
                    yield part, EntityClass.NAME
        case EntityClass.EMAIL:
            mailbox = text.partition("@")[0]
            if "@" in text and len(mailbox) >= MIN_PART and mailbox.casefold() not in GENERIC_MAILBOXES:
                yield mailbox, EntityClass.USERNAME
        case EntityClass.BIRTH_DATE:
            for spelling in spellings(text):
                yield spelling, EntityClass.BIRTH_DATE
        case EntityClass.PHONE if text.startswith("+"):
            try:
                national = str(phonenumbers.parse(text).national_number)
            except phonenumbers.NumberParseException:
                return
            if len(national) >= MIN_NATIONAL:
                yield national, EntityClass.PHONE
        case _:
            return


def apart(found: list[Found]) -> list[Found]:
    """Return the longest of those that overlap, widened so that what stuck out goes too."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: (one.start, -one.end, one.is_prefix)):
        if kept and one.start < kept[-1].end:
            last = kept[-1]
            if one.end > last.end:
                longer = one if one.end - one.start > last.end - last.start else last
                kept[-1] = Found(last.start, one.end, longer.entity)
        else:
            kept.append(one)
    return kept
