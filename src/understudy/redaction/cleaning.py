"""Makes a text clean: what patterns find in it, and every entity known, gives way to its surrogate.

Rules

* A text is cleaned until nothing is found in it; where that does not end, the whole text is hidden.
* A field's whole value is one entity, or the beginning of one that is being typed.
* What is already a surrogate stays as it is, so cleaning twice changes nothing.
* What this wrote is not searched by patterns again: chance would find numbers in it. Known entities are.
* Results are kept by text until another entity is found.

Example

>>> cleaner = Cleaner(bytes(32), ALL_LAYERS)
>>> cleaner.clean('the password "hunter2" is old').text
'the password "hiddenpassword" is old'
>>> cleaner.clean("hunter2 again").text
'hiddenpassword again'
"""

from collections import Counter
from typing import Final

import msgspec

from understudy.redaction.detection import Detector, Hit, detector
from understudy.redaction.entities import MIN_PART, MIN_PREFIX, Entities, Entity, Found, apart
from understudy.redaction.folding import PLAIN, SQUEEZED
from understudy.redaction.kinds import ALL_LAYERS, HIDDEN, EntityClass, Layer
from understudy.redaction.surrogate import Maker

__all__ = ["ALL_LAYERS", "Cleaned", "Cleaner"]

Kept = dict[tuple[str, bool], tuple[Hit, ...]] | dict[tuple[str, bool], "Cleaned"] | set[str]

_PASSES: Final = 4
_MAX_KEPT: Final = 50_000


class Cleaned(msgspec.Struct, frozen=True):
    """A clean text, and how many entities of each class gave way in it."""

    text: str
    kinds: tuple[EntityClass, ...] = ()

    def __repr__(self) -> str:
        return f"Cleaned({len(self.kinds)})"


class Cleaner:
    """The entities of one recording, and the texts seen so far."""

    def __init__(
        self,
        key: bytes,
        layers: frozenset[Layer],
        *,
        patterns: Detector | None = None,
        with_prefixes: bool = True,
    ) -> None:
        self._layers = layers
        self._detector = patterns or detector()
        is_spread = Layer.PROPAGATION in layers
        self.entities = Entities(Maker(key), with_prefixes=with_prefixes, with_parts=is_spread)
        self.counts: Counter[EntityClass] = Counter()
        self._hits: dict[tuple[str, bool], tuple[Hit, ...]] = {}
        self._cleaned: dict[tuple[str, bool], Cleaned] = {}
        self._written: set[str] = set()
        self._size = len(self.entities)

    def __repr__(self) -> str:
        return f"Cleaner({len(self.entities)})"

    @property
    def shared(self) -> tuple[object, ...]:
        """What a copy may share, because it says the same whatever is known."""
        return (self._detector, self._hits)

    def take_in(self, text: str, *, attribute: bool = False) -> EntityClass | None:
        """Take in what patterns find in ``text``; return the class of a hit that is all of it."""
        whole = None
        for hit in self.hits(text, attribute=attribute):
            if not self._is_new(text, hit):
                continue
            piece = text[hit.start : hit.end]
            if self._longer(piece) is None:
                self.entities.add(piece, hit.kind)
            if SQUEEZED.of(piece) == SQUEEZED.of(text):
                whole = hit.kind
        return whole

    def hits(self, text: str, *, attribute: bool = False) -> tuple[Hit, ...]:
        """Return what patterns find in ``text``, if that layer runs."""
        if Layer.PATTERNS not in self._layers or text in self._written:
            return ()
        key = (text, attribute)
        hits = self._hits.get(key)
        if hits is None:
            _bound(self._hits)
            hits = self._hits[key] = self._detector.hits(text, attribute=attribute)
        return hits

    def clean(self, text: str, *, attribute: bool = False) -> Cleaned:
        """Return ``text`` with everything known replaced.

        Raises:
            RedactionError: the text is longer than any field of a recording.
        """
        if not text:
            return Cleaned(text)
        if len(self.entities) != self._size:
            self._cleaned.clear()
            self._size = len(self.entities)
        key = (text, attribute)
        cleaned = self._cleaned.get(key)
        if cleaned is None:
            cleaned = self._clean(text, attribute=attribute)
            if len(self.entities) == self._size:
                _bound(self._cleaned)
                self._cleaned[key] = cleaned
        if cleaned.kinds:
            self.counts.update(cleaned.kinds)
        return cleaned

    def whole(self, text: str, kind: EntityClass) -> Cleaned:
        """Return what stands for the whole value of a place of that class."""
        if not SQUEEZED.of(text) or self.entities.is_own(text):
            return Cleaned(text)
        entity = self.entities.get(text)
        if entity is None:
            beginning = self.entities.beginning_with(text)
            if beginning is not None:
                self.counts[beginning.kind] += 1
                written = beginning.surrogate.render_prefix(text)
                self.entities.issue(written)
                return Cleaned(written, (beginning.kind,))
            self.entities.add(text, kind)
            entity = self.entities.get(text)
        if entity is None:
            return Cleaned(HIDDEN, (kind,))
        self.counts[entity.kind] += 1
        return Cleaned(entity.surrogate.render(text), (entity.kind,))

    def across(self, joined: str) -> list[Found]:
        """Return the known entities in several texts put together."""
        return self._known_entities(joined)

    def is_piece(self, text: str, *, is_near: bool) -> bool:
        """Return whether ``text`` is a piece of a known entity, so that alone it would give a part away.

        Args:
            text: something typed.
            is_near: whether the field it was typed into held an entity.
        """
        least = MIN_PART if is_near else MIN_PREFIX
        return Layer.PROPAGATION in self._layers and self.entities.around(text, least) is not None

    def _clean(self, text: str, *, attribute: bool) -> Cleaned:
        kinds: list[EntityClass] = []
        for attempt in range(_PASSES):
            # What patterns find in what was put in is chance; what is known must not be in it either.
            hits = [] if attempt else self._hit_entities(text, attribute=attribute)
            found = [*hits, *self._known_entities(text)]
            if not found:
                if kinds:
                    _bound(self._written)
                    self._written.add(text)
                return Cleaned(text, tuple(kinds))
            found = apart(found)
            kinds += [one.entity.kind for one in found]
            written, last = "", 0
            for one in found:
                instead = one.render(text)
                if one.is_prefix:
                    self.entities.issue(instead)
                written += text[last : one.start] + instead
                last = one.end
            text = PLAIN.of(written + text[last:]) if not written.isascii() else written + text[last:]
        return Cleaned(HIDDEN, tuple(kinds))

    def _hit_entities(self, text: str, *, attribute: bool) -> list[Found]:
        found = []
        for hit in self.hits(text, attribute=attribute):
            if self._is_new(text, hit):
                piece = text[hit.start : hit.end]
                longer = self._longer(piece)
                if longer is None:
                    self.entities.add(piece, hit.kind)
                entity = longer or self.entities.get(piece)
                if entity is not None:
                    found.append(Found(hit.start, hit.end, entity, is_prefix=longer is not None))
        return found

    def _longer(self, piece: str) -> Entity | None:
        """Return the entity that ``piece`` is the beginning of, as it was being typed."""
        if (
            not self.entities.with_prefixes
            or len(SQUEEZED.of(piece)) < MIN_PREFIX
            or self.entities.get(piece)
        ):
            return None
        return self.entities.beginning_with(piece)

    def _known_entities(self, text: str) -> list[Found]:
        return self.entities.find(text) if Layer.PROPAGATION in self._layers else []

    def _is_new(self, text: str, hit: Hit) -> bool:
        """Return whether a hit is something recorded, and not what stands for it, or what surrounds that."""
        spans = self.entities.issued_spans(text)
        if any(start < hit.end and hit.start < end for start, end in spans):
            return False
        return not self.entities.is_own(text[hit.start : hit.end])


def _bound(kept: Kept) -> None:
    if len(kept) >= _MAX_KEPT:
        kept.clear()
