"""Reads a recording file at random, chunk by chunk, from anything that can seek.

Rules

* Opening reads header, trailer, index and manifest. An item costs one read of its chunk; nothing else of the
  file is touched, so a decryptor below decrypts only what is asked for.
* Every chunk read is verified: hash, size, form, inner rules. Rules between chunks are ``check``'s.
* Nothing is repaired, skipped or guessed: a broken rule is a ``RecordingError``.

Example

>>> from understudy.formats.synthetic import synthetic_segment
>>> import io
>>> segment = synthetic_segment(
...     7, recording="rec_AAAAAAAAAAAAAAAAAAAAAA", ordinal=0, started_at=0, ended_at=60
... )
>>> reader = RecordingReader(io.BytesIO(segment))
>>> reader.manifest.is_synthetic
True
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Generic, TypeVar

from understudy.formats.elements import ElementTree
from understudy.formats.recording.actions import Action
from understudy.formats.recording.chunks import (
    actions_in,
    fetch,
    frame_in,
    gaps_in,
    manifest_in,
    trees_in,
    versions_in,
)
from understudy.formats.recording.frames import Frame
from understudy.formats.recording.gaps import Gap
from understudy.formats.recording.layout import Chunk, Index, Kind, load
from understudy.formats.recording.versions import Version
from understudy.formats.source import RandomAccess

T = TypeVar("T")


class RecordingReader:
    """One recording file, opened.

    Args:
        source: from byte 0 to the end, exactly the file.

    Raises:
        RecordingError: header, trailer, index, layout or manifest break a rule.
    """

    def __init__(self, source: RandomAccess) -> None:
        self._source = source
        self.index = load(source)
        self._offsets = self.index.offsets
        self._trees = _Shelf(self.index, Kind.TREES, self._content, trees_in)
        self._frames = _Shelf(self.index, Kind.FRAME, self._content, _one_frame)
        self._versions = _Shelf(self.index, Kind.VERSIONS, self._content, versions_in)
        self._actions = _Shelf(self.index, Kind.ACTIONS, self._content, actions_in)
        last = len(self.index.chunks) - 1
        self.manifest = manifest_in(self.index.chunks[last], self._content(last))

    def count(self, kind: Kind) -> int:
        """Return how many items of ``kind`` there are; their numbers run from 0."""
        return self.index.count(kind)

    def tree(self, number: int) -> ElementTree:
        """Return a tree.

        Raises:
            IndexError: there is none of that number.
            RecordingError: its chunk breaks a rule.
        """
        return self._trees.item(number)

    def frame(self, number: int) -> Frame:
        """Return a frame, not yet decoded; raises as ``tree``."""
        return self._frames.item(number)

    def version(self, number: int) -> Version:
        """Return a version; raises as ``tree``."""
        return self._versions.item(number)

    def action(self, number: int) -> Action:
        """Return an action; raises as ``tree``."""
        return self._actions.item(number)

    def actions(self, start: int = 0, stop: int | None = None) -> Iterator[Action]:
        """Yield the actions from number ``start`` up to, not including, ``stop``."""
        end = self.count(Kind.ACTIONS)
        for number in range(start, end if stop is None else min(stop, end)):
            yield self.action(number)

    def actions_between(self, from_ms: int, to_ms: int) -> Iterator[tuple[int, Action]]:
        """Yield (number, action) for the actions with ``from_ms <= at_ms <= to_ms``."""
        for number in self._actions.numbers_between(from_ms, to_ms):
            action = self.action(number)
            if from_ms <= action.at_ms <= to_ms:
                yield number, action

    def version_at(self, at_ms: int) -> int | None:
        """Return the number of the newest version that is not later than ``at_ms``, if there is one."""
        newest = None
        for number in self._versions.numbers_up_to(at_ms):
            if self.version(number).at_ms > at_ms:
                break
            newest = number
        return newest

    def gaps(self) -> tuple[Gap, ...]:
        """Return all gaps, sorted.

        Raises:
            RecordingError: their chunk breaks a rule.
        """
        for place, chunk in enumerate(self.index.chunks):
            if chunk.kind is Kind.GAPS:
                return gaps_in(chunk, self._content(place))
        return ()

    def _content(self, place: int) -> bytes:
        return fetch(self._source, self.index.chunks[place], self._offsets[place])


class _Shelf(Generic[T]):
    """The items of one kind: finds the chunk of a number or a time, and keeps the last chunk opened."""

    def __init__(
        self,
        index: Index,
        kind: Kind,
        content: Callable[[int], bytes],
        parse: Callable[[Chunk, bytes], Sequence[T]],
    ) -> None:
        self._content = content
        self._parse = parse
        self._places = [place for place, chunk in enumerate(index.chunks) if chunk.kind is kind]
        self._chunks = [index.chunks[place] for place in self._places]
        self._starts = list(accumulate((chunk.count for chunk in self._chunks), initial=0))
        self._open: tuple[int, Sequence[T]] = (-1, ())

    def item(self, number: int) -> T:
        if not 0 <= number < self._starts[-1]:
            raise IndexError(number)
        which = bisect_right(self._starts, number) - 1
        if self._open[0] != which:
            items = self._parse(self._chunks[which], self._content(self._places[which]))
            self._open = (which, items)
        return self._open[1][number - self._starts[which]]

    def numbers_between(self, from_ms: int, to_ms: int) -> Iterator[int]:
        """Yield the numbers in all chunks that reach into the stretch."""
        for which, chunk in enumerate(self._chunks):
            if (chunk.to_ms or 0) >= from_ms and (chunk.from_ms or 0) <= to_ms:
                yield from range(self._starts[which], self._starts[which + 1])

    def numbers_up_to(self, at_ms: int) -> range:
        """Return the numbers in the last chunk that begins no later than ``at_ms``."""
        for which in range(len(self._chunks) - 1, -1, -1):
            if (self._chunks[which].from_ms or 0) <= at_ms:
                return range(self._starts[which], self._starts[which + 1])
        return range(0)


def _one_frame(chunk: Chunk, content: bytes) -> tuple[Frame]:
    return (frame_in(chunk, content),)
