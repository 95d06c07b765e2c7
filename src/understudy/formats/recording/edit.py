"""Cutting a stretch of time out of a recording: pure, files in, files out.

Rules

* The stretch is widened to the grid, outward. Its actions and states go, a gap stays. A segment that lies in
  it altogether goes too.
* Nothing of the stretch remains. A state that a later segment begins with may have been seen in it, for
  segments repeat the state that they begin in: it goes too, unless the same is also shown after the cut.
* The act before the cut may have gone on into it (more typing into one field is one act): what it entered and
  the value it left are dropped; that it happened stays.
* An action whose state is gone keeps no target. A ``fill_secret`` says nothing but its target, so it goes.
* What a field holds and the screen shows after the cut belongs to the time after it, and stays.
* Pixels are copied, not drawn again.

Example: ``edits = cut([segment.open for segment in segments], from_ms, to_ms)``.
"""

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Final

import msgspec
from msgspec.structs import replace

from understudy.consent.primitives import Value
from understudy.formats.recording.actions import (
    Action,
    Drag,
    FillSecret,
    Hover,
    Mark,
    Scroll,
    Select,
    Type,
)
from understudy.formats.recording.gaps import Gap
from understudy.formats.recording.layout import Kind
from understudy.formats.recording.manifest import Manifest
from understudy.formats.recording.reader import RecordingReader
from understudy.formats.recording.versions import Version
from understudy.formats.recording.writer import RecordingWriter
from understudy.formats.source import RandomAccess
from understudy.formats.spelling import spell

Opener = Callable[[], AbstractContextManager[RandomAccess]]
"""Opens one segment's file; may be called more than once."""

_FOREVER: Final = 1 << 62


class Removed(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a cut takes away, counted."""

    segments: int = 0
    actions: int = 0
    states: int = 0
    lessened: int = 0
    """Actions that stay, without their state or without what they entered."""

    def __add__(self, other: "Removed") -> "Removed":
        return Removed(
            segments=self.segments + other.segments,
            actions=self.actions + other.actions,
            states=self.states + other.states,
            lessened=self.lessened + other.lessened,
        )


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one segment: its new file, or None if nothing of it is left."""

    place: int
    payload: bytes | None
    removed: Removed

    def __repr__(self) -> str:
        return f"Edit(place={self.place}, removed={self.removed})"


class _Span(msgspec.Struct, frozen=True):
    """The cut, in one segment's own milliseconds and on its grid."""

    from_ms: int
    to_ms: int
    is_touched: bool
    is_whole: bool

    def holds(self, at_ms: int) -> bool:
        return self.is_touched and self.from_ms <= at_ms < self.to_ms


def cut(segments: Sequence[Opener], from_ms: int, to_ms: int) -> list[Edit]:
    """Return what becomes of the segments of one recording when a stretch is cut out of it.

    Segments that stay as they are do not occur in the answer.

    Args:
        segments: in order of time.
        from_ms: begin of the stretch, in milliseconds UTC.
        to_ms: its end; what happened at it stays.

    Raises:
        RecordingError: a segment breaks a rule of its format.
    """
    spans = [_span(opened, from_ms, to_ms) for opened in segments]
    touched = [place for place, span in enumerate(spans) if span.is_touched]
    if not touched:
        return []
    last_act = _last_act_before(segments, spans, touched[0])
    shown = _Shown()
    edits = []
    for place, (opened, span) in enumerate(zip(segments, spans, strict=True)):
        if place < touched[0] and (last_act is None or place != last_act[0]):
            continue
        if span.is_whole:
            with opened() as source:
                edits.append(Edit(place=place, payload=None, removed=_everything(RecordingReader(source))))
            continue
        with opened() as source:
            edit = _Edited(RecordingReader(source), span, shown, carries=place > touched[0])
            if last_act is not None and place == last_act[0]:
                edit.silence(last_act[1])
            if place >= touched[0]:
                edit.note_shown()
            if edit.is_changed:
                edits.append(Edit(place=place, payload=edit.payload(), removed=edit.removed))
    return edits


class _Shown:
    """What is known to have been on the screen after the cut: digests of trees and frames."""

    def __init__(self) -> None:
        self.trees: set[bytes | None] = {None}
        self.frames: set[str | None] = {None}


class _Edited:
    """One segment, and which of its items stay."""

    def __init__(self, reader: RecordingReader, span: _Span, shown: _Shown, *, carries: bool) -> None:
        self._reader = reader
        self._span = span
        self._shown = shown
        self._carries = carries
        # A frame is a chunk of its own, so the index knows whether two are equal.
        self._frames = [chunk.hash for chunk in reader.index.chunks if chunk.kind is Kind.FRAME]
        versions = [reader.version(number) for number in range(reader.count(Kind.VERSIONS))]
        self._versions = [version if self._stays(version) else None for version in versions]
        before = [(action, self._edited(action)) for action in reader.actions()]
        self._actions = [after for _, after in before]
        self.removed = Removed(
            states=self._versions.count(None),
            actions=self._actions.count(None),
            lessened=sum(1 for action, after in before if after is not None and after != action),
        )

    @property
    def is_changed(self) -> bool:
        """Whether there is anything to rewrite."""
        return self._span.is_touched or self.removed != Removed()

    def silence(self, number: int) -> None:
        """Drop what an action entered."""
        action = self._actions[number]
        if action is not None and (silent := _silenced(action)) != action:
            self._actions[number] = silent
            self.removed += Removed(lessened=1)

    def note_shown(self) -> None:
        """Remember what this segment shows that was certainly seen after the cut."""
        first = self._span.to_ms if self._span.is_touched else 1
        for version in self._versions:
            if version is not None and version.at_ms >= first:
                self._shown.trees.add(self._tree_key(version))
                self._shown.frames.add(self._frame_key(version))

    def payload(self) -> bytes:
        """Return the file with what stays."""
        file = io.BytesIO()
        copied: list[bytes] = []
        writer = RecordingWriter(file, encoder=lambda _: copied[-1])
        numbers: dict[int, int] = {}
        for number, version in enumerate(self._versions):
            if version is None:
                continue
            tree = None if version.tree is None else writer.add_tree(self._reader.tree(version.tree))
            frame = None
            if version.frame is not None:
                stored = self._reader.frame(version.frame)
                copied.append(stored.webp)
                frame = writer.add_frame(stored.picture(), stored.x, stored.y)
                copied.clear()
            numbers[number] = writer.add_version(replace(version, tree=tree, frame=frame))
        for action in self._actions:
            if action is not None:
                before = None if action.before is None else numbers[action.before]
                writer.add_action(replace(action, before=before))
        for gap in self._gaps():
            writer.add_gap(gap)
        writer.finish(self._reader.manifest)
        return file.getvalue()

    def _gaps(self) -> Iterator[Gap]:
        yield from self._reader.gaps()
        if self._span.is_touched:
            yield Gap(from_ms=self._span.from_ms, to_ms=min(self._span.to_ms, self._reader.manifest.last_ms))

    def _stays(self, version: Version) -> bool:
        if self._span.holds(version.at_ms):
            return False
        if not self._carries or version.at_ms > 0:
            return True
        seen = self._shown
        return self._tree_key(version) in seen.trees and self._frame_key(version) in seen.frames

    def _edited(self, action: Action) -> Action | None:
        if self._span.holds(action.at_ms):
            return None
        if action.before is None or self._versions[action.before] is not None:
            return action
        return _stateless(action)

    def _tree_key(self, version: Version) -> bytes | None:
        if version.tree is None:
            return None
        return hashlib.sha256(spell(self._reader.tree(version.tree))).digest()

    def _frame_key(self, version: Version) -> str | None:
        return None if version.frame is None else self._frames[version.frame]


def _span(opened: Opener, from_ms: int, to_ms: int) -> _Span:
    """Return the cut as one segment sees it."""
    with opened() as source:
        manifest = RecordingReader(source).manifest
    start, end = manifest.started_at * 1_000, manifest.ended_at * 1_000
    is_touched = from_ms < to_ms and from_ms < max(end, start + 1) and to_ms > start
    first = max(from_ms - start, 0)
    return _Span(
        from_ms=manifest.on_grid(first),
        # At the end of a segment the grid may reach beyond it: everything up to the end is meant.
        to_ms=_FOREVER if to_ms >= end else _up(to_ms - start, manifest),
        is_touched=is_touched,
        is_whole=is_touched and manifest.on_grid(first) == 0 and to_ms >= end,
    )


def _up(milliseconds: int, manifest: Manifest) -> int:
    return -(-milliseconds // manifest.time_grid_ms) * manifest.time_grid_ms


def _last_act_before(
    segments: Sequence[Opener], spans: Sequence[_Span], first: int
) -> tuple[int, int] | None:
    """Return place and number of the last action before the cut, wherever it is."""
    for place in range(first, -1, -1):
        with segments[place]() as source:
            reader = RecordingReader(source)
            limit = spans[place].from_ms if place == first else _FOREVER
            earlier = [number for number, action in enumerate(reader.actions()) if action.at_ms < limit]
        if earlier:
            return place, earlier[-1]
    return None


def _everything(reader: RecordingReader) -> Removed:
    return Removed(segments=1, actions=reader.count(Kind.ACTIONS), states=reader.count(Kind.VERSIONS))


def _stateless(action: Action) -> Action | None:
    """Return the action without the state before it and all that it names of it."""
    match action:
        case FillSecret():
            return None
        case Drag():
            return replace(action, before=None, target=None, drop=None)
        case Select():
            return replace(action, before=None, target=None, option_element=None)
        case _:
            return replace(action, before=None, target=None)


def _silenced(action: Action) -> Action:
    """Return the action without what it entered and the value it left."""
    silent: Action
    match action:
        case Hover() | Scroll() | FillSecret():
            return action
        case Type():
            silent = replace(action, text=None, value=None)
        case Select():
            silent = replace(action, option=None, option_element=None, value=None)
        case _:
            silent = replace(action, value=None)
    if silent == action:
        return action
    return replace(silent, marks=tuple(sorted({*silent.marks, Mark.DROPPED})))
