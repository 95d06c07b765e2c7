"""The redactor of one recording: learns what is personal in it, and rewrites every stretch without it.

Rules

* One redactor, one key, one recording. The key lives in memory and makes the surrogates; it is in no output.
* ``learn`` looks at a stretch and says whether anything new was found: then what was redacted before must be
  redacted again. ``redact`` learns too, so nothing depends on who calls what; the next ``learn`` tells.
* Redacting what was redacted changes nothing and finds nothing new.
* Any error drops the stretch. Nothing that is raised, logged or shown here holds recorded text.
* ``layers`` exists so that tests can take a layer away. Without any, everything passes, and the stamp says
  so.

Example

>>> redactor = Redactor(bytes(32))
>>> redactor.text('log in as "jane" with the password "hunter2"')
'log in as "ceno" with the password "hiddenpassword"'
>>> redactor.stamp.layers
('patterns', 'pixels', 'propagation', 'special', 'structure')
"""

from collections.abc import Iterable
from copy import deepcopy
from itertools import count
from typing import Final, TypeVar

import msgspec
from msgspec.structs import replace

from understudy.formats.elements import ElementTree
from understudy.formats.picture import PlacedPicture
from understudy.formats.recording.actions import Action
from understudy.formats.recording.frames import identity
from understudy.formats.recording.manifest import RedactionStamp
from understudy.formats.recording.stretch import Stretch
from understudy.formats.recording.versions import Version
from understudy.redaction.acts import cleaned_action, texts_of
from understudy.redaction.cleaning import Cleaner
from understudy.redaction.errors import RedactionError, SpecialCategory
from understudy.redaction.folding import SQUEEZED
from understudy.redaction.kinds import ALL_LAYERS, EntityClass, Layer
from understudy.redaction.pixels import masked
from understudy.redaction.places import Places
from understudy.redaction.rules import rules_hash
from understudy.redaction.special import is_special, says_special
from understudy.redaction.structure import Structure, is_field, read
from understudy.redaction.trees import CleanTree, cleaned_tree

T = TypeVar("T")

MIN_KEY: Final = 16
MAX_SEEN: Final = 512
"""Values that are remembered of a place, in case it turns out to hold entities; the newest are kept."""
MAX_SEEN_TEXT: Final = 256


class Redacted(msgspec.Struct, frozen=True, kw_only=True):
    """A clean stretch, and how many entities of which class gave way in it. Counts hold no content."""

    stretch: Stretch
    spans: int
    by_class: dict[str, int]


class Redactor:
    """Redacts one recording, stretch by stretch."""

    def __init__(
        self,
        key: bytes,
        *,
        layers: Iterable[Layer | str] = ALL_LAYERS,
        sticky: bool = True,
        prefixes: bool = True,
    ) -> None:
        """Take the recording's key.

        Args:
            key: at least 16 random bytes, of this recording alone.
            layers: which layers run; fewer than all only in tests.
            sticky: whether places are remembered; off only in tests.
            prefixes: whether beginnings of entities are replaced; off only in tests.

        Raises:
            RedactionError: the key is too short.
        """
        if len(key) < MIN_KEY:
            raise RedactionError(f"a redaction key has at least {MIN_KEY} bytes")
        self._layers = frozenset(map(Layer, layers))
        self._cleaner = Cleaner(key, self._layers, with_prefixes=prefixes)
        self._is_sticky = sticky
        self._places = Places()
        self._unique = count()
        self._sticky: dict[int, EntityClass] = {}
        self._seen: dict[int, dict[str, None]] = {}
        self._structures: dict[ElementTree, tuple[Structure, list[int]]] = {}
        self._masked_frames: set[bytes] = set()
        self._known_size = (0, 0)

    def __repr__(self) -> str:
        return f"Redactor(entities={len(self._cleaner.entities)})"

    def fork(self) -> "Redactor":
        """Return a redactor that knows the same and learns for itself: for what is thrown away again."""
        return deepcopy(self, {id(one): one for one in (*self._cleaner.shared, self._unique)})

    @property
    def stamp(self) -> RedactionStamp:
        """Which rules and layers run."""
        return RedactionStamp(rules=rules_hash(), layers=tuple(sorted(layer.value for layer in self._layers)))

    def learn(self, stretch: Stretch, *, instruction: str | None = None, title: str | None = None) -> bool:
        """Find what is personal in a stretch, and say whether anything is new since the last call.

        Raises:
            SpecialCategory: the stretch must be dropped whole; what is personal in it is known all the same.
            RedactionError: it cannot be judged, and must be dropped too.
        """
        for text in filter(None, (instruction, title)):
            self._cleaner.take_in(text)
        self._take_in(stretch)
        try:
            self._refuse_special(stretch)
        finally:
            self._structures.clear()
        for text in filter(None, (instruction, title)):
            self._refuse_special_text(text)
        size = (len(self._cleaner.entities), len(self._sticky))
        has_grown = size != self._known_size
        self._known_size = size
        return has_grown

    def redact(self, stretch: Stretch) -> Redacted:
        """Return the stretch without anything that was found in it or elsewhere.

        Raises:
            SpecialCategory: the stretch must be dropped whole.
            RedactionError: it could not be redacted, and must be dropped too.
        """
        if not self._layers:
            return Redacted(stretch=stretch, spans=0, by_class={})
        try:
            self._take_in(stretch)
            self._refuse_special(stretch)
            self._cleaner.counts.clear()
            clean = self._rewritten(stretch)
        except (IndexError, KeyError, ValueError, RecursionError) as error:
            # Whatever is wrong with a stretch, its text must not be in what is raised.
            raise RedactionError(f"a stretch that cannot be judged: {type(error).__name__}") from None
        finally:
            self._structures.clear()
        counts = {kind.value: count for kind, count in sorted(self._cleaner.counts.items())}
        return Redacted(stretch=clean, spans=sum(counts.values()), by_class=counts)

    def text(self, text: str, *, limit: int | None = None) -> str:
        """Return a title or an instruction without anything that was found.

        Raises:
            SpecialCategory: it says something that the recording must not hold.
        """
        if not self._layers:
            return text
        self._refuse_special_text(text)
        self._cleaner.take_in(text)
        return self._cleaner.clean(text).text[:limit]

    # What is found

    def _take_in(self, stretch: Stretch) -> None:
        """Fields first: what is said in a text may be the beginning of what stands in a field."""
        trees = tuple(dict.fromkeys(stretch.trees))
        if Layer.STRUCTURE in self._layers:
            for tree in trees:
                self._take_in_structure(tree)
            for action in stretch.actions:
                self._take_in_target(action, stretch.tree_before(action))
            self._take_in_places()
        for tree in trees:
            self._take_in_texts(tree)
        for action in stretch.actions:
            for text in texts_of(action):
                self._cleaner.take_in(text)
        self._take_in_places()

    def _take_in_structure(self, tree: ElementTree) -> None:
        structure, places = self._read(tree)
        for number, kind in structure.fields.items():
            element = tree.elements[number]
            if kind is not None and not element.is_secure:
                self._sticky.setdefault(places[number], kind)
            if element.value:
                self._see(places[number], element.value)
        for number, static in structure.statics.items():
            self._cleaner.entities.add(tree.elements[number].name, static)

    def _take_in_target(self, action: Action, tree: ElementTree | None) -> None:
        if tree is None or action.target is None or action.target not in self._read(tree)[0].fields:
            return
        place = self._read(tree)[1][action.target]
        for text in _independent(texts_of(action)):
            self._see(place, text)

    def _take_in_texts(self, tree: ElementTree) -> None:
        structure, places = self._read(tree)
        for text in filter(None, (tree.application, tree.host)):
            self._cleaner.take_in(text, attribute=True)
        for number, element in enumerate(tree.elements):
            if element.name:
                self._cleaner.take_in(element.name)
            for text in filter(None, (element.id, *element.classes)):
                self._cleaner.take_in(text, attribute=True)
            whole = self._cleaner.take_in(element.value) if element.value else None
            if whole is not None and number in structure.fields and Layer.STRUCTURE in self._layers:
                self._sticky.setdefault(places[number], whole)

    def _see(self, place: int, text: str) -> None:
        if len(text) > MAX_SEEN_TEXT:
            if place in self._sticky:
                self._cleaner.entities.add(text, self._sticky[place])
            return
        seen = self._seen.setdefault(place, {})
        seen[text] = None
        if len(seen) > MAX_SEEN:
            del seen[next(iter(seen))]

    def _take_in_places(self) -> None:
        """Take in what stands, or ever stood, at places of entities; not what is a beginning of more."""
        if Layer.STRUCTURE not in self._layers:
            return
        for place, kind in self._sticky.items():
            values = sorted(self._seen.pop(place, {}), key=len, reverse=True)
            for number, value in enumerate(values):
                squeezed = SQUEEZED.of(value)
                longer = (SQUEEZED.of(other) for other in values[:number])
                is_beginning = any(other != squeezed and other.startswith(squeezed) for other in longer)
                if not is_beginning and self._cleaner.entities.beginning_with(value) is None:
                    self._cleaner.entities.add(value, kind)

    def _read(self, tree: ElementTree) -> tuple[Structure, list[int]]:
        known = self._structures.get(tree)
        if known is None:
            places = self._places.of(tree) if self._is_sticky else [next(self._unique) for _ in tree.elements]
            known = self._structures[tree] = (read(tree), places)
        return known

    # What must be dropped whole

    def _refuse_special(self, stretch: Stretch) -> None:
        if Layer.SPECIAL not in self._layers:
            return
        for tree in stretch.trees:
            labels = self._read(tree)[0].labels
            for number, element in enumerate(tree.elements):
                if number in labels:
                    answer = element.value if is_field(element) else element.value or element.name
                    self._refuse_special_value(labels[number], answer or "")
                for text in filter(None, (element.name, element.value)):
                    self._refuse_special_text(text)
        for action in stretch.actions:
            before, target = stretch.tree_before(action), action.target
            label = ""
            if before is not None and target is not None:
                label = self._read(before)[0].labels.get(target, "")
            for text in texts_of(action):
                self._refuse_special_value(label, text)
                self._refuse_special_text(text)

    def _refuse_special_value(self, label: str, value: str) -> None:
        if is_special(label, value):
            raise SpecialCategory

    def _refuse_special_text(self, text: str) -> None:
        if Layer.SPECIAL in self._layers and says_special(text):
            raise SpecialCategory

    # What is written instead

    def _rewritten(self, stretch: Stretch) -> Stretch:
        trees = [self._clean_tree(tree) for tree in stretch.trees]
        actions = tuple(
            cleaned_action(action, self._kind_of_target(stretch, number), self._cleaner)
            if Layer.STRUCTURE in self._layers or stretch.tree_before(action) is not None
            else action
            for number, action in enumerate(stretch.actions)
        )
        frames = self._clean_frames(stretch, trees)
        clean = Stretch(
            actions=actions,
            versions=stretch.versions,
            trees=tuple(tree.tree for tree in trees),
            frames=(),
            gaps=stretch.gaps,
        )
        return renumbered(clean, frames)

    def _clean_tree(self, tree: ElementTree) -> CleanTree:
        return cleaned_tree(tree, self._structure(tree), self._kinds(tree), self._cleaner)

    def _structure(self, tree: ElementTree) -> Structure:
        structure = self._read(tree)[0]
        return structure if Layer.STRUCTURE in self._layers else Structure(structure.fields, {}, {})

    def _kinds(self, tree: ElementTree) -> dict[int, EntityClass]:
        """Return the class of each field that is labelled so, or stands where an entity was."""
        if Layer.STRUCTURE not in self._layers:
            return {}
        structure, places = self._read(tree)
        kinds = {}
        for number, told in structure.fields.items():
            kind = self._sticky.get(places[number], told)
            if kind is not None:
                kinds[number] = kind
        return kinds

    def _kind_of_target(self, stretch: Stretch, number: int) -> EntityClass | None:
        action = stretch.actions[number]
        tree = stretch.tree_before(action)
        return None if tree is None or action.target is None else self._kinds(tree).get(action.target)

    def _clean_frames(self, stretch: Stretch, trees: list[CleanTree]) -> dict[int, PlacedPicture]:
        """Return the frames that a tree explains, by their old numbers."""
        if Layer.PIXELS not in self._layers:
            return dict(enumerate(stretch.frames))
        shown: dict[int, dict[int, None]] = {}
        for version in stretch.versions:
            if version.frame is not None and version.tree is not None:
                shown.setdefault(version.frame, {})[version.tree] = None
        return {
            number: self._masked(stretch, trees, number, with_trees) for number, with_trees in shown.items()
        }

    def _masked(
        self, stretch: Stretch, trees: list[CleanTree], number: int, with_trees: Iterable[int]
    ) -> PlacedPicture:
        frame = stretch.frames[number]
        pairs = [(stretch.trees[tree], trees[tree].dirty) for tree in with_trees]
        is_masked = identity(frame.x, frame.y, frame.picture) in self._masked_frames
        clean = masked(frame, pairs, is_masked=is_masked)
        self._masked_frames.add(identity(clean.x, clean.y, clean.picture))
        return clean


def _independent(texts: tuple[str, ...]) -> Iterable[str]:
    """Return the texts that are no pieces of another: of keys and the value they made, the value."""
    return (text for text in texts if not any(text != other and text in other for other in texts))


def renumbered(stretch: Stretch, frames: dict[int, PlacedPicture]) -> Stretch:
    """Return the stretch with these frames: a version without a tree has none, and one without both is gone.

    Equal trees become one, and so do equal frames.
    """
    tree_numbers, trees = _once(enumerate(stretch.trees))
    frame_numbers, kept_frames = _once(sorted(frames.items()))
    versions: list[Version] = []
    moved: dict[int, int] = {}
    for number, version in enumerate(stretch.versions):
        tree = None if version.tree is None else tree_numbers[version.tree]
        has_frame = version.frame is not None and tree is not None and version.frame in frame_numbers
        frame = frame_numbers[version.frame] if has_frame and version.frame is not None else None
        if tree is not None or frame is not None:
            moved[number] = len(versions)
            versions.append(replace(version, tree=tree, frame=frame))
    actions = tuple(
        action if action.before is None else replace(action, before=moved.get(action.before))
        for action in stretch.actions
    )
    return Stretch(
        actions=actions, versions=tuple(versions), trees=trees, frames=kept_frames, gaps=stretch.gaps
    )


def _once(items: Iterable[tuple[int, T]]) -> tuple[dict[int, int], tuple[T, ...]]:
    numbers: dict[int, int] = {}
    places: dict[T, int] = {}
    for number, item in items:
        numbers[number] = places.setdefault(item, len(places))
    return numbers, tuple(places)
